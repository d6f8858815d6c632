"""A person holding a phone with the app in its browser."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import httpx

from app.core.ids import new_id
from tests.builders.company import Phone
from tests.builders.stream import wait_until

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
PATIENCE_MS = 60_000
#: How long an access token is good for.
TOKEN_SECONDS = 900
#: The draft of a post as the phone keeps it: its text, and how many photos are with it.
_DRAFT = """async () => {
  const [{name}] = await indexedDB.databases();
  const base = await new Promise((done) => (indexedDB.open(name).onsuccess = (event) => done(event.target.result)));
  const asked = base.transaction("drafts").objectStore("drafts").get("compose");
  const draft = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  base.close();
  return [draft?.body, draft?.photos.length];
}"""


@dataclass
class Account:
    """Somebody who can sign in, over the API and in a browser."""

    url: str
    tenant: str
    login: str
    password: str
    name: str = ""
    session: dict[str, Any] = field(default_factory=dict)

    def sign_in(self) -> "Account":
        """Sign in over the API."""
        device = {"id": str(new_id()), "platform": "web", "name": "Browser"}
        asked = {"tenant": self.tenant, "login": self.login, "password": self.password}
        self.session = self.call("POST", "/sessions", asked | {"device": device})
        return self

    @classmethod
    def of_phone(cls, url: str, phone: Phone) -> "Account":
        """Take over the sign-in of a phone that has no browser."""
        person = {"id": str(phone.person.id), "name": phone.person.name}
        session = {"access_token": phone.token, "refresh_token": "", "expires_in": TOKEN_SECONDS}
        slug = phone.company.slug
        return cls(
            url, slug, phone.person.login, "", phone.person.name, session | {"person": person}
        )

    def call(
        self, method: str, path: str, body: Any = None, *, is_payment: bool = False
    ) -> dict[str, Any]:
        """Call the API; whatever is refused fails the test."""
        headers = {"Idempotency-Key": str(new_id())} if is_payment else {}
        if self.session:
            headers["Authorization"] = f"Bearer {self.session['access_token']}"
        url = f"{self.url}/api/v1{path}"
        reply = httpx.request(method, url, json=body, headers=headers, timeout=60)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        answer: dict[str, Any] = reply.json() if reply.content else {}
        return answer

    @property
    def person_id(self) -> UUID:
        return UUID(self.session["person"]["id"])

    def storage(self, **look: str) -> dict[str, Any]:
        """Give what the app keeps of a sign-in, and how it is to look (``language``, ``theme``)."""
        kept = dict(look)
        if self.session:
            until = int((time.time() + self.session["expires_in"]) * 1000)
            kept["session"] = json.dumps(self.session | {"tenant": self.tenant, "until": until})
        items = [{"name": f"workspace.{name}", "value": value} for name, value in kept.items()]
        return {"cookies": [], "origins": [{"origin": self.url, "localStorage": items}]}


class BrowserPhone:
    """One person's browser, apart from everybody else's; what its page complains about is kept."""

    #: Those that nobody has put away, for the reader of a failure.
    in_hand: ClassVar[list["BrowserPhone"]] = []

    def __init__(
        self,
        browser: Any,
        account: Account,
        size: dict[str, int] = PHONE,
        *,
        is_installed: bool = False,
        **look: str,
    ) -> None:
        self.account = account
        self.complaints: list[str] = []
        is_phone = size["width"] < 900
        self.context = browser.new_context(
            viewport=size,
            locale=look.get("language", "zh-CN"),
            base_url=account.url,
            is_mobile=is_phone,
            has_touch=is_phone,
            # Installing the app fetches all of it, which costs seconds of the machine for each phone.
            service_workers="allow" if is_installed else "block",
            reduced_motion="reduce",
            storage_state=account.storage(**look),
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.in_hand.append(self)

    def sign_in(self) -> None:
        """Type company, login and password, and wait for home."""
        self.page.goto("/")
        self.page.fill("input[name=organization]", self.account.tenant)
        self.page.fill("input[name=username]", self.account.login)
        self.page.fill("input[name=password]", self.account.password)
        self.page.click("button.main")
        self.page.wait_for_url("**/home")
        self.wait_live()

    def open(self) -> "BrowserPhone":
        """Open the app where somebody has signed in before."""
        self.page.goto("/home")
        self.wait_live()
        return self

    def wait_live(self) -> None:
        """Wait until events arrive at once."""
        self.page.wait_for_selector(".live.on")

    def go(self, tab: str) -> None:
        """Tap a tab."""
        self.page.click(f"nav.tabs a[href='/{tab}']")

    def visit(self, path: str) -> None:
        """Come by a link."""
        self.page.goto(path)

    def see(self, selector: str, text: str | None = None) -> Any:
        """Wait until something (with this text) is on the screen."""
        found = self.page.locator(selector, has_text=text) if text else self.page.locator(selector)
        found.first.wait_for()
        return found.first

    def wait_gone(self, selector: str) -> None:
        """Wait until nothing like this is on the screen."""
        self.page.locator(selector).first.wait_for(state="detached")

    def lose_answer(self, path: str) -> None:
        """Let the server do what is asked for next at this path, and its answer be lost on the way."""

        def lose(route: Any) -> None:
            route.fetch()
            route.abort()

        self.page.route(f"**/api/v1{path}", lose, times=1)

    def wait_written(self, text: str) -> None:
        """Wait until this is what stands in the field for writing."""
        field = self.page.locator("[data-body]")
        wait_until(lambda: field.input_value() == text, "the text is there", PATIENCE_MS / 1000)

    def write(self, text: str, *, announcement: bool = False) -> None:
        """Write a post or an announcement to one's own unit and send it."""
        kind = "?type=announcement" if announcement else ""
        self.visit(f"/feed/compose{kind}")
        self.page.wait_for_selector("[data-audience] .tag")
        self.page.fill("[data-body]", text)
        self.page.click("[data-send]")
        self.page.wait_for_url("**/feed")

    def wait_kept(self, text: str, photos: int = 0) -> None:
        """Wait until what is being written is on the phone's disk, with so many photos."""
        wait_until(
            lambda: self.page.evaluate(_DRAFT) == [text, photos],
            "the draft is kept",
            PATIENCE_MS / 1000,
        )

    def shown(self) -> str:
        """Say where the phone is, what can be read on it and what its page complained about."""
        with suppress(Exception):
            return (
                f"{self.page.url}\n{self.page.inner_text('body', timeout=2_000)}\n{self.complaints}"
            )
        return "nothing can be read"

    def close(self) -> None:
        """Put the phone away."""
        self.in_hand.remove(self)
        self.context.close()
