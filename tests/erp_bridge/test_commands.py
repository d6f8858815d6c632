"""The operator's commands: connect, check, read, look."""

import pytest
from click.testing import CliRunner, Result

from erp_bridge.commands import erp_group
from tests.builders.company import Company
from tests.erp_bridge.bridge import DropFolder
from tests.erp_bridge.u8_book import U8Book


@pytest.fixture
def run(company: Company):  # type: ignore[no-untyped-def]
    group = erp_group(lambda: company.space)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(group, arguments, env={"COLUMNS": "200"})

    return run


def test_a_database_is_connected_checked_and_read(run, company: Company, book: U8Book) -> None:  # type: ignore[no-untyped-def]
    book.line(book.order(), 12)
    url = f"url={book.reader_url}"
    made = run(
        "create", company.slug, "U8", "--connector", "u8_sql", "--mapping", "u8", "--set", url
    )
    assert made.exit_code == 0, made.output
    assert "read_only" in run("check", company.slug, "U8").output
    synced = run("sync", company.slug, "U8")
    assert synced.exit_code == 0, synced.output
    assert "sales_order_lines" in synced.output
    assert "live" in run("streams", company.slug, "U8").output


def test_a_broken_file_ends_the_command_with_an_error(  # type: ignore[no-untyped-def]
    run, company: Company, folder: DropFolder
) -> None:
    place = f"folder={folder.path}"
    run(
        "create",
        company.slug,
        "F",
        "--connector",
        "files",
        "--mapping",
        "adventureworks",
        "--set",
        place,
    )
    folder.drop_bytes("orders.csv", b"order_id\n1\n")
    synced = run("sync", company.slug, "F")
    assert synced.exit_code == 1
    assert "file.missing_column" in synced.output


def test_refused_rows_are_shown_and_tried_again(  # type: ignore[no-untyped-def]
    run, company: Company, folder: DropFolder
) -> None:
    place = f"folder={folder.path}"
    run(
        "create",
        company.slug,
        "F",
        "--connector",
        "files",
        "--mapping",
        "adventureworks",
        "--set",
        place,
    )
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "NaN"))
    run("sync", company.slug, "F")
    shown = run("quarantine", company.slug, "F", "--retry")
    assert "0 rows were released" in shown.output
    assert "number.format" in shown.output


def test_settings_that_do_not_fit_are_named(run, company: Company) -> None:  # type: ignore[no-untyped-def]
    made = run("create", company.slug, "U8", "--connector", "u8_sql", "--mapping", "u8")
    assert made.exit_code == 1
    assert "config.host: required" in made.output


def test_an_unknown_company_or_source_is_said_plainly(run, company: Company) -> None:  # type: ignore[no-untyped-def]
    assert "no company" in run("streams", "nowhere", "U8").output
    assert "no source" in run("streams", company.slug, "U8").output


def test_the_past_is_shown_read_again_and_compared(run, company: Company, book: U8Book) -> None:  # type: ignore[no-untyped-def]
    book.line(book.order(), 12)
    run(
        "create",
        company.slug,
        "U8",
        *("--connector", "u8_sql", "--mapping", "u8", "--set", f"url={book.reader_url}"),
    )
    shown = run("sync", company.slug, "U8", "--dry-run", "--stream", "sales_order_lines")
    assert "would be 1 inserts, 0 updates, 0 deletes" in shown.output
    run("sync", company.slug, "U8")
    with book.connection.transaction():
        book.write("SET LOCAL session_replication_role = replica")
        book.write("UPDATE u8.so_sodetails SET inatmoney = 9")
    days = ("--from", "2026-03-01", "--to", "2026-03-31")
    again = run("backfill", company.slug, "U8", *days, "--stream", "sales_order_lines")
    assert (again.exit_code, "landed" in again.output) == (0, True)
    with book.connection.transaction():
        book.write("SET LOCAL session_replication_role = replica")
        book.write("UPDATE u8.so_sodetails SET inatmoney = 8")
    verified = run("verify", company.slug, "U8", "--stream", "sales_order_lines")
    said = "2026-03: we had 1 rows of 9.000000, the ERP has 1 of 8.000000"
    assert said in verified.output
    backwards = ("--from", "2026-03-31", "--to", "2026-03-01")
    refused = run("backfill", company.slug, "U8", *backwards)
    assert (refused.exit_code, "before the first" in refused.output) == (1, True)
