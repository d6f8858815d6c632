"""Delivery: how phones hear of things — the sequencer, the stream, sync, and push.

Words: an *event* is a numbered fact of the log; a *cursor* is the last number a device has; a *hint* says "look
now" and may be lost; a *notice* is news for people (title, body, link, audience, urgency, collapse key).

Always true: nobody is told what is not committed; what a hint or a socket loses, the log repairs; a notice knows
no domain.
"""
