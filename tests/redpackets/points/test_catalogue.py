"""The catalogue and who may do what with it."""

from tests.redpackets.points.pointing import pointing
from tests.redpackets.rewards import rewarding


def names(phone, view: str = "offered") -> list[str]:
    return [i["name_en"] for i in phone.get(f"/catalogue?view={view}&limit=100").json["items"]]


def test_an_item_is_offered_to_everybody_or_to_a_unit_and_below(points):
    company, sales = points.rewards.company, points.rewards.sales
    lin = company.phone("Lin", company.unit("Sales south", sales))
    [zhao] = [company.phone("Zhao", company.unit("Warehouse"))]
    points.offer(name_en="Mug")
    points.offer(name_en="Sales trip", unit_id=str(sales))

    assert names(lin) == ["Sales trip", "Mug"]
    assert names(zhao) == ["Mug"]


def test_what_is_offered_to_others_does_not_exist_for_me(points):
    trip = points.offer(unit_id=str(points.rewards.company.unit("Warehouse")))
    assert points.redeem(points.person_with(500), trip).status_code == 404


def test_what_is_taken_out_is_no_longer_offered_and_stays_with_its_keepers(points):
    lin = points.person_with(500)
    mug = points.offer()
    points.keeper.patch(f"/catalogue/{mug['id']}", {"version": 1, "active": False})
    refused = points.redeem(lin, mug)

    assert (names(lin), names(points.keeper, "kept")) == ([], ["Mug"])
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.not_on_offer")


def test_a_change_needs_the_version_that_was_read(points):
    mug = points.offer(stock=3)
    path = f"/catalogue/{mug['id']}"
    changed = points.keeper.patch(path, {"version": 1, "price_points": 90, "stock": None})
    late = points.keeper.patch(path, {"version": 1, "price_points": 80})

    assert (changed.json["price_points"], changed.json["stock"]) == (90, None)
    assert changed.json["version"] == 2
    assert (late.status_code, late.json["current_version"]) == (409, 2)
    assert points.keeper.patch(path, {"price_points": 80}).status_code == 422


def test_an_item_that_makes_no_sense_is_refused_by_field(points):
    senseless = {
        "price_points": (0, "amount_out_of_range"),
        "stock": (-1, "out_of_range"),
        "per_person_limit": (0, "out_of_range"),
        "name_zh": ("x" * 101, "too_long"),
        "name_en": ("\u202eevil", "invalid_text"),
        "tax_class": ("gift", "not_a_choice"),
        "active": ("yes", "not_a_boolean"),
    }
    asked = {field: value for field, (value, _) in senseless.items()}
    refused = points.keeper.post("/catalogue", asked)

    assert refused.status_code == 422
    codes = {field: error["code"] for field, error in refused.json["errors"].items()}
    assert codes == {field: code for field, (_, code) in senseless.items()}
    assert names(points.keeper, "kept") == []


def test_an_item_added_twice_under_one_key_is_one_item(points):
    mug = {"name_zh": "马克杯", "name_en": "Mug", "price_points": 100}
    first, again = (points.keeper.pay("/catalogue", mug, key="one mug") for _ in range(2))
    assert (first.status_code, again.json) == (201, first.json)
    assert names(points.keeper, "kept") == ["Mug"]


def test_a_branch_keeps_its_own_catalogue_and_handles_its_own_redemptions(points):
    rewards = points.rewards
    branch = rewards.company.phone("Bo", rewards.sales, role="operator")
    trip = {"name_zh": "旅行", "name_en": "Trip", "price_points": 50}
    own = branch.post("/catalogue", trip | {"unit_id": str(rewards.sales)})
    everybodys = branch.post("/catalogue", trip)
    warehouse = str(rewards.company.unit("Warehouse"))
    assert own.status_code == 201
    assert everybodys.status_code == 403
    assert branch.post("/catalogue", trip | {"unit_id": warehouse}).status_code == 403
    assert branch.put("/points/policy", {"version": 0, "rule": "never"}).status_code == 403

    lin = points.person_with(500)
    mug = points.offer()
    of_mug, of_trip = points.reserved(lin, mug), points.reserved(lin, own.json)
    assert branch.patch(f"/catalogue/{mug['id']}", {"version": 1}).status_code == 403
    assert points.decide(of_mug, "fulfil", by=branch).status_code == 404
    handled = branch.get("/redemptions?view=to_handle").json["items"]
    assert [item["item"]["name_en"] for item in handled] == ["Trip"]
    assert points.decide(of_trip, "fulfil", by=branch).status_code == 200


