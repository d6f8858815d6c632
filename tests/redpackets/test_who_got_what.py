"""Who got what: a sender's choice, for those the packet is for and for nobody else."""


def claims_seen(phone, packet):
    """List (name, amount) as somebody sees it; None where they do not."""
    claims = phone.get(packet).json.get("claims")
    return claims and {(claim["holder"]["name"], claim["amount_minor"]) for claim in claims}


def test_holders_see_who_got_what_where_the_sender_lets_them(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    shown = rewards.send(kind="equal", count=3, total_minor=300, shows_claims=True)
    hidden = rewards.send(kind="equal", count=3, total_minor=300)
    for packet in (shown, hidden):
        lin.post(f"{packet}/grab")

    assert claims_seen(lin, shown) == claims_seen(rewards.manager, shown) == {("Lin", 100)}
    assert claims_seen(zhao, shown) is None, "who may still take a share learns nothing before"
    assert claims_seen(lin, hidden) is None
    assert claims_seen(rewards.manager, hidden) == {("Lin", 100)}


def test_who_came_too_late_sees_it_once_nothing_is_left(rewards, clock):
    lin, zhao = rewards.team("Lin", "Zhao")
    gone = rewards.send(kind="equal", count=1, total_minor=100, shows_claims=True)
    left = rewards.send(kind="equal", count=2, total_minor=200, shows_claims=True)
    for packet in (gone, left):
        lin.post(f"{packet}/grab")

    assert [claims_seen(zhao, packet) for packet in (gone, left)] == [{("Lin", 100)}, None]
    clock.move(hours=25)
    zhao = rewards.company.phone_of(zhao.person)
    assert claims_seen(zhao, left) == {("Lin", 100)}


def test_it_tells_no_more_than_names_and_amounts_and_nobody_else(rewards, other_company):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=1, shows_claims=True)
    lin.post(f"{packet}/grab")

    seen = lin.get(packet).json
    assert {
        "budget_id",
        "claimed_minor",
        "evidence",
        "receivers",
        "tax_class",
    } & seen.keys() == set()
    elsewhere = rewards.company.phone("Mo", rewards.company.unit("Elsewhere"))
    for phone in (elsewhere, other_company.phone("Vera")):
        assert phone.get(packet).status_code == 404


def test_the_choice_is_yes_or_no(rewards):
    for value in ("yes", 1, None):
        refused = rewards.manager.pay("/red-packets", rewards.asked(shows_claims=value))
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["shows_claims"])
