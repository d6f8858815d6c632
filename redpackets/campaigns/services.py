"""The verbs of campaigns, as the edge calls them; each lives beside its noun."""

from redpackets.campaigns.firing import evaluate_rule
from redpackets.campaigns.giving import (
    Gift,
    NewGrant,
    NewRain,
    Wave,
    cancel_rain,
    make_grant,
    make_rain,
)
from redpackets.campaigns.kudos import (
    NewProgramme,
    Thanks,
    add_programme,
    change_programme,
    give_kudos,
    read_allowances,
)
from redpackets.campaigns.milestones import give_gifts, put_dates
from redpackets.campaigns.previewing import preview_rule
from redpackets.campaigns.restating import decide_proposal, review_fires
from redpackets.campaigns.triggers import RuleTerms, add_rule, change_rule, remove_rule

__all__ = [
    "Gift",
    "NewGrant",
    "NewProgramme",
    "NewRain",
    "RuleTerms",
    "Thanks",
    "Wave",
    "add_programme",
    "add_rule",
    "cancel_rain",
    "change_programme",
    "change_rule",
    "decide_proposal",
    "evaluate_rule",
    "give_gifts",
    "give_kudos",
    "make_grant",
    "make_rain",
    "preview_rule",
    "put_dates",
    "read_allowances",
    "remove_rule",
    "review_fires",
]
