"""What the stories of feeds are told with: audiences, posts, announcements, counting."""

import uuid
from typing import Any
from uuid import UUID

from app.people import services
from tests.builders.company import Company, Phone

EVERYBODY = {"scopes": [{"kind": "tenant"}]}


def of_unit(*unit_ids: UUID, include_below: bool = True) -> dict[str, Any]:
    return {
        "scopes": [
            {"kind": "unit", "id": str(unit_id), "include_below": include_below}
            for unit_id in unit_ids
        ]
    }


def of_person(phone: Phone) -> dict[str, Any]:
    return {"scopes": [{"kind": "person", "id": str(phone.person.id)}]}


def draft(body: str = "Good morning", audience: Any = EVERYBODY, **fields: Any) -> dict[str, Any]:
    return {
        "client_id": str(uuid.uuid4()),
        "type": "post",
        "body": body,
        "audience": audience,
    } | fields


def post(phone: Phone, body: str = "Good morning", audience: Any = None, **fields: Any) -> Any:
    """Post to one's own unit unless another audience is named; gives the item."""
    audience = audience or of_unit(home_of(phone))
    reply = phone.post("/posts", draft(body, audience, **fields))
    assert reply.status_code == 201, reply.json
    return reply.json


def announce(
    phone: Phone, body: str = "Read this", audience: Any = EVERYBODY, **fields: Any
) -> Any:
    return post(phone, body, audience, **({"type": "announcement"} | fields))


def home_of(phone: Phone) -> UUID:
    return phone.company.caller(phone).unit_ids[0]


def feed(phone: Phone, **query: Any) -> list[Any]:
    reply = phone.get("/feed", query_string=query)
    assert reply.status_code == 200, reply.json
    items: list[Any] = reply.json["items"]
    return items


def bodies(phone: Phone, **query: Any) -> list[str]:
    return [item["body"] for item in feed(phone, **query)]


def pinned(phone: Phone) -> list[str]:
    return [item["body"] for item in phone.get("/feed/pinned").json["items"]]


def acknowledge(phone: Phone, item: Any, answer: str | None = None) -> Any:
    body = {} if answer is None else {"answer": answer}
    return phone.post(f"/posts/{item['id']}/acknowledgement", body)


def see(phone: Phone, *items: Any) -> None:
    reply = phone.post("/posts/seen", {"post_ids": [item["id"] for item in items]})
    assert reply.status_code == 204


def comment(phone: Phone, item: Any, body: str = "Well done", **fields: Any) -> Any:
    said = {"client_id": str(uuid.uuid4()), "body": body} | fields
    return phone.post(f"/posts/{item['id']}/comments", said)


def react(phone: Phone, item: Any, kind: str = "like") -> Any:
    return phone.put(f"/posts/{item['id']}/reactions/{kind}")


def count(company: Company) -> None:
    """Let what readers did be counted, as the timer does every second, and its news go out."""
    company.settle()
    company.space.jobs.timers["feeds.count"][1](company.bench())
    company.settle()


def moves_to(company: Company, phone: Phone, unit_id: UUID) -> None:
    """Move a person to another unit, with the employee's role there."""
    with company.transaction() as session:
        old = home_of(phone)
        services.place_person(session, person_id=phone.person.id, unit_ids=[unit_id])
        services.revoke_role(session, person_id=phone.person.id, role_key="employee", unit_id=old)
        services.grant_role(
            session, person_id=phone.person.id, role_key="employee", unit_id=unit_id
        )
