"""Registering feeds with the application."""

from flask import Flask
from flask_smorest import Api

from app.core.composition import workspace
from app.delivery.kinds import add_kind
from feeds import file_routes, jobs, notices, reach_routes, routes, subscribers
from feeds.events import CommentAdded, Nudged, PostChanged, PostPublished
from feeds.file_store import STORE, LocalFiles


def register(app: Flask, api: Api) -> None:
    """Attach routes, timers, subscriptions and notices."""
    space = workspace(app)
    api.register_blueprint(routes.routes)
    api.register_blueprint(reach_routes.routes)
    api.register_blueprint(file_routes.routes)
    space.tools[STORE] = LocalFiles(space.settings.data_dir)
    space.jobs.every(jobs.EVERY_SECOND, jobs.COUNT, jobs.count)
    space.jobs.every("37 * * * *", jobs.DROP_PICTURES, jobs.drop_pictures)
    for kind, name in notices.KINDS.items():
        add_kind(app, kind, name)
    heard = space.subscriptions
    heard.add(PostPublished, "feeds.keep_targets", subscribers.keep_targets)
    heard.add(PostPublished, "feeds.tell_audience", notices.tell_audience)
    heard.add(PostPublished, "feeds.tell_mentioned", notices.tell_mentioned)
    heard.add(PostChanged, "feeds.tell_newly_mentioned", notices.tell_mentioned)
    heard.add(CommentAdded, "feeds.tell_mentioned_in_talk", notices.tell_mentioned_in_talk)
    heard.add(Nudged, "feeds.remind_missing", notices.remind_missing)
    subscribers.subscribe_to_others(heard)