def test_nobody_decides_about_their_own_redemption(points):
    points.give(500, points.keeper)
    redemption = points.reserved(points.keeper, points.offer(needs_approval=True))
    for decision in ("approve", "decline", "fulfil"):
        refused = points.decide(redemption, decision, "Mine")
        assert (refused.status_code, refused.json["code"]) == (403, "redpackets.own_redemption")

    assert points.decide(redemption, "approve", by=points.rewards.owner).status_code == 200


def test_members_neither_keep_the_catalogue_nor_decide_nor_see_others_redemptions(points):
    lin, zhao = points.people_with(500, "Lin", "Zhao")
    mug = points.offer()
    redemption = points.reserved(lin, mug)

    forged = {"name_zh": "车", "name_en": "Car", "price_points": 1}
    assert zhao.post("/catalogue", forged).status_code == 403
    assert zhao.patch(f"/catalogue/{mug['id']}", {"version": 1}).status_code == 403
    assert points.decide(redemption, "fulfil", by=zhao).status_code == 403
    assert zhao.post(f"{redemption}/withdrawal").status_code == 404
    assert points.keeper.post(f"{redemption}/withdrawal").status_code == 403
    assert zhao.get("/redemptions").json["items"] == []
    for path in ("/redemptions?view=to_handle", "/catalogue?view=kept"):
        assert zhao.get(path).status_code == 403


def test_a_redemption_is_read_by_its_person_and_by_who_keeps_the_item_and_by_nobody_else(points):
    rewards = points.rewards
    lin, zhao = points.person_with(500), rewards.team("Zhao")[0]
    branch = rewards.company.phone("Bo", rewards.sales, role="operator")
    everybodys = points.reserved(lin, points.offer())
    of_sales = points.reserved(lin, points.offer(unit_id=str(rewards.sales)))

    for phone in (lin, points.keeper):
        read = phone.get(everybodys)
        assert (read.status_code, read.json["person"]["name"]) == (200, "Lin")
    assert [zhao.get(path).status_code for path in (everybodys, of_sales)] == [404, 404]
    assert [branch.get(path).status_code for path in (everybodys, of_sales)] == [404, 200]
    assert lin.get("/redemptions/00000000-0000-7000-8000-000000000000").status_code == 404


def test_redemptions_are_read_by_state_and_page_by_page(points):
    lin = points.person_with(1_000)
    mug = points.offer(needs_approval=True)
    made = [points.reserved(lin, mug) for _ in range(4)]
    points.decide(made[0], "approve")

    first = lin.get("/redemptions?limit=3").json
    second = lin.get(f"/redemptions?limit=3&cursor={first['next_cursor']}").json
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [3, 1, None]
    waiting = points.keeper.get("/redemptions?view=to_handle&state=reserved").json["items"]
    assert [item["id"] for item in waiting] == [r.split("/")[2] for r in reversed(made[1:])]
    assert {item["person"]["name"] for item in waiting} == {"Lin"}


def test_another_company_has_its_own_points_catalogue_and_redemptions(points, other_company):
    lin = points.person_with(500)
    mug = points.offer()
    redemption = points.reserved(lin, mug)
    theirs = pointing(rewarding(other_company))
    stranger = theirs.person_with(500, "Stranger")

    assert points.redeem(stranger, mug).status_code == 404
    assert theirs.keeper.patch(f"/catalogue/{mug['id']}", {"version": 1}).status_code == 404
    assert theirs.decide(redemption, "fulfil").status_code == 404
    assert names(stranger) == names(theirs.keeper, "kept") == []
    assert theirs.keeper.get("/redemptions?view=to_handle").json["items"] == []
    theirs.keeper.put("/points/policy", {"version": 0, "rule": "never"})
    assert lin.get("/points/policy").json["version"] == 0
