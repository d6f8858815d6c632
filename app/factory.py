"""The composition root: settings → database → packages → ports."""

from typing import Any

import redis
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

import app.delivery.register
import app.people.register
import erp_bridge.register
import feeds.register
import redpackets.register
import roledata.register
from app import page
from app.core import documentation, health
from app.core.composition import EXTENSION, Workspace, workspace
from app.core.http import check_every_route_has_access, register_edge
from app.core.idempotency import FORGET_ANSWERS, forget_answers
from app.core.jobs import Jobs
from app.core.limits import register_limits
from app.core.logs import configure_logs, register_access_log
from app.core.problems import register_problem_handlers
from app.core.settings import Settings, load_settings
from app.core.subscriptions import HANDLE_FACT, Subscriptions
from app.core.work import Database
from app.delivery.ports import OPEN_APPS, OpenApps
from app.people.access import CallerLoader
from app.people.tokens import TokenKey
from erp_bridge.approvals.queries import count_waiting_for
from erp_bridge.attention import ATTENTION as BRIDGE_ATTENTION
from feeds.activity import activity_by_day
from redpackets.campaigns.ports import FIGURES, Figures
from redpackets.oversight.ports import AUDIENCE_ACTIVITY
from redpackets.payouts.ports import REDEMPTION_WORTH
from redpackets.points.redeeming import worth_of
from roledata.answering import FigureAnswers
from roledata.looking import Looking
from roledata.ports import ATTENTION, WAITING_APPROVALS, Attention
from roledata.routes import CACHE_TOOL

REDIS_WAIT_SECONDS = 0.5
PACKAGES: tuple[Any, ...] = (app.people, app.delivery, erp_bridge, feeds, redpackets, roledata)


def create_app(settings: Settings | None = None) -> Flask:
    """Compose the application; the api, the gateway, the worker and the commands all use this one."""
    settings = settings or load_settings()
    configure_logs(settings.log_level)
    web = Flask("workspace", static_folder=None)
    web.config["MAX_CONTENT_LENGTH"] = settings.body_bytes_max
    web.extensions[EXTENSION] = compose(settings)
    _register_core(web, settings)
    api = documentation.register_documentation(web)
    api.register_blueprint(documentation.docs)
    api.register_blueprint(health.routes)
    web.register_blueprint(page.routes)
    for package in PACKAGES:
        package.register.register(web, api)
    _introduce(workspace(web))
    check_every_route_has_access(web)
    return web


def compose(settings: Settings) -> Workspace:
    """Build what every process shares."""
    jobs, subscriptions = Jobs(), Subscriptions()
    token_key = TokenKey(settings)
    space = Workspace(
        settings=settings,
        database=Database(settings, jobs=jobs),
        jobs=jobs,
        subscriptions=subscriptions,
        redis=connect_redis(settings),
        read_token=lambda token: token_key.read(token, now=space.now()),
        load_caller=CallerLoader().load,
        tools={"token_key": token_key},
    )
    jobs.add(HANDLE_FACT, subscriptions.handle_fact)
    jobs.every("7 19 * * *", FORGET_ANSWERS, forget_answers)
    return space


def connect_redis(settings: Settings) -> Any:
    """Make the Redis client: quick to give up, because Redis may be away and nothing waits for it."""
    return redis.Redis.from_url(
        settings.redis_url,
        socket_timeout=REDIS_WAIT_SECONDS,
        socket_connect_timeout=REDIS_WAIT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def _register_core(web: Flask, settings: Settings) -> None:
    register_edge(web)
    register_access_log(web, settings.log_level)
    register_limits(web, settings)
    register_problem_handlers(web)


def _introduce(space: Workspace) -> None:
    """Answer the questions that packages ask of each other (their ``ports.py``)."""
    figures: Figures = FigureAnswers(space.tools[CACHE_TOOL])
    space.ports[FIGURES] = figures
    space.ports[AUDIENCE_ACTIVITY] = activity_by_day
    space.ports[REDEMPTION_WORTH] = worth_of
    attention: Attention = space.tools[BRIDGE_ATTENTION]
    space.ports[ATTENTION] = attention
    open_apps: OpenApps = Looking(attention).at_home
    space.ports[OPEN_APPS] = open_apps
    space.ports[WAITING_APPROVALS] = count_waiting_for
