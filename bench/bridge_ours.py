"""Loading through the bridge, as a run of the worker does."""

from pathlib import Path
from typing import Any
from uuid import UUID

from app.core.work import Database
from bench.bridge_costs import Costs, client_costs
from bench.ground import SECRET_KEY, settings_of
from erp_bridge.engine import RunOrder, sync_source

STATEMENT_SECONDS = 600


class BridgeLoad:
    """Reads a stream of a source; says where the CPU went if asked to."""

    def __init__(self, place: dict[str, str]) -> None:
        settings = settings_of(Path(place["data_dir"]), place["database_url"], place["redis_url"])
        self._database = Database(settings, statement_seconds=STATEMENT_SECONDS)

    def load(self, order: dict[str, Any]) -> int:
        """Read the stream; gives how many rows changed."""
        stream = order.get("stream", "order_lines")
        report = sync_source(
            self._database,
            UUID(order["tenant"]),
            UUID(order["source"]),
            secret_key=SECRET_KEY,
            order=RunOrder(streams={stream}, reconcile=False),
        )
        outcome = report.streams[stream]
        if report.problem or outcome.problem:
            raise SystemExit(f"the bridge did not load: {report}")
        return outcome.rows_changed

    def watched(self) -> Costs:
        """Watch from now on where PostgreSQL's CPU goes."""
        return Costs(self._database.engine)

    def client_costs(self, order: dict[str, Any]) -> dict[str, float]:
        """Find out where this process's CPU goes."""
        return client_costs(
            self._database, UUID(order["tenant"]), UUID(order["source"]), SECRET_KEY
        )

    def close(self) -> None:
        """Hang up."""
        self._database.close()
