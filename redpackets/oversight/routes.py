"""Routes of oversight: flags and from when on there are some, the report, what followed from a packet."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app.core.composition import workspace
from app.core.http import (
    Routes,
    answer,
    answer_page,
    caller,
    needs,
    page_of,
    page_schema,
    signed_in,
    unit_of_work,
)
from app.core.jobs import defer
from app.core.paging import slice_page
from app.core.problems import language
from app.people.services import require_company
from redpackets.oversight import effects, queries, reporting, services
from redpackets.oversight.jobs import SCAN_JOB
from redpackets.oversight.ports import AUDIENCE_ACTIVITY
from redpackets.oversight.rules import Thresholds
from redpackets.oversight.schemas import (
    CSV,
    EffectOut,
    FlagOut,
    FlagQuery,
    FlagResolutionIn,
    OversightPolicyIn,
    OversightPolicyOut,
    ReportOut,
    ReportQuery,
    ReportRowOut,
    ScanOut,
)
from redpackets.sheets import csv_of, heads_in, name_in, written_amount

routes = Routes("oversight", __name__)


@routes.get("/oversight/policy")
@needs(services.AUDIT)
@routes.gives(200, OversightPolicyOut)
def read_oversight_policy() -> Response:
    """Say from when on patterns are flagged."""
    with unit_of_work() as session:
        require_company(session, caller(session), services.AUDIT)
        return answer(OversightPolicyOut, services.read_policy(session))


@routes.put("/oversight/policy")
@needs(services.AUDIT)
@routes.takes(OversightPolicyIn)
@routes.gives(200, OversightPolicyOut)
def change_oversight_policy(body: dict[str, Any]) -> Response:
    """Flag from other thresholds on; flags that were made stay."""
    thresholds = {name: value for name, value in body.items() if name != "version"}
    with unit_of_work() as session:
        me = caller(session)
        require_company(session, me, services.AUDIT)
        services.change_policy(
            session,
            caller=me,
            version=body["version"],
            asked=Thresholds(**thresholds),
            now=workspace().now(),
        )
        return answer(OversightPolicyOut, services.read_policy(session))


@routes.post("/oversight/scans")
@needs(services.AUDIT)
@routes.gives(202, ScanOut)
def ask_for_scan() -> Response:
    """Have all patterns looked for now, rather than by night."""
    with unit_of_work() as session:
        require_company(session, caller(session), services.AUDIT)
        defer(session, SCAN_JOB, lock=SCAN_JOB, once=True)
    return answer(ScanOut, {"state": "queued"}, 202)


@routes.get("/oversight/flags")
@needs(services.AUDIT)
@routes.takes_query(FlagQuery)
@routes.gives(200, page_schema(FlagOut))
def list_flags(query: dict[str, Any]) -> Response:
    """List flags, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        require_company(session, caller(session), services.AUDIT)
        found = queries.flags(
            state=query["state"],
            kind=query["kind"],
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(session.scalars(found).all(), page, lambda flag: (flag.id,))
        described = services.describe_flags(session, rows)
    return answer_page(FlagOut, described, next_cursor)


@routes.get("/oversight/flags/<uuid:flag_id>")
@needs(services.AUDIT)
@routes.gives(200, FlagOut)
def read_flag(flag_id: UUID) -> Response:
    """Read one flag."""
    with unit_of_work() as session:
        require_company(session, caller(session), services.AUDIT)
        [described] = services.describe_flags(session, [services.flag_known(session, flag_id)])
        return answer(FlagOut, described)


@routes.post("/oversight/flags/<uuid:flag_id>/resolution")
@needs(services.AUDIT)
@routes.takes(FlagResolutionIn)
@routes.gives(200, FlagOut)
def resolve_flag(body: dict[str, Any], flag_id: UUID) -> Response:
    """Dismiss or confirm a flag that is not about me, and say why; a repeat changes nothing."""
    with unit_of_work() as session:
        me = caller(session)
        require_company(session, me, services.AUDIT)
        flag = services.resolve(session, caller=me, flag_id=flag_id, **body, now=workspace().now())
        [described] = services.describe_flags(session, [flag])
        return answer(FlagOut, described)


@routes.get("/oversight/report")
@signed_in
@routes.takes_query(ReportQuery)
@routes.gives(200, ReportOut)
def read_report(query: dict[str, Any]) -> Response:
    """Report what was given, taken and given back, as JSON or CSV; units have all below them in their row."""
    wanted = query.pop("format") or _accepted_format()
    with unit_of_work() as session:
        rows = reporting.read_report(
            session, caller=caller(session), asked=reporting.ReportAsked(**query)
        )
    if wanted == CSV:
        return _sheet(rows, query["by"], f"report-{query['first_on']}-{query['last_on']}.csv")
    return answer(ReportOut, {"by": query["by"], "rows": rows})


@routes.get("/red-packets/<uuid:packet_id>/effect")
@signed_in
@routes.gives(200, EffectOut)
def read_effect(packet_id: UUID) -> Response:
    """Say how active a packet's audience was in the weeks before and after it, all of it together."""
    space = workspace()
    with unit_of_work() as session:
        seen = effects.read_effect(
            session,
            caller=caller(session),
            packet_id=packet_id,
            activity=space.ports[AUDIENCE_ACTIVITY],
            now=space.now(),
        )
    return answer(EffectOut, seen)


def _accepted_format() -> str | None:
    wanted = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    return CSV if wanted == "text/csv" else None


def _sheet(rows: list[dict[str, Any]], by: str, name: str) -> Response:
    columns = list(ReportRowOut().fields)
    if by in {"kind", "purpose"}:
        rows = [row | {"name": name_in(language(), row["key"])} for row in rows]
    cells = ([_cell(row, column) for column in columns] for row in rows)
    body = csv_of([heads_in(language(), columns), *cells])
    response = Response(body, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cell(row: dict[str, Any], column: str) -> Any:
    """Write amounts as people do; who goes on to compute with minor units reads the JSON."""
    value = row[column]
    if column.endswith("_minor") and value is not None:
        return written_amount(value, row["unit"])
    return value
