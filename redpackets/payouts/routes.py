"""Routes of payouts: preparing, releasing, the payroll file and its results, the tax export, where I am paid."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from flask import Response, request

from app.core.composition import workspace
from app.core.errors import InvalidFields
from app.core.http import (
    PageQuery,
    Routes,
    answer,
    answer_page,
    caller,
    needs,
    nothing,
    page_of,
    page_schema,
    signed_in,
    unit_of_work,
)
from app.core.idempotency import answer_once
from app.core.paging import slice_page
from app.core.problems import language
from redpackets.payouts import queries, reading, services, taxes
from redpackets.payouts.models import PayoutBatch
from redpackets.payouts.ports import REDEMPTION_WORTH
from redpackets.payouts.rails import RAILS
from redpackets.payouts.rules import RAIL_UNIT
from redpackets.payouts.schemas import (
    AccountIn,
    AccountsOut,
    NewPayoutIn,
    OwnPayoutsOut,
    PayoutDecisionIn,
    PayoutOut,
    PayoutQuery,
    PayoutResultsIn,
    PayoutWithItemsOut,
    TaxQuery,
)
from redpackets.sheets import written_amount

PAYOUT = services.PAYOUT
CSV = "text/csv; charset=utf-8"

#: A file of every row of the largest payout, as JSON text.
RESULTS_BYTES_MAX = 2 * 1024 * 1024

P = ParamSpec("P")

routes = Routes("payouts", __name__)


def _takes_a_file(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let a body be as large as a file of results."""

    @wraps(view)
    def with_room(*args: P.args, **kwargs: P.kwargs) -> Response:
        request.max_content_length = RESULTS_BYTES_MAX
        return view(*args, **kwargs)

    return with_room


@routes.get("/payouts")
@needs(PAYOUT)
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(PayoutOut))
def list_payouts(query: dict[str, Any]) -> Response:
    """List the payouts of the units I pay for, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        found = queries.batches_visible(
            caller(session).units_with(PAYOUT),
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(
            session.scalars(found).all(), page, lambda batch: (batch.id,)
        )
        described = reading.describe_batches(session, rows)
    return answer_page(PayoutOut, described, next_cursor)


@routes.post("/payouts")
@needs(PAYOUT)
@routes.takes(NewPayoutIn)
@routes.gives(201, PayoutOut)
def prepare_payout(body: dict[str, Any]) -> Response:
    """Take what a unit's people are owed into a payout that somebody else must release. Needs an Idempotency-Key."""
    now = workspace().now()
    new = services.NewPayout(**body)
    _check_way(new)
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            batch = services.prepare_payout(session, caller=me, new=new, now=now)
            return answer(PayoutOut, reading.describe_batch(session, batch), 201)

        return answer_once(session, caller=me, body=body, now=now, make=make)


@routes.get("/payouts/<uuid:payout_id>")
@needs(PAYOUT)
@routes.takes_query(PayoutQuery)
@routes.gives(200, PayoutWithItemsOut)
def read_payout(query: dict[str, Any], payout_id: UUID) -> Response:
    """Read a payout, what it comes to in parts, and its first hundred items."""
    with unit_of_work() as session:
        batch = services.read_payout(session, caller=caller(session), batch_id=payout_id)
        return answer(PayoutWithItemsOut, reading.describe_whole(session, batch, query["state"]))


@routes.post("/payouts/<uuid:payout_id>/approval")
@needs(PAYOUT)
@routes.takes(PayoutDecisionIn)
@routes.gives(200, PayoutOut)
def decide_payout(body: dict[str, Any], payout_id: UUID) -> Response:
    """Release a payout that somebody else prepared, or reject it: then all of it is back in the wallets."""
    now = workspace().now()
    with unit_of_work() as session:
        batch = services.decide_payout(
            session,
            caller=caller(session),
            batch_id=payout_id,
            approve=body["decision"] == "approve",
            reason=body["reason"],
            now=now,
        )
        return answer(PayoutOut, reading.describe_batch(session, batch))


