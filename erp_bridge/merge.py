"""The statements that bring staged rows into a canonical table, built from its description.

All names come from `canon` and none from outside; values travel as parameters (``:tenant``, ``:source``,
``:batch``, ``:now``, ``:root``, ``:stream``). Staged rows and keys live in temporary tables that end with the
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from erp_bridge.canon import CanonTable, Dirt, Header, Total

STAGE = "erp_stage"
CHANGED = "erp_changed"
LEAVING = "erp_leaving"
GONE = "erp_gone"
LINKED = "erp_linked"
TOUCHED = "erp_touched"
PRESENT = "erp_present"

#: What every written row is given by its batch.
_STAMPED = {"stream": ":stream", "batch_id": ":batch", "seen_at": ":now", "deleted_at": "NULL"}
_SQL_KINDS = {"text": "text", "decimal": "numeric(18, 6)", "date": "date", "bool": "boolean"}


def create_stage(table: CanonTable) -> str:
    """An empty stage for rows of this table; ``wanted``: true lands, false leaves, null was refused."""
    kinds = [f"{name} {_SQL_KINDS[field.kind]}" for name, field in table.fields.items()]
    columns = ["ord bigint", "source_key text", "stamp text", "wanted boolean", "raw jsonb", *kinds]
    return f"CREATE TEMP TABLE {STAGE} ({', '.join(columns)}) ON COMMIT DROP"


def copy_into_stage(mapped: Sequence[str]) -> str:
    """COPY of the columns that the mapping fills."""
    columns = ["ord", "source_key", "stamp", "wanted", "raw", *mapped]
    return f"COPY {STAGE} ({', '.join(columns)}) FROM STDIN"


def find_changed(
    table: CanonTable, mapped: Sequence[str], *, stamp_is_number: bool, is_snapshot: bool = False
) -> str:
    """Keep what is new or really different, never what is older; the last of a key's rows counts.

    What a snapshot lacks is found by the same join: rows that ``is_gone``.
    """
    kept = f"(SELECT * FROM {table.sql_name} k WHERE {_same_key('k')}) t"
    staged = f"(SELECT latest.*, {_hash_of(mapped)} AS hash FROM {_latest()})"
    if not is_snapshot:
        staged = f"(SELECT * FROM {staged} every WHERE wanted)"
    join = "FULL" if is_snapshot else "LEFT"
    gone = "s.source_key IS NULL AND t.deleted_at IS NULL AND t.stream = :stream"
    return f"""
        CREATE TEMP TABLE {CHANGED} ON COMMIT DROP AS
        SELECT COALESCE(s.source_key, t.source_key) AS source_key, s.stamp, s.raw, s.hash,
               s.source_key IS NULL AS is_gone, t.source_key IS NOT NULL AS is_known,
               t.source_key IS NULL OR t.deleted_at IS NOT NULL AS is_new, {_final_fields(table)}
          FROM {staged} s {join} JOIN {kept} ON t.source_key = s.source_key {_other_sources(table)}
         WHERE {f"({gone}) OR" if is_snapshot else ""} (s.wanted AND (t.source_key IS NULL
            OR ((t.hash <> s.hash OR t.deleted_at IS NOT NULL) AND {_not_older(stamp_is_number=stamp_is_number)})))
    """


def set_gone_aside() -> tuple[str, str]:
    """Keep what a snapshot lacks for itself; it goes last."""
    return (
        f"CREATE TEMP TABLE {GONE} ON COMMIT DROP AS SELECT source_key FROM {CHANGED} WHERE is_gone",
        f"DELETE FROM {CHANGED} WHERE is_gone",
    )


def find_linked(table: CanonTable, total: Total, keys: str) -> str:
    """The documents whose total the changed lines are part of, before and after."""
    now = f"SELECT {total.link} AS source_key FROM {CHANGED} UNION " if keys == CHANGED else ""
    return f"""
        CREATE TEMP TABLE {LINKED} ON COMMIT DROP AS
        {now}SELECT t.{total.link} FROM {table.sql_name} t JOIN {keys} k USING (source_key)
         WHERE {_same_key("t")}
    """


def insert_new(table: CanonTable) -> str:
    """Write the changed rows whose key was never seen; whoever holds the table's turn is alone with them."""
    columns = _written(table)
    names, values = ", ".join((*columns, *_STAMPED)), ", ".join((*columns, *_STAMPED.values()))
    return f"""
        INSERT INTO {table.sql_name} (tenant_id, source_id, source_key, {names})
        SELECT :tenant, :source, source_key, {values} FROM {CHANGED} WHERE NOT is_known
    """


