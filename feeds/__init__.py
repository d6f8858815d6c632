"""Feeds: posts, announcements, and how far they reach.

Words: an *item* is anything the feed is made of, of a *type* (post, announcement, packet, figure); its *audience* is
the set of scopes it is for; a *tracked* item asks its readers for a *response* (seen, acknowledge, answer); a
*receipt* is one reader's response; *reach* is how far the item got, by org unit; a *nudge* reminds those who have
not responded.

Always true: an item is stored once, never per reader; who shares no scope with an item cannot learn that it exists;
applying the events to an old page gives what a fresh read gives; no total is written where readers respond.
"""
