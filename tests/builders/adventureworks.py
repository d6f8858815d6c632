"""A whole real company of 121,000 order lines, loaded once through the connector and the mapping that are shipped."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from erp_bridge.engine import sync_source
from erp_bridge.services import create_source
from tests.builders.company import Company

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("WORKSPACE_DATA", ROOT.parent / "shared" / "data")) / "adventureworks"
NOT_FOUND = f"AdventureWorks is not at {FOLDER}; set WORKSPACE_DATA to see these tests run"


@dataclass(frozen=True)
class AdventureWorks:
    """The company and its source: tests look, and read the files again, but change nothing."""

    company: Company
    source_id: UUID


def load_adventureworks(company: Company) -> AdventureWorks:
    """Read every file, and add every figure up."""
    key = company.space.settings.secret_key
    with company.transaction() as session:
        source = create_source(
            session,
            name="AdventureWorks",
            connector="files",
            mapping="adventureworks",
            config={"folder": str(FOLDER)},
            secret_key=key,
            now=company.clock(),
        )
    report = sync_source(
        company.space.database, company.tenant_id, source.id, secret_key=key, now=company.clock
    )
    assert report.problem is None
    assert {outcome.state for outcome in report.streams.values()} == {"landed"}
    company.settle()
    return AdventureWorks(company, source.id)