def update_known(table: CanonTable) -> str:
    """Write the changed rows that replace others, deleted ones among them."""
    updates = [f"{name} = k.{name}" for name in _written(table)]
    updates += [f"{name} = {value}" for name, value in _STAMPED.items()]
    return f"""
        UPDATE {table.sql_name} t SET {", ".join(updates)} FROM {CHANGED} k
         WHERE {_same_key("t")} AND t.source_key = k.source_key AND k.is_known
    """


def keep_versions(table: CanonTable, keys: str) -> str:
    """Keep the versions that are about to be replaced; what their own columns say is not in the row again."""
    kept = ("stream", "stamp", "seen_at", "deleted_at", *table.fields, *_own_fields_column(table))
    row = ", ".join(f"t.{name}" for name in kept)
    return f"""
        INSERT INTO erp_fact_version (tenant_id, source_id, table_name, source_key, row,
                                      batch_opened, batch_closed, closed_at)
        SELECT :tenant, :source, '{table.sql_name}', t.source_key,
               (SELECT to_jsonb(version) FROM (SELECT {row}) AS version),
               t.batch_id, :batch, :now
          FROM {table.sql_name} t JOIN {keys} k USING (source_key)
         WHERE {_same_key("t")}
    """


def mark_dirty(table: CanonTable, keys: str) -> str | None:
    """Note the days whose figures these rows are part of, as the rows are now."""
    if table.dirt is None:
        return None
    return _insert_days(table.dirt, _days_now(table, table.dirt, keys))


def mark_changed_dirty(table: CanonTable, *, replaces: bool) -> str | None:
    """Note the days of the changed rows as they will be and, where they replace others, as those still are."""
    dirt = table.dirt
    if dirt is None:
        return None
    before = f"UNION {_days_now(table, dirt, CHANGED)}" if replaces else ""
    after = f"SELECT DISTINCT {_day_of('k', dirt)} FROM {CHANGED} k WHERE k.{dirt.day} IS NOT NULL"
    return _insert_days(dirt, f"{after} {before}")


def find_left_out(table: CanonTable) -> str:
    """Live rows that the mapping's condition leaves out now."""
    return f"""
        CREATE TEMP TABLE {LEAVING} ON COMMIT DROP AS
        SELECT t.source_key FROM {_latest()}
          JOIN {table.sql_name} t ON {_same_key("t")} AND t.source_key = latest.source_key
         WHERE NOT latest.wanted AND t.stream = :stream AND t.deleted_at IS NULL
    """


def find_gone(table: CanonTable, present: str) -> str:
    """Live rows whose key the ERP no longer shows."""
    return f"""
        CREATE TEMP TABLE {LEAVING} ON COMMIT DROP AS
        SELECT t.source_key FROM {table.sql_name} t
         WHERE {_same_key("t")} AND t.stream = :stream AND t.deleted_at IS NULL
           AND NOT EXISTS (SELECT FROM {present} p WHERE p.source_key = t.source_key)
    """


def retire(table: CanonTable) -> str:
    """Soft-delete the leaving rows."""
    return f"""
        UPDATE {table.sql_name} t SET deleted_at = :now, batch_id = :batch FROM {LEAVING} k
         WHERE {_same_key("t")} AND t.source_key = k.source_key
    """


def count_live(table: CanonTable) -> str:
    """How many rows of the stream the ERP has, as far as we know."""
    return f"""
        SELECT count(*) FROM {table.sql_name} t
         WHERE {_same_key("t")} AND t.stream = :stream AND t.deleted_at IS NULL
    """


