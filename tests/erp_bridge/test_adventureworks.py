"""AdventureWorks whole: the facts equal what DuckDB finds in the raw files."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.builders.adventureworks import FOLDER, AdventureWorks
from tests.erp_bridge.bridge import Bridge


@pytest.fixture
def loaded(adventureworks: AdventureWorks) -> Bridge:
    """The bridge that loaded the whole company."""
    return Bridge(adventureworks.company, adventureworks.source_id)


def raw(query: str) -> Any:
    """Ask the raw files; every value is read as text and cast where it is summed."""
    with duckdb.connect() as connection:
        for path in FOLDER.glob("*.csv.gz"):
            name = path.name.removesuffix(".csv.gz")
            connection.execute(
                f"CREATE VIEW {name} AS SELECT * FROM read_csv('{path}', all_varchar = true)"
            )
        return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("facts", "files"),
    [
        (
            "SELECT count(*), sum(net), sum(cost), sum(quantity) FROM erp_sales_order_line",
            (
                "SELECT count(*), sum(net_amount::decimal(18, 6)),"
                " sum((unit_cost::decimal(12, 4) * quantity::decimal(8, 0))::decimal(18, 6)),"
                " sum(quantity::decimal(18, 6)) FROM order_lines"
            ),
        ),
        (
            (
                "SELECT salesperson_key, date_trunc('month', ordered_on)::date::text, sum(net), count(*)"
                " FROM erp_sales_order_line GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2"
            ),
            (
                "SELECT salesperson_id, (order_date[:7] || '-01'), sum(net_amount::decimal(18, 6)), count(*)"
                " FROM order_lines JOIN orders USING (order_id) GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2"
            ),
        ),
        (
            "SELECT count(*), count(salesperson_key), min(ordered_on)::text, max(due_on)::text FROM erp_sales_order",
            "SELECT count(*), count(salesperson_id), min(order_date), max(due_date) FROM orders",
        ),
        (
            "SELECT salesperson_key, sum(amount) FROM erp_quota GROUP BY 1 ORDER BY 1",
            "SELECT employee_id, sum(quota::decimal(18, 6)) FROM sales_quotas GROUP BY 1 ORDER BY 1",
        ),
        (
            "SELECT account_type, sum(debit), sum(credit), count(*) FROM erp_ledger_entry GROUP BY 1 ORDER BY 1",
            (
                "SELECT CASE type WHEN 'Revenue' THEN 'revenue' ELSE 'expense' END AS kind,"
                " sum(CASE WHEN type = 'Revenue' THEN 0 ELSE amount::decimal(18, 6) END),"
                " sum(CASE WHEN type = 'Revenue' THEN amount::decimal(18, 6) ELSE 0 END), count(*)"
                " FROM gl_finance JOIN gl_accounts USING (account_key)"
                " WHERE scenario = 'actual' AND type IN ('Revenue', 'Expenditures') GROUP BY 1 ORDER BY 1"
            ),
        ),
        (
            "SELECT count(*), sum(amount) FROM erp_approval_task WHERE state = 'pending'",
            "SELECT count(*), sum(total_due::decimal(18, 6)) FROM purchase_orders WHERE status = '1'",
        ),
        (
            "SELECT count(*), sum(on_hand) FROM erp_stock_level",
            "SELECT count(*), sum(quantity::decimal(18, 6)) FROM inventory",
        ),
        ("SELECT count(*) FROM erp_customer", "SELECT count(*) FROM customers"),
        ("SELECT count(*) FROM erp_product", "SELECT count(*) FROM products"),
    ],
)
def test_the_facts_equal_the_raw_files(loaded: Bridge, facts: str, files: str) -> None:
    assert loaded.rows(facts) == raw(files)


def test_everybody_is_a_person_with_their_login_and_unit(loaded: Bridge) -> None:
    logins = loaded.rows('SELECT login FROM people_person ORDER BY login COLLATE "C"')
    assert logins == raw("SELECT login FROM employees ORDER BY login")
    assert loaded.rows("SELECT 1 FROM erp_employee WHERE person_id IS NULL") == []
    assert loaded.rows("SELECT 1 FROM erp_quarantine") == []


def test_who_has_reports_heads_a_unit_below_their_managers(loaded: Bridge) -> None:
    unit = """
        SELECT u.name, above.name FROM people_org_unit u JOIN people_org_unit above ON above.id = u.parent_id
         WHERE u.code = :code AND u.tree = 'admin'
    """
    assert loaded.one(unit, code="274") == ("Stephen Jiang team", "Brian Welcker team")
    assert loaded.one("SELECT count(*) FROM people_org_unit WHERE tree = 'admin'") == 47
    assert loaded.one("SELECT count(*) FROM people_org_unit WHERE tree = 'department'") == 16


@pytest.mark.parametrize(
    ("role", "keys"),
    [
        ("owner", {"1"}),
        ("sales_leader", {"273", "274", "285", "287"}),
        ("operator", {"263", "264"}),
        (
            "account_manager",
            {"275", "276", "277", "278", "279", "280", "281", "282", "283", "284"}
            | {"286", "288", "289", "290"},
        ),
    ],
)
def test_roles_follow_the_rules(loaded: Bridge, role: str, keys: set[str]) -> None:
    found = loaded.rows("SELECT source_key FROM erp_employee WHERE role_key = :role", role=role)
    assert {key for (key,) in found} == keys


def test_online_orders_belong_to_the_company(loaded: Bridge) -> None:
    units = "SELECT DISTINCT org_unit_key FROM erp_sales_order WHERE salesperson_key IS NULL"
    assert loaded.rows(units) == [("1",)]
    assert (
        loaded.one(
            "SELECT DISTINCT org_unit_key FROM erp_sales_order WHERE salesperson_key = '274'"
        )
        == "274"
    )
    assert (
        loaded.one(
            "SELECT DISTINCT org_unit_key FROM erp_sales_order WHERE salesperson_key = '276'"
        )
        == "274"
    )


def test_quota_periods_follow_one_another(loaded: Bridge) -> None:
    periods = loaded.rows(
        "SELECT period_from::text, period_to::text FROM erp_quota WHERE salesperson_key = '275' ORDER BY 1"
    )
    assert periods[0] == ("2011-05-31", "2011-08-30")
    assert periods[-1] == ("2014-03-01", "2014-05-31")


def test_reading_it_again_changes_nothing(loaded: Bridge) -> None:
    assert loaded.sync().rows_changed == 0
    assert loaded.one("SELECT sum(net) FROM erp_sales_order_line") > Decimal(100_000_000)
