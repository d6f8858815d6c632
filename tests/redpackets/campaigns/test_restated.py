"""A figure restated downwards after it fired: no silent claw-back, a proposal that somebody impartial decides."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.redpackets.campaigns.conftest import Drive, notices_of


@pytest.fixture
def restated(drive: Drive) -> Drive:
    """Fire for the north, then take part of the order back."""
    drive.company.phone("Cai", drive.north)
    drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    return drive


def restate(drive: Drive, net: str = "99.99") -> None:
    drive.sells("1", net)
    drive.evaluate()


def proposal(drive: Drive, by=None) -> dict:
    [found] = (by or drive.finance).get("/kpi-proposals?state=open").json["items"]
    return found


def decide(drive: Drive, by=None, *, path=None, **body):
    path = path or f"/kpi-proposals/{proposal(drive)['id']}/decision"
    return (by or drive.finance).post(path, {"decision": "accept"} | body)


def test_a_figure_that_stays_up_proposes_nothing(restated: Drive):
    restate(restated, "100.01")
    assert restated.owner.get("/kpi-proposals").json["items"] == []


@pytest.mark.fault
def test_nothing_is_taken_back_until_somebody_decides(restated: Drive):
    restate(restated)

    [packet] = restated.packets()
    assert packet.state == "open"
    found = proposal(restated)
    assert (found["value_then"], found["value_now"], found["state"]) == (10_000, 9_999, "open")
    assert found["packet_id"] == str(packet.id)
    assert "It fell below what it fired at; a decision is needed." in restated.news()


def test_those_who_may_decide_hear_of_it_and_so_does_the_owner_who_may_not(restated: Drive):
    company, north = restated.company, restated.north
    company.phone("Fei", role="finance")
    company.phone("Rex", north, role="finance", role_at=company.root_id)  # takes part himself
    company.phone("Nan", north, role="manager")
    company.phone("Sue", restated.south, role="manager")
    before = len(notices_of(company))
    restate(restated)

    told = notices_of(company)[before:]
    assert sorted(told) == [
        (
            "It fell below what it fired at; a decision is needed.",
            frozenset({"Fei", "Mara", "Rex"}),
        ),
        (
            "It fell below what it fired at; those who approve say what becomes of it.",
            frozenset({"Olive"}),
        ),
    ]


def test_who_is_in_the_audience_is_not_asked_to_decide(drive: Drive):
    drive.company.phone("Rex", drive.north, role="finance", role_at=drive.company.root_id)
    drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    restate(drive)
    asked = [names for text, names in notices_of(drive.company) if "decision" in text]
    assert asked == [frozenset({"Mara"})]


def test_falling_further_follows_in_the_same_proposal_and_is_told_once(restated: Drive):
    for net in ("99", "50", "20"):
        restate(restated, net)

    assert proposal(restated)["value_now"] == 2_000
    assert len([n for n in restated.news() if "decision" in n]) == 1


def test_accepting_before_anybody_took_withdraws_the_packet(restated: Drive):
    restate(restated)
    decided = decide(restated)

    assert (decided.status_code, decided.json["outcome"]) == (200, "cancelled")
    [packet] = restated.packets()
    assert packet.state == "cancelled"
    assert restated.ann.post(f"/red-packets/{packet.id}/grab").status_code == 410
    restate(restated, "500")
    assert len(restated.packets()) == 1  # Fired is fired, once a period.
    assert restated.rewards.verify().holds


def test_accepting_after_somebody_took_closes_the_rest_only(restated: Drive):
    [packet] = restated.packets()
    won = restated.ann.post(f"/red-packets/{packet.id}/grab").json["share"]["amount_minor"]
    restate(restated)
    decided = decide(restated)

    assert decided.json["outcome"] == "closed"
    budget = restated.rewards.budget()
    assert (budget["held_minor"], budget["spent_minor"]) == (0, won)
    assert restated.rewards.verify().holds


def test_accepting_after_everybody_took_finds_nothing_left(drive: Drive):
    cai = drive.company.phone("Cai", drive.north)
    drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    restate(drive)
    [packet] = drive.packets()
    for phone in (drive.ann, cai):
        assert phone.post(f"/red-packets/{packet.id}/grab").json["result"] == "won"

    assert decide(drive).json["outcome"] == "nothing_left"
    [packet] = drive.packets()
    assert packet.state == "exhausted"
    assert drive.rewards.verify().holds


def test_rejecting_leaves_everything_as_it_is_and_is_final(restated: Drive):
    restate(restated)
    path = f"/kpi-proposals/{proposal(restated)['id']}/decision"
    rejected = decide(restated, path=path, decision="reject", reason="They earned it")
    assert (rejected.json["state"], rejected.json["reason"]) == ("rejected", "They earned it")
    assert restated.packets()[0].state == "open"

    again = decide(restated, path=path, decision="reject")
    assert (again.status_code, again.json["reason"]) == (200, "They earned it")
    otherwise = decide(restated, path=path)
    assert (otherwise.status_code, otherwise.json["code"]) == (409, "redpackets.proposal_decided")
    restate(restated, "10")
    assert restated.owner.get("/kpi-proposals?state=open").json["items"] == []


def test_owner_receivers_and_strangers_to_the_matter_do_not_decide(restated: Drive, other_company):
    restate(restated)
    path = f"/kpi-proposals/{proposal(restated)['id']}/decision"
    receiver = restated.company.phone("Rex", restated.north, role="finance")
    outsider = restated.company.phone("Out", restated.south, role="manager")
    seller = restated.ann

    assert decide(restated, restated.owner, path=path).json["code"] == "redpackets.not_impartial"
    assert decide(restated, outsider, path=path).status_code == 404
    foreign = other_company.phone("Stranger", role="owner")
    assert decide(restated, foreign, path=path).status_code == 404
    assert foreign.get("/kpi-proposals").json["items"] == []
    assert decide(restated, seller, path=path).status_code == 404
    # Who approves in the north only has no say over the budget of sales.
    assert decide(restated, receiver, path=path).status_code == 404
    assert restated.packets()[0].state == "open"


def test_a_receiver_who_approves_for_the_budget_does_not_decide_either(drive: Drive):
    both = drive.company.phone("Rex", drive.north, role="finance", role_at=drive.company.root_id)
    drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    restate(drive)

    refused = decide(drive, both)
    assert (refused.status_code, refused.json["code"]) == (403, "redpackets.not_impartial")


@pytest.mark.fault
def test_two_who_decide_differently_at_once_decide_once(restated: Drive):
    restate(restated)
    path = f"/kpi-proposals/{proposal(restated)['id']}/decision"
    second = restated.company.phone("Gus", role="finance")

    def act(turn):
        return decide(restated, turn[0], path=path, decision=turn[1])

    with ThreadPoolExecutor(2) as threads:
        replies = list(threads.map(act, [(restated.finance, "accept"), (second, "reject")]))

    assert sorted(r.status_code for r in replies) == [200, 409]
    assert restated.rewards.verify().holds
