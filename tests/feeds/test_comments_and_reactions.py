"""Comments and reactions."""

import uuid

from tests.feeds.writing import comment, count, feed, moves_to, of_unit, post, react


def comments(phone, item, **query):
    return phone.get(f"/posts/{item['id']}/comments", query_string=query).json


def test_a_comment_is_read_by_all_who_read_the_post(company):
    lin, mei = company.phone("Lin"), company.phone("Mei")
    item = post(lin)

    said = comment(mei, item, "**Well** done")

    assert said.status_code == 201
    assert comments(lin, item)["items"] == [said.json]
    assert said.json["body_html"] == "<p><strong>Well</strong> done</p>\n"
    assert said.json["author"]["name"] == "Mei"
    assert feed(lin)[0]["comment_count"] == 1


def test_a_comment_sent_again_is_said_once(company):
    lin = company.phone("Lin")
    item, client_id = post(lin), str(uuid.uuid4())

    replies = [comment(lin, item, "Once", client_id=client_id) for _ in range(3)]

    assert [r.status_code for r in replies] == [201] * 3
    assert len({r.json["id"] for r in replies}) == 1
    assert feed(lin)[0]["comment_count"] == 1
    elsewhere = comment(lin, post(lin), "Twice", client_id=client_id)
    assert elsewhere.json["errors"]["client_id"]["code"] == "repeated"


def test_comments_are_paged_in_the_order_they_were_said(company):
    lin = company.phone("Lin")
    item = post(lin)
    for number in range(5):
        comment(lin, item, str(number))

    first = comments(lin, item, limit=3)
    comment(lin, item, "5")
    second = comments(lin, item, limit=3, cursor=first["next_cursor"])

    assert [c["body"] for c in first["items"]] == ["0", "1", "2"]
    assert [c["body"] for c in second["items"]] == ["3", "4", "5"]
    assert second["next_cursor"] is None


def test_a_reply_answers_a_comment_of_the_same_post(company):
    lin = company.phone("Lin")
    item, other = post(lin), post(lin)
    first = comment(lin, item).json

    assert comment(lin, item, "Indeed", reply_to=first["id"]).json["reply_to"] == first["id"]
    for wrong in (comment(lin, other).json["id"], str(uuid.uuid4())):
        assert comment(lin, item, "Indeed", reply_to=wrong).status_code == 422


def test_a_comment_brings_a_post_back_to_the_top_of_the_activity(company):
    lin = company.phone("Lin")
    old, new = post(lin, "Old"), post(lin, "New")
    assert [i["id"] for i in feed(lin, order="activity")] == [new["id"], old["id"]]

    comment(lin, old)

    assert [i["id"] for i in feed(lin, order="activity")] == [old["id"], new["id"]]
    assert [i["id"] for i in feed(lin)] == [new["id"], old["id"]]


def test_reactions_are_counted_and_mine_are_marked(company):
    lin, mei = company.phone("Lin"), company.phone("Mei")
    item = post(lin)

    react(lin, item), react(mei, item), react(mei, item, "celebrate")
    count(company)

    assert feed(mei)[0]["reactions"] == {"like": 2, "celebrate": 1}
    assert feed(mei)[0]["mine"]["reactions"] == ["celebrate", "like"]
    assert feed(lin)[0]["mine"]["reactions"] == ["like"]


def test_reacting_twice_is_reacting_once_and_it_can_be_taken_back(company):
    lin = company.phone("Lin")
    item = post(lin)
    path = f"/posts/{item['id']}/reactions/like"

    assert [react(lin, item).status_code for _ in range(3)] == [204] * 3
    count(company)
    assert feed(lin)[0]["reactions"] == {"like": 1}

    assert [lin.delete(path).status_code for _ in range(2)] == [204] * 2
    count(company)
    assert feed(lin)[0]["reactions"] == {}


def test_there_are_only_so_many_kinds_of_reaction(company):
    lin = company.phone("Lin")
    assert react(lin, post(lin), "shrug").status_code == 404


def test_who_left_the_unit_talks_there_no_more(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    lin, mei = company.phone("Lin", sales), company.phone("Mei", sales)
    item = post(lin, "Sales only", of_unit(sales))
    comment(mei, item)

    moves_to(company, mei, store)

    assert comment(mei, item).status_code == 404
    assert react(mei, item).status_code == 404
    assert mei.get(f"/posts/{item['id']}/comments").status_code == 404
