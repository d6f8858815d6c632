"""Packets that nobody presses a button for: rules on the company's figures, rains, milestones; and give-only allowances for kudos.

A campaign knows no figure itself: it asks through ``ports``. It fires at most once per rule, period and subject.
"""
