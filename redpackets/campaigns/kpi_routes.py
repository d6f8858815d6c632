"""Routes of rules on figures: keeping them, trying them, what they fired, and what became of restated figures."""

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
    raw_answer,
    signed_in,
    unit_of_work,
)
from app.core.idempotency import answer_once_if_keyed
from app.core.paging import slice_page
from app.core.problems import language
from redpackets.campaigns import previewing, queries, restating, services, triggers
from redpackets.campaigns.placing import business_day
from redpackets.campaigns.ports import FIGURES, Figures
from redpackets.campaigns.reading import (
    describe_fires,
    describe_misses,
    describe_proposals,
    describe_rule,
)
from redpackets.campaigns.schemas import (
    KpiFiredDocumentOut,
    KpiFireOut,
    KpiFiresOut,
    KpiMetricOut,
    KpiMissOut,
    KpiNewRuleIn,
    KpiPreviewOut,
    KpiPreviewRuleIn,
    KpiProposalDecisionIn,
    KpiProposalOut,
    KpiProposalQuery,
    KpiRuleChangeIn,
    KpiRuleOut,
)

routes = Routes("redpackets_rules", __name__)


@routes.get("/kpi-rules")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(KpiRuleOut))
def list_rules(query: dict[str, Any]) -> Response:
    """List the rules on figures that I own or may keep, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = queries.rules_visible(
            me.person_id,
            triggers.units_showing(me),
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rules, next_cursor = slice_page(session.scalars(found).all(), page, lambda rule: (rule.id,))
        return answer_page(
            KpiRuleOut, [describe_rule(_figures(), rule) for rule in rules], next_cursor
        )


@routes.post("/kpi-rules")
@needs(triggers.CAMPAIGNS)
@routes.takes(KpiNewRuleIn)
@routes.gives(201, KpiRuleOut)
def add_rule(body: dict[str, Any]) -> Response:
    """Keep a rule: when a figure meets it, a packet is sent, once a period for each subject. Takes an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            starts_on = body["starts_on"] or business_day(session, now).date()
            terms = _terms(body | {"starts_on": starts_on})
            rule = services.add_rule(session, caller=me, figures=_figures(), terms=terms, now=now)
            return answer(KpiRuleOut, describe_rule(_figures(), rule), 201)

        return answer_once_if_keyed(session, caller=me, body=body, now=now, make=make)


@routes.post("/kpi-rules/preview")
@needs(triggers.CAMPAIGNS)
@routes.takes(KpiPreviewRuleIn)
@routes.gives(200, KpiPreviewOut)
def preview_rule(body: dict[str, Any]) -> Response:
    """Say when a rule would have fired in a past year and what it would have cost, without effect."""
    now = workspace().now()
    year = body.pop("year")
    with unit_of_work() as session:
        body["starts_on"] = body["starts_on"] or business_day(session, now).date()
        preview = services.preview_rule(
            session,
            caller=caller(session),
            figures=_figures(),
            terms=_terms(body),
            year=year,
            now=now,
        )
    preview["summary"] = previewing.summary(preview, language())
    return answer(KpiPreviewOut, preview)


@routes.get("/kpi-rules/<uuid:kpi_rule_id>")
@signed_in
@routes.gives(200, KpiRuleOut)
def read_rule(kpi_rule_id: UUID) -> Response:
    """Read a rule that I own, may keep or audit."""
    with unit_of_work() as session:
        rule = triggers.rule_seen(session, caller(session), kpi_rule_id)
        return answer(KpiRuleOut, describe_rule(_figures(), rule))


@routes.get("/kpi-metrics")
@needs(triggers.CAMPAIGNS)
@routes.gives(200, page_schema(KpiMetricOut))
def list_metrics() -> Response:
    """List what rules can be kept on; whose figures I may see, a rule's making tells."""
    with unit_of_work() as session:
        caller(session)
    return answer_page(KpiMetricOut, _figures().measures(), None)


@routes.patch("/kpi-rules/<uuid:kpi_rule_id>")
@needs(triggers.CAMPAIGNS)
@routes.takes(KpiRuleChangeIn)
@routes.gives(200, KpiRuleOut)
def change_rule(body: dict[str, Any], kpi_rule_id: UUID) -> Response:
    """Change a rule, knowing its version; each change is kept as a version of its own."""
    version = body.pop("version")
    purpose = body.pop("purpose", None)
    if purpose:
        body |= {"purpose_category": purpose["category"], "purpose_text": purpose["text"]}
    with unit_of_work() as session:
        rule = services.change_rule(
            session,
            caller=caller(session),
            figures=_figures(),
            rule_id=kpi_rule_id,
            version=version,
            changes=body,
            now=workspace().now(),
        )
        return answer(KpiRuleOut, describe_rule(_figures(), rule))


