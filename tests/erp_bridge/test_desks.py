"""What every connector that decides must keep; each inherits the same tests, as connectors do for reading."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from erp_bridge.connectors.approving import Act, Desk, UnclearError, WaitingTask
from erp_bridge.connectors.registry import CONNECTORS, can_decide, open_connector, read_settings
from erp_bridge.mappings.loader import shipped_mapping
from tests.erp_bridge.approving import MANAGER, REQUISITION, SELLER
from tests.erp_bridge.doubles.server import Said
from tests.erp_bridge.doubles.tryton import APPROVER_KEY, TrytonDouble
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.test_tryton import opening

pytestmark = pytest.mark.usefixtures("permitted_loopback")


class DeskContract:
    """Subclasses give ``desk`` with two requisitions of 350 that wait for ``approver``, and their ``secret``."""

    approver: str
    secret: str | None = None

    def test_what_waits_is_shown_with_its_lines(self, desk: Desk) -> None:
        first, second = self._waiting(desk)
        assert first.key != second.key
        assert (first.state, first.approver, first.kind) == (
            "pending",
            self.approver,
            "purchase_requisition",
        )
        assert [line.amount for line in first.lines] == [Decimal(100), Decimal(250)]
        assert first.amount == Decimal(350)

    def test_one_task_read_again_is_the_same_version(self, desk: Desk) -> None:
        for task in self._waiting(desk):
            again = desk.task(task.key, self.approver)
            assert again is not None
            assert (again.version, again.state) == (task.version, "pending")

    def test_a_document_that_is_not_there_is_none(self, desk: Desk) -> None:
        task = self._waiting(desk)[0]
        assert desk.task(task.key.replace(task.key.split(":")[1], "404"), self.approver) is None

    @pytest.mark.parametrize(
        ("verdict", "state"), [("approve", "approved"), ("reject", "rejected")]
    )
    def test_a_decision_is_carried_out_and_shows_whose_it_is(
        self, desk: Desk, verdict: Any, state: str
    ) -> None:
        task = self._waiting(desk)[0]
        assert desk.act(self._act(desk, task, verdict=verdict)).is_done
        after = desk.task(task.key, self.approver)
        assert after is not None
        assert after.state == state
        assert [step.did for step in after.steps_of(self.approver)] == [verdict]
        assert task.key not in [other.key for other in desk.tasks([self.approver])]

    def test_a_decision_on_what_is_decided_is_refused(self, desk: Desk) -> None:
        task = self._waiting(desk)[0]
        desk.act(self._act(desk, task))
        again = desk.act(self._act(desk, task, verdict="reject"))
        assert (again.is_done, again.code) == (False, "erp.refused")

    def _waiting(self, desk: Desk) -> list[WaitingTask]:
        return [task for task in desk.tasks([self.approver]) if task.kind == "purchase_requisition"]

    def _act(self, desk: Desk, task: WaitingTask, *, verdict: Any = "approve") -> Act:
        return Act(
            key=task.key,
            approver=self.approver,
            verdict=verdict,
            reason="Not now.",
            number=desk.number(),
            secret=self.secret,
        )


class TestU8(DeskContract):
    approver = MANAGER

    @pytest.fixture
    def gateway(self) -> Iterator[U8Gateway]:
        with U8Gateway(None) as gateway:
            gateway.kept["person"] = [{"code": MANAGER, "name": "Beech"}]
            lines = [{"inventorycode": "P1", "quantity": "2", "money": str(n)} for n in (100, 250)]
            gateway.kept[REQUISITION] = [
                {"code": code, "maker": "Cedar", "entry": lines, "_auditor": MANAGER}
                for code in ("PR1", "PR2")
            ]
            yield gateway

    @pytest.fixture
    def desk(self, gateway: U8Gateway) -> Iterator[Desk]:
        settings = read_settings("u8_openapi", gateway.settings(rows_per_page=1))
        connector = open_connector("u8_openapi", settings, shipped_mapping("u8_openapi"))
        assert isinstance(connector, Desk)
        yield connector
        connector.close()

    def test_the_same_number_is_carried_out_once(self, desk: Desk, gateway: U8Gateway) -> None:
        act = self._act(desk, self._waiting(desk)[0])
        assert [desk.act(act).is_done, desk.act(act).is_done] == [True, True]
        assert len(gateway.workflow.done) == 1

    def test_documents_that_were_read_are_not_read_at_every_look(
        self, desk: Desk, gateway: U8Gateway
    ) -> None:
        self._waiting(desk)
        gateway.asked.clear()
        assert len(self._waiting(desk)) == 2
        assert {asked.path.rpartition("/")[2] for asked in gateway.asked} == {"tasks"}

    def test_what_waits_for_somebody_else_is_not_theirs(self, desk: Desk) -> None:
        assert list(desk.tasks([SELLER])) == []
        task = desk.task(self._waiting(desk)[0].key, SELLER)
        assert task is not None
        assert task.state == "gone"

    def test_no_answer_is_no_no(self, desk: Desk, gateway: U8Gateway) -> None:
        act = self._act(desk, self._waiting(desk)[0])
        gateway.acts.append(lambda _: Said(b"", 504))
        with pytest.raises(UnclearError, match=r"erp\.too_slow"):
            desk.act(act)


class TestTryton(DeskContract):
    approver, secret = "1", APPROVER_KEY

    @pytest.fixture
    def double(self) -> Iterator[TrytonDouble]:
        double = TrytonDouble()
        for _ in range(2):
            double.requisition("100", "250")
        with double.server:
            yield double

    @pytest.fixture
    def desk(self, double: TrytonDouble) -> Iterator[Desk]:
        connector = opening(double)
        assert isinstance(connector, Desk)
        yield connector
        connector.close()

    def test_a_line_that_is_edited_is_another_version_though_its_document_has_no_stamp(
        self, desk: Desk, double: TrytonDouble
    ) -> None:
        task = self._waiting(desk)[0]
        double.edit("purchase.requisition.line", 1, amount=Decimal(999))
        again = desk.task(task.key, self.approver)
        assert again is not None
        assert again.version != task.version
        assert double.models["purchase.requisition"][0]["write_date"] is None

    def test_the_key_that_reads_does_not_decide(self, desk: Desk) -> None:
        act = self._act(desk, self._waiting(desk)[0])
        reading = replace(act, secret="aspen-aspen-aspen-aspen")
        assert desk.act(reading).code == "erp.not_allowed"
        assert desk.act(replace(act, secret=None)).code == "erp_bridge.approver_unmapped"
        assert desk.act(replace(act, secret="wrong")).code == "erp.sign_in_refused"

    def test_what_is_done_as_somebody_else_does_not_count_as_theirs(self, desk: Desk) -> None:
        act = self._act(desk, self._waiting(desk)[0])
        assert desk.act(replace(act, approver="99")).is_done
        after = desk.task(act.key, "99")
        assert after is not None
        assert (after.state, after.steps_of("99")) == ("approved", [])

    def test_a_quotation_is_confirmed_by_the_supervisor_of_who_quoted(
        self, desk: Desk, double: TrytonDouble
    ) -> None:
        sale = double.sale("S1", "120", "80")
        quoted = {"quoted_by": {"id": 2, "supervisor": 1}, "party": {"id": 7, "name": "Quince"}}
        double.edit("sale.sale", sale, untaxed_amount=Decimal(200), **quoted)
        (task,) = [one for one in desk.tasks([]) if one.kind == "sales_quotation"]
        assert (task.approver, task.verdicts, task.subject) == ("1", ("approve",), "Quince")
        assert desk.act(self._act(desk, task)).is_done
        after = desk.task(task.key, "1")
        assert after is not None
        assert (after.state, len(after.steps_of("1"))) == ("approved", 1)


def test_who_decides_is_known() -> None:
    assert {name for name in CONNECTORS if can_decide(name, {"approvals": ["saleorder"]})} == {
        "tryton",
        "u8_openapi",
    }
    assert not can_decide("u8_openapi", {"approvals": []})
