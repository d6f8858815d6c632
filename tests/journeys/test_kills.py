"""Whatever is killed in the middle of the job: no event lost or doubled, no share lost or doubled."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from typing import Self

import pytest
from socketio.exceptions import ConnectionError as RefusedError

from tests.builders.company import Company, Phone
from tests.builders.stream import StreamClient, wait_until
from tests.builders.system import RemotePhone, System

PEOPLE_COUNT = 10
LISTENER_COUNT = 3
SHARE_COUNT = 6
TOTAL_MINOR = 6_000
POST_COUNT = 24
PATIENCE_SECONDS = 180


class ResumingPhone:
    """A phone that reconnects with the last number it has, as often as it is cut off."""

    def __init__(self, system: System, phone: Phone) -> None:
        self._system, self._phone = system, phone
        self.frames: list[dict] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def posts(self) -> list[str]:
        return [
            frame["ref"] for frame in list(self.frames) if frame["kind"] == "feeds.post_published"
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._stopped.is_set():
            try:
                client = StreamClient(self._system.url, self._phone, after=self._last())
            except RefusedError:
                self._stopped.wait(0.2)
                continue
            self._listen(client)

    def _listen(self, client: StreamClient) -> None:
        heard = 0
        while client.is_connected and not self._stopped.is_set():
            heard = self._take(client, heard)
            self._stopped.wait(0.02)
        client.close()
        self._take(client, heard)

    def _take(self, client: StreamClient, heard: int) -> int:
        fresh = client.frames[heard:]
        self.frames += fresh
        return heard + len(fresh)

    def _last(self) -> int:
        return self.frames[-1]["seq"] if self.frames else 0


@pytest.mark.parametrize("victim", ["gateway", "worker", "api", "valkey", "postgres"])
def test_the_job_goes_on_whatever_is_killed(system, town, victim):
    _live_through(system, town, lambda: system.kill(victim))


def test_a_frozen_redis_holds_nobody_up(system, town):
    def freeze() -> None:
        system.freeze("valkey")
        threading.Timer(3, system.thaw, ["valkey"]).start()

    _live_through(system, town, freeze)


def _live_through(system: System, town: Company, disaster: Callable[[], None]) -> None:
    unit_id = town.unit("Sales")
    boss = system.phone(town.phone("Boss", unit_id, role="owner", role_at=town.root_id))
    phones = [town.phone(f"P{i}", unit_id) for i in range(PEOPLE_COUNT)]
    packet_id = _send_packet(boss, town, unit_id)
    wait_until(lambda: _is_open(boss, packet_id), "the packet is open")

    with ExitStack() as listening:
        listeners = [
            listening.enter_context(ResumingPhone(system, phone))
            for phone in phones[:LISTENER_COUNT]
        ]
        answers, post_ids = _work_through(system, boss, phones, unit_id, packet_id, disaster)
        for listener in listeners:
            wait_until(
                lambda heard=listener: set(heard.posts()) >= set(post_ids),
                "every post is heard",
                PATIENCE_SECONDS,
            )
    _check_money(boss, [system.phone(phone) for phone in phones], answers)
    for listener, phone in zip(listeners, phones, strict=False):
        _check_stream(listener, _logged(system.phone(phone)), post_ids)


def _work_through(
    system: System,
    boss: RemotePhone,
    phones: list[Phone],
    unit_id: uuid.UUID,
    packet_id: str,
    disaster: Callable[[], None],
) -> tuple[list[list[dict]], list[str]]:
    """Post and grab all at once, while the disaster strikes."""
    with ThreadPoolExecutor(PEOPLE_COUNT + 2) as pool:
        posted = pool.submit(_post_all, boss, unit_id, disaster)
        grabbed = [
            pool.submit(_grab_until_answered, system.phone(phone), packet_id) for phone in phones
        ]
        return [future.result() for future in grabbed], posted.result()


def _send_packet(boss: RemotePhone, town: Company, unit_id: uuid.UUID) -> str:
    budget = boss.pay(
        "/budgets",
        {
            "name": "Rewards",
            "unit_id": str(town.root_id),
            "unit": "CNY",
            "limit_minor": 100_000,
            "period_from": "2020-01-01",
            "period_to": "2099-12-31",
        },
        "rewards",
    ).json()
    packet = boss.pay(
        "/red-packets",
        {
            "kind": "lucky",
            "unit": "CNY",
            "total_minor": TOTAL_MINOR,
            "count": SHARE_COUNT,
            "budget_id": budget["id"],
            "on_behalf_of": str(town.root_id),
            "audience": {"scopes": [{"kind": "unit", "id": str(unit_id)}]},
            "purpose": {"category": "thanks", "text": "For the quarter"},
        },
        str(uuid.uuid4()),
    ).json()
    packet_id: str = packet["id"]
    return packet_id


def _is_open(boss: RemotePhone, packet_id: str) -> bool:
    return boss.get(f"/red-packets/{packet_id}").json()["state"] == "open"


def _post_all(boss: RemotePhone, unit_id: uuid.UUID, disaster: Callable[[], None]) -> list[str]:
    """Post again and again, each until it is answered; the disaster strikes a third of the way."""
    post_ids = []
    for i in range(POST_COUNT):
        if i == POST_COUNT // 3:
            disaster()
        body = {
            "client_id": str(uuid.uuid4()),
            "type": "post",
            "body": f"News {i}",
            "audience": {"scopes": [{"kind": "unit", "id": str(unit_id)}]},
        }
        reply = boss.until_answered(lambda body=body: boss.post("/posts", body), PATIENCE_SECONDS)
        assert reply.status_code in {200, 201}, reply.text
        post_ids.append(reply.json()["id"])
    return post_ids


def _grab_until_answered(phone: RemotePhone, packet_id: str) -> list[dict]:
    """Grab five times, each until answered: whatever was said first must be said again."""
    grab = f"/red-packets/{packet_id}/grab"
    replies = [phone.until_answered(lambda: phone.post(grab), PATIENCE_SECONDS) for _ in range(5)]
    assert {reply.status_code for reply in replies} == {200}, replies[0].text
    return [reply.json() for reply in replies]


def _check_money(boss: RemotePhone, phones: list[RemotePhone], answers: list[list[dict]]) -> None:
    won = [said[0]["share"]["amount_minor"] for said in answers if said[0]["result"] == "won"]
    assert (len(won), sum(won)) == (SHARE_COUNT, TOTAL_MINOR)
    for said in answers:
        assert {(one["result"], str(one.get("share"))) for one in said} == {
            (said[0]["result"], str(said[0].get("share")))
        }
    wallets = [
        phone.until_answered(lambda phone=phone: phone.get("/wallet")).json()["balances"]
        for phone in phones
    ]
    assert (
        sum(balance["amount_minor"] for balances in wallets for balance in balances) == TOTAL_MINOR
    )
    verified = boss.until_answered(lambda: boss.get("/ledger/verification")).json()
    assert verified["holds"] is True


def _check_stream(listener: ResumingPhone, logged: list[int], post_ids: list[str]) -> None:
    """What was heard is what the log holds: each number once, in order, nothing missing up to the last."""
    numbers = [frame["seq"] for frame in listener.frames]
    assert all(before < after for before, after in pairwise(numbers))
    assert numbers == [seq for seq in logged if seq <= numbers[-1]]
    posts = listener.posts()
    assert len(posts) == len(set(posts))
    assert set(post_ids) <= set(posts)


def _logged(phone: RemotePhone) -> list[int]:
    """Read the whole log as this phone may hear it."""
    numbers: list[int] = []
    while True:
        page = phone.get(f"/sync?after={numbers[-1] if numbers else 0}&limit=100").json()
        numbers += [event["seq"] for event in page["events"]]
        if not page["more"]:
            return numbers
