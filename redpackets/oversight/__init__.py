"""Watching over rewards: patterns that an auditor should see, and reports of what was given to whom and what followed.

A *flag* is a question to an auditor, never a verdict: nothing is stopped or taken back by it. Always true: one
pattern is flagged once however often the scan runs; nobody whom a flag is about resolves it; what is said about an
audience is said about all of it together, and not at all about fewer than five people.
"""
