"""Routes for those who answer for packets: the list, freezing, closing early."""

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
from app.core.paging import slice_page
from redpackets import packet_queries, reading, services
from redpackets.packet_schemas import FreezeIn, ListedPacketOut, PacketsQuery
from redpackets.schemas import PacketOut

routes = Routes("red_packet_oversight", __name__)


@routes.get("/red-packets")
@signed_in
@routes.takes_query(PacketsQuery)
@routes.gives(200, page_schema(ListedPacketOut))
def list_packets(query: dict[str, Any]) -> Response:
    """List the packets I sent or oversee, newest first; ``mine`` for those I sent only."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = packet_queries.packets_overseen(
            me.person_id,
            me.units_with("redpackets.manage") | me.units_with("redpackets.audit"),
            is_mine=query["mine"],
            state=query["state"],
            budget_id=query["budget_id"],
            before=before[0] if before else None,
            limit=page.limit + 1,
            now=workspace().now(),
        )
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.Packet.id,)
        )
        listed = [reading.listed_packet(row) for row in rows]
    return answer_page(ListedPacketOut, listed, next_cursor)


@routes.post("/red-packets/<uuid:packet_id>/freeze")
@signed_in
@routes.takes(FreezeIn)
@routes.gives(200, PacketOut)
def freeze_packet(body: dict[str, Any], packet_id: UUID) -> Response:
    """Stop claims of a packet, or let them go on; nothing is erased, and it expires as ever."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)
        services.freeze_packet(
            session, caller=me, packet_id=packet_id, freeze=services.Freeze(**body), now=now
        )
        seen = reading.read_packet(session, caller=me, packet_id=packet_id, now=now)
        return answer(PacketOut, seen)


@routes.post("/red-packets/<uuid:packet_id>/closing")
@signed_in
@routes.gives(200, PacketOut)
def close_packet(packet_id: UUID) -> Response:
    """End an open packet now; who has a share keeps it, the rest goes back to the budget."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)
        services.close_packet(session, caller=me, packet_id=packet_id, now=now)
        seen = reading.read_packet(session, caller=me, packet_id=packet_id, now=now)
        return answer(PacketOut, seen)
