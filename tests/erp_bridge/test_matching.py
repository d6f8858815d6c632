"""Stories of who is who: an ERP's persons and units, and those whom the company already has."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_bridge.matching import likeness
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge
from tests.erp_bridge.u8_book import U8Book

PEOPLE = "SELECT name FROM people_person ORDER BY 1"


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


@pytest.fixture
def matched(u8: Bridge, book: U8Book, operator: Phone) -> Bridge:
    """A company with a directory of its own; the ERP's is only matched to it."""
    book.office()
    operator.patch(f"/erp/sources/{u8.source_id}", {"directory": "match"})
    return u8


def waiting(bridge: Bridge, operator: Phone, **query: str) -> dict[str, dict[str, Any]]:
    """What waits to be matched, by its key in the ERP."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    reply = operator.get(f"/erp/sources/{bridge.source_id}/matches?{asked}")
    assert reply.status_code == 200, reply.json
    return {item["source_key"]: item for item in reply.json["items"]}


def decide(bridge: Bridge, operator: Phone, match: dict[str, Any], **decision: Any) -> Any:
    path = f"/erp/sources/{bridge.source_id}/matches/{match['id']}/decision"
    return operator.post(path, {name: str(value) for name, value in decision.items()})


def test_who_has_the_number_or_login_is_matched_and_nobody_is_made(
    matched: Bridge, company: Company, book: U8Book, operator: Phone
) -> None:
    cedar = company.phone("Somebody Else", role="account_manager", employee_code="3")
    book.line(book.order("3"), 100)
    matched.sync()
    company.settle()

    assert [name for (name,) in matched.rows(PEOPLE)] == ["Hazel", "Somebody Else"]
    assert set(waiting(matched, operator, kind="person")) == {"1", "2"}
    assert cedar.get("/cards/sales?period=2026-03").json["value"] == 10000


def test_an_operator_says_who_it_is_and_the_figures_appear_at_once(
    matched: Bridge, company: Company, book: U8Book, operator: Phone
) -> None:
    beech = company.phone("Beech", role="account_manager")
    company.person("Birch")
    company.person("Oak")
    book.line(book.order("2"), 100)
    matched.sync()
    company.settle()
    assert beech.get("/cards/sales?period=2026-03").json["value"] == 0

    match = waiting(matched, operator)["2"]
    assert (match["kind"], match["reason"], match["name"]) == ("person", "nobody_like", "Beech")
    likely = match["suggestions"][0]
    assert (likely["id"], likely["name"]) == (str(beech.person.id), "Beech")
    assert likely["reasons"] == ["name"]
    assert "Oak" not in [one["name"] for one in match["suggestions"]]
    decided = decide(matched, operator, match, decision="link", target_id=likely["id"])
    assert (decided.status_code, decided.json["state"]) == (200, "decided")
    assert decided.json["target"] == {"id": str(beech.person.id), "name": "Beech"}
    company.settle()

    assert beech.get("/cards/sales?period=2026-03").json["value"] == 10000
    assert "2" not in waiting(matched, operator)
    audit = "SELECT actor_id, detail FROM people_audit_entry WHERE action = 'erp.decide_match'"
    assert matched.one(audit) == (operator.person.id, f"person 2: link {beech.person.id}")


def test_what_was_decided_outlives_readings_and_is_replaced_by_another_word(
    matched: Bridge, company: Company, book: U8Book, operator: Phone
) -> None:
    first = company.phone("First", role="account_manager")
    second = company.phone("Second", role="account_manager")
    book.line(book.order("2"), 100)
    matched.sync()
    match = waiting(matched, operator)["2"]
    sold = "/cards/sales?period=2026-03"
    for phone, other in ((first, second), (second, first)):
        decide(matched, operator, match, decision="link", target_id=phone.person.id)
        book.write("UPDATE u8.person SET cpersonname = cpersonname || 'x' WHERE cpersoncode = '2'")
        matched.sync()
        company.settle()
        assert (phone.get(sold).json["value"], other.get(sold).json["value"]) == (10000, 0)
        # A directory that is only matched changes nobody.
        assert matched.one("SELECT name FROM people_person WHERE id = :id", id=phone.person.id) in {
            "First",
            "Second",
        }
    decide(matched, operator, match, decision="ignore")
    matched.sync()
    company.settle()
    assert second.get(sold).json["value"] == 0
    assert "2" not in waiting(matched, operator)
    assert waiting(matched, operator, state="decided")["2"]["decision"] == "ignore"


def test_a_person_is_made_where_an_operator_says_so(
    matched: Bridge, company: Company, book: U8Book, operator: Phone
) -> None:
    matched.sync()
    match = waiting(matched, operator)["2"]
    made = decide(matched, operator, match, decision="create", login="beech2")
    assert (made.status_code, made.json["decision"]) == (200, "create")
    assert made.json["target"]["name"] == "Beech"
    found = matched.one("SELECT name FROM people_person WHERE login = 'beech2'")
    assert found == "Beech"
    third = waiting(matched, operator)["3"]
    taken = decide(matched, operator, third, decision="create", login="beech2")
    assert (taken.status_code, taken.json["code"]) == (409, "people.login_taken")


def test_a_unit_is_matched_and_what_nobody_sold_there_counts_for_it(
    matched: Bridge, company: Company, book: U8Book, operator: Phone
) -> None:
    ours = company.unit("Sales")
    leader = company.phone("Lea", ours, role="sales_leader")
    book.line(book.order(None, unit="0102"), 100)
    matched.sync()
    company.settle()
    assert leader.get("/cards/sales?period=2026-03").json["value"] == 0
    match = waiting(matched, operator, kind="unit")["0102"]
    assert match["suggestions"][0]["id"] == str(ours)
    decide(matched, operator, match, decision="link", target_id=ours)
    company.settle()
    assert leader.get("/cards/sales?period=2026-03").json["value"] == 10000


def test_a_salesperson_whom_only_documents_name_can_be_somebody(
    u8: Bridge, company: Company, book: U8Book, operator: Phone
) -> None:
    book.office()
    book.line(book.order("77"), 100)
    u8.sync()
    gone = company.phone("Gone", role="account_manager")
    match = waiting(u8, operator)["77"]
    assert match["reason"] == "unknown_salesperson"
    refused = decide(u8, operator, match, decision="create")
    assert refused.json["errors"]["decision"]["code"] == "not_a_choice"
    decide(u8, operator, match, decision="link", target_id=gone.person.id)
    company.settle()
    assert gone.get("/cards/sales?period=2026-03").json["value"] == 10000
    # Readings of the ERP's own directory neither shut out nor rename who stands in for a name on documents.
    book.write("UPDATE u8.person SET cpersonname = 'Ash the First' WHERE cpersoncode = '1'")
    u8.sync(reconcile=True)
    u8.sync(reconcile=True)
    company.settle()
    assert gone.get("/cards/sales?period=2026-03").json["value"] == 10000


def test_of_two_with_one_login_the_second_waits_and_what_the_erp_mends_is_settled(
    u8: Bridge, book: U8Book, operator: Phone
) -> None:
    book.office()
    book.person("4", "cedar", "0102", "客户经理")
    u8.sync()
    match = waiting(u8, operator)["4"]
    assert (match["reason"], match["login"]) == ("login_taken", "cedar")
    assert match["suggestions"][0]["reasons"] == ["login", "name"]
    book.write("UPDATE u8.person SET cpersondefine1 = 'linden' WHERE cpersoncode = '4'")
    u8.sync()
    assert "4" not in waiting(u8, operator)
    late = decide(u8, operator, match, decision="ignore")
    assert (late.status_code, late.json["code"]) == (409, "erp_bridge.match_settled")


def test_a_decision_that_does_not_fit_is_refused_by_its_field(
    matched: Bridge, other_company: Company, operator: Phone
) -> None:
    matched.sync()
    match = waiting(matched, operator)["2"]
    stranger = other_company.person("Stranger")
    for decision, field, code in (
        ({}, "decision", "required"),
        ({"decision": "guess"}, "decision", "not_a_choice"),
        ({"decision": "link"}, "target_id", "required"),
        ({"decision": "link", "target_id": "x"}, "target_id", "invalid_id"),
        ({"decision": "link", "target_id": stranger.id}, "target_id", "not_a_choice"),
        ({"decision": "ignore", "target_id": stranger.id}, "target_id", "unknown_field"),
        ({"decision": "ignore", "login": "a"}, "login", "unknown_field"),
    ):
        reply = decide(matched, operator, match, **decision)
        assert reply.status_code == 422, decision
        assert reply.json["errors"][field]["code"] == code, decision
    assert operator.get(f"/erp/sources/{matched.source_id}/matches?state=lost").status_code == 422
    nowhere = {"id": UUID(int=0)}
    assert decide(matched, operator, nowhere, decision="ignore").status_code == 404


def test_only_who_manages_the_erp_of_this_company_matches(
    matched: Bridge, company: Company, other_company: Company, operator: Phone
) -> None:
    matched.sync()
    match = waiting(matched, operator)["2"]
    path = f"/erp/sources/{matched.source_id}/matches"
    owner_elsewhere = other_company.phone("Elm", role="operator")
    for phone, status in ((company.phone("Pine"), 403), (owner_elsewhere, 404)):
        assert phone.get(path).status_code == status
        assert decide(matched, phone, match, decision="ignore").status_code == status
    assert waiting(matched, operator)["2"]["state"] == "open"


@given(st.text(max_size=12), st.text(max_size=12))
def test_likeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1


def test_likeness_sees_what_a_person_would_see() -> None:
    assert likeness("Plum Ash", "Ash, Plum") == 1
    assert likeness("王小明", "王晓明") > 0.35
    assert likeness("Margaret Plum", "Margret Plum") > likeness("Margaret Plum", "Oak Elm")
    assert likeness("", "") == 0