def find_repeating(line: CanonTable, header: Header, keys: str) -> str:
    """Lines that no longer repeat what their header says now."""
    final = [
        f"CASE WHEN '{name}' = ANY (t.own_fields) THEN t.{name} ELSE h.{name} END"
        for name in header.repeated
    ]
    named = ", ".join(
        f"{value} AS {name}" for name, value in zip(header.repeated, final, strict=True)
    )
    before = ", ".join(f"t.{name}" for name in header.repeated)
    return f"""
        CREATE TEMP TABLE {TOUCHED} ON COMMIT DROP AS
        SELECT t.source_key, {named}
          FROM {keys} k
          JOIN erp_{header.table} h ON {_same_key("h")} AND h.source_key = k.source_key
          JOIN {line.sql_name} t ON {_same_key("t")} AND t.{header.link} = h.source_key
         WHERE t.deleted_at IS NULL AND ({before}) IS DISTINCT FROM ({", ".join(final)})
    """


def find_totals(line: CanonTable, total: Total, keys: str, *, by: str) -> str:
    """Documents whose total differs from what their lines add up to; ``by``: what the keys are keys of."""
    lines = f"""(SELECT sum(l.{total.of}) FROM {line.sql_name} l
                  WHERE {_same_key("l")} AND l.{total.link} = t.{total.to} AND l.deleted_at IS NULL)"""
    final = f"t.{total.base} + COALESCE({lines}, 0)" if total.base else lines
    return f"""
        CREATE TEMP TABLE {TOUCHED} ON COMMIT DROP AS
        SELECT * FROM (SELECT t.source_key, t.{total.into} AS before, {final} AS {total.into}
                         FROM erp_{total.table} t JOIN {keys} k ON k.source_key = t.{by}
                        WHERE {_same_key("t")}) totals
         WHERE before IS DISTINCT FROM {total.into}
    """


def apply_touched(table: CanonTable, fields: Iterable[str]) -> str:
    """Write what was found to differ."""
    updates = ", ".join(f"{name} = k.{name}" for name in fields)
    return f"""
        UPDATE {table.sql_name} t SET {updates}, batch_id = :batch FROM {TOUCHED} k
         WHERE {_same_key("t")} AND t.source_key = k.source_key
    """


def find_late_salespeople(table: CanonTable) -> str:
    """Documents that waited at the root unit for their salesperson, who has just arrived."""
    return f"""
        CREATE TEMP TABLE {TOUCHED} ON COMMIT DROP AS
        SELECT t.source_key, c.org_unit_key FROM {CHANGED} c
          JOIN {table.sql_name} t ON {_same_key("t")} AND t.salesperson_key = c.source_key
         WHERE c.is_new AND t.org_unit_key = :root AND c.org_unit_key IS NOT NULL AND c.org_unit_key <> :root
           AND NOT 'org_unit_key' = ANY (t.own_fields)
    """


def count_rows(temporary: str) -> str:
    """How many rows a temporary table holds."""
    return f"SELECT count(*) FROM {temporary}"


def count_changed() -> str:
    """How many rows are new under their key, how many replace another, and how many are gone."""
    return f"""
        SELECT count(*) FILTER (WHERE NOT is_known), count(*) FILTER (WHERE is_known AND NOT is_gone),
               count(*) FILTER (WHERE is_gone) FROM {CHANGED}
    """


def supersede_staged() -> str:
    """Settle what waits in quarantine under a key that is on the stage."""
    return f"""
        UPDATE erp_quarantine q SET state = 'superseded', settled_at = :now
         WHERE {_same_key("q")} AND q.stream = :stream
           AND q.state = 'waiting' AND q.source_key IN (SELECT source_key FROM {STAGE})
    """


def forget_found() -> str:
    """Forget the misses of rows that the ERP shows again."""
    return f"""
        DELETE FROM erp_absence a
         WHERE {_same_key("a")} AND a.stream = :stream
           AND a.source_key NOT IN (SELECT source_key FROM {LEAVING})
    """


