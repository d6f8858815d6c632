"""Approvals: what waits in the ERP for a person's decision, decided from the phone, and written back as that person.

Words: an *approval* is one document's waiting for one approver; its *version* names the content that was shown; an
*approver* says which of the ERP's users a person decides as, and from when to when; a *decision* is a command with
an id of its own: queued → sent → confirmed | refused | unknown.

Always true: a decision is sent at most once, whatever dies; the document is read again before and after; what was
not shown is not approved; *unknown* ends by reading the ERP, never by sending again; every step is kept for ever.
"""
