"""Registering delivery with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery import dev_routes, jobs
from app.delivery.metrics import show_backlog
from app.delivery.notices import PUSH_NOTICE
from app.delivery.presence import Presence
from app.delivery.pruning import prune_log
from app.delivery.routes import routes


def register(app: Flask, api: Api) -> None:
    """Attach routes, jobs, timers, figures, and what jobs work with."""
    space = workspace(app)
    api.register_blueprint(routes)
    if not space.settings.is_production:
        api.register_blueprint(dev_routes.routes)
    space.tools[jobs.PRESENCE] = Presence(space.redis)
    space.jobs.add(PUSH_NOTICE, jobs.push_notice)
    space.jobs.add(jobs.PUSH_PERSONS, jobs.push_persons)
    space.jobs.every("17 * * * *", "delivery.prune_log", prune_log)
    show_backlog(space)
