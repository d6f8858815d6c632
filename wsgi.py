"""The door: builds the application and lets as many requests in at a time as work well together."""

import importlib

from app.core.starting import starting

with starting():
    app = importlib.import_module("app.factory").create_app()
    places = importlib.import_module("app.core.composition").workspace(app).places
    app.wsgi_app = places.around(app.wsgi_app)
