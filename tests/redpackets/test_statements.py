"""How many statements the hot and the listing routes cost, however much there is."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tests.redpackets.gates import entrance_of

#: Tenant, caller, locks, standing, claim with wallet and journal, whom it concerns, the fact.
GRAB_STATEMENTS = 7
#: Tenant, caller, locks, standing, claim, looking whether any is free.
SOLD_OUT_STATEMENTS = 6
#: Tenant, locks, claims with wallets, journal and facts: for all winners of a commit together.
WINNERS_STATEMENTS = 3


@contextmanager
def counted(rewards, engine=None) -> Iterator[list[str]]:
    """List the statements that are sent meanwhile."""
    engine, statements = engine or rewards.company.space.database.engine, []

    def note(connection, cursor, statement, *rest) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def without_gate(rewards, monkeypatch):
    monkeypatch.setattr(entrance_of(rewards), "is_open", False)


def test_past_the_gate_a_winner_is_three_statements_and_a_latecomer_none(rewards):
    lin, zhao, qian = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=2)
    lin.post(f"{packet}/grab")
    writer = entrance_of(rewards).winners._database.engine

    with counted(rewards) as by_request, counted(rewards, writer) as by_writer:
        assert zhao.post(f"{packet}/grab").json["result"] == "won"
        assert qian.post(f"{packet}/grab").json["result"] == "sold_out"

    # Once a second the list of sign-ins that ended is read, for everybody together.
    assert [s for s in by_request if "people_" not in s and "set_config" not in s] == []
    assert len(by_request) <= 3
    assert len(by_writer) == WINNERS_STATEMENTS, by_writer


@pytest.mark.usefixtures("without_gate")
def test_a_grab_is_seven_statements(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=1)
    for phone in (lin, zhao):
        phone.get("/wallet")

    with counted(rewards) as won:
        assert lin.post(f"{packet}/grab").json["result"] == "won"
    with counted(rewards) as lost:
        assert zhao.post(f"{packet}/grab").json["result"] == "sold_out"

    assert len(won) == GRAB_STATEMENTS, won
    assert len(lost) == SOLD_OUT_STATEMENTS, lost


@pytest.mark.usefixtures("without_gate")
def test_who_comes_after_the_end_costs_no_look_at_the_shares(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=1)
    lin.post(f"{packet}/grab")
    rewards.company.settle()
    zhao.get("/wallet")

    with counted(rewards) as late:
        assert zhao.post(f"{packet}/grab").json["result"] == "sold_out"
    assert not any("FOR UPDATE" in statement for statement in late)


def test_lists_cost_the_same_however_long_they_are(rewards):
    [lin] = rewards.team("Lin")
    lin.get("/wallet")

    def costs() -> tuple[int, int]:
        with counted(rewards) as budgets:
            rewards.owner.get("/budgets")
        with counted(rewards) as entries:
            lin.get("/wallet/entries")
        return len(budgets), len(entries)

    for packet in [rewards.send(count=2) for _ in range(2)]:
        lin.post(f"{packet}/grab")
    few = costs()
    for packet in [rewards.send(count=2, budget_id=_more(rewards)) for _ in range(5)]:
        lin.post(f"{packet}/grab")

    assert costs() == few


def test_the_largest_packet_is_sent_within_one_request(rewards):
    rewards.team("Lin")
    packet = rewards.send(total_minor=100_000, count=50_000)

    assert rewards.free_shares(packet) == 50_000
    assert rewards.verify().holds


def _more(rewards) -> str:
    return rewards.open_budget().json["id"]
