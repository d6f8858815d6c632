"""The bare peer: the least a Flask application of this stack does for a request, and nothing of the product.

``GET /rows/N``: one row by its primary key from a psycopg pool, through orjson. ``GET /signed-in/rows/N``: the
same behind the product's own check of an access token. ``POST /signed-in/rows/N``: the check and one committed
update. No schema, no limits, no logs, no tenant: whatever the product costs above this is the product's own.

Served by ``bench.serving`` under the arguments with which ``bin/run`` serves the api.
"""

import os

import orjson
from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

from app.core.clock import now
from app.core.places import PLACES
from app.core.settings import load_settings
from app.people.tokens import TokenKey

READ = "SELECT id, name, amount_minor FROM bench_row WHERE id = %s"
WRITE = (
    "UPDATE bench_row SET amount_minor = amount_minor + 1 WHERE id = %s RETURNING id, amount_minor"
)

app = Flask("bare", static_folder=None)
token_key = TokenKey(load_settings())
pool = ConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=PLACES,
    max_size=PLACES,
    kwargs={"autocommit": True},
    open=True,
)


@app.get("/rows/<int:number>")
def read_row(number: int) -> Response:
    """Read a row."""
    return _answer(READ, number)


@app.get("/signed-in/rows/<int:number>")
def read_row_signed_in(number: int) -> Response:
    """Check the token, then read a row."""
    token_key.read(request.headers["Authorization"].removeprefix("Bearer "), now=now())
    return _answer(READ, number)


@app.post("/signed-in/rows/<int:number>")
def write_row_signed_in(number: int) -> Response:
    """Check the token, then commit a change of one row."""
    token_key.read(request.headers["Authorization"].removeprefix("Bearer "), now=now())
    return _answer(WRITE, number)


def _answer(statement: str, number: int) -> Response:
    with pool.connection() as connection:
        row = connection.execute(statement, (number,)).fetchone()
    return Response(orjson.dumps(row), mimetype="application/json")
