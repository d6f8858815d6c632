"""Decisions when things go wrong: lost answers, a killed worker, an ERP that says no, people who may not."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.core.settings import Settings
from erp_bridge.approvals.jobs import send_decision, sweep_decisions
from erp_bridge.approvals.rules import MAY_ARRIVE_FOR, QUEUED_FOR
from erp_bridge.connectors import http as connector_http
from tests.builders.company import Company
from tests.erp_bridge.approving import BOSS, MANAGER, REQUISITION, SELLER, Desk
from tests.erp_bridge.doubles.server import Said
from tests.erp_bridge.doubles.u8_gateway import broken, error

ROOT = Path(__file__).parents[2]
CarryOut = Callable[[], Said]


def cut_after(carry_out: CarryOut) -> Said:
    """It is done, and the line is cut before the answer has come."""
    carry_out()
    return cut_before(carry_out)


def cut_before(_carry_out: CarryOut) -> Said:
    """The line is cut, and it was not done."""

    def begin() -> Iterator[bytes]:
        yield b'{"err'
        raise ConnectionResetError

    return Said(headers={"Content-Length": "500"}, chunks=begin())


def unread_after(carry_out: CarryOut) -> Said:
    """It is done; who answers is not U8."""
    carry_out()
    return Said(b"<html>The agent is not running</html>")


def failed_after(carry_out: CarryOut) -> Said:
    carry_out()
    return Said(b"<html>Bad Gateway</html>", 502)


def decided(desk: Desk) -> dict[str, Any]:
    """A document that waits, and a decision on it that is not sent yet."""
    shown = desk.wait_for("PR1", 100)
    assert desk.decide(shown).status_code == 202
    return shown


def state_of(desk: Desk, shown: dict[str, Any]) -> tuple[str, str, str | None]:
    after = desk.read(shown["id"])
    return after["state"], after["decision"]["state"], after["decision"]["code"]


@pytest.mark.parametrize("lost", [cut_after, unread_after, failed_after])
def test_an_answer_that_is_lost_is_found_out_by_reading(
    desk: Desk, lost: Callable[[CarryOut], Said]
) -> None:
    shown = decided(desk)
    desk.gateway.acts.append(lost)
    desk.send()
    assert state_of(desk, shown) == ("approved", "confirmed", None)
    assert len(desk.gateway.workflow.done) == 1


def test_what_cannot_be_read_is_unknown_until_it_can(desk: Desk, company: Company) -> None:
    shown = decided(desk)

    def lost_with_everything_after(carry_out: CarryOut) -> Said:
        desk.gateway.faults += [lambda _: error("99999", "系统忙")] * 3
        return cut_after(carry_out)

    desk.gateway.acts.append(lost_with_everything_after)
    desk.send()
    assert state_of(desk, shown)[:2] == ("pending", "unknown")
    assert desk.read(shown["id"])["may"] == []
    # A reading of the source that finds it gone leaves it to who asks what became of the decision.
    desk.look()
    assert state_of(desk, shown)[0] == "pending"
    desk.gateway.faults.clear()
    company.clock.move(minutes=3)
    desk.send()
    assert state_of(desk, shown) == ("approved", "confirmed", None)
    assert len(desk.posts()) == 1


def test_what_never_arrived_is_over_after_a_while_and_not_sent_again(
    desk: Desk, company: Company
) -> None:
    shown = decided(desk)
    desk.gateway.acts.append(cut_before)
    desk.send()
    assert state_of(desk, shown)[:2] == ("pending", "unknown")
    company.clock.move(minutes=5)
    desk.send()
    assert state_of(desk, shown)[1] == "unknown"
    company.clock.move(seconds=MAY_ARRIVE_FOR.total_seconds())
    desk.send()
    desk.sign_in_again()
    assert state_of(desk, shown) == ("pending", "refused", "erp_bridge.not_arrived")
    assert (len(desk.posts()), desk.gateway.workflow.done) == (1, [])
    # It is the person who decides again, not the machine.
    assert desk.decide(desk.read(shown["id"])).status_code == 202
    desk.send()
    assert state_of(desk, shown)[1] == "confirmed"


def test_what_somebody_else_decided_meanwhile_is_not_taken_for_ours(
    desk: Desk, company: Company
) -> None:
    shown = decided(desk)
    desk.gateway.acts.append(cut_before)
    desk.send()
    desk.document("PR1")["_auditor"] = None
    desk.gateway.workflow.note(REQUISITION, "PR1", person_code=BOSS, agree="1", opinion="")
    company.clock.move(minutes=1)
    desk.send()
    assert state_of(desk, shown) == ("closed", "refused", "erp_bridge.decided_elsewhere")


def test_a_worker_killed_after_sending_is_found_out_by_reading_and_sends_nothing_again(
    desk: Desk, company: Company, settings: Settings
) -> None:
    shown = decided(desk)
    assert _send_and_die(desk, settings) == -signal.SIGKILL
    assert state_of(desk, shown)[:2] == ("pending", "sent")
    assert len(desk.posts()) == 1
    # Whoever takes it up next marks it unknown, reads, and says what came of it.
    desk.send()
    assert state_of(desk, shown) == ("approved", "confirmed", None)
    assert len(desk.posts()) == 1
    assert desk.entries() == [
        ("queued", None),
        ("sent", None),
        ("unknown", "erp_bridge.interrupted"),
        ("confirmed", None),
    ]


def test_a_decision_whose_job_was_lost_is_found_and_sent(desk: Desk, company: Company) -> None:
    shown = decided(desk)
    assert _take_jobs(company) == 1
    sweep_decisions(company.bench())
    assert _take_jobs(company) == 0
    company.clock.move(minutes=5)
    sweep_decisions(company.bench())
    sweep_decisions(company.bench())
    assert _take_jobs(company) == 1
    desk.send()
    assert state_of(desk, shown)[1] == "confirmed"
    company.clock.move(minutes=5)
    sweep_decisions(company.bench())
    assert _take_jobs(company) == 0


def test_two_workers_send_a_decision_once(desk: Desk, company: Company) -> None:
    shown = decided(desk)
    (decision_id,) = desk.bridge.rows("SELECT id::text FROM erp_decision")[0]
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        send_decision(
            company.space.workbench(), tenant_id=str(company.tenant_id), decision_id=decision_id
        )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.send()
    assert state_of(desk, shown)[1] == "confirmed"
    assert len(desk.posts()) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (error("30201", "单据状态不允许该操作"), "erp.refused"),
        (error("40012", "该用户尚未登录开放平台"), "erp.login_needed"),
        (error("20009", "没有权限"), "erp.not_allowed"),
        (Said(b"", 403), "erp.not_allowed"),
    ],
)
def test_an_erp_that_says_no_is_believed(desk: Desk, said: Said, code: str) -> None:
    shown = decided(desk)
    desk.gateway.acts.append(lambda _: said)
    desk.send()
    assert state_of(desk, shown) == ("pending", "refused", code)
    assert desk.read(shown["id"])["may"] == ["approve", "reject"]


def test_a_refusal_of_what_is_ours_already_is_no_refusal(desk: Desk) -> None:
    """The gateway itself repeated the call and tells of the second."""
    shown = decided(desk)

    def twice(carry_out: CarryOut) -> Said:
        carry_out()
        return error("30201", "单据状态不允许该操作")

    desk.gateway.acts.append(twice)
    desk.send()
    assert state_of(desk, shown) == ("approved", "confirmed", None)


def test_an_erp_that_is_away_keeps_the_decision_waiting_and_gives_up_in_the_end(
    desk: Desk, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector_http, "TRIES_MAX", 1)
    shown = decided(desk)
    desk.gateway.faults += [broken]
    desk.send()
    assert state_of(desk, shown) == ("pending", "queued", "erp.unavailable")
    desk.gateway.faults += [broken]
    company.clock.move(seconds=QUEUED_FOR.total_seconds())
    desk.send()
    desk.sign_in_again()
    assert state_of(desk, shown) == ("pending", "refused", "erp_bridge.never_sent")
    assert desk.posts() == []


def test_a_token_that_ran_out_is_renewed_and_the_decision_made_once(desk: Desk) -> None:
    shown = decided(desk)
    desk.gateway.acts.append(lambda _: error("20010", "token失效"))
    desk.send()
    assert state_of(desk, shown)[1] == "confirmed"
    numbers = {asked.query["tradeid"] for asked in desk.posts()}
    assert (len(desk.posts()), numbers) == (2, {"hazel-trade-1"})


def test_who_is_not_set_up_sees_it_and_cannot_decide(desk: Desk, company: Company) -> None:
    """Their entry has ended: they may look, and are told why they may not decide."""
    shown = desk.wait_for("PR1", 100)
    (entry,) = desk.approvers()
    desk.operator.delete(f"{desk.approvers_path}/{entry['id']}")
    desk.look()
    after = desk.read(shown["id"])
    assert (after["read_only"], after["may"]) == ("approver_unmapped", [])
    refused = desk.decide(shown)
    assert (refused.status_code, refused.json["code"]) == (403, "erp_bridge.approver_unmapped")


def test_whose_entry_ends_before_the_worker_comes_decides_nothing(desk: Desk) -> None:
    shown = decided(desk)
    (entry,) = desk.approvers()
    desk.operator.delete(f"{desk.approvers_path}/{entry['id']}")
    desk.send()
    assert state_of(desk, shown) == ("pending", "refused", "erp_bridge.approver_unmapped")
    assert desk.posts() == []


def test_who_decides_as_whom_is_set_up_by_somebody_else_and_for_one_person_at_a_time(
    desk: Desk, company: Company
) -> None:
    hazel = desk.operator.person
    own = desk.let_decide(hazel, "7")
    assert (own.status_code, own.json["code"]) == (403, "erp_bridge.approver_four_eyes")
    taken = [
        desk.let_decide(desk.people[MANAGER], "8"),
        desk.let_decide(desk.people[BOSS], MANAGER),
    ]
    assert {one.json["code"] for one in taken} == {"erp_bridge.approver_taken"}
    now = company.clock()
    begins = {"valid_from": (now + timedelta(days=1)).isoformat()}
    ends = {"valid_to": now.isoformat()}
    assert desk.let_decide(desk.people[SELLER], SELLER, **ends).status_code == 422
    assert desk.let_decide(desk.people[SELLER], SELLER, key="x").status_code == 422
    later = desk.let_decide(desk.people[SELLER], SELLER, **begins)
    assert later.status_code == 201
    desk.ask("PR9", 100, of=SELLER)
    desk.look()
    (shown,) = company.phone_of(desk.people[SELLER]).get("/approvals").json["items"]
    assert shown["read_only"] == "approver_unmapped"
    for who in (desk.manager, company.phone("Oak", role="manager")):
        assert who.get(desk.approvers_path).status_code == 403
        assert who.post(desk.approvers_path, {}).status_code in {403, 422}
    audit = "SELECT action FROM people_audit_entry WHERE action LIKE 'erp.%approver'"
    assert desk.bridge.rows(audit) == [("erp.add_approver",)] * 2


def test_an_erp_that_cannot_be_asked_leaves_what_waits_as_it_was(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    desk.gateway.faults += [lambda _: error("99999", "系统忙")]
    desk.look()
    after = desk.read(shown["id"])
    assert (after["state"], after["source"]["late"]) == ("pending", True)
    assert desk.bridge.stream("approvals.waiting") == ("failed", "erp.refused")
    desk.look()
    assert desk.read(shown["id"])["source"]["late"] is False


def test_what_was_done_stays_written(desk: Desk) -> None:
    decided(desk)
    desk.send()
    for statement in ("DELETE FROM erp_decision_entry", "UPDATE erp_decision_entry SET state = ''"):
        with pytest.raises(Exception, match="permission denied"):
            desk.bridge.rows(statement)
    kept = desk.bridge.rows(
        "SELECT actor_id, request_id <> '' FROM erp_decision_entry WHERE state = 'queued'"
    )
    assert kept == [(desk.manager.person.id, True)]


def _take_jobs(company: Company) -> int:
    """Lose the jobs that would send decisions, and say how many there were."""
    with company.space.database.relay() as session:
        lost = session.execute(
            text(
                "DELETE FROM procrastinate_jobs WHERE task_name = 'erp_bridge.send_decision'"
                " AND args ->> 'tenant_id' = :tenant RETURNING id"
            ),
            {"tenant": str(company.tenant_id)},
        )
        return len(lost.all())


def _send_and_die(desk: Desk, settings: Settings) -> int:
    (decision_id,) = desk.bridge.rows("SELECT id::text FROM erp_decision")[0]
    command = [sys.executable, "-m", "tests.erp_bridge.dying_decision", settings.database_url]
    arguments = [settings.database_role_prefix, str(desk.company.tenant_id), decision_id]
    environment = os.environ | {"WORKSPACE_SECRET_KEY": settings.secret_key}
    return subprocess.run(command + arguments, cwd=ROOT, env=environment, check=False).returncode
