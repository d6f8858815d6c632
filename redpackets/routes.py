"""Routes of red packets: sending, grabbing, my wallet."""

import secrets
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
    page_of,
    page_schema,
    raw_answer,
    signed_in,
    token_claims,
    unit_of_work,
)
from app.core.idempotency import answer_once
from app.core.paging import slice_page
from app.people.audiences import AudienceScope
from redpackets import queries, reading, services
from redpackets.entrance import TOOL as ENTRANCE
from redpackets.entrance import Entrance
from redpackets.errors import CannotSplit
from redpackets.grabbing import Grabbed
from redpackets.rules import SPLIT_OF_KIND
from redpackets.schemas import (
    EnvelopesOut,
    EnvelopesQuery,
    GrabOut,
    PacketOut,
    SendPacketIn,
    WalletEntryOut,
    WalletOut,
)

SEED_BYTES = 32

routes = Routes("redpackets", __name__)


@routes.post("/red-packets")
@needs("redpackets.send")
@routes.takes(SendPacketIn)
@routes.gives(201, PacketOut)
def send_packet(body: dict[str, Any]) -> Response:
    """Send a red packet from a budget to an audience. Needs an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            packet = services.send_packet(
                session,
                caller=me,
                new=_new_packet(body),
                seed=secrets.token_bytes(SEED_BYTES),
                now=now,
            )
            seen = reading.read_packet(session, caller=me, packet_id=packet.id, now=now)
            return answer(PacketOut, seen, 201)

        return answer_once(session, caller=me, body=body, now=now, make=make)


@routes.get("/red-packets/envelopes")
@signed_in
@routes.takes_query(EnvelopesQuery)
@routes.gives(200, EnvelopesOut)
def read_envelopes(query: dict[str, Any]) -> Response:
    """Read the packets that one screen shows, those of ``ids`` that I may know of."""
    with unit_of_work() as session:
        seen = reading.read_envelopes(
            session, caller=caller(session), packet_ids=query["ids"], now=workspace().now()
        )
        return answer(EnvelopesOut, {"items": seen})


@routes.get("/red-packets/<uuid:packet_id>")
@signed_in
@routes.gives(200, PacketOut)
def read_packet(packet_id: UUID) -> Response:
    """Read a packet that is for me, that I sent, or that I oversee."""
    with unit_of_work() as session:
        seen = reading.read_packet(
            session, caller=caller(session), packet_id=packet_id, now=workspace().now()
        )
        return answer(PacketOut, seen)


@routes.post("/red-packets/<uuid:packet_id>/grab")
@signed_in
@routes.gives(200, GrabOut)
@routes.may_give(202, GrabOut, "pending: ask again")
def grab(packet_id: UUID) -> Response:
    """Take my share; asking again gives the same share, so a call whose answer was lost is simply repeated."""

    def by_database() -> Grabbed:
        with unit_of_work() as session:
            return services.grab(
                session, caller=caller(session), packet_id=packet_id, now=workspace().now()
            )

    entrance: Entrance = workspace().tools[ENTRANCE]
    grabbed = entrance.grab(token_claims(), packet_id, by_database=by_database)
    # Only here, with the unit of work committed, may anybody be told that they won.
    return raw_answer(_grab_answer(grabbed), 202 if grabbed.result == "pending" else 200)


@routes.post("/red-packets/<uuid:packet_id>/cancellation")
@signed_in
@routes.gives(200, PacketOut)
def cancel_packet(packet_id: UUID) -> Response:
    """Withdraw a packet that nobody has taken from; all of it goes back to the budget."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)
        services.cancel_packet(session, caller=me, packet_id=packet_id, now=now)
        seen = reading.read_packet(session, caller=me, packet_id=packet_id, now=now)
        return answer(PacketOut, seen)


@routes.get("/wallet")
@signed_in
@routes.gives(200, WalletOut)
def read_wallet() -> Response:
    """Say what I have received and not yet been paid, by unit."""
    with unit_of_work() as session:
        wallets = session.scalars(queries.wallets_of(caller(session).person_id)).all()
        balances = [{"amount_minor": w.balance_minor, "unit": w.unit} for w in wallets]
    return answer(WalletOut, {"balances": balances})


@routes.get("/wallet/entries")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(WalletEntryOut))
def list_wallet_entries(query: dict[str, Any]) -> Response:
    """List what moved my wallet, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        wallets = session.scalars(queries.wallets_of(caller(session).person_id)).all()
        own = {wallet.id for wallet in wallets}
        found = queries.entries_of(own, before=before[0] if before else None, limit=page.limit + 1)
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.JournalEntry.id,)
        )
        entries = [reading.wallet_entry(row.JournalEntry, row.Packet, own) for row in rows]
    return answer_page(WalletEntryOut, entries, next_cursor)


def _new_packet(body: dict[str, Any]) -> services.NewPacket:
    purpose = body["purpose"]
    if body["split"] not in (None, SPLIT_OF_KIND.get(body["kind"])):
        raise CannotSplit("split")
    return services.NewPacket(
        kind=body["kind"],
        unit=body["unit"],
        total_minor=body["total_minor"] or 0,
        share_count=body["count"] or 0,
        min_minor=body["min_minor"],
        max_minor=body["max_minor"],
        budget_id=body["budget_id"],
        on_behalf_of_id=body["on_behalf_of"],
        audience=[AudienceScope(**s) for s in (body["audience"] or {"scopes": []})["scopes"]],
        receivers=tuple((r["person_id"], r["amount_minor"]) for r in body["receivers"] or ()),
        purpose_category=purpose["category"],
        purpose_text=purpose["text"],
        purpose_evidence=purpose["evidence"],
        tax_class=body["tax_class"],
        greeting=body["greeting"],
        cover=body["cover"],
        shows_claims=body["shows_claims"],
        opens_at=body["opens_at"],
        expires_at=body["expires_at"],
    )


def _grab_answer(grabbed: Grabbed) -> dict[str, Any]:
    seen: dict[str, Any] = {"result": grabbed.result, "first": grabbed.first}
    if grabbed.result == "won":
        seen["share"] = {
            "index": grabbed.index,
            "amount_minor": grabbed.amount_minor,
            "unit": grabbed.unit,
        }
    return seen
