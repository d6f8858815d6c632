"""The chain over the journal: whatever is changed, removed or added afterwards, the first bad place is named."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.commands import ledger as commands
from app.core.roles import plain_url
from app.core.work import Database
from redpackets import chain, ledger_jobs, verification
from redpackets.chain_checks import HandedHead, heads_not_found


@pytest.fixture
def sealed(rewards):
    """Give away three shares and seal what that posted: an allotment, a funding and three claims."""
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=4)
    for phone in team:
        phone.post(f"{packet}/grab")
    seal(rewards)
    return rewards


def seal(rewards) -> None:
    ledger_jobs.seal_ledgers(rewards.company.bench())


def prove(rewards) -> None:
    """Do what the night does, in this company alone."""
    ledger_jobs._prove(rewards.company.space.workbench(), rewards.company.tenant_id)


def rows(rewards, statement, **values):
    with rewards.company.transaction() as session:
        return session.execute(text(statement), values).mappings().all()


def chain_of(rewards):
    return rows(rewards, "SELECT * FROM redpackets_chain ORDER BY position")


@contextmanager
def nobody_watching(rewards):
    """Work as somebody who owns the server and switched every guard off; in this company only."""
    url = make_url(rewards.company.space.settings.database_url)
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield lambda statement, *values: connection.execute(
            statement.replace("OURS", f"tenant_id = '{rewards.company.tenant_id}'"), values
        )


def broken(rewards):
    return {d.check: d for d in rewards.verify().deviations}


def test_what_is_posted_is_sealed_a_moment_later_and_holds(sealed):
    links = chain_of(sealed)
    journal = rows(sealed, "SELECT id FROM redpackets_journal ORDER BY id")

    assert [link["position"] for link in links] == [1, 2, 3, 4, 5]
    assert [link["entry_id"] for link in links] == [entry["id"] for entry in journal]
    assert rows(sealed, "SELECT * FROM redpackets_chain_queue") == []
    assert sealed.verify().holds


def test_whoever_reads_the_written_rule_finds_the_same_hashes(sealed):
    last = bytes(32)
    for link in chain_of(sealed):
        [e] = rows(sealed, "SELECT * FROM redpackets_journal WHERE id = :id", id=link["entry_id"])
        since = e["at"].timestamp() // 1, e["at"].microsecond
        lines = ["journal 1", e["tenant_id"], e["id"], e["kind"], e["debit_account_id"]]
        lines += [e["credit_account_id"], e["amount_minor"], e["unit"]]
        lines += [int(since[0]) * 1_000_000 + since[1], e["reference"]]
        last = hashlib.sha256(last + "\n".join(map(str, lines)).encode()).digest()
        assert link["hash"] == last


def test_one_changed_field_of_one_entry_is_found_at_its_place(sealed):
    third = chain_of(sealed)[2]
    swap = "credit_account_id = debit_account_id, debit_account_id = credit_account_id"
    changes = {
        "amount_minor = amount_minor + 1": "amount_minor = amount_minor - 1",
        "at = at + interval '1 microsecond'": "at = at - interval '1 microsecond'",
        "reference = reference || 'x'": "reference = rtrim(reference, 'x')",
        swap: swap,
    }
    for change, undo in changes.items():
        with nobody_watching(sealed) as do:
            do(f"UPDATE redpackets_journal SET {change} WHERE OURS AND id = %s", third["entry_id"])
            found = broken(sealed)["chain_is_unbroken"]
            do(f"UPDATE redpackets_journal SET {undo} WHERE OURS AND id = %s", third["entry_id"])
        assert found.subject == f"position 3, entry {third['entry_id']}"
        assert found.found == third["hash"].hex() != found.expected
    assert sealed.verify().holds


def test_one_flipped_byte_of_any_link_is_found_at_its_place(sealed):
    for link in chain_of(sealed):
        flipped = bytes([link["hash"][0] ^ 1]) + link["hash"][1:]
        with nobody_watching(sealed) as do:
            do(
                "UPDATE redpackets_chain SET hash = %s WHERE OURS AND position = %s",
                flipped,
                link["position"],
            )
            found = broken(sealed)["chain_is_unbroken"]
            do(
                "UPDATE redpackets_chain SET hash = %s WHERE OURS AND position = %s",
                link["hash"],
                link["position"],
            )
        assert found.subject.startswith(f"position {link['position']},")
    assert sealed.verify().holds


def test_an_entry_that_was_removed_is_missed(sealed):
    second = chain_of(sealed)[1]
    with nobody_watching(sealed) as do:
        do("DELETE FROM redpackets_journal WHERE OURS AND id = %s", second["entry_id"])

    found = broken(sealed)["chain_is_unbroken"]
    assert (found.subject, found.found) == (f"position 2, entry {second['entry_id']}", "nothing")


def test_a_link_that_was_removed_is_missed(sealed):
    with nobody_watching(sealed) as do:
        do("DELETE FROM redpackets_chain WHERE OURS AND position = 4")

    found = broken(sealed)
    assert found["chain_is_unbroken"].expected == "position 4"
    assert found["each_entry_is_sealed"].found == "neither sealed nor waiting"


def test_an_entry_that_was_slipped_in_is_found(sealed):
    with nobody_watching(sealed) as do:
        do(
            "INSERT INTO redpackets_journal SELECT tenant_id, gen_random_uuid(), kind, debit_account_id,"
            " credit_account_id, amount_minor, unit, 'slipped in', at FROM redpackets_journal"
            " WHERE OURS AND kind = 'fund'"
        )
    assert broken(sealed)["each_entry_is_sealed"].found == "neither sealed nor waiting"


def test_entries_may_wait_for_minutes_and_not_for_longer(rewards):
    assert rewards.verify().holds
    with nobody_watching(rewards) as do:
        do("UPDATE redpackets_chain_queue SET queued_at = now() - interval '6 minutes' WHERE OURS")

    assert "waiting since" in broken(rewards)["each_entry_is_sealed"].found
    seal(rewards)
    assert rewards.verify().holds


def test_a_history_rewritten_as_a_whole_is_found_by_the_head_kept_outside(sealed):
    with sealed.company.transaction() as session:
        kept = chain.read_head(session)
    with nobody_watching(sealed) as do:
        do("UPDATE redpackets_journal SET at = at + interval '1 second' WHERE OURS")
        do(
            "INSERT INTO redpackets_chain_queue SELECT tenant_id, entry_id FROM redpackets_chain WHERE OURS"
        )
        do("DELETE FROM redpackets_chain WHERE OURS")
    seal(sealed)
    assert sealed.verify().holds

    handed = HandedHead(position=kept.position, hash_hex=kept.hash.hex())
    with sealed.company.transaction() as session:
        [(head, instead)] = heads_not_found(session, [handed])
    assert head is handed
    assert len(instead) == 64


def test_the_head_of_a_day_is_kept_once_and_shown_to_auditors(sealed, clock):
    bench = sealed.company.bench()
    for _ in range(2):
        ledger_jobs.note_heads(bench)
    clock.move(days=1)
    ledger_jobs.note_heads(sealed.company.bench())

    auditor = sealed.company.phone("Ada", role="auditor")
    first = auditor.get("/ledger/heads?limit=1").json
    second = auditor.get(f"/ledger/heads?limit=1&cursor={first['next_cursor']}").json
    [newer], [older] = first["items"], second["items"]
    assert (newer["position"], older["position"], second["next_cursor"]) == (5, 5, None)
    assert newer["day"] > older["day"]
    assert newer["hash"] == chain_of(sealed)[-1]["hash"].hex()
    assert auditor.get("/ledger/heads?cursor=WzEsIDk5OTk5OTk5OTld").status_code == 422
    manager = sealed.company.phone_of(sealed.manager.person)
    assert manager.get("/ledger/heads").status_code == 403


def test_a_kept_head_that_the_chain_no_longer_holds_is_found(sealed):
    ledger_jobs.note_heads(sealed.company.bench())
    with nobody_watching(sealed) as do:
        do("UPDATE redpackets_chain_head SET hash = decode(repeat('00', 32), 'hex') WHERE OURS")
    assert "position 5" in broken(sealed)["heads_are_links"].subject


def test_nobody_changes_the_chain_not_even_the_owner_of_the_database(sealed):
    url = make_url(sealed.company.space.settings.database_url)
    for table in ("redpackets_chain", "redpackets_chain_head"):
        for change in (
            f"UPDATE {table} SET position = 9",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            with (
                pytest.raises(DBAPIError, match="permission denied"),
                sealed.company.transaction() as session,
            ):
                session.execute(text(change))
            with (
                psycopg.connect(plain_url(url), autocommit=True) as connection,
                pytest.raises(psycopg.Error, match="append-only"),
            ):
                connection.execute(change)


def test_a_transaction_that_commits_late_is_sealed_all_the_same(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    seal(rewards)
    with rewards.company.transaction() as early:
        early.execute(text("SELECT 1"))
        _post_again(early, "early")
        lin.post(f"{packet}/grab")
        seal(rewards)
    seal(rewards)

    journal = rows(rewards, "SELECT id FROM redpackets_journal")
    assert len(chain_of(rewards)) == len(journal) == 4
    assert rows(rewards, "SELECT * FROM redpackets_chain_queue") == []
    assert "chain_is_unbroken" not in broken(rewards)


def test_what_is_rolled_back_waits_for_no_seal(rewards):
    seal(rewards)
    with rewards.company.transaction() as session:
        _post_again(session, "never")
        session.rollback()
    assert rows(rewards, "SELECT * FROM redpackets_chain_queue") == []


def test_sealers_that_meet_seal_each_entry_once(rewards):
    team = rewards.team(*(f"Member{number}" for number in range(6)))
    packets = [rewards.send(count=6) for _ in range(4)]

    def act(turn: int) -> None:
        team[turn % 6].post(f"{packets[turn // 6]}/grab")
        seal(rewards)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(act, range(24)))
    seal(rewards)

    assert [link["position"] for link in chain_of(rewards)] == list(range(1, 30))
    assert rewards.verify().holds


def test_one_company_neither_sees_nor_seals_the_chain_of_another(sealed, other_company):
    with other_company.transaction() as session:
        assert session.execute(text("SELECT * FROM redpackets_chain")).all() == []
        assert chain.seal_entries(session) == 0
        assert chain.read_head(session).position == 0


def _post_again(session, reference: str) -> None:
    """Post some movement of the company again, as a forger with the application's rights could."""
    session.execute(
        text(
            "INSERT INTO redpackets_journal SELECT tenant_id, gen_random_uuid(), kind, debit_account_id,"
            " credit_account_id, 1, unit, :reference, at FROM redpackets_journal LIMIT 1"
        ),
        {"reference": reference},
    )


