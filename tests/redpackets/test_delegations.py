"""Delegates: a right to approve is lent for a time, is never more than the lender has, and counts once."""

from datetime import timedelta

import pytest

from app.people.services import revoke_role, set_active
from tests.redpackets.test_approvals import ABOVE, approve, code


def lend(rewards, lender, delegate, **changes):
    now = rewards.company.clock()
    asked = {
        "delegate_id": str(delegate.person.id),
        "from": now.isoformat(),
        "to": (now + timedelta(days=10)).isoformat(),
    }
    return lender.post("/red-packet-delegations", asked | changes)


@pytest.fixture
def dan(rewards):
    """Somebody outside sales who may approve nothing, and a packet that waits for the owner."""
    rewards.approve_above(1_000)
    rewards.team("Lin")
    return rewards.company.phone("Dan", rewards.company.unit("Staff"))


def test_a_delegate_approves_by_the_lenders_right_and_that_is_written_down(rewards, dan):
    packet = rewards.send(**ABOVE)
    assert approve(dan, packet).status_code == 404
    lent = lend(rewards, rewards.owner, dan)
    assert (lent.status_code, lent.json["delegate"]["name"]) == (201, "Dan")

    assert len(dan.get("/red-packet-approvals").json["items"]) == 1
    [decision] = approve(dan, packet).json["approvals"]
    assert decision["approver"]["name"] == "Dan"
    assert decision["on_behalf_of"]["name"] == "Olive"
    told = [e["kind"] for e in rewards.company.events(dan)]
    assert "redpackets.right_lent" in told


def test_a_right_counts_once_whoever_uses_it(rewards, dan):
    rewards.approve_above(1_000, approvals=2)
    packet = rewards.send(**ABOVE)
    lend(rewards, rewards.owner, dan)

    approve(rewards.owner, packet)
    again = approve(dan, packet).json
    assert (again["state"], len(again["approvals"])) == ("pending_approval", 1)


def test_who_stands_in_for_the_sender_is_no_second_pair_of_eyes(rewards, dan):
    deputy = rewards.company.phone("Fin", role="finance")
    lend(rewards, rewards.manager, dan)
    lend(rewards, rewards.manager, deputy)
    packet = rewards.send(**ABOVE)

    for phone in (dan, deputy):
        assert code(approve(phone, packet)) == (403, "redpackets.four_eyes")


def test_who_stands_in_for_a_receiver_is_in_their_conflict(rewards, dan):
    dora = rewards.company.phone("Dora", rewards.sales, role="manager")
    lend(rewards, dora, dan)
    packet = rewards.send(**ABOVE)
    assert code(approve(dan, packet)) == (403, "redpackets.conflict_of_interest")


def test_a_delegation_ends_by_time_by_being_taken_back_and_with_the_lenders_right(
    rewards, dan, clock
):
    packet = rewards.send(expires_at=(clock() + timedelta(days=6)).isoformat(), **ABOVE)
    lent = lend(rewards, rewards.owner, dan).json
    path = f"/red-packet-delegations/{lent['id']}"
    assert dan.delete(path).status_code == 403
    assert rewards.manager.delete(path).status_code == 404
    assert [rewards.owner.delete(path).status_code for _ in range(2)] == [204, 204]
    assert approve(dan, packet).status_code == 404

    finance = rewards.company.phone("Fin", role="finance")
    lend(rewards, finance, dan)
    with rewards.company.transaction() as session:
        revoke_role(
            session,
            person_id=finance.person.id,
            role_key="finance",
            unit_id=rewards.company.root_id,
        )
    assert approve(dan, packet).status_code == 404

    soon = (clock() + timedelta(days=1)).isoformat()
    lend(rewards, rewards.owner, dan, to=soon)
    clock.move(days=2)
    assert approve(rewards.company.phone_of(dan.person), packet).status_code == 404


def test_the_right_of_somebody_who_left_is_worth_nothing(rewards, dan):
    packet = rewards.send(**ABOVE)
    lend(rewards, rewards.owner, dan)
    with rewards.company.transaction() as session:
        set_active(session, person_id=rewards.owner.person.id, active=False)
    assert approve(dan, packet).status_code == 404


def test_a_lent_right_cannot_be_lent_on(rewards, dan):
    lend(rewards, rewards.owner, dan)
    [lin] = rewards.team("Lina")
    assert lend(rewards, dan, lin).status_code == 403


@pytest.mark.parametrize(
    ("days", "field", "wanted"),
    [
        ((-1, 5), "from", "time_in_past"),
        ((400, 401), "from", "time_too_far"),
        ((0, 91), "to", "time_too_far"),
        ((2, 2), "to", "time_order"),
    ],
)
def test_times_of_a_delegation_that_make_no_sense_are_refused(rewards, dan, days, field, wanted):
    now = rewards.company.clock()
    begins, ends = (str((now + timedelta(days=d)).isoformat()) for d in days)
    refused = lend(rewards, rewards.owner, dan, **{"from": begins, "to": ends})
    assert (refused.status_code, refused.json["errors"][field]["code"]) == (422, wanted)


def test_nobody_lends_to_themselves_to_strangers_or_without_a_right(rewards, dan, other_company):
    stranger = other_company.phone("Stranger")
    assert lend(rewards, rewards.owner, rewards.owner).json["errors"]["delegate_id"]["code"] == (
        "delegate_self"
    )
    assert lend(rewards, rewards.owner, stranger).json["errors"]["delegate_id"]["code"] == (
        "receiver_not_active"
    )
    assert lend(rewards, dan, rewards.owner).status_code == 403


def test_delegations_are_listed_to_lender_and_delegate_only(rewards, dan, other_company):
    lent = lend(rewards, rewards.owner, dan).json
    for phone, count in ((rewards.owner, 1), (dan, 1), (rewards.manager, 0)):
        assert len(phone.get("/red-packet-delegations").json["items"]) == count
    theirs = other_company.phone("Boss", role="owner")
    assert theirs.delete(f"/red-packet-delegations/{lent['id']}").status_code == 404
