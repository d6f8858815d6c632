"""Registering oversight with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from redpackets.oversight import jobs, notices
from redpackets.oversight.events import PatternFlagged
from redpackets.oversight.routes import routes


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, subscriptions and notices."""
    api.register_blueprint(routes)
    space = workspace(app)
    space.jobs.add(jobs.SCAN_JOB, jobs.scan_company)
    space.jobs.every("10 * * * *", "redpackets.scan_by_night", jobs.scan_by_night)
    space.subscriptions.add(PatternFlagged, "redpackets.tell_auditors", notices.tell_auditors)
    add_kind(app, notices.FLAGGED, notices.KIND_NAME)