@routes.delete("/kpi-rules/<uuid:kpi_rule_id>")
@needs(triggers.CAMPAIGNS)
@routes.gives(204)
def remove_rule(kpi_rule_id: UUID) -> Response:
    """Stop a rule for good."""
    with unit_of_work() as session:
        services.remove_rule(
            session, caller=caller(session), rule_id=kpi_rule_id, now=workspace().now()
        )
    return nothing()


@routes.get("/kpi-rules/<uuid:kpi_rule_id>/fires")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, KpiFiresOut)
def list_fires(query: dict[str, Any], kpi_rule_id: UUID) -> Response:
    """Say what a rule fired, newest first: figure, facts, ERP documents and packet; and why it did not."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        rule = triggers.rule_seen(session, me, kpi_rule_id)
        found = queries.fires_of(
            kpi_rule_id, before=before[0] if before else None, limit=page.limit + 1
        )
        fires, next_cursor = slice_page(session.scalars(found).all(), page, lambda fire: (fire.id,))
        shown = triggers.shows_figures(session, me, _figures(), rule, fires)
        misses = session.scalars(queries.misses_of(kpi_rule_id)).all()
        return raw_answer(
            {
                "items": KpiFireOut(many=True).dump(describe_fires(session, fires, shown=shown)),
                "misses": KpiMissOut(many=True).dump(describe_misses(session, misses)),
                "next_cursor": next_cursor,
            }
        )


@routes.get("/kpi-rules/<uuid:kpi_rule_id>/fires/<uuid:fire_id>/documents")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(KpiFiredDocumentOut))
def list_fired_documents(query: dict[str, Any], kpi_rule_id: UUID, fire_id: UUID) -> Response:
    """List the ERP's documents that a rule fired on, as they were then, newest first; at most 10,000 are kept."""
    page = page_of(query)
    after = page.after(int)
    with unit_of_work() as session:
        fire = triggers.fire_shown(
            session,
            caller(session),
            figures=_figures(),
            rule_id=kpi_rule_id,
            fire_id=fire_id,
        )
        found = queries.documents_of(fire.id, after=after[0] if after else -1, limit=page.limit + 1)
        rows, next_cursor = slice_page(
            session.scalars(found).all(), page, lambda document: (document.position,)
        )
        return answer_page(KpiFiredDocumentOut, rows, next_cursor)


@routes.get("/kpi-proposals")
@signed_in
@routes.takes_query(KpiProposalQuery)
@routes.gives(200, page_schema(KpiProposalOut))
def list_proposals(query: dict[str, Any]) -> Response:
    """List the figures that fell below what they fired at, of my rules or for me to decide, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = queries.proposals_visible(
            me.person_id,
            me.units_with(restating.APPROVE),
            state=query["state"],
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.TriggerProposal.id,)
        )
        described = describe_proposals(session, me, _figures(), rows)
        return answer_page(KpiProposalOut, described, next_cursor)


@routes.post("/kpi-proposals/<uuid:proposal_id>/decision")
@signed_in
@routes.takes(KpiProposalDecisionIn)
@routes.gives(200, KpiProposalOut)
def decide_proposal(body: dict[str, Any], proposal_id: UUID) -> Response:
    """Decide whether what nobody has taken of a packet goes back; deciding the same again changes nothing."""
    with unit_of_work() as session:
        me = caller(session)
        services.decide_proposal(
            session, caller=me, proposal_id=proposal_id, now=workspace().now(), **body
        )
        row = restating.proposal_seen(session, me, proposal_id)
        return answer(KpiProposalOut, describe_proposals(session, me, _figures(), [row])[0])


def _figures() -> Figures:
    found: Figures = workspace().ports[FIGURES]
    return found


def _terms(body: dict[str, Any]) -> services.RuleTerms:
    given = dict(body)
    subjects, purpose = given.pop("subjects"), given.pop("purpose")
    return services.RuleTerms(
        on_behalf_of_id=given.pop("on_behalf_of"),
        subject_kind=subjects["kind"],
        subject_ids=subjects["ids"],
        purpose_category=purpose["category"],
        purpose_text=purpose["text"],
        **given,
    )
