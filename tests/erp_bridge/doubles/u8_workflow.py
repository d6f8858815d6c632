"""U8's workflow behind the gateway double: tasks of a person, the trail of a document, auditing and verifying it.

A transaction's number is carried out once, however often it comes. Somebody who never signed in to the platform may
not decide through it. What U8 keeps to itself is in the keys with an underscore: whom a document waits for.
"""

import itertools
from typing import Any

from tests.erp_bridge.doubles.server import Asked, Said

Document = dict[str, Any]


class U8Workflow:
    """Answers what the gateway passes on, over the documents that the gateway keeps."""

    def __init__(self, kept: dict[str, list[Document]]) -> None:
        self._kept = kept
        self._numbers = itertools.count(1)
        self.steps: dict[tuple[str, str], list[dict[str, str]]] = {}
        #: Every decision that was carried out: (verb, number, what it said).
        self.done: list[tuple[str, str, dict[str, str]]] = []
        #: Who is asked after the first approver has agreed, by document.
        self.next_auditor: dict[str, str] = {}
        self.signed_in: set[str] | None = None

    def give_number(self) -> Said:
        return Said({"errcode": "0", "trade": {"id": f"hazel-trade-{next(self._numbers)}"}})

    def answer(self, name: str, verb: str, asked: Asked) -> Said:
        if verb == "tasks":
            return self._tasks(name, asked.query)
        if verb == "history":
            rows = self.steps.get((name, asked.query["voucher_code"]), [])
            return Said({"errcode": "0", name: rows}) if rows else _error("20002", "没有找到数据")
        said: dict[str, str] = asked.json()[name]
        return self._once(name, verb, asked.query["tradeid"], said)

    def note(self, name: str, code: str, **step: str) -> None:
        known = self.steps.setdefault((name, code), [])
        known.append({"audit_time": "2026-03-02 09:30:00", **step})

    def _tasks(self, name: str, query: dict[str, str]) -> Said:
        assert query["state"] == "0"
        rows = [
            {"voucher_code": one["code"], "submitter_name": one["maker"], "task_desc": "审批"}
            for one in self._kept.get(name, [])
            if one.get("_auditor") == query["person_code"]
        ]
        size, number = int(query["rows_per_page"]), int(query["page_index"])
        page = rows[(number - 1) * size : number * size]
        if not page:
            return _error("20002", "没有找到数据")
        return Said({"errcode": "0", "row_count": str(len(rows)), name: page})

    def _once(self, name: str, verb: str, number: str, said: dict[str, str]) -> Said:
        if any(number == known for _, known, _ in self.done):
            return Said({"errcode": "0", "errmsg": "", "tradeid": number})
        if self.signed_in is not None and said["person_code"] not in self.signed_in:
            return _error("40012", "该用户尚未登录开放平台")
        found = [one for one in self._kept[name] if one["code"] == said["voucher_code"]]
        is_done = bool(found) and (
            self._verify(found[0], said) if verb == "verify" else self._audit(name, found[0], said)
        )
        if not is_done:
            return _error("30201", "单据状态不允许该操作")
        self.done.append((verb, number, said))
        return Said({"errcode": "0", "errmsg": "", "tradeid": number})

    def _audit(self, name: str, document: Document, said: dict[str, str]) -> bool:
        if document.get("_auditor") != said["person_code"]:
            return False
        agrees = said["agree"] == "1"
        document["_auditor"] = self.next_auditor.get(document["code"]) if agrees else None
        if agrees and not document["_auditor"]:
            document["verifier"] = self._name_of(said["person_code"])
        step = {key: said[key] for key in ("person_code", "agree", "opinion")}
        self.note(name, document["code"], **step)
        return True

    def _verify(self, document: Document, said: dict[str, str]) -> bool:
        if document.get("verifier"):
            return False
        document["verifier"] = self._name_of(said["person_code"])
        return True

    def _name_of(self, person: str) -> str:
        return next(str(one["name"]) for one in self._kept["person"] if one["code"] == person)


def _error(code: str, message: str) -> Said:
    return Said({"errcode": code, "errmsg": message})
