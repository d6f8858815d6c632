"""Registering points with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from redpackets.points import jobs, notices
from redpackets.points.events import PointsExpiring, RedemptionAsked, RedemptionChanged
from redpackets.points.routes import routes


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, subscriptions and notices."""
    api.register_blueprint(routes)
    space = workspace(app)
    space.jobs.every("5 * * * *", "redpackets.expire_points", jobs.expire_by_night)
    space.jobs.every("35 1 * * *", "redpackets.tell_aged_redemptions", jobs.tell_aged)
    heard = space.subscriptions
    heard.add(PointsExpiring, "redpackets.tell_points_expiring", notices.tell_expiring)
    heard.add(RedemptionAsked, "redpackets.tell_keepers", notices.tell_keepers)
    heard.add(RedemptionChanged, "redpackets.tell_redeemer", notices.tell_person)
    for kind, name in notices.KINDS.items():
        add_kind(app, kind, name)
