"""What others are answered about a unit or a person is the very figure that its card shows."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from roledata.answering import FigureAnswers
from roledata.cache import FigureCache
from tests.roledata.conftest import Sales


@pytest.fixture
def answers() -> FigureAnswers:
    return FigureAnswers(FigureCache())


@pytest.fixture
def month(sales: Sales) -> tuple[date, date, date]:
    """This month and last year's have orders of all, with odd amounts, returns and quotas."""
    first = sales.erp.today.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    with sales.erp.batch():
        for number, phone in enumerate((sales.ann, sales.bo, sales.cai) * 3):
            for year in (first.year, first.year - 1):
                day = first.replace(year=year) + timedelta(days=number % 2)
                net = Decimal("100.005") * (number + 1) - (year - 2020)
                key = f"{year}-{number}"
                sales.erp.order(key, net, seller=sales.key(phone), on=day, cost=Decimal(31))
        sales.erp.order("N", "7.5", org_unit_key="N", on=first, cost=Decimal(1))
        for number, phone in enumerate((sales.ann, sales.cai)):
            whose = {"salesperson_key": sales.key(phone)}
            sales.erp.quota(f"Q{number}", "333.33", first - timedelta(days=9), last, **whose)
    sales.company.settle()
    return first, last, last


def card_of(sales: Sales, key: str, node_id, span, **query) -> dict:
    asked = f"/cards/{key}?scope={node_id}&period={span[0]}..{span[1]}"
    asked += "".join(f"&{name}={value}" for name, value in query.items())
    reply = sales.owner.get(asked)
    assert reply.status_code == 200, reply.json
    return reply.json


@pytest.mark.parametrize(("card", "metric"), [("sales", "ordered_net"), ("profit", None)])
def test_an_answer_equals_the_card_for_units_and_persons(sales, answers, month, card, metric):
    nodes = [sales.company.root_id, sales.region, sales.north, sales.south, sales.ann.person.id]
    for node_id in nodes:
        shown = card_of(sales, card, node_id, month, compare="last_year")
        with sales.company.transaction() as session:
            read = answers.reading(
                session,
                metric=metric or shown["basis"],
                subject_id=node_id,
                span=month,
                on=month[1],
                now=sales.company.clock(),
                with_last_year=True,
            )
        assert read.value == (None if shown["value"] is None else Decimal(str(shown["value"])))
        assert read.target == (None if shown["target"] is None else Decimal(str(shown["target"])))
        assert read.metric_version == shown["metric_version"]
        assert (read.batch_id and str(read.batch_id)) == shown["batch"]
        assert read.is_late == shown["freshness"]["late"]


def test_last_year_is_what_the_card_of_last_year_shows(sales, answers, month):
    first, last, _ = month
    before = (first.replace(year=first.year - 1), last.replace(year=last.year - 1))
    shown = card_of(sales, "sales", sales.region, before)
    with sales.company.transaction() as session:
        read = answers.reading(
            session,
            metric="ordered_net",
            subject_id=sales.region,
            span=month,
            on=first,
            now=sales.company.clock(),
            with_last_year=True,
        )
    assert read.last_year == shown["value"] != 0


def test_history_grows_to_the_answer_of_each_day(sales, answers, month):
    subjects = [sales.north, sales.ann.person.id]
    asked = {"metric": "ordered_net", "now": sales.company.clock(), "with_last_year": True}
    with sales.company.transaction() as session:
        history = answers.history(
            session, metric="ordered_net", subject_ids=subjects, spans=[month], on=month[1]
        )
        for past in history:
            assert len(past.days) >= 2
            for day, value in past.days:
                read = answers.reading(
                    session, subject_id=past.subject_id, span=month, on=day, **asked
                )
                assert (value, past.target, past.last_year) == (
                    read.value,
                    read.target,
                    read.last_year,
                )


def test_documents_behind_an_answer_are_those_behind_the_card(sales, answers, month):
    path = f"/cards/sales/documents?scope={sales.north}&period={month[0]}..{month[1]}&limit=100"
    shown = sales.owner.get(path).json["items"]
    with sales.company.transaction() as session:
        found = answers.documents(
            session,
            metric="ordered_net",
            subject_id=sales.north,
            span=month,
            on=month[1],
            most=100,
        )
    assert found == (shown, 7)
    assert len(shown) == 7


def test_who_may_see_a_metric_is_who_has_a_card_with_it(sales, answers):
    asked = [
        (sales.owner, "ordered_net", [sales.region, sales.ann.person.id], True),
        (sales.wen, "ordered_net", [sales.north, sales.ann.person.id], True),
        (sales.wen, "ordered_net", [sales.north, sales.south], False),
        (sales.wen, "ordered_gross_profit", [sales.north], False),
        (sales.owner, "ordered_gross_profit", [sales.north], True),
        (sales.ann, "ordered_net", [sales.ann.person.id], True),
        (sales.ann, "ordered_net", [sales.bo.person.id], False),
    ]
    for phone, metric, subjects, expected in asked:
        caller = sales.company.caller(phone)
        with sales.company.transaction() as session:
            seen = answers.may_see(session, caller=caller, metric=metric, subject_ids=subjects)
        assert seen == expected, (phone.person.name, metric)


def test_what_is_not_kept_by_day_or_no_metric_cannot_be_asked_for(answers):
    assert answers.measure("ordered_net").has_target
    for key in ("quota", "receivable_open", "nothing"):
        assert answers.measure(key) is None
