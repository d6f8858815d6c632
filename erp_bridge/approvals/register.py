"""Registering approvals with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from erp_bridge.approvals import jobs, notices
from erp_bridge.approvals.approver_routes import routes as approver_routes
from erp_bridge.approvals.events import ApprovalCame, DecisionMoved
from erp_bridge.approvals.routes import routes


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, subscriptions and notices."""
    api.register_blueprint(routes)
    api.register_blueprint(approver_routes)
    space = workspace(app)
    for name, function in jobs.JOBS.items():
        space.jobs.add(name, function)
    space.jobs.every(jobs.EVERY_SECONDS, "erp_bridge.sweep_decisions", jobs.sweep_decisions)
    hear = space.subscriptions.add
    hear(ApprovalCame, "erp_bridge.tell_approver", notices.tell_approver)
    hear(DecisionMoved, "erp_bridge.tell_decider", notices.tell_decider)
    add_kind(app, notices.APPROVALS, notices.KIND_NAME)
