"""Registering people with the application."""

from flask import Flask
from flask_smorest import Api

from app.people.routes import routes


def register(app: Flask, api: Api) -> None:
    """Attach the routes."""
    api.register_blueprint(routes)
