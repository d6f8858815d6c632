"""Changing the installation's key: everything is sealed anew, and then the former key may go."""

import dataclasses

import pytest
from click.testing import CliRunner, Result

from app.core.composition import Workspace
from app.core.crypto import SealingKeyUnknown, SecretKey, key_id
from app.core.ids import new_id
from erp_bridge import queries, rotation
from erp_bridge.commands import erp_group
from erp_bridge.hooks import set_key
from erp_bridge.models import Source
from erp_bridge.opening import keep_settings, read_secrets
from tests.builders.company import Company

OLD, NEW = "oak-" * 8, "elm-" * 8


def with_key(space: Workspace, key: str, *former: str) -> Workspace:
    settings = dataclasses.replace(space.settings, secret_key=SecretKey(key, former))
    return dataclasses.replace(space, settings=settings)


def rotate(company: Company, key: str, *former: str) -> Result:
    group = erp_group(lambda: with_key(company.space, key, *former))
    return CliRunner().invoke(group, ["rotate-keys", "--company", company.slug])


def source(company: Company, name: str, key: str) -> None:
    with company.transaction() as session:
        made = Source(
            tenant_id=company.tenant_id,
            id=new_id(),
            name=name,
            connector="u8_sql",
            mapping="u8",
            poll_seconds=5,
            reconcile_seconds=300,
            created_at=company.clock(),
        )
        keep_settings(made, {"host": "x", "password": f"walnut-{name}"}, secret_key=key)
        session.add(made)
        session.flush()
        set_key(session, source=made, key="w" * 32, secret_key=key, now=company.clock())


def passwords(company: Company, key: str) -> set[str]:
    with company.transaction() as session:
        found = session.scalars(queries.sources(after=None, limit=100)).all()
        return {read_secrets(one, secret_key=key)["password"] for one in found}


def audited(company: Company) -> list[str]:
    with company.transaction() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT detail FROM people_audit_entry WHERE action = 'erp.rotate_keys' ORDER BY id"
        )
        return [row[0] for row in rows]


def test_after_a_rotation_the_former_key_may_go(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    for name in ("A", "B", "C"):
        source(company, name, OLD)
    with pytest.raises(SealingKeyUnknown):
        passwords(company, NEW)
    done = rotate(company, NEW, OLD)
    assert done.exit_code == 0, done.output
    assert "3 sources were sealed anew." in done.output
    assert passwords(company, NEW) == {"walnut-A", "walnut-B", "walnut-C"}
    with pytest.raises(SealingKeyUnknown):
        passwords(company, OLD)
    name = key_id(NEW).hex()
    assert audited(company) == [f"2 sources under {name}", f"1 sources under {name}"]
    # What is done is not done again.
    assert "0 sources were sealed anew." in rotate(company, NEW).output
    assert len(audited(company)) == 2


def test_a_rotation_that_was_cut_off_goes_on_where_it_stopped(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 1)
    for name in ("A", "B"):
        source(company, name, OLD)
    key = SecretKey(NEW, [OLD])
    with company.transaction() as session:
        rotation.rotate_batch(session, secret_key=key, after=None, now=company.clock())
    # Half is sealed under each, and the installation reads both.
    assert passwords(company, key) == {"walnut-A", "walnut-B"}
    assert "1 sources were sealed anew." in rotate(company, NEW, OLD).output
    assert passwords(company, NEW) == {"walnut-A", "walnut-B"}


def test_a_source_that_no_key_opens_is_named_and_holds_up_no_other(company: Company) -> None:
    source(company, "Lost", "ash-" * 8)
    source(company, "Kept", OLD)
    done = rotate(company, NEW, OLD)
    assert done.exit_code == 1
    assert f"Lost: sealed under the key {key_id('ash-' * 8).hex()}" in done.output
    assert "WORKSPACE_FORMER_SECRET_KEYS" in done.output
    assert "1 sources were sealed anew." in done.output
    for secret in ("walnut", OLD, NEW, "ash-ash"):
        assert secret not in done.output


def test_another_company_is_left_alone(company: Company, other_company: Company) -> None:
    source(company, "Ours", OLD)
    source(other_company, "Theirs", OLD)
    rotate(company, NEW, OLD)
    assert passwords(company, NEW) == {"walnut-Ours"}
    assert passwords(other_company, OLD) == {"walnut-Theirs"}
