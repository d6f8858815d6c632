"""The packets of one screen, read in one call: those that are mine to see, as they are read one by one."""

from tests.redpackets.rewards import id_of

NOBODY = "01920000-0000-7000-8000-000000000000"


def envelopes(phone, *packets):
    ids = ",".join(str(id_of(packet)) for packet in packets)
    return phone.get(f"/red-packets/envelopes?ids={ids}")


def test_a_screen_reads_its_packets_at_once_each_as_its_reader_sees_it(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    one, other = rewards.send(), rewards.send(count=2)
    lin.post(f"{one}/grab")

    for phone in (lin, zhao, rewards.manager):
        items = envelopes(phone, other, one, other).json["items"]
        assert items == [phone.get(packet).json for packet in (other, one)]


def test_what_is_not_for_me_is_left_out_without_a_word(rewards, other_company):
    [lin] = rewards.team("Lin")
    mine = rewards.send()
    elsewhere = rewards.company.phone("Mo", rewards.company.unit("Elsewhere"))
    stranger = other_company.phone("Vera")

    assert [item["id"] for item in envelopes(lin, mine, f"/{NOBODY}").json["items"]] == [
        str(id_of(mine))
    ]
    for phone in (elsewhere, stranger):
        assert envelopes(phone, mine).json == {"items": []}
        assert phone.get(mine).status_code == 404


def test_a_list_that_is_none_is_refused(rewards):
    [lin] = rewards.team("Lin")
    for query, code in (
        ("", "required"),
        ("?ids=7", "invalid_id"),
        (f"?ids={','.join([NOBODY] * 51)}", "too_many_items"),
    ):
        refused = lin.get(f"/red-packets/envelopes{query}")
        assert refused.status_code == 422
        assert {error["code"] for error in refused.json["errors"].values()} == {code}
