"""What operators do from the command line, beside a running installation."""

import os
import subprocess
import sys
import uuid

import httpx
import psycopg

from app.runtime.installation import installation_settings
from tests.builders.company import API
from tests.builders.system import ROOT, System


def workspace_command(
    system: System, *arguments: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    hidden = ("DATABASE_URL", "REDIS_URL")
    environment = {name: value for name, value in os.environ.items() if not name.endswith(hidden)}
    environment |= {"WORKSPACE_DATA_DIR": str(system.folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env=environment,
        cwd=system.folder,
        input=typed,
        text=True,
        capture_output=True,
        check=False,
    )


def test_an_operator_founds_a_company_and_its_first_person_signs_in(system):
    slug = f"acme-{uuid.uuid4().hex[:6]}"
    arguments = ["tenant", "create", slug, "--name", "Acme", "--operator", "admin"]
    made = workspace_command(system, *arguments, typed="a long password\na long password\n")
    assert made.returncode == 0, made.stderr

    entered = {"tenant": slug, "login": "admin", "password": "a long password"}
    assert httpx.post(f"{system.url}{API}/sessions", json=entered).status_code == 201


def test_a_name_that_cannot_be_one_is_refused_in_a_line(system):
    made = workspace_command(
        system, "tenant", "create", "No Good", "--name", "x", "--operator", "x", "--password", "x"
    )
    assert made.returncode == 2
    assert "Traceback" not in made.stderr


def test_a_flipped_row_of_the_ledger_is_named(system, town):
    assert workspace_command(system, "ledger", "verify").returncode == 0
    boss = system.phone(town.phone("Boss", role="owner"))
    budget = boss.pay(
        "/budgets",
        {
            "name": "Rewards",
            "unit_id": str(town.root_id),
            "unit": "CNY",
            "limit_minor": 1_000,
            "period_from": "2020-01-01",
            "period_to": "2099-12-31",
        },
        "rewards",
    ).json()
    with psycopg.connect(installation_settings(system.folder).database_url) as owner:
        tampered = owner.execute(
            "UPDATE redpackets_budget SET limit_minor = limit_minor + 1 WHERE id = %s",
            (budget["id"],),
        )
        assert tampered.rowcount == 1

    proof = workspace_command(system, "ledger", "verify")

    assert proof.returncode == 1
    assert f"{town.tenant_id}: does not hold" in proof.stdout
    with psycopg.connect(installation_settings(system.folder).database_url) as owner:
        owner.execute(
            "UPDATE redpackets_budget SET limit_minor = limit_minor - 1 WHERE id = %s",
            (budget["id"],),
        )