@routes.get("/payouts/<uuid:payout_id>/file")
@needs(PAYOUT)
@routes.gives(200)
def read_payroll_file(payout_id: UUID) -> Response:
    """Give a released payout as a CSV for payroll; its hash and control totals stand in the headers, too."""
    with unit_of_work() as session:
        batch, content = services.write_payroll_file(
            session, caller=caller(session), batch_id=payout_id, now=workspace().now()
        )
        return _payroll_answer(batch, content)


@routes.post("/payouts/<uuid:payout_id>/results")
@needs(PAYOUT)
@_takes_a_file
@routes.takes(PayoutResultsIn)
@routes.gives(200, PayoutOut)
def take_results(body: dict[str, Any], payout_id: UUID) -> Response:
    """Take payroll's results, the whole file or none of it. Needs an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            batch = services.take_results(
                session, caller=me, batch_id=payout_id, content=body["content"], now=now
            )
            return answer(PayoutOut, reading.describe_batch(session, batch))

        return answer_once(session, caller=me, body=body, now=now, make=make)


@routes.get("/payouts/tax-export")
@needs(PAYOUT)
@routes.takes_query(TaxQuery)
@routes.gives(200)
def export_taxes(query: dict[str, Any]) -> Response:
    """Give what is taxable of a month, per person and tax class, as a CSV."""
    space = workspace()
    with unit_of_work() as session:
        content = taxes.write_tax_export(
            session,
            caller=caller(session),
            month=query["month"],
            worth=space.ports.get(REDEMPTION_WORTH),
            language=language(),
            now=space.now(),
        )
    return _download(content, f"taxable-{query['month']}.csv")


@routes.get("/wallet/payouts")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, OwnPayoutsOut)
def list_own_payouts(query: dict[str, Any]) -> Response:
    """List what was or is being paid out to me, newest first, with the sum of all that is on its way."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = queries.items_paid_to(
            me.person_id,
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.PayoutItem.id,)
        )
        page_of_mine = {
            "items": [services.own_payout(row.PayoutItem, row.PayoutBatch) for row in rows],
            "on_its_way": session.execute(queries.on_its_way_to(me.person_id)).all(),
            "next_cursor": next_cursor,
        }
    return answer(OwnPayoutsOut, page_of_mine)


@routes.get("/wallet/accounts")
@signed_in
@routes.gives(200, AccountsOut)
def list_accounts() -> Response:
    """List the rails I can be paid over, each with the account I named for it."""
    with unit_of_work() as session:
        found = session.scalars(queries.payees_of(caller(session).person_id)).all()
    named = {payee.rail: payee for payee in found}
    items = [
        named.get(rail) or {"rail": rail, "account": None, "changed_at": None}
        for rail in sorted(workspace().tools[RAILS])
    ]
    return answer(AccountsOut, {"items": items})


@routes.put("/wallet/account")
@signed_in
@routes.takes(AccountIn)
@routes.gives(204)
def name_account(body: dict[str, Any]) -> Response:
    """Say where I am paid over a rail."""
    _check_rail(body["rail"])
    with unit_of_work() as session:
        services.name_account(session, caller=caller(session), now=workspace().now(), **body)
    return nothing()


def _check_way(new: services.NewPayout) -> None:
    """Refuse a rail that is not here, or that does not pay this currency."""
    if new.method == "payroll":
        if new.rail is not None:
            raise InvalidFields({"rail": "not_a_choice"})
        return
    if new.rail is None:
        raise InvalidFields({"rail": "required"})
    _check_rail(new.rail)
    if new.unit != RAIL_UNIT:
        raise InvalidFields({"unit": "not_a_choice"})


def _check_rail(name: str) -> None:
    if name not in workspace().tools[RAILS]:
        raise InvalidFields({"rail": "not_a_choice"})


def _payroll_answer(batch: PayoutBatch, content: bytes) -> Response:
    response = _download(content, f"payroll-{batch.period}-{batch.id}.csv")
    assert batch.file_hash is not None
    response.headers["X-Content-Sha256"] = batch.file_hash.hex()
    response.headers["X-Control-Rows"] = str(batch.row_count)
    response.headers["X-Control-Total"] = (
        f"{written_amount(batch.total_minor, batch.unit)} {batch.unit}"
    )
    return response


def _download(content: bytes, name: str) -> Response:
    response = Response(content, content_type=CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