def test_a_large_ledger_is_answered_as_it_was_proved_in_the_night(sealed, monkeypatch, clock):
    monkeypatch.setattr("redpackets.verification.PROVED_AT_ONCE_MAX", 3)
    auditor = sealed.company.phone("Ada", role="auditor")
    before = auditor.get("/ledger/verification").json
    prove(sealed)
    proved_at = clock()
    clock.move(minutes=10)
    after = auditor.get("/ledger/verification").json

    assert (before["holds"], before["checked_at"]) == (None, None)
    assert after["holds"] is True
    assert after["checked_at"] < (proved_at + timedelta(minutes=1)).isoformat()
    assert after["head"] == {"position": 5, "hash": chain_of(sealed)[-1]["hash"].hex()}


def test_auditors_are_told_of_a_ledger_that_does_not_hold(sealed):
    with sealed.company.transaction() as session:
        session.execute(text("UPDATE redpackets_budget SET limit_minor = limit_minor + 1"))
    for _ in range(2):
        prove(sealed)

    [kept] = rows(sealed, "SELECT kind FROM delivery_notice WHERE kind LIKE 'redpackets.ledger%'")
    assert kept["kind"] == "redpackets.ledger_broken"


def test_the_night_has_patience_with_a_large_ledger(sealed, monkeypatch):
    hasty = Database(sealed.company.space.settings, statement_seconds=1)
    proved = verification.prove_ledger

    def slowly(session, **when):
        session.execute(text("SELECT pg_sleep(1.2)"))
        return proved(session, **when)

    monkeypatch.setattr(verification, "prove_ledger", slowly)
    bench = replace(sealed.company.space.workbench(), database=hasty)
    ledger_jobs._prove(bench, sealed.company.tenant_id)
    hasty.close()
    assert rows(sealed, "SELECT 1 FROM redpackets_ledger_proof")


def test_the_operator_proves_the_ledger_and_the_heads_that_were_handed_out(
    sealed, monkeypatch, tmp_path
):
    monkeypatch.setattr(commands, "installation_settings", lambda: sealed.company.space.settings)
    company = ["--company", str(sealed.company.tenant_id)]
    handed = tmp_path / "heads.txt"
    handed.write_text(CliRunner().invoke(commands.ledger, ["heads", *company]).output)
    assert handed.read_text().split()[1:3] == ["now", "5"]

    verify = ["verify", *company, "--heads", str(handed)]
    holds = CliRunner().invoke(commands.ledger, verify)
    handed.write_text(handed.read_text().replace(" 5 ", " 4 "))
    lost = CliRunner().invoke(commands.ledger, verify)
    handed.write_text("nonsense")
    unreadable = CliRunner().invoke(commands.ledger, verify)

    assert (holds.exit_code, holds.output.strip()) == (0, f"{company[1]}: holds")
    assert lost.exit_code == 1
    assert "position 4 was" in lost.output
    assert (unreadable.exit_code, "line 1" in unreadable.output) == (1, True)
