"""Routes of approval: the company's policy, what waits for me, deciding, and lending my right."""

from typing import Any
from uuid import UUID

from flask import Response

from app.core.composition import workspace
from app.core.errors import NotAllowed
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
from app.core.paging import slice_page
from app.people.models import Person
from redpackets import approval_queries, policies, reading, services
from redpackets.approval_schemas import (
    ApprovalIn,
    ApprovalsQuery,
    DelegationOut,
    NewDelegationIn,
    NewPolicyIn,
    PolicyOut,
    WaitingOut,
)
from redpackets.approvers import rights_by_kind, standing_of
from redpackets.bands import BandAsked
from redpackets.schemas import PacketOut

routes = Routes("red_packet_approvals", __name__)


@routes.get("/red-packet-policies")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(PolicyOut))
def list_policies(query: dict[str, Any]) -> Response:
    """List the versions of the approval policy, the one in force first."""
    page = page_of(query)
    before = page.after(int)
    with unit_of_work() as session:
        me = caller(session)
        if not any(me.may(permission) for permission in policies.SEE_POLICIES):
            raise NotAllowed
        latest = session.scalar(approval_queries.active_policy())
        found = approval_queries.policies(
            before=before[0] if before else None, limit=page.limit + 1
        )
        rows, next_cursor = slice_page(
            session.scalars(found).all(), page, lambda policy: (policy.version,)
        )
        in_force = latest.version if latest else 0
        listed = [policies.described(policy, in_force) for policy in rows]
    return answer_page(PolicyOut, listed, next_cursor)


@routes.post("/red-packet-policies")
@needs(policies.MANAGE)
@routes.takes(NewPolicyIn)
@routes.gives(201, PolicyOut)
def set_policy(body: dict[str, Any]) -> Response:
    """Put a new version of the approval policy into force; what waits keeps the version it was sent under."""
    with unit_of_work() as session:
        policy = services.set_policy(
            session,
            caller=caller(session),
            asked=[BandAsked(**band) for band in body["bands"]],
            now=workspace().now(),
        )
        return answer(PolicyOut, policies.described(policy, policy.version), 201)


@routes.get("/red-packet-approvals")
@signed_in
@routes.takes_query(ApprovalsQuery)
@routes.gives(200, page_schema(WaitingOut))
def list_approvals(query: dict[str, Any]) -> Response:
    """List the packets that wait for my approval, newest first, or how those I may decide on ended."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = approval_queries.requests_for(
            rights_by_kind(session, standing_of(session, me, workspace().now())),
            person_id=me.person_id,
            state=query["state"],
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.Packet.id,)
        )
        listed = [reading.waiting_packet(row, query["state"]) for row in rows]
    return answer_page(WaitingOut, listed, next_cursor)


@routes.post("/red-packets/<uuid:packet_id>/approval")
@signed_in
@routes.takes(ApprovalIn)
@routes.gives(200, PacketOut)
def decide(body: dict[str, Any], packet_id: UUID) -> Response:
    """Approve or reject a packet that waits, with the rest of its rain or grant; the same again changes nothing."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)
        decision = services.Decision(
            decision=body["decision"], reason=body["reason"], renounces=body["renounce"]
        )
        services.decide(session, caller=me, packet_id=packet_id, decision=decision, now=now)
        seen = reading.read_packet(session, caller=me, packet_id=packet_id, now=now)
        return answer(PacketOut, seen)


@routes.get("/red-packet-delegations")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(DelegationOut))
def list_delegations(query: dict[str, Any]) -> Response:
    """List whom I lent my right to approve, and who lent me theirs, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        found = approval_queries.delegations_about(
            caller(session).person_id,
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.Delegation.id,)
        )
        listed = [reading.delegation(*row) for row in rows]
    return answer_page(DelegationOut, listed, next_cursor)


@routes.post("/red-packet-delegations")
@signed_in
@routes.takes(NewDelegationIn)
@routes.gives(201, DelegationOut)
def lend_right(body: dict[str, Any]) -> Response:
    """Let somebody approve in my stead for up to 90 days."""
    with unit_of_work() as session:
        me = caller(session)
        delegation = services.lend_right(
            session, caller=me, new=services.NewDelegation(**body), now=workspace().now()
        )
        delegate = session.get_one(Person, (me.tenant_id, delegation.delegate_id))
        return answer(DelegationOut, reading.delegation(delegation, me.name, delegate.name), 201)


@routes.delete("/red-packet-delegations/<uuid:delegation_id>")
@signed_in
@routes.gives(204)
def take_back_right(delegation_id: UUID) -> Response:
    """Take my right back at once."""
    with unit_of_work() as session:
        services.take_back_right(
            session,
            caller=caller(session),
            delegation_id=delegation_id,
            now=workspace().now(),
        )
    return nothing()
