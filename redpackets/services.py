"""The verbs of red packets, as others call them; each lives beside its noun.

Every verb works inside the caller's transaction and never commits: an answer is written after the unit of work has.
"""

from redpackets.approving import Decision, decide
from redpackets.budgets import BudgetChange, NewBudget, change_budget, create_budget, open_budget
from redpackets.delegating import NewDelegation, lend_right, take_back_right
from redpackets.grabbing import Grabbed, grab
from redpackets.lifecycle import close_if_over, open_if_due, tell_remaining
from redpackets.periods import close_if_period_over, reclaim_budget, recover_budget, today_of
from redpackets.policies import set_policy
from redpackets.sending import NewPacket, Sender, place_packet, send_packet
from redpackets.stopping import Freeze, cancel_packet, close_packet, freeze_packet

__all__ = [
    "BudgetChange",
    "Decision",
    "Freeze",
    "Grabbed",
    "NewBudget",
    "NewDelegation",
    "NewPacket",
    "Sender",
    "cancel_packet",
    "change_budget",
    "close_if_over",
    "close_if_period_over",
    "close_packet",
    "create_budget",
    "decide",
    "freeze_packet",
    "grab",
    "lend_right",
    "open_budget",
    "open_if_due",
    "place_packet",
    "reclaim_budget",
    "recover_budget",
    "send_packet",
    "set_policy",
    "take_back_right",
    "tell_remaining",
    "today_of",
]
