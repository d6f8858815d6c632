"""Proving the ledger from its rows: each check is one statement, so one snapshot, and lists what does not hold."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.work import tenant_of
from redpackets.chain import read_head
from redpackets.chain_checks import CHAIN_CHECKS, broken_links
from redpackets.chain_models import LedgerProof

#: A ledger of more entries is proved by the nightly job and the command, not while somebody waits for an answer.
PROVED_AT_ONCE_MAX = 50_000
CLEARED_DAYS_MAX = 10
#: Enough to add up a million entries without a detour over the disk, for this transaction only.
_MEMORY = text("SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)")

_FOLD = """
    WITH fold AS (
        SELECT tenant_id, account_id, sum(amount)::bigint AS balance FROM (
            SELECT tenant_id, credit_account_id AS account_id, amount_minor AS amount
              FROM redpackets_journal
             UNION ALL
            SELECT tenant_id, debit_account_id, -amount_minor FROM redpackets_journal
        ) AS moved GROUP BY tenant_id, account_id
    ), shares AS (
        SELECT tenant_id, packet_id, count(*) AS count, sum(amount_minor)::bigint AS total,
               min(amount_minor) AS least, max(amount_minor) AS most,
               COALESCE(sum(amount_minor) FILTER (WHERE state = 'free'), 0)::bigint AS free,
               COALESCE(sum(amount_minor) FILTER (WHERE state = 'claimed'), 0)::bigint AS claimed,
               COALESCE(sum(amount_minor) FILTER (WHERE state = 'refunded'), 0)::bigint AS refunded
          FROM redpackets_share GROUP BY tenant_id, packet_id
    )
