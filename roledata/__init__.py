"""Role data: everybody opens the same app and sees their own figures, out of the ERP's documents.

Words: a *metric* turns facts into a figure; a *card* lays a metric out; a *home* is the cards of a role; a *node* is
an org unit (with everything below) or a person; a *scope* is the nodes whose figures somebody may see; a *measure*
is a metric that is kept by node and day; a *watch* is a rule on a card that tells its owner.

Always true: a figure equals what its documents add up to; nobody reads one without a scope that the resolver gave;
amounts are exact until they are answered, and rounded half up to minor units only then.
"""
