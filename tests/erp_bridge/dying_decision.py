"""Sends a decision in a process of its own that is killed when the ERP has answered, before that is kept.

Arguments: database URL, role prefix, tenant, decision.
"""

import os
import signal
import sys

import app.models
from app.core import clock
from app.core.jobs import Jobs, Workbench
from app.core.settings import load_settings
from app.core.work import Database
from erp_bridge.approvals.jobs import send_decision
from erp_bridge.connectors.approving import Act, Ruling
from erp_bridge.connectors.egress import permit_hosts
from erp_bridge.connectors.u8_approvals import U8Desk

assert app.models


def main(url: str, prefix: str, tenant: str, decision: str) -> None:
    permit_hosts("127.0.0.1")
    settings = load_settings(database_url=url, database_role_prefix=prefix)
    act_truly = U8Desk.act

    def act_and_die(desk: U8Desk, act: Act) -> Ruling:
        act_truly(desk, act)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("dead by now")

    U8Desk.act = act_and_die  # type: ignore[method-assign]
    bench = Workbench(Database(settings, jobs=Jobs()), settings, clock.now, Jobs())
    send_decision(bench, tenant_id=tenant, decision_id=decision)


if __name__ == "__main__":
    main(*sys.argv[1:5])
