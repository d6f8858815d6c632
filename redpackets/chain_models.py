"""Tables of the proof: the chain over the journal, what waits for it, its daily heads, what was last verified."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow


class ChainLink(TenantRow, Base):
    """One sealed journal entry: its place in the company's chain, and the hash that binds all before it.

    No foreign key: the chain shall tell of an entry that is gone, and be written at no cost to the journal.
    """

    __tablename__ = "redpackets_chain"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    entry_id: Mapped[UUID]
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("tenant_id", "entry_id"),
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint("octet_length(hash) = 32", name="hash"),
    )


class WaitingEntry(TenantRow, Base):
    """A journal entry that waits to be sealed; written by the statement that posts, gone with the sealing."""

    __tablename__ = "redpackets_chain_queue"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ChainHead(TenantRow, Base):
    """The last link when a day of the company's calendar was over, to be handed to somebody outside."""

    __tablename__ = "redpackets_chain_head"

    day: Mapped[date] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class LedgerProof(Identified, Base):
    """What a verification of the whole ledger found."""

    __tablename__ = "redpackets_ledger_proof"

    at: Mapped[datetime]
    found: Mapped[dict[str, Any]]

    __table_args__ = (Index(None, "tenant_id", "at"),)
