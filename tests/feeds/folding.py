"""A phone that only hears events: it applies them to an old page, and must then show what a fresh read gives."""

import copy
from typing import Any

from app.core.events import EventHead
from tests.builders.company import Company, Phone
from tests.feeds.writing import count

NOTHING_YET = {"seen_at": None, "acknowledged_at": None, "answer": None, "reactions": []}
Page = list[dict[str, Any]]
Items = dict[str, dict[str, Any]]
Told = dict[str, Any]


class OldPage:
    """A page as it was read once, and what it becomes by the events since."""

    def __init__(self, phone: Phone, order: str = "published") -> None:
        self.phone, self.order = phone, order
        count(phone.company)
        self.seq = head(phone.company)
        self.items: Page = read(phone, order)

    def by_events(self) -> Page:
        """Apply all that the phone heard since."""
        items = {item["id"]: item for item in copy.deepcopy(self.items)}
        count(self.phone.company)
        for event in self.phone.company.events(self.phone, self.seq):
            apply(self.phone, items, event)
        key = "publish_seq" if self.order == "published" else "activity_seq"
        return sorted(items.values(), key=lambda item: -item[key])

    def check(self) -> None:
        """Push equals pull."""
        assert self.by_events() == read(self.phone, self.order)


def read(phone: Phone, order: str) -> Page:
    page: Page = phone.get("/feed", query_string={"order": order, "limit": 100}).json["items"]
    return page


def head(company: Company) -> int:
    """The number of the latest event."""
    with company.transaction() as session:
        return session.get_one(EventHead, company.tenant_id).seq


def apply(phone: Phone, items: dict[str, Any], event: dict[str, Any]) -> None:
    """Do with one event what a phone does."""
    does = FOLDS.get(event["kind"])
    if does is not None:
        does(phone, items, event["data"])


def appears(phone: Phone, items: Items, told: Told) -> None:
    shared = told["post"] or _fetched(phone, told["post_id"])
    items.setdefault(shared["id"], shared | {"mine": copy.deepcopy(NOTHING_YET)})


def changes(phone: Phone, items: Items, told: Told) -> None:
    items[told["post_id"]] |= told["post"] or _fetched(phone, told["post_id"])


def goes(phone: Phone, items: Items, told: Told) -> None:
    items.pop(told["post_id"], None)


def is_commented(phone: Phone, items: Items, told: Told) -> None:
    items[told["post_id"]] |= {key: told[key] for key in ("comment_count", "activity_seq")}


def is_counted(phone: Phone, items: Items, told: Told) -> None:
    items[told["post_id"]]["reactions"] = told["reactions"]


def is_seen(phone: Phone, items: Items, told: Told) -> None:
    for post_id in told["post_ids"]:
        items[post_id]["mine"]["seen_at"] = told["seen_at"]


def is_acknowledged(phone: Phone, items: Items, told: Told) -> None:
    keys = ("seen_at", "acknowledged_at", "answer")
    items[told["post_id"]]["mine"] |= {key: told[key] for key in keys}


def is_reacted_to(phone: Phone, items: Items, told: Told) -> None:
    mine, kind = items[told["post_id"]]["mine"], told["reaction"]
    others = set(mine["reactions"]) - {kind}
    mine["reactions"] = sorted(others | {kind} if told["on"] else others)


FOLDS = {
    "feeds.post_published": appears,
    "feeds.post_changed": changes,
    "feeds.post_removed": goes,
    "feeds.comment_added": is_commented,
    "feeds.reactions_changed": is_counted,
    "feeds.seen": is_seen,
    "feeds.acknowledged": is_acknowledged,
    "feeds.reacted": is_reacted_to,
}


def _fetched(phone: Phone, post_id: str) -> dict[str, Any]:
    whole = phone.get(f"/posts/{post_id}").json
    return {key: value for key, value in whole.items() if key not in {"mine", "audience"}}
