"""Benchmarks: repeatable measurements, each against a named peer or limit measured in the same run.

``python -m bench.NAME`` starts its own servers in a temporary folder, builds its data, measures in alternating
rounds (ours, peer, ours, peer …), prints a table of medians and ends with one line ``ratio …: X.XX``. Wall times
depend on what else the machine does; the ratios, and CPU time above all, much less. ``--quick`` is a smoke run.

Words: a *contender* is what is measured in turn; a *peer* is the least that any server of the same stack would
have to do; *stores* are PostgreSQL and Valkey together.
"""
