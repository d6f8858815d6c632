"""Many readers, and many phones of one reader, at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from feeds.models import Receipt
from tests.feeds.folding import head
from tests.feeds.writing import (
    acknowledge,
    announce,
    comment,
    count,
    draft,
    feed,
    of_unit,
    post,
    react,
)

THREADS = 8


def at_once(*deeds):
    with ThreadPoolExecutor(THREADS) as pool:
        return [done.result() for done in [pool.submit(deed) for deed in deeds]]


def test_everybody_acknowledges_at_once_and_everybody_is_counted(company):
    boss = company.phone("Wu", role="owner")
    readers = [company.phone(f"Reader{number}") for number in range(24)]
    item = announce(boss)
    company.settle()

    replies = at_once(*(lambda reader=reader: acknowledge(reader, item) for reader in readers))

    assert {reply.status_code for reply in replies} == {200}
    count(company)
    figures = boss.get(f"/posts/{item['id']}/reach").json["total"]
    assert (figures["targeted"], figures["seen"], figures["acknowledged"]) == (24, 24, 24)


def test_many_phones_of_one_person_acknowledge_once(company):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    phones = [company.phone_of(lin.person) for _ in range(THREADS)]
    item = announce(boss, response="answer")
    company.settle()
    before = head(company)

    replies = at_once(
        *(
            lambda phone=phone, number=number: acknowledge(phone, item, f"Answer {number}")
            for number, phone in enumerate(phones)
        )
    )

    assert len({reply.json["answer"] for reply in replies}) == 1, "the first one stands for all"
    kinds = [event["kind"] for event in company.events(lin, before)]
    assert kinds == ["feeds.acknowledged"]
    with company.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Receipt)) == 1


def test_reactions_in_a_rush_are_counted_exactly(company):
    phones = [company.phone(f"Reader{number}") for number in range(16)]
    item = post(phones[0])

    at_once(
        *(lambda phone=phone: react(phone, item) for phone in phones),
        *(lambda: count_meanwhile(company) for _ in range(3)),
        *(lambda phone=phone: react(phone, item, "love") for phone in phones[:5]),
    )
    count(company)

    assert feed(phones[0])[0]["reactions"] == {"like": 16, "love": 5}


def test_comments_in_a_rush_are_all_there_and_counted_in_turn(company):
    phones = [company.phone(f"Reader{number}") for number in range(THREADS)]
    item = post(phones[0])
    company.settle()
    before = head(company)

    at_once(*(lambda phone=phone: comment(phone, item) for phone in phones * 3))

    assert feed(phones[0])[0]["comment_count"] == len(phones) * 3
    told = [event["data"]["comment_count"] for event in company.events(phones[0], before)]
    assert told == list(range(1, len(phones) * 3 + 1))


def test_the_same_post_sent_by_many_threads_is_one_post(company):
    lin = company.phone("Lin")
    sent = draft("Once", of_unit(company.root_id))
    replies = at_once(*(lambda: lin.post("/posts", sent) for _ in range(THREADS)))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == len(feed(lin)) == 1


def count_meanwhile(company):
    company.space.jobs.timers["feeds.count"][1](company.bench())
