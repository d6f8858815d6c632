"""The door: builds the application, nothing else."""

import importlib

from app.core.starting import starting

with starting():
    app = importlib.import_module("app.factory").create_app()
