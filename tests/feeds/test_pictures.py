"""Pictures of posts: what is kept of them, who sees them, and what is refused."""

import io
import uuid

import pytest
from sqlalchemy import text

from feeds import pictures
from feeds.file_store import STORE
from feeds.jobs import drop_pictures
from feeds.rules import PICTURE_COUNT_MAX, PICTURES_WAITING_MAX
from tests.feeds.picturing import opened, picture, upload, upload_bytes
from tests.feeds.writing import draft, feed, moves_to, of_unit, post


def kept(company, file_id: str) -> bool:
    store = company.space.tools[STORE]
    return store.read(company.tenant_id, uuid.UUID(file_id), "full") is not None


def test_a_post_shows_its_pictures_in_the_order_of_its_author(company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    first, second = (upload(lin, picture(width)).json["id"] for width in (60, 90))
    post(lin, "Two views", attachments=[second, first])

    shown = feed(wei)[0]["attachments"]
    assert [(one["id"], one["width"], one["height"]) for one in shown] == [
        (second, 90, 40),
        (first, 60, 40),
    ]
    assert opened(wei, second).size == (90, 40)


def test_what_the_camera_noted_is_gone_and_the_picture_stands_upright(company):
    lin = company.phone("Lin")
    taken = picture(80, 50, orientation=6)
    assert b"Camera of Lin" in taken

    made = upload(lin, taken).json
    kept_picture = opened(lin, made["id"])
    assert (made["width"], made["height"]) == kept_picture.size == (50, 80)
    assert dict(kept_picture.getexif()) == {}
    assert set(kept_picture.info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }
    assert b"Camera of Lin" not in lin.get(f"/files/{made['id']}").data


def test_a_large_picture_is_bounded_and_has_a_small_one_beside_it(company):
    lin = company.phone("Lin")
    made = upload(lin, picture(4_000, 1_000)).json
    assert opened(lin, made["id"]).size == (2_048, 512)
    assert opened(lin, made["id"], "small").size == (480, 120)


@pytest.mark.parametrize(
    ("kind", "mode", "colour"),
    [("PNG", "RGBA", (0, 0, 0, 0)), ("GIF", "P", 0), ("WEBP", "RGB", "red"), ("PNG", "I;16", 0)],
)
def test_other_kinds_of_pictures_are_taken_too(company, kind, mode, colour):
    lin = company.phone("Lin")
    made = upload(lin, picture(kind=kind, mode=mode, colour=colour))
    assert made.status_code == 201, made.json
    shown = opened(lin, made.json["id"])
    if mode == "RGBA":
        assert shown.getpixel((5, 5)) == (255, 255, 255)


def test_nothing_but_its_readers_sees_a_picture(company, other_company):
    shop, office = company.unit("Shop"), company.unit("Office")
    lin, wei = company.phone("Lin", shop), company.phone("Wei", shop)
    outsider = company.phone("Outsider", office)
    file_id = upload(lin).json["id"]
    path = f"/files/{file_id}"
    assert [one.get(path).status_code for one in (lin, wei, outsider)] == [200, 404, 404]

    post(lin, "For the shop", of_unit(shop), attachments=[file_id])
    stranger = other_company.phone("Stranger")
    seen = [one.get(path).status_code for one in (lin, wei, outsider, stranger)]
    assert seen == [200, 200, 404, 404]

    moves_to(company, wei, office)
    assert wei.get(path).status_code == 404


def test_a_picture_that_the_phone_holds_is_not_sent_again(company):
    lin = company.phone("Lin")
    path = f"/files/{upload(lin).json['id']}"
    reply = lin.get(path)
    assert reply.headers["Cache-Control"] == "private, no-cache"
    again = lin.get(path, headers={"If-None-Match": reply.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_uploading_again_after_a_lost_answer_keeps_one_picture(company):
    lin = company.phone("Lin")
    client_id = str(uuid.uuid4())
    first, second = (upload(lin, client_id=client_id).json for _ in range(2))
    assert first == second


def test_sending_a_post_again_does_not_ask_for_its_pictures_again(company):
    lin = company.phone("Lin")
    written = draft(audience=of_unit(company.root_id), attachments=[upload(lin).json["id"]])
    first, second = (lin.post("/posts", written) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] == second.json["id"]


def test_a_picture_says_enough_without_words(company):
    lin = company.phone("Lin")
    audience = of_unit(company.root_id)
    shown = draft("", audience, attachments=[upload(lin).json["id"]])
    assert lin.post("/posts", shown).status_code == 201
    empty = lin.post("/posts", draft("  ", audience))
    assert (empty.status_code, list(empty.json["errors"])) == (422, ["body"])


def test_only_ones_own_waiting_pictures_can_be_attached_once_each(company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    mine, used = upload(lin).json["id"], upload(lin).json["id"]
    post(lin, attachments=[used])
    theirs = upload(wei).json["id"]
    for attached in ([theirs], [used], [mine, mine], [str(uuid.uuid4())], ["x"]):
        reply = lin.post("/posts", draft(audience=of_unit(company.root_id), attachments=attached))
        assert reply.status_code == 422, attached
        assert next(iter(reply.json["errors"])).startswith("attachments")
    many = [str(uuid.uuid4()) for _ in range(PICTURE_COUNT_MAX + 1)]
    assert lin.post("/posts", draft(attachments=many)).status_code == 422
    assert lin.get(f"/files/{mine}").status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7 \xff\xd8\xff",
        picture()[:300],
        b"\xff\xd8\xff" + bytes(200),
        picture(kind="BMP"),
    ],
    ids=["nothing", "script", "pdf", "half", "noise", "bmp"],
)
def test_what_is_no_picture_is_refused_whatever_its_name(company, content):
    reply = upload(company.phone("Lin"), content)
    assert (reply.status_code, reply.json["code"]) == (415, "feeds.not_a_picture")


def test_too_many_bytes_and_too_many_pixels_are_refused_in_words(company, monkeypatch):
    lin = company.phone("Lin")
    heavy = upload_bytes(lin, picture() + bytes(21 * 1024 * 1024))
    assert (heavy.status_code, heavy.json["code"]) == (413, "feeds.picture_too_large")
    assert "20 MB" in heavy.json["detail"]

    monkeypatch.setattr(pictures, "PIXELS_MAX", 2_000)
    assert upload(lin).json["code"] == "feeds.picture_too_large"


@pytest.mark.parametrize(("missing", "status"), [("file", 422), ("client_id", 422)])
def test_an_upload_without_its_parts_is_refused(company, missing, status):
    reply = upload(company.phone("Lin"), **{missing: None})
    assert (reply.status_code, list(reply.json["errors"])) == (status, [missing])


def test_an_upload_that_is_no_form_is_refused(company):
    lin = company.phone("Lin")
    assert lin.post("/files", {"file": "x"}).status_code == 415
    assert lin.call("POST", "/files", data=io.BytesIO(picture())).status_code == 415
    assert lin.get(f"/files/{upload(lin).json['id']}?size=huge").status_code == 422


def test_who_uploads_without_posting_is_stopped(company, monkeypatch):
    monkeypatch.setattr("feeds.files.PICTURES_WAITING_MAX", 2)
    assert PICTURES_WAITING_MAX > PICTURE_COUNT_MAX
    lin = company.phone("Lin")
    assert [upload(lin).status_code for _ in range(3)] == [201, 201, 429]


def test_pictures_that_nobody_posted_and_those_of_removed_posts_are_dropped(company, clock):
    lin = company.phone("Lin")
    forgotten, removed, shown = (upload(lin).json["id"] for _ in range(3))
    gone = post(lin, attachments=[removed])
    post(lin, attachments=[shown])
    lin.delete(f"/posts/{gone['id']}")
    assert lin.get(f"/files/{removed}").status_code == 404
    fresh = upload(lin).json["id"]
    with company.transaction() as session:
        age = text(
            "UPDATE feeds_picture SET uploaded_at = uploaded_at - interval '4 days' WHERE id = :id"
        )
        session.execute(age, {"id": forgotten})

    drop_pictures(company.bench())
    assert [kept(company, one) for one in (forgotten, removed, shown, fresh)] == [
        False,
        False,
        True,
        True,
    ]
