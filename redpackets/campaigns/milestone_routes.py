"""Routes of milestones: rules on birthdays and anniversaries, and the days they look at."""

from typing import Any
from uuid import UUID

from flask import Response

from app.core.composition import workspace
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
    unit_of_work,
)
from app.core.paging import slice_page
from redpackets.campaigns import giving_queries, milestones
from redpackets.campaigns.giving_schemas import (
    MilestoneDatesIn,
    MilestoneRuleChangeIn,
    MilestoneRuleOut,
    NewMilestoneRuleIn,
)
from redpackets.campaigns.models import MilestoneRule
from redpackets.campaigns.placing import business_day
from redpackets.campaigns.triggers import CAMPAIGNS

routes = Routes("redpackets_milestones", __name__)


@routes.get("/milestone-rules")
@needs(CAMPAIGNS)
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(MilestoneRuleOut))
def list_milestone_rules(query: dict[str, Any]) -> Response:
    """List the rules on birthdays and anniversaries that I may keep, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        found = giving_queries.milestone_rules_visible(
            caller(session).units_with(CAMPAIGNS),
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(session.scalars(found).all(), page, lambda row: (row.id,))
        return answer_page(MilestoneRuleOut, [_rule(row) for row in rows], next_cursor)


@routes.post("/milestone-rules")
@needs(CAMPAIGNS)
@routes.takes(NewMilestoneRuleIn)
@routes.gives(201, MilestoneRuleOut)
def add_milestone_rule(body: dict[str, Any]) -> Response:
    """Keep a rule: on their day everybody of a unit gets a gift, once a year."""
    now = workspace().now()
    with unit_of_work() as session:
        given = _named(body)
        given["starts_on"] = given["starts_on"] or business_day(session, now).date()
        rule = milestones.add_rule(
            session,
            caller=caller(session),
            new=milestones.NewMilestoneRule(**given),
            now=now,
        )
        return answer(MilestoneRuleOut, _rule(rule), 201)


@routes.patch("/milestone-rules/<uuid:milestone_rule_id>")
@needs(CAMPAIGNS)
@routes.takes(MilestoneRuleChangeIn)
@routes.gives(200, MilestoneRuleOut)
def change_milestone_rule(body: dict[str, Any], milestone_rule_id: UUID) -> Response:
    """Change a rule on milestones, or end it, knowing its version."""
    version = body.pop("version")
    with unit_of_work() as session:
        rule = milestones.change_rule(
            session,
            caller=caller(session),
            rule_id=milestone_rule_id,
            version=version,
            changes=_named(body),
            now=workspace().now(),
        )
        return answer(MilestoneRuleOut, _rule(rule))


@routes.put("/milestone-dates")
@needs(CAMPAIGNS)
@routes.takes(MilestoneDatesIn)
@routes.gives(204)
def put_milestone_dates(body: dict[str, Any]) -> Response:
    """Take over a file of birthdays and days of joining, whole or, with the rows named, not at all."""
    rows = [_row(row) for row in body["rows"]]
    with unit_of_work() as session:
        milestones.put_dates(session, caller=caller(session), rows=rows, now=workspace().now())
    return nothing()


def _row(row: dict[str, Any]) -> milestones.DateRow:
    month, day, year = row["day"] or (None, None, None)
    return milestones.DateRow(
        person_id=row["person_id"], kind=row["kind"], month=month, day=day, year=year
    )


def _named(body: dict[str, Any]) -> dict[str, Any]:
    """Name what was given as the rule keeps it."""
    given = dict(body)
    if "purpose" in given:
        given["purpose_text"] = given.pop("purpose")
    if "steps" in given:
        given["steps"] = [[step["years"], step["amount_minor"]] for step in given["steps"]]
    return given


def _rule(rule: MilestoneRule) -> dict[str, Any]:
    steps = [{"years": years, "amount_minor": amount} for years, amount in rule.steps]
    return vars(rule) | {"purpose": rule.purpose_text, "steps": steps}
