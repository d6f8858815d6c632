"""A ledger as it is after years: packet upon packet that a crowd took from, written straight into the tables."""

from sqlalchemy import text

from bench.ground import Company, Ground
from bench.rush import Plan, prepare

HOLDERS = 1_000
#: Each packet gives one fen to everybody of the crowd; all are taken, none is settled.
SHARES = """
    INSERT INTO redpackets_share (tenant_id, packet_id, index, amount_minor, state, holder_id, at)
    SELECT %(tenant)s, p.id, h.place - 1, 1, 'claimed', h.person_id, now()
      FROM redpackets_packet p
     CROSS JOIN unnest(%(holders)s::uuid[]) WITH ORDINALITY AS h (person_id, place)
     WHERE p.tenant_id = %(tenant)s
"""
PACKETS = """
    INSERT INTO redpackets_packet (
        tenant_id, id, budget_id, on_behalf_of_id, actor_id, cost_centre_id, tax_class, purpose_category,
        purpose_text, purpose_evidence, audience, kind, split, unit, total_minor, share_count, min_minor,
        max_minor, seed, greeting, state, version, told_remaining, created_at, opens_at, expires_at, opened_at)
    SELECT tenant_id, gen_random_uuid(), budget_id, on_behalf_of_id, actor_id, cost_centre_id, tax_class,
           purpose_category, purpose_text, purpose_evidence, audience, 'equal', 'even', unit, %(holders)s,
           %(holders)s, 1, 1, seed, greeting, 'open', version, 0, created_at, opens_at, expires_at, opened_at
      FROM redpackets_packet CROSS JOIN generate_series(1, %(packets)s)
     WHERE tenant_id = %(tenant)s
"""
ESCROWS = """
    INSERT INTO redpackets_fund_account (tenant_id, id, kind, unit, packet_id, may_go_negative)
    SELECT tenant_id, id, 'escrow', unit, id, false FROM redpackets_packet p
     WHERE tenant_id = %(tenant)s
       AND NOT EXISTS (SELECT FROM redpackets_fund_account a
                        WHERE a.tenant_id = p.tenant_id AND a.packet_id = p.id)
"""
WALLETS = """
    INSERT INTO redpackets_fund_account (tenant_id, id, kind, unit, person_id, balance_minor, may_go_negative)
    SELECT %(tenant)s, gen_random_uuid(), 'user_payable', 'CNY', s.holder_id, sum(s.amount_minor), false
      FROM redpackets_share s WHERE s.tenant_id = %(tenant)s AND s.state = 'claimed' GROUP BY s.holder_id
"""
FUNDED = """
    INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id, amount_minor,
                                    unit, reference, at)
    SELECT p.tenant_id, gen_random_uuid(), 'fund', p.budget_id, p.id, p.total_minor, p.unit,
           'fund:' || p.id, now()
      FROM redpackets_packet p WHERE p.tenant_id = %(tenant)s
       AND NOT EXISTS (SELECT FROM redpackets_journal j WHERE j.tenant_id = p.tenant_id
                          AND j.reference = 'fund:' || p.id)
"""
CLAIMED = """
    INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id, amount_minor,
                                    unit, reference, at)
    SELECT s.tenant_id, gen_random_uuid(), 'claim', s.packet_id, w.id, s.amount_minor, 'CNY',
           'claim:' || s.packet_id || ':' || s.index, s.at
      FROM redpackets_share s
      JOIN redpackets_fund_account w ON w.tenant_id = s.tenant_id AND w.person_id = s.holder_id
     WHERE s.tenant_id = %(tenant)s AND s.state = 'claimed'
"""
HELD = """
    UPDATE redpackets_budget b SET held_minor = p.held
      FROM (SELECT sum(total_minor) AS held FROM redpackets_packet WHERE tenant_id = %(tenant)s) AS p
     WHERE b.tenant_id = %(tenant)s
"""
BUDGET_BALANCE = """
    UPDATE redpackets_fund_account a SET balance_minor = b.limit_minor - b.held_minor - b.spent_minor
      FROM redpackets_budget b WHERE b.tenant_id = %(tenant)s AND a.tenant_id = b.tenant_id AND a.budget_id = b.id
"""


def fill_ledger(ground: Ground, entries: int) -> tuple[Company, int]:
    """Found a company with about so many journal entries, all of them sound."""
    holders = min(HOLDERS, entries // 4)
    rush = prepare(ground, Plan("ledger", packets=1, shares=1, audience=holders, repeats=0))
    [people] = rush.units.values()
    rush.send(next(iter(rush.units)))
    values = {
        "tenant": rush.company.id,
        "holders": [claims.person_id for claims, _ in people],
    }
    with ground.owner_connection() as connection:
        # The first packet is the pattern of the others; its own share stays free.
        packets = entries // holders
        connection.execute(PACKETS, values | {"holders": holders, "packets": packets})
        pattern = "AND p.share_count = %(count)s AND p.kind = 'equal'"
        connection.execute(SHARES + pattern, values | {"count": holders})
        for statement in (ESCROWS, WALLETS, FUNDED, CLAIMED, HELD, BUDGET_BALANCE):
            connection.execute(statement, values)
    ground.tidy_up()
    with rush.company.transaction() as session:
        counted = session.execute(text("SELECT count(*) FROM redpackets_journal")).scalar_one()
    return rush.company, int(counted)
