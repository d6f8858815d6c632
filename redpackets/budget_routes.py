"""Routes of budgets: the tree, opening, changing, and taking back what is not needed any more."""

from typing import Any
from uuid import UUID

from flask import Response

from app.core.composition import workspace
from app.core.http import (
    Routes,
    answer,
    answer_page,
    caller,
    page_of,
    page_schema,
    signed_in,
    unit_of_work,
)
from app.core.idempotency import answer_once
from app.core.paging import slice_page
from redpackets import budget_queries, budgets, services
from redpackets.budget_schemas import (
    BudgetChangeIn,
    BudgetOut,
    BudgetsQuery,
    NewBudgetIn,
)

routes = Routes("red_packet_budgets", __name__)


@routes.get("/budgets")
@signed_in
@routes.takes_query(BudgetsQuery)
@routes.gives(200, page_schema(BudgetOut))
def list_budgets(query: dict[str, Any]) -> Response:
    """List the budgets I own, may spend or may see, newest first; with ``tree`` those above before those below.

    With ``give_only=false`` people's allowances are left out, with ``true`` there is nothing else.
    """
    page = page_of(query)
    after = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = budget_queries.budgets_visible(
            me.person_id,
            budgets.units_showing(me),
            after=after[0] if after else None,
            limit=page.limit + 1,
            is_tree=query["tree"],
            give_only=query["give_only"],
        )
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.Budget.id,)
        )
        described = [budgets.described(*row) for row in rows]
    return answer_page(BudgetOut, described, next_cursor)


@routes.post("/budgets")
@signed_in
@routes.takes(NewBudgetIn)
@routes.gives(201, BudgetOut)
def create_budget(body: dict[str, Any]) -> Response:
    """Open a budget for a cost centre; its limit comes from the treasury or the parent. Needs an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            new = services.NewBudget(**body | {"owner_id": body["owner_id"] or me.person_id})
            budget = services.create_budget(session, caller=me, new=new, now=now)
            return answer(BudgetOut, budgets.read_budget(session, budget.id), 201)

        return answer_once(session, caller=me, body=body, now=now, make=make)


@routes.get("/budgets/<uuid:budget_id>")
@signed_in
@routes.gives(200, BudgetOut)
def read_budget(budget_id: UUID) -> Response:
    """Read a budget that I own, may spend or may see."""
    with unit_of_work() as session:
        return answer(BudgetOut, budgets.budget_seen(session, caller(session), budget_id))


@routes.patch("/budgets/<uuid:budget_id>")
@signed_in
@routes.takes(BudgetChangeIn)
@routes.gives(200, BudgetOut)
def change_budget(body: dict[str, Any], budget_id: UUID) -> Response:
    """Change a budget's name, owner, end, limit or cap, knowing its version."""
    with unit_of_work() as session:
        services.change_budget(
            session,
            caller=caller(session),
            budget_id=budget_id,
            change=services.BudgetChange(
                **body, is_uncapped=body.get("receive_cap_minor", 0) is None
            ),
            now=workspace().now(),
        )
        return answer(BudgetOut, budgets.read_budget(session, budget_id))


@routes.post("/budgets/<uuid:budget_id>/recovery")
@signed_in
@routes.gives(200, BudgetOut)
def recover_budget(budget_id: UUID) -> Response:
    """Give back what a leaver's or an ended budget does not hold, and close it. Needs an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            services.recover_budget(session, caller=me, budget_id=budget_id, now=now)
            return answer(BudgetOut, budgets.read_budget(session, budget_id))

        return answer_once(session, caller=me, body={}, now=now, make=make)
