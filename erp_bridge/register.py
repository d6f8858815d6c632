"""Registering the bridge with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from erp_bridge import jobs, notices
from erp_bridge.approvals import register as approvals
from erp_bridge.attention import ATTENTION, Attention
from erp_bridge.connectors.egress import permit_hosts
from erp_bridge.events import SourceTurned
from erp_bridge.hook_routes import hooks
from erp_bridge.mapping_routes import routes as mapping_routes
from erp_bridge.matching_routes import routes as matching_routes
from erp_bridge.metrics import show_streams
from erp_bridge.routes import routes


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, the timers that poll and judge, and news for operators."""
    space = workspace(app)
    permit_hosts(space.settings.erp_hosts)
    api.register_blueprint(routes)
    for own in (matching_routes, mapping_routes, hooks):
        api.register_blueprint(own)
    space.tools[ATTENTION] = Attention(space.redis)
    for name, function in jobs.JOBS.items():
        space.jobs.add(name, function)
    space.jobs.every(jobs.EVERY_SECONDS, "erp_bridge.poll_sources", jobs.poll_sources)
    space.jobs.every(jobs.EVERY_QUARTER_HOUR, "erp_bridge.verify_sources", jobs.verify_sources)
    space.jobs.every(jobs.JUDGED_EVERY, "erp_bridge.judge_freshness", jobs.judge_freshness)
    space.subscriptions.add(SourceTurned, "erp_bridge.tell_operators", notices.tell_operators)
    add_kind(app, notices.KIND, notices.KIND_NAME)
    show_streams(space)
    approvals.register(app, api)
