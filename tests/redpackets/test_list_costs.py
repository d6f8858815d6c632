"""Lists of packets, approvals and budgets: as many statements for a long one as for a short one."""

from tests.redpackets.test_statements import counted


def test_lists_of_packets_and_approvals_cost_the_same_however_long_they_are(rewards):
    rewards.approve_above(1_000)
    rewards.team("Lin")
    paths = (
        "/red-packets",
        "/red-packets?mine=true&state=open",
        "/red-packet-approvals",
        "/budgets?tree=true",
        "/red-packet-policies",
        "/red-packet-delegations",
    )

    def costs() -> list[int]:
        found = []
        for path in paths:
            with counted(rewards) as statements:
                assert rewards.owner.get(path).status_code == 200
            found.append(len(statements))
        return found

    rewards.send(total_minor=5_000)
    few = costs()
    for _ in range(4):
        rewards.send(total_minor=5_000)
        rewards.send(total_minor=500)
        rewards.open_budget(100, parent_id=rewards.budget_id)
        rewards.approve_above(1_000)
    assert costs() == few
