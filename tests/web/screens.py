"""Every screen of the app: who looks at it, where it is, and what is on it when it is finished."""

from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from tests.web.deeds import (
    approve_above,
    budget_for,
    give_points,
    let_thank,
    offer,
    post,
    redeem,
    send,
    upload,
)
from tests.web.phones import Account, BrowserPhone

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
#: What a thumb must hit, but for links in the middle of text.
TARGET_PIXELS_MIN = 44
_SMALL_TARGETS = """(least) => [...document.querySelectorAll("button, a, input, select, textarea, [role=radio]")]
  .filter((one) => one.offsetParent && !one.closest(".prose") && !one.disabled && getComputedStyle(one).visibility === "visible")
  .map((one) => [(one.closest("label") ?? one).getBoundingClientRect(), one.outerHTML.slice(0, 90)])
  .filter(([box]) => box.width && (box.height < least - 0.5 || box.width < least - 0.5))
  .map(([box, html]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Screen:
    """One screen, by the person who looks at it."""

    name: str
    who: str
    path: str
    shows: str


SCREENS = (
    Screen("sign-in", "nobody", "/sign-in", "input[name=password]"),
    Screen("home", "leader", "/home", ".cards > *"),
    Screen("card", "leader", "/cards/{card}", "main h2"),
    Screen("feed", "member", "/feed", "[data-post]"),
    Screen("post", "member", "/posts/{post}", "main li"),
    Screen("compose", "leader", "/feed/compose?type=announcement", "[data-audience] .tag"),
    Screen("reach", "leader", "/posts/{announcement}/reach", "[data-reach-total]"),
    Screen("wallet", "member", "/packets", "[data-balance]"),
    Screen("send", "leader", "/packets/send", "[data-total]"),
    Screen("sent", "leader", "/packets/sent", "[data-sent]"),
    Screen("envelope", "late", "/red-packets/{open}", "[data-open]"),
    Screen("opened", "member", "/red-packets/{open}", "[data-amount]"),
    Screen("who-got-what", "leader", "/red-packets/{open}", "li"),
    Screen("frozen", "member", "/red-packets/{frozen}", "[data-state=frozen]"),
    Screen("waiting", "leader", "/red-packets/{waiting}", "[data-state=pending_approval]"),
    Screen("rejected", "leader", "/red-packets/{rejected}", "[data-state=rejected]"),
    Screen("sold-out", "late", "/red-packets/{taken}", "[data-state=exhausted]"),
    Screen("proof", "late", "/red-packets/{taken}/proof", "[data-verdict=holds]"),
    Screen("approvals", "owner", "/approvals", "[data-approval]"),
    Screen("documents", "leader", "/approvals", "[data-document]"),
    Screen("document", "leader", "/approvals/{document}", "[data-line]"),
    Screen("decided", "leader", "/approvals/{decided}", "[data-write-back=refused]"),
    Screen("payouts", "owner", "/payouts", "[data-payout]"),
    Screen("payout-prepare", "finance", "/payouts/new", "[data-submit]"),
    Screen("payout-mine", "finance", "/payouts/{payout_waiting}", "[data-four-eyes]"),
    Screen("payout", "owner", "/payouts/{payout_waiting}", "[data-item]"),
    Screen("payout-released", "finance", "/payouts/{payout_released}", "[data-results]"),
    Screen("budgets", "owner", "/budgets", "[data-budget]"),
    Screen("budget", "owner", "/budgets/{budget}", "[data-change-limit]"),
    Screen("rules", "owner", "/kpi-rules", "[data-rule]"),
    Screen("rule", "owner", "/kpi-rules/{rule}", "[data-rule-active]"),
    Screen("rule-make", "owner", "/kpi-rules/new", "[data-try]"),
    Screen("proposals", "finance", "/kpi-proposals", "main .box, [data-proposal]"),
    Screen("milestones", "owner", "/milestone-rules", "[data-milestone]"),
    Screen("rains", "owner", "/rains", "[data-rain]"),
    Screen("rain", "owner", "/rains/{rain}", "[data-cancel]"),
    Screen("report", "owner", "/oversight/report", "[data-report-row]"),
    Screen("flags", "owner", "/oversight/flags", "main .box, [data-flag]"),
    Screen("messages", "member", "/messages", "[data-acknowledge]"),
    Screen("told", "late", "/messages", "[data-notice]"),
    Screen("pictures", "late", "/posts/{pictured}", "[data-picture]"),
    Screen("search", "member", "/search?q=陈列", "[data-post]"),
    Screen("found-nothing", "member", "/search?q=鱻鱻", ".box"),
    Screen("people", "member", "/people?unit={unit}", "[data-person]"),
    Screen("person", "late", "/people/{colleague}", "[data-colleague]"),
    Screen("my-wallet", "member", "/wallet", "[data-entry]"),
    Screen("points", "member", "/points", "[data-item]"),
    Screen("redemption", "member", "/redemptions/{redemption}", "[data-withdraw]"),
    Screen("declined", "member", "/redemptions/{declined}", "[data-reason]"),
    Screen("to-decide", "owner", "/redemptions/{redemption}", "[data-decide]"),
    Screen("redemptions", "owner", "/redemptions", "[data-redemption]"),
    Screen("catalogue", "owner", "/points/catalogue", "[data-kept]"),
    Screen("thanks", "member", "/kudos?person={colleague}", "[data-receiver]"),
    Screen("me", "leader", "/me", "[data-sign-out]"),
    Screen("sessions", "leader", "/me/sessions", "main li"),
    Screen("notifications", "leader", "/me/notifications", "main select, main input"),
    Screen("not-mine", "late", "/red-packets/00000000-0000-7000-8000-000000000000", "[role=alert]"),
    Screen("lost", "late", "/feed/nowhere", ".box, main"),
)


def stage(people: dict[str, Account], unit_id: str, card: str) -> dict[str, str]:
    """Let people do something of everything, so that no screen is empty; gives the ids for the paths."""
    owner, leader, member, late = (people[who] for who in ("owner", "leader", "member", "late"))
    ids = {
        "card": card,
        "announcement": post(
            leader,
            unit_id,
            "**周五 15:00 盘点**\n\n- 请提前整理货架\n- 缺货登记到表格",
            type="announcement",
            response="acknowledge",
        ),
        "post": post(member, unit_id, "今天的陈列已经换好，客户说比上一版醒目得多。"),
        "unit": unit_id,
        "colleague": str(leader.person_id),
    }
    views = [upload(member, colour) for colour in ("teal", "orange")]
    note = f"@[{late.name}](person:{late.person_id}) 两种颜色，选哪个？"
    ids["pictured"] = post(member, unit_id, note, attachments=views)
    talk = {"client_id": ids["post"], "body": "看到了，很不错！", "reply_to": None}
    late.call("POST", f"/posts/{ids['post']}/comments", talk)
    late.call("POST", f"/posts/{ids['announcement']}/acknowledgement", {})
    return ids | _packets(owner, leader, [member, late], unit_id) | _points(owner, member, unit_id)


def _packets(owner: Account, leader: Account, team: list[Account], unit_id: str) -> dict[str, str]:
    budget_id = budget_for(owner, unit_id)
    approve_above(owner, 5_000)
    made = {
        name: str(send(leader, budget_id, unit_id, total, cover=cover)["id"])
        for name, total, cover in (
            ("taken", 1_200, "spring"),
            ("open", 2_468, ""),
            ("frozen", 900, "lantern"),
            ("waiting", 8_800, "champion"),
            ("rejected", 9_900, ""),
        )
    }
    for name, takers in (("taken", [leader, team[0]]), ("open", team[:1])):
        for taker in takers:
            taker.call("POST", f"/red-packets/{made[name]}/grab")
    leader.call(
        "POST", f"/red-packets/{made['frozen']}/freeze", {"frozen": True, "reason": "先核对名单"}
    )
    owner.call(
        "POST",
        f"/red-packets/{made['rejected']}/approval",
        {"decision": "reject", "reason": "预算留给下月"},
    )
    return made


def _points(owner: Account, member: Account, unit_id: str) -> dict[str, str]:
    budget_id = budget_for(owner, unit_id, "POINT")
    give_points(owner, budget_id, unit_id, 800, member)
    let_thank(owner, budget_id, unit_id, 100)
    coffee = offer(owner, unit_id, "咖啡券", 60, stock=40)
    leave = offer(owner, unit_id, "半天带薪假", 300, stock=2, needs_approval=True)
    offer(owner, unit_id, "降噪耳机", 2_000, stock=1)
    offer(owner, unit_id, "去年的台历", 20, active=False)
    redeem(member, coffee, 2)
    made = {"redemption": redeem(member, leave), "declined": redeem(member, leave)}
    said = {"decision": "decline", "reason": "本周门店人手不足，请下周再提"}
    owner.call("POST", f"/redemptions/{made['declined']}/decision", said)
    return made


def is_staged(screen: Screen, ids: dict[str, str]) -> bool:
    """Whether there is something to see: what waits in an ERP is there only where a test has connected one."""
    wanted = {name for _, name, _, _ in Formatter().parse(screen.path) if name}
    needs_erp = screen.name == "documents" and "document" not in ids
    return wanted <= set(ids) and not needs_erp


def show(phone: BrowserPhone, screen: Screen, ids: dict[str, str]) -> None:
    """Open a screen and wait until it is finished."""
    phone.visit(screen.path.format(**ids))
    phone.see(screen.shows)
    phone.wait_gone(".bone")


def put_on(phone: BrowserPhone, theme: str) -> None:
    """Let the whole phone be light or dark, which the app follows."""
    phone.page.emulate_media(color_scheme=theme)
    selector = "html.dark" if theme == "dark" else "html:not(.dark)"
    phone.page.locator(selector).wait_for(state="attached")


def faults(phone: BrowserPhone) -> list[str]:
    """Say what is wrong with what is on the screen: axe's grave findings, too wide, too small to hit."""
    if not phone.page.evaluate("'axe' in window"):
        phone.page.evaluate(AXE.read_text() + "; undefined")
    found: dict[str, Any] = phone.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [
        f"{one['id']} ({one['impact']}): {node['html'][:120]}: {node['failureSummary'][-160:]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]
    wide = phone.page.evaluate(_OVERFLOW)
    small = phone.page.evaluate(_SMALL_TARGETS, TARGET_PIXELS_MIN)
    return told + ([f"{wide} pixels too wide"] if wide > 0 else []) + [f"small: {s}" for s in small]
