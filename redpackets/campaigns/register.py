"""Registering campaigns with the application."""

from functools import partial

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from redpackets.campaigns import (
    giving_routes,
    jobs,
    kpi_routes,
    kudos_routes,
    milestone_routes,
    notices,
    subscribers,
)
from redpackets.campaigns.events import FigureRestated, GiftMissed, RuleFired, RuleMissed


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, subscriptions and notices; the figures are asked of whoever the factory introduces."""
    for part in (kpi_routes, kudos_routes, giving_routes, milestone_routes):
        api.register_blueprint(part.routes)
    space = workspace(app)
    space.jobs.add(jobs.EVALUATE, partial(jobs.evaluate_rules, ports=space.ports))
    every = space.jobs.every
    every("*/15 * * * *", "redpackets.evaluate_all", partial(jobs.evaluate_all, ports=space.ports))
    every("7 * * * *", "redpackets.give_gifts", jobs.give_gifts)
    heard = space.subscriptions
    subscribers.subscribe_to_others(heard)
    heard.add(RuleFired, "redpackets.tell_rule_fired", notices.tell_fired)
    heard.add(RuleMissed, "redpackets.tell_rule_missed", notices.tell_missed)
    heard.add(FigureRestated, "redpackets.tell_figure_restated", notices.tell_restated)
    heard.add(GiftMissed, "redpackets.tell_gift_missed", notices.tell_gift_missed)
    add_kind(app, notices.KIND, notices.KIND_NAME)
