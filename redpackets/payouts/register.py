"""Registering payouts with the application."""

import httpx
from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from redpackets.payouts import jobs, notices
from redpackets.payouts.events import AccountNamed, PayoutPrepared
from redpackets.payouts.rails import RAILS
from redpackets.payouts.routes import routes
from redpackets.payouts.services import PUSH_JOB
from redpackets.payouts.transfer_rail import TransferRail

RAIL_NAME = "wechat"


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, subscriptions and notices, and the rail that the settings name."""
    api.register_blueprint(routes)
    space = workspace(app)
    space.tools.setdefault(RAILS, {})
    if space.settings.rail_endpoint:
        client = httpx.Client(base_url=space.settings.rail_endpoint)
        space.tools[RAILS][RAIL_NAME] = TransferRail(client)
    space.jobs.add(PUSH_JOB, jobs.push_payouts)
    space.jobs.every("* * * * *", "redpackets.sweep_payouts", jobs.sweep_payouts)
    space.jobs.every("30 1 * * *", "redpackets.tell_aged_payouts", jobs.tell_aged)
    space.subscriptions.add(PayoutPrepared, "redpackets.tell_releasers", notices.tell_releasers)
    space.subscriptions.add(AccountNamed, "redpackets.tell_payee", notices.tell_payee)
    add_kind(app, notices.ACCOUNT, notices.ACCOUNT_NAME)
    add_kind(app, notices.PAYOUTS, notices.KIND_NAME)
