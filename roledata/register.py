"""Registering role data with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.core.errors import Texts
from app.delivery.kinds import add_kind
from app.people.events import AccessChanged
from erp_bridge.events import BatchLanded, DirectorySynced
from roledata import jobs, notices, subscribers
from roledata.cache import FigureCache
from roledata.events import WatchTurned
from roledata.routes import CACHE_TOOL, routes


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, timers and subscriptions; lend the process one cache of figures."""
    api.register_blueprint(routes)
    space = workspace(app)
    space.tools[CACHE_TOOL] = FigureCache()
    space.jobs.add(jobs.REFRESH, jobs.refresh_figures)
    space.jobs.add(jobs.REBUILD, jobs.rebuild_figures)
    space.jobs.add(jobs.EVALUATE, jobs.evaluate_watches)
    space.jobs.every("* * * * *", "roledata.refresh_all", jobs.refresh_all)
    space.jobs.every("*/5 * * * *", "roledata.evaluate_all", jobs.evaluate_all)
    add = space.subscriptions.add
    add(BatchLanded, "roledata.on_batch_landed", subscribers.on_batch_landed)
    add(DirectorySynced, "roledata.on_directory_synced", subscribers.on_directory_synced)
    add(AccessChanged, "roledata.on_access_changed", subscribers.on_access_changed)
    add(WatchTurned, "roledata.tell_owner", notices.tell_owner)
    add_kind(app, notices.KIND, Texts("指标预警", "Watches on figures"))
