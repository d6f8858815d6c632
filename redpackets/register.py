"""Registering redpackets with the application."""

from typing import Any

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from redpackets import (
    approval_routes,
    budget_jobs,
    budget_routes,
    events,
    jobs,
    ledger_jobs,
    ledger_notices,
    notices,
    packet_routes,
    subscribers,
)
from redpackets.campaigns import register as campaigns
from redpackets.entrance import TOOL as ENTRANCE
from redpackets.entrance import Entrance
from redpackets.events import PacketOpened, ShareTaken
from redpackets.ledger_routes import routes as ledger_routes
from redpackets.lifecycle import EXPIRE_JOB, OPEN_JOB, TELL_JOB
from redpackets.oversight import register as oversight
from redpackets.payouts import register as payouts
from redpackets.points import register as points
from redpackets.routes import routes

PARTS: tuple[Any, ...] = (campaigns, oversight, payouts, points)


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, subscriptions and notices."""
    api.register_blueprint(routes)
    api.register_blueprint(ledger_routes)
    space = workspace(app)
    entrance = space.tools[ENTRANCE] = Entrance(space)
    space.jobs.add(OPEN_JOB, jobs.open_packet)
    space.jobs.add(EXPIRE_JOB, jobs.expire_packet)
    space.jobs.add(TELL_JOB, jobs.tell_remaining)
    space.jobs.every("* * * * *", "redpackets.sweep", jobs.sweep_packets)
    space.jobs.every("* * * * * */2", "redpackets.seal_ledgers", ledger_jobs.seal_ledgers)
    space.jobs.every("10 * * * *", "redpackets.note_heads", ledger_jobs.note_heads)
    space.jobs.every("40 18 * * *", "redpackets.prove_ledgers", ledger_jobs.prove_ledgers)
    space.subscriptions.add(ShareTaken, "redpackets.tell_remaining", subscribers.on_share_taken)
    space.subscriptions.add(PacketOpened, "redpackets.build_gate", entrance.on_packet_opened)
    space.subscriptions.add(PacketOpened, "redpackets.tell_audience", notices.tell_audience)
    add_kind(app, notices.PACKET_OPENED, notices.KIND_NAME)
    _register_approval(app, api)
    add_kind(app, ledger_notices.LEDGER_BROKEN, ledger_notices.KIND_NAME)
    for part in PARTS:
        part.register(app, api)


def _register_approval(app: Flask, api: Api) -> None:
    """Attach what approves and oversees packets, and what carves and closes budgets."""
    for own in (packet_routes.routes, approval_routes.routes, budget_routes.routes):
        api.register_blueprint(own)
    space = workspace(app)
    space.jobs.every("*/5 * * * *", "redpackets.sweep_budgets", budget_jobs.sweep_budgets)
    hear = space.subscriptions.add
    hear(events.ApprovalRequested, "redpackets.tell_approvers", notices.tell_approvers)
    hear(events.ApprovalDecided, "redpackets.tell_sender", notices.tell_sender)
    hear(events.RightLent, "redpackets.tell_delegate", notices.tell_delegate)
    hear(events.BudgetChanged, "redpackets.tell_owners", notices.tell_owners)
    add_kind(app, notices.APPROVAL, notices.APPROVAL_NAME)
    add_kind(app, notices.BUDGET, notices.BUDGET_NAME)
