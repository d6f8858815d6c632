"""The two stores of one run: those the environment names, embedded ones for the rest."""

import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg

from app.runtime import embedded
from app.runtime.child import Child
from app.runtime.datadir import DataDir
from app.runtime.errors import StartRefusedError

CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Stores:
    """Where they are, and those of them that are children of ours."""

    database_url: str
    redis_url: str
    children: tuple[Child, ...]


def open_stores(data: DataDir) -> Stores:
    """Check what the environment names, start what it does not."""
    database_url = os.environ.get("DATABASE_URL", "")
    redis_url = os.environ.get("REDIS_URL", "")
    if database_url:
        _check_database(database_url)
    if redis_url:
        _check_redis(redis_url)
    children: list[Child] = []
    if not redis_url:
        valkey = embedded.start_valkey(data)
        redis_url = valkey.url
        children.append(valkey.child)
    if not database_url:
        postgres = embedded.start_postgres(data)
        database_url = postgres.url
        children.append(postgres.child)
    return Stores(database_url, redis_url, tuple(children))


def _check_database(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.Error as refusal:
        raise StartRefusedError(f"DATABASE_URL: {_place(url)} does not let us in.") from refusal


def _check_redis(url: str) -> None:
    address = urlsplit(url)
    if address.scheme == "unix":
        return
    place = (address.hostname or "127.0.0.1", address.port or 6379)
    try:
        socket.create_connection(place, timeout=CONNECT_SECONDS).close()
    except OSError as refusal:
        raise StartRefusedError(f"REDIS_URL: {_place(url)} does not answer.") from refusal


def _place(url: str) -> str:
    """The part of a URL that holds no secret."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the server"
