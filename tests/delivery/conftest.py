"""Gateways, clients and a running sequencer for the stories of delivery."""

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from app.delivery.fcm import channels_of
from app.delivery.push import CHANNELS
from app.runtime.push_inbox import FILE, open_server
from tests.builders.stream import GatewayProcess, StreamClient, sequencing
from tests.delivery.pushes import give_token


@pytest.fixture(scope="session")
def gateway(settings) -> Iterator[GatewayProcess]:
    """Start one gateway for all stories that do not harm it."""
    process = GatewayProcess(settings)
    yield process
    process.stop()


@pytest.fixture
def numbering(space) -> Iterator[None]:
    """Number facts as they are committed."""
    with sequencing(space):
        yield


@pytest.fixture
def listen(gateway):
    """Connect phones to the shared gateway (or to ``url``); all hang up in the end."""
    clients: list[StreamClient] = []

    def connect(phone, **options) -> StreamClient:
        client = StreamClient(options.pop("url", gateway.url), phone, **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def channels(settings) -> Iterator[dict[str, Any]]:
    """Open FCM towards a push service of our own."""
    server = open_server(settings.data_dir / FILE, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    yield channels_of(dataclasses.replace(settings, fcm_endpoint=endpoint))
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def push_service(space, channels) -> Iterator[None]:
    """Let jobs push to the push service."""
    space.tools[CHANNELS] = channels
    yield
    del space.tools[CHANNELS]


@pytest.fixture
def phone_with_token(company):
    """Sign somebody in on a phone that can be pushed to."""

    def make(name: str, token: str = "good", **options):
        phone = company.phone(name, **options)
        give_token(phone, f"{token}-{uuid4()}")
        return phone

    return make
