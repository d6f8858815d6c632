"""People: tenants, the organisation, roles, audiences, sign-in and devices.

Words: a *unit* is a node of the organisation tree; a *role* is a named set of permissions held *at* a unit and
reaching everything below; a *scope* is one addressable set of people; an *audience* is an OR of scopes.

Always true: a person's scopes follow from memberships and roles alone, and every question about who may see
something — feed, directory, stream, push — is asked through them.
"""