"""
_LIMIT = " ORDER BY subject LIMIT 100"


def _check(statement: str) -> TextClause:
    return text(_FOLD + statement + _LIMIT)


#: Name → statement that gives (subject, expected, found) for whatever breaks the rule.
CHECKS: dict[str, TextClause] = {
    "balances_are_folds_of_the_journal": _check("""
        SELECT a.kind || ':' || a.id AS subject, COALESCE(f.balance, 0) AS expected,
               a.balance_minor AS found
          FROM redpackets_fund_account a
          LEFT JOIN fold f ON f.tenant_id = a.tenant_id AND f.account_id = a.id
         WHERE a.balance_minor <> COALESCE(f.balance, 0)"""),
    "no_account_is_overdrawn": _check("""
        SELECT a.kind || ':' || a.id AS subject, 0 AS expected, f.balance AS found
          FROM redpackets_fund_account a
          JOIN fold f ON f.tenant_id = a.tenant_id AND f.account_id = a.id
         WHERE f.balance < 0 AND NOT a.may_go_negative"""),
    "escrow_is_what_free_shares_say": _check("""
        SELECT 'packet:' || p.id AS subject, s.free AS expected, f.balance AS found
          FROM redpackets_packet p
          LEFT JOIN shares s ON s.tenant_id = p.tenant_id AND s.packet_id = p.id
          LEFT JOIN fold f ON f.tenant_id = p.tenant_id AND f.account_id = p.id
         WHERE s.free IS DISTINCT FROM f.balance"""),
    "budgets_keep_their_limits": _check("""
        SELECT 'budget:' || b.id AS subject,
               b.limit_minor - b.held_minor - b.spent_minor - b.allotted_minor AS expected,
               COALESCE(f.balance, 0) AS found
          FROM redpackets_budget b
          LEFT JOIN fold f ON f.tenant_id = b.tenant_id AND f.account_id = b.id
         WHERE b.held_minor + b.spent_minor + b.allotted_minor > b.limit_minor
            OR COALESCE(f.balance, 0)
               <> b.limit_minor - b.held_minor - b.spent_minor - b.allotted_minor"""),
    "budgets_below_fit_the_one_above": _check("""
        SELECT 'budget:' || b.id AS subject, COALESCE(c.limits, 0) AS expected,
               b.allotted_minor AS found
          FROM redpackets_budget b
          LEFT JOIN (SELECT tenant_id, parent_id, sum(limit_minor) AS limits
                       FROM redpackets_budget GROUP BY tenant_id, parent_id) AS c
            ON c.tenant_id = b.tenant_id AND c.parent_id = b.id
         WHERE b.allotted_minor <> COALESCE(c.limits, 0)"""),
    "budgets_hold_and_spend_what_packets_say": _check("""
        SELECT 'budget:' || b.id AS subject, k.held || ' held, ' || k.spent || ' spent' AS expected,
               b.held_minor || ' held, ' || b.spent_minor || ' spent' AS found
          FROM redpackets_budget b
         CROSS JOIN LATERAL (
               SELECT COALESCE(sum(p.total_minor) FILTER (WHERE p.settled_at IS NULL), 0) AS held,
                      COALESCE(sum(s.claimed) FILTER (WHERE p.settled_at IS NOT NULL), 0) AS spent
                 FROM redpackets_packet p
                 JOIN shares s ON s.tenant_id = p.tenant_id AND s.packet_id = p.id
                WHERE p.tenant_id = b.tenant_id AND p.budget_id = b.id) AS k
         WHERE k.held <> b.held_minor OR k.spent <> b.spent_minor"""),
    "shares_add_up_to_their_packet": _check("""
        SELECT 'packet:' || p.id AS subject,
               p.total_minor || ' in ' || p.share_count AS expected,
               COALESCE(s.total, 0) || ' in ' || COALESCE(s.count, 0) AS found
          FROM redpackets_packet p
          LEFT JOIN shares s ON s.tenant_id = p.tenant_id AND s.packet_id = p.id
         WHERE (s.total, s.count) IS DISTINCT FROM (p.total_minor, p.share_count::bigint)
            OR s.least < p.min_minor OR s.most > p.max_minor
            OR (p.settled_at IS NOT NULL AND s.free > 0)"""),
    "each_claim_is_posted_once_to_its_holder": _check("""
        SELECT 'share:' || s.packet_id || ':' || s.index AS subject, s.amount_minor AS expected,
               e.amount_minor AS found
          FROM (SELECT * FROM redpackets_share WHERE state = 'claimed') AS s
          FULL JOIN (SELECT j.tenant_id, j.reference, j.debit_account_id, j.amount_minor, a.person_id
                       FROM redpackets_journal j
                       JOIN redpackets_fund_account a
                         ON a.tenant_id = j.tenant_id AND a.id = j.credit_account_id
                      WHERE j.kind = 'claim') AS e
            ON e.tenant_id = s.tenant_id AND e.debit_account_id = s.packet_id
           AND e.reference = 'claim:' || s.packet_id || ':' || s.index
         WHERE (s.amount_minor, s.holder_id) IS DISTINCT FROM (e.amount_minor, e.person_id)"""),
    "each_payout_is_posted_once": _check("""
        SELECT 'payout item:' || COALESCE(CAST(i.id AS text), j.item) AS subject,
               COALESCE(i.amount_minor || ' ' || i.state, 'nothing') AS expected,
               COALESCE(j.sent, 0) || ' sent, ' || COALESCE(j.paid, 0) || ' paid, '
               || COALESCE(j.failed, 0) || ' back' AS found
          FROM redpackets_payout_item i
          FULL JOIN (
               SELECT e.tenant_id, split_part(e.reference, ':', 2) AS item,
                      sum(e.amount_minor) FILTER (WHERE e.kind = 'payout_sent') AS sent,
                      sum(e.amount_minor) FILTER (WHERE e.kind = 'payout_paid') AS paid,
                      sum(e.amount_minor) FILTER (WHERE e.kind = 'payout_failed') AS failed
                 FROM redpackets_journal e
                WHERE e.kind IN ('payout_sent', 'payout_paid', 'payout_failed')
                GROUP BY 1, 2) AS j
            ON j.tenant_id = i.tenant_id AND j.item = CAST(i.id AS text)
         WHERE j.sent IS DISTINCT FROM i.amount_minor
            OR j.paid IS DISTINCT FROM CASE WHEN i.state = 'success' THEN i.amount_minor END
            OR j.failed IS DISTINCT FROM CASE WHEN i.state = 'failed' THEN i.amount_minor END"""),
    "money_in_flight_is_what_open_payouts_say": _check("""
        SELECT 'payout_in_flight:' || a.unit AS subject, COALESCE(i.amount, 0) AS expected,
               COALESCE(f.balance, 0) AS found
          FROM redpackets_fund_account a
          LEFT JOIN fold f ON f.tenant_id = a.tenant_id AND f.account_id = a.id
          LEFT JOIN (SELECT tenant_id, unit, sum(amount_minor)::bigint AS amount
                       FROM redpackets_payout_item WHERE settled_at IS NULL
                      GROUP BY tenant_id, unit) AS i
            ON i.tenant_id = a.tenant_id AND i.unit = a.unit
         WHERE a.kind = 'payout_in_flight'
           AND COALESCE(i.amount, 0) <> COALESCE(f.balance, 0)"""),
    "each_refund_is_posted_once": _check("""
        SELECT 'packet:' || s.packet_id AS subject, s.refunded AS expected,
               COALESCE(sum(j.amount_minor), 0) AS found
          FROM shares s
          LEFT JOIN redpackets_journal j
            ON j.tenant_id = s.tenant_id AND j.debit_account_id = s.packet_id AND j.kind = 'refund'
         GROUP BY s.packet_id, s.refunded
        HAVING COALESCE(sum(j.amount_minor), 0) <> s.refunded"""),
    "catalogue_is_what_redemptions_reserve": _check("""
        SELECT 'catalogue' AS subject, COALESCE(sum(r.points), 0) AS expected,
               COALESCE((SELECT f.balance FROM fold f
                           JOIN redpackets_fund_account a
                             ON a.tenant_id = f.tenant_id AND a.id = f.account_id
                          WHERE a.kind = 'catalogue' AND a.unit = 'POINT'), 0) AS found
          FROM redpackets_redemption r WHERE r.state IN ('reserved', 'approved')
        HAVING COALESCE(sum(r.points), 0) <>
               COALESCE((SELECT f.balance FROM fold f
                           JOIN redpackets_fund_account a
                             ON a.tenant_id = f.tenant_id AND a.id = f.account_id
                          WHERE a.kind = 'catalogue' AND a.unit = 'POINT'), 0)"""),
}

_TOTALS = text("""
    SELECT j.unit, count(*) AS entries, sum(j.amount_minor)::bigint AS debits_minor,
           sum(j.amount_minor) FILTER (WHERE a.unit = j.unit)::bigint AS credits_minor
      FROM redpackets_journal j
      LEFT JOIN redpackets_fund_account a
        ON a.tenant_id = j.tenant_id AND a.id = j.credit_account_id
     GROUP BY j.unit ORDER BY j.unit