def count_misses() -> str:
    """Count one more miss for every leaving row."""
    return f"""
        INSERT INTO erp_absence AS a
               (tenant_id, source_id, stream, source_key, misses, first_missed_at)
        SELECT :tenant, :source, :stream, source_key, 1, :now FROM {LEAVING}
            ON CONFLICT (tenant_id, source_id, stream, source_key)
            DO UPDATE SET misses = a.misses + 1
    """


def spare_first_misses() -> str:
    """Let those stay that were missed less often than it takes."""
    return f"""
        DELETE FROM {LEAVING} l USING erp_absence a
         WHERE {_same_key("a")} AND a.stream = :stream
           AND a.source_key = l.source_key AND a.misses < :misses
    """


def _insert_days(dirt: Dirt, days: str) -> str:
    return f"""
        INSERT INTO erp_dirty_day (tenant_id, metric_group, batch_id, salesperson_key, org_unit_key, day)
        SELECT :tenant, '{dirt.group}', :batch, days.* FROM ({days}) AS days
    """


def _days_now(table: CanonTable, dirt: Dirt, keys: str) -> str:
    return f"""
        SELECT DISTINCT {_day_of("t", dirt)} FROM {table.sql_name} t JOIN {keys} k USING (source_key)
         WHERE {_same_key("t")} AND t.deleted_at IS NULL AND t.{dirt.day} IS NOT NULL
    """


def _day_of(alias: str, dirt: Dirt) -> str:
    salesperson = f"{alias}.{dirt.salesperson}" if dirt.salesperson else "NULL::text"
    org_unit = f"{alias}.{dirt.org_unit}" if dirt.org_unit else "NULL::text"
    return f"{salesperson}, {org_unit}, {alias}.{dirt.day}"


def _written(table: CanonTable) -> Sequence[str]:
    return ("stamp", "raw", "hash", *table.fields, *_own_fields_column(table))


def _same_key(alias: str) -> str:
    return f"{alias}.tenant_id = :tenant AND {alias}.source_id = :source"


def _latest() -> str:
    return (
        f"(SELECT DISTINCT ON (source_key) * FROM {STAGE} ORDER BY source_key, ord DESC) AS latest"
    )


def _hash_of(mapped: Sequence[str]) -> str:
    fields = ", ".join(f"latest.{name}" for name in mapped)
    return f"decode(md5(ROW({fields})::text), 'hex')"


def _final_fields(table: CanonTable) -> str:
    fields = [f"{_final(table, name)} AS {name}" for name in table.fields]
    own = _repeatable(table)
    if own:
        cases = ", ".join(f"CASE WHEN s.{name} IS NOT NULL THEN '{name}' END" for name in own)
        fields.append(f"array_remove(ARRAY[{cases}]::text[], NULL) AS own_fields")
    return ", ".join(fields)


def _final(table: CanonTable, name: str) -> str:
    if table.header and name in table.header.repeated:
        return f"COALESCE(s.{name}, h.{name})"
    if table.unit_of_salesperson and name == "org_unit_key":
        return "COALESCE(s.org_unit_key, e.org_unit_key, :root)"
    return f"s.{name}"


def _repeatable(table: CanonTable) -> Sequence[str]:
    if table.header:
        return table.header.repeated
    return ("org_unit_key",) if table.unit_of_salesperson else ()


def _own_fields_column(table: CanonTable) -> Sequence[str]:
    return ("own_fields",) if _repeatable(table) else ()


def _other_sources(table: CanonTable) -> str:
    if table.header:
        link = f"h.source_key = s.{table.header.link} AND h.deleted_at IS NULL"
        return f"LEFT JOIN erp_{table.header.table} h ON {_same_key('h')} AND {link}"
    if table.unit_of_salesperson:
        return f"LEFT JOIN erp_employee e ON {_same_key('e')} AND e.source_key = s.salesperson_key"
    return ""


def _not_older(*, stamp_is_number: bool) -> str:
    if stamp_is_number:
        return "(t.stamp IS NULL OR s.stamp::numeric >= t.stamp::numeric)"
    return '(s.stamp IS NULL OR t.stamp IS NULL OR s.stamp COLLATE "C" >= t.stamp)'
