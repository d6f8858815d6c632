"""The ledger: append-only for everybody, proved by auditors, and any tampering is found."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.core.roles import plain_url
from tests.redpackets.rewards import id_of

CHANGES = [
    "UPDATE redpackets_journal SET amount_minor = amount_minor + 1",
    "DELETE FROM redpackets_journal",
    "TRUNCATE redpackets_journal",
]

SECOND_SHARE = """
    UPDATE redpackets_share SET state = 'claimed', at = now(),
           holder_id = (SELECT holder_id FROM redpackets_share WHERE holder_id IS NOT NULL)
"""
SECOND_POSTING = """
    INSERT INTO redpackets_journal
    SELECT tenant_id, gen_random_uuid(), kind, debit_account_id, credit_account_id, amount_minor,
           unit, reference, at FROM redpackets_journal
"""


@pytest.fixture
def spent(rewards):
    """Give away one share of a packet."""
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    lin.post(f"{packet}/grab")
    return packet


def owner_connection(rewards):
    url = make_url(rewards.company.space.settings.database_url)
    return psycopg.connect(plain_url(url), autocommit=True)


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_may_not_change_the_journal(rewards, spent, change):
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        rewards.company.transaction() as session,
    ):
        session.execute(text(change))


@pytest.mark.parametrize("change", CHANGES)
def test_not_even_the_owner_of_the_database_changes_the_journal(rewards, spent, change):
    with owner_connection(rewards) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(change)


def test_an_auditor_is_shown_that_the_ledger_holds(rewards, spent):
    auditor = rewards.company.phone("Ada", role="auditor")
    proof = auditor.get("/ledger/verification").json

    assert (proof["holds"], proof["deviations"]) == (True, [])
    [total] = proof["totals"]
    assert total["debits_minor"] == total["credits_minor"] > 101_000
    assert "balances_are_folds_of_the_journal" in proof["checks"]


def test_the_ledger_is_shown_to_auditors_of_the_whole_company_only(rewards):
    branch = rewards.company.phone("Abe", rewards.sales, role="auditor")
    for phone in (rewards.manager, branch):
        assert phone.get("/ledger/verification").status_code == 403
        assert phone.get("/ledger/heads").status_code == 403


@pytest.mark.parametrize(
    ("tampering", "check"),
    [
        (
            "UPDATE redpackets_fund_account SET balance_minor = 7 WHERE kind = 'user_payable'",
            "balances_are_folds_of_the_journal",
        ),
        (
            "UPDATE redpackets_share SET amount_minor = amount_minor + 1 WHERE state = 'free'",
            "escrow_is_what_free_shares_say",
        ),
        (
            "UPDATE redpackets_share SET amount_minor = amount_minor + 1 WHERE state = 'free'",
            "shares_add_up_to_their_packet",
        ),
        (
            "UPDATE redpackets_share SET state = 'free', holder_id = NULL, at = NULL",
            "each_claim_is_posted_once_to_its_holder",
        ),
        (
            "UPDATE redpackets_share SET state = 'refunded', at = now() WHERE state = 'free'",
            "each_refund_is_posted_once",
        ),
        ("UPDATE redpackets_budget SET limit_minor = limit_minor + 1", "budgets_keep_their_limits"),
        (
            "UPDATE redpackets_budget SET held_minor = held_minor - 1, spent_minor = 1",
            "budgets_hold_and_spend_what_packets_say",
        ),
    ],
)
def test_tampering_is_found_and_named(rewards, spent, tampering, check):
    with rewards.company.transaction() as session:
        session.execute(text(tampering))

    assert check in {deviation.check for deviation in rewards.verify().deviations}


def test_an_entry_without_its_balances_is_found(rewards, spent):
    with rewards.company.transaction() as session:
        session.execute(
            text(
                "INSERT INTO redpackets_journal SELECT tenant_id, gen_random_uuid(), kind,"
                " credit_account_id, debit_account_id, 10000000, unit, 'forged', at"
                " FROM redpackets_journal WHERE kind = 'claim'"
            )
        )

    found = {deviation.check for deviation in rewards.verify().deviations}
    assert {"no_account_is_overdrawn", "balances_are_folds_of_the_journal"} <= found


@pytest.mark.parametrize(
    "impossible",
    [
        "UPDATE redpackets_budget SET held_minor = limit_minor + 1",
        "UPDATE redpackets_budget SET spent_minor = -1",
        "UPDATE redpackets_share SET holder_id = NULL",
        "UPDATE redpackets_share SET amount_minor = 0",
        SECOND_SHARE,
        "UPDATE redpackets_fund_account SET balance_minor = -1 WHERE kind = 'budget'",
        "UPDATE redpackets_packet SET unit = 'USD'",
        SECOND_POSTING,
    ],
)
def test_the_schema_itself_refuses_what_cannot_be(rewards, spent, impossible):
    with (
        pytest.raises(DBAPIError, match="constraint"),
        rewards.company.transaction() as session,
    ):
        session.execute(text(impossible))


def test_each_claim_is_one_entry_from_escrow_to_the_holder(rewards, spent):
    with rewards.company.transaction() as session:
        [claim] = session.execute(
            text("SELECT * FROM redpackets_journal WHERE kind = 'claim'")
        ).mappings()
    assert claim["debit_account_id"] == id_of(spent)
    assert claim["reference"] in {f"claim:{id_of(spent)}:{index}" for index in range(5)}