""")


#: What was sent out to be paid and neither arrived nor came back for too long, each payout matched by reference; and
#: points that a redemption reserves for which nobody has decided, or handed over, what they are for.
_AGED = text(f"""
    (
    SELECT s.reference AS subject, 'settled within {CLEARED_DAYS_MAX} days' AS expected,
           s.amount_minor || ' ' || s.unit || ' in flight since ' || s.at AS found
      FROM redpackets_journal s
     WHERE s.kind = 'payout_sent'
       AND s.at < CAST(:now AS timestamptz) - interval '{CLEARED_DAYS_MAX} days'
       AND NOT EXISTS (
           SELECT FROM redpackets_journal e
            WHERE e.tenant_id = s.tenant_id AND e.kind IN ('payout_paid', 'payout_failed')
              AND split_part(e.reference, ':', 2) = split_part(s.reference, ':', 2))
     ORDER BY s.at LIMIT 100
    ) UNION ALL (
    SELECT 'redemption:' || r.id, 'handled within {CLEARED_DAYS_MAX} days',
           r.points || ' POINT reserved since ' || COALESCE(r.decided_at, r.created_at)
      FROM redpackets_redemption r
     WHERE r.state IN ('reserved', 'approved')
       AND COALESCE(r.decided_at, r.created_at)
           < CAST(:now AS timestamptz) - interval '{CLEARED_DAYS_MAX} days'
     ORDER BY r.id LIMIT 100
    )
""")


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """Something that does not hold: which check, about what, what it should be and what it is."""

    check: str
    subject: str
    expected: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The outcome of all checks, what moved in each unit, and what somebody should look after."""

    totals: list[dict[str, Any]]
    deviations: list[Deviation]
    #: What holds and yet waits for too long; an alert, no deviation.
    alerts: list[Deviation] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Say whether everything holds."""
        return not self.deviations


def verify_ledger(session: Session, *, now: datetime | None = None) -> Verification:
    """Run every check over the company's whole ledger, chain included; ``now`` is what ages are told by."""
    session.execute(_MEMORY)
    totals = [dict(row) for row in session.execute(_TOTALS).mappings()]
    deviations = [
        _deviation(name, row)
        for name, statement in CHECKS.items()
        for row in session.execute(statement)
    ]
    deviations += [
        Deviation(
            check="debits_equal_credits",
            subject=total["unit"],
            expected=str(total["debits_minor"]),
            found=str(total["credits_minor"]),
        )
        for total in totals
        if total["debits_minor"] != total["credits_minor"]
    ]
    deviations += [_deviation(name, row) for name, row in broken_links(session)]
    return Verification(totals=totals, deviations=deviations, alerts=_aged(session, now))


def prove_ledger(session: Session, *, now: datetime) -> Verification:
    """Verify the company's whole ledger and keep what was found, for those who ask later."""
    found = verify_ledger(session, now=now)
    session.add(
        LedgerProof(tenant_id=tenant_of(session), id=new_id(), at=now, found=_written(found))
    )
    return found


def read_proof(session: Session, *, now: datetime) -> dict[str, Any]:
    """Say whether the ledger holds: proved now if it is small, else as the nightly job found it; ``holds`` may be None."""
    head = read_head(session)
    seen = {
        "checks": ["debits_equal_credits", *CHECKS, *CHAIN_CHECKS],
        "head": {"position": head.position, "hash": head.hash.hex()},
    }
    if head.position <= PROVED_AT_ONCE_MAX:
        return seen | _written(verify_ledger(session, now=now)) | {"checked_at": now}
    proof = session.scalar(select(LedgerProof).order_by(LedgerProof.at.desc()).limit(1))
    if proof is None:
        return seen | {"holds": None, "checked_at": None}
    return seen | proof.found | {"checked_at": proof.at}


def _written(found: Verification) -> dict[str, Any]:
    return {
        "holds": found.holds,
        "totals": found.totals,
        "deviations": [asdict(deviation) for deviation in found.deviations],
        "alerts": [asdict(alert) for alert in found.alerts],
    }


def _aged(session: Session, now: datetime | None) -> list[Deviation]:
    since = now or session.scalar(text("SELECT now()"))
    rows = session.execute(_AGED, {"now": since})
    return [_deviation("clearing_accounts_return_to_zero", row) for row in rows]


def _deviation(check: str, row: Row[Any]) -> Deviation:
    return Deviation(
        check=check, subject=str(row.subject), expected=str(row.expected), found=str(row.found)
    )
