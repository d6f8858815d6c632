"""Everybody at once: the last piece, the same points from two phones, a night in the middle of it."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

THREADS = 8


def test_of_the_last_pieces_exactly_as_many_are_redeemed_as_there_are(points):
    people = points.people_with(100, *(f"Member{number}" for number in range(20)))
    mug = points.offer(stock=3)

    with ThreadPoolExecutor(THREADS) as threads:
        replies = list(threads.map(lambda phone: points.redeem(phone, mug), people))

    codes = [reply.json.get("code") for reply in replies]
    assert codes.count(None) == 3
    assert codes.count("redpackets.out_of_stock") == 17
    assert points.stock(mug) == 0
    assert sum(points.balance(phone) for phone in people) == 1_700
    assert points.rewards.verify().holds


def test_two_phones_of_one_person_do_not_spend_the_same_points(points):
    lin = points.person_with(100)
    phones = [lin, points.rewards.company.phone_of(lin.person)]
    items = [points.offer(name_en=f"Mug {number}") for number in range(2)]

    for number in range(4):
        with ThreadPoolExecutor(4) as threads:
            replies = list(
                threads.map(
                    lambda turn: points.redeem(phones[turn % 2], items[turn // 2]), range(4)
                )
            )
        made = [reply.json["id"] for reply in replies if reply.status_code == 201]
        assert len(made) == 1, f"round {number}"
        assert {r.json.get("code") for r in replies} == {None, "redpackets.insufficient_points"}
        lin.post(f"/redemptions/{made[0]}/withdrawal")
    assert points.balance(lin) == 100
    assert points.rewards.verify().holds


def test_a_decision_and_a_withdrawal_at_once_give_the_points_back_once_or_not_at_all(points):
    lin = points.person_with(100)
    mug = points.offer(stock=1)
    for number in range(5):
        redemption = points.reserved(lin, mug)

        def act(turn: int, redemption=redemption):
            if turn % 2:
                return lin.post(f"{redemption}/withdrawal")
            return points.decide(redemption, "decline", "No")

        with ThreadPoolExecutor(4) as threads:
            replies = list(threads.map(act, range(4)))
        assert {reply.status_code for reply in replies} == {200, 409}, f"round {number}"
        assert (points.balance(lin), points.stock(mug)) == (100, 1)
    assert points.rewards.verify().holds


def test_a_night_among_redemptions_takes_only_what_is_left(points):
    people = points.people_with(100, *(f"Member{number}" for number in range(6)))
    mug = points.offer()
    points.move_to(points.rewards.company.clock().year + 2, 1, 1)

    with ThreadPoolExecutor(THREADS) as threads:
        acts = [threads.submit(points.redeem, phone, mug) for phone in people]
        acts += [threads.submit(points.night) for _ in range(2)]
        for act in acts:
            act.result()

    assert [points.balance(phone) for phone in people] == [0] * 6
    with points.rewards.company.transaction() as session:
        kinds = session.scalars(
            text("SELECT kind FROM redpackets_journal WHERE kind LIKE '%points%'")
        ).all()
    assert kinds == ["points_expired"] * 6
    assert points.rewards.verify().holds


def test_a_catalogue_account_that_does_not_fit_its_redemptions_is_found(points):
    lin = points.person_with(100)
    points.reserved(lin, points.offer())
    assert points.rewards.verify().holds
    with points.rewards.company.transaction() as session:
        session.execute(text("UPDATE redpackets_redemption SET state = 'withdrawn'"))

    [found] = points.rewards.verify().deviations
    assert (found.check, found.expected, found.found) == (
        "catalogue_is_what_redemptions_reserve",
        "0",
        "100",
    )
