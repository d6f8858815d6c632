"""What other packages put into the feed: red packets and shared figures."""

from datetime import timedelta

from sqlalchemy import select

from app.core.events import record
from app.core.ids import new_id
from app.people.models import Scope
from redpackets.events import PacketOpened
from roledata.events import FigureShared
from tests.feeds.folding import OldPage
from tests.feeds.writing import comment, count, feed, react


def scope_of(company, unit_id):
    with company.transaction() as session:
        wanted = select(Scope.id).where(Scope.kind == "unit_tree", Scope.unit_id == unit_id)
        return session.scalars(wanted).one()


def opened(company, sender, unit_id):
    now = company.clock()
    return PacketOpened(
        packet_id=new_id(),
        packet_kind="reward",
        greeting="**Thank you** all",
        sender_id=sender.person.id,
        sender_name="Chen",
        on_behalf_of=unit_id,
        share_count=10,
        unit="CNY",
        opened_at=now,
        expires_at=now + timedelta(days=1),
        scope_ids=(scope_of(company, unit_id),),
    )


def shared(company, author, unit_id):
    return FigureShared(
        share_id=new_id(),
        author_id=author.person.id,
        card="sales_leader.orders",
        text="Why is this so low?",
        figure={"value": 1250, "unit": "CNY"},
        scope_ids=[scope_of(company, unit_id)],
    )


def happens(company, fact):
    with company.transaction() as session:
        record(session, fact)
    company.settle()


def test_a_red_packet_appears_to_those_it_is_for_and_its_amount_does_not(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    chen = company.phone("Chen", sales, role="manager")
    lin, gao = company.phone("Lin", sales), company.phone("Gao", store)
    fact = opened(company, chen, sales)

    happens(company, fact)

    (item,) = feed(lin)
    assert (item["type"], item["author"]["name"]) == ("packet", "Chen")
    assert (item["subject"]["kind"], item["subject"]["id"]) == ("packet", str(fact.packet_id))
    assert item["subject"]["data"]["share_count"] == 10
    assert item["body_html"] == "<p><strong>Thank you</strong> all</p>\n"
    assert item["on_behalf_of"]["name"] == "Sales"
    assert feed(gao) == []


def test_a_shared_figure_is_talked_about_as_it_was(company):
    sales = company.unit("Sales")
    chen, lin = company.phone("Chen", sales), company.phone("Lin", sales)
    fact = shared(company, chen, sales)

    happens(company, fact)

    (item,) = feed(lin)
    assert item["subject"]["data"] == {"card": fact.card, "figure": fact.figure}
    assert comment(lin, item, "Two orders slipped").status_code == 201
    react(lin, item)
    count(company)
    assert feed(chen)[0]["reactions"] == {"like": 1}


def test_a_fact_heard_twice_makes_one_item(company):
    chen = company.phone("Chen", role="manager")
    for fact in (opened(company, chen, company.root_id), shared(company, chen, company.root_id)):
        happens(company, fact)
        happens(company, fact)
    assert [item["type"] for item in feed(chen)] == ["figure", "packet"]


def test_it_comes_to_phones_like_any_other_item(company):
    chen, lin = company.phone("Chen", role="manager"), company.phone("Lin")
    page = OldPage(lin)
    happens(company, opened(company, chen, company.root_id))
    happens(company, shared(company, chen, company.root_id))
    page.check()
    assert len(feed(lin)) == 2


def test_its_text_is_changed_by_nobody(company):
    chen = company.phone("Chen", role="owner")
    happens(company, opened(company, chen, company.root_id))
    (item,) = feed(chen)
    assert chen.patch(f"/posts/{item['id']}", {"version": 1, "body": "x"}).status_code == 403
