"""Statements about staged rows that were read again: of which days they are, and where they differ from ours.

As in `merge`, all names come from `canon`; values travel as parameters (``:first`` and ``:last`` are days).
"""

from __future__ import annotations

from erp_bridge.canon import CanonTable
from erp_bridge.merge import CHANGED, LEAVING, STAGE

#: The day a row of each table belongs to; tables without one have no days that could be read again.
DAYS = {
    "sales_order": "ordered_on",
    "sales_order_line": "ordered_on",
    "invoice": "invoiced_on",
    "invoice_line": "invoiced_on",
    "receivable_item": "booked_on",
    "receivable_payment": "booked_on",
    "ledger_entry": "booked_on",
    "quota": "period_from",
    "approval_task": "requested_on",
}
#: What of a table's rows adds up to something that an accountant would compare.
MEASURES = {
    "sales_order_line": "net",
    "invoice_line": "net",
    "receivable_item": "amount",
    "receivable_payment": "amount",
    "ledger_entry": "debit - credit",
    "quota": "amount",
}
EXAMPLES_MAX = 5
_OF_US = "{alias}.tenant_id = :tenant AND {alias}.source_id = :source"


def has_days(table: CanonTable) -> bool:
    """Whether the rows of this table are of a day."""
    return table.name in DAYS


def drop_outside(table: CanonTable) -> str:
    """Leave on the stage what is, or as far as we know was, of the days from ``:first`` to ``:last``.

    A refused row stays too: of which day it is cannot be said.
    """
    within = "BETWEEN :first AND :last"
    return f"""
        DELETE FROM {STAGE} USING (
            SELECT s.source_key FROM {_staged_beside_ours(table)}
             WHERE s.wanted IS NOT NULL
               AND {_day_now(table)} {within} IS NOT TRUE AND t.{DAYS[table.name]} {within} IS NOT TRUE
        ) outside WHERE {STAGE}.source_key = outside.source_key
    """


def forget_later_stamps(table: CanonTable, *, stamp_is_number: bool) -> str:
    """Let go of stamps that are later than what the ERP gives for the row now: it has gone back on them."""
    later = (
        "t.stamp::numeric > s.stamp::numeric"
        if stamp_is_number
        else 't.stamp COLLATE "C" > s.stamp'
    )
    return f"""
        UPDATE {table.sql_name} t SET stamp = NULL FROM {STAGE} s
         WHERE {_of_us("t")} AND t.source_key = s.source_key AND s.wanted AND {later}
    """


def compare_months(table: CanonTable) -> str:
    """(month, rows, amount, latest stamp, the same in the ERP) where any but the stamp differs."""
    day = DAYS[table.name]
    return f"""
        WITH ours AS (
            SELECT date_trunc('month', t.{day})::date AS month, count(*) AS rows, {_sum(table, "t")} AS amount,
                   max(t.stamp) AS stamp
              FROM {table.sql_name} t
             WHERE {_of_us("t")} AND t.stream = :stream AND t.deleted_at IS NULL
               AND t.{day} BETWEEN :first AND :last
             GROUP BY 1
        ), theirs AS (
            SELECT date_trunc('month', {_day_now(table)})::date AS month, count(*) AS rows,
                   {_sum(table, "s")} AS amount, max(s.stamp) AS stamp
              FROM {_staged_beside_ours(table)}
             WHERE s.wanted AND {_day_now(table)} BETWEEN :first AND :last
             GROUP BY 1
        )
        SELECT month, COALESCE(ours.rows, 0), ours.amount, ours.stamp,
               COALESCE(theirs.rows, 0), theirs.amount, theirs.stamp
          FROM ours FULL JOIN theirs USING (month)
         WHERE (ours.rows, ours.amount) IS DISTINCT FROM (theirs.rows, theirs.amount)
         ORDER BY month
    """


def count_new() -> str:
    """How many of the changed rows were not there before."""
    return f"SELECT count(*) FROM {CHANGED} WHERE is_new"


def show_changed(table: CanonTable, *, are_new: bool) -> str:
    """(key, row as it is, row as it would be) of some changed rows."""
    return f"""
        SELECT c.source_key, to_jsonb(before), to_jsonb(after)
          FROM {CHANGED} c
          LEFT JOIN {table.sql_name} t ON {_of_us("t")} AND t.source_key = c.source_key AND NOT c.is_new
          LEFT JOIN LATERAL (SELECT {_listed("t", table)} WHERE NOT c.is_new) before ON true
         CROSS JOIN LATERAL (SELECT {_listed("c", table)}) after
         WHERE c.is_new = {str(are_new).lower()}
         ORDER BY c.source_key LIMIT {EXAMPLES_MAX:d}
    """


def show_leaving(table: CanonTable) -> str:
    """(key, row as it is) of some rows that would go."""
    return f"""
        SELECT k.source_key, to_jsonb(before)
          FROM {LEAVING} k JOIN {table.sql_name} t ON {_of_us("t")} AND t.source_key = k.source_key
         CROSS JOIN LATERAL (SELECT {_listed("t", table)}) before
         ORDER BY k.source_key LIMIT {EXAMPLES_MAX:d}
    """


def _staged_beside_ours(table: CanonTable) -> str:
    """The last of each key's staged rows, with our row and the document that it belongs to."""
    joined = f"""(SELECT DISTINCT ON (source_key) * FROM {STAGE} ORDER BY source_key, ord DESC) s
              LEFT JOIN {table.sql_name} t ON {_of_us("t")} AND t.source_key = s.source_key"""
    if _comes_from_header(table):
        assert table.header is not None
        joined += f"""
              LEFT JOIN erp_{table.header.table} h ON {_of_us("h")}
                    AND h.source_key = s.{table.header.link} AND h.deleted_at IS NULL"""
    return joined


def _day_now(table: CanonTable) -> str:
    day = DAYS[table.name]
    return f"COALESCE(s.{day}, h.{day})" if _comes_from_header(table) else f"s.{day}"


def _comes_from_header(table: CanonTable) -> bool:
    return table.filled_later(DAYS[table.name])


def _sum(table: CanonTable, alias: str) -> str:
    measure = MEASURES.get(table.name)
    if measure is None:
        return "NULL::numeric"
    return f"sum({' - '.join(f'{alias}.{part}' for part in measure.split(' - '))})"


def _listed(alias: str, table: CanonTable) -> str:
    return ", ".join(f"{alias}.{name}::text AS {name}" for name in table.fields)


def _of_us(alias: str) -> str:
    return _OF_US.format(alias=alias)
