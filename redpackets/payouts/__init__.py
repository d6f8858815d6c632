"""Paying out what people were given: payables leave by a payroll file or over a rail, and every cent at most once.

A number of our own is kept before the first call to a rail; what came of a call that nobody answered is asked, never guessed.
"""
