"""Every key task of a role is at most three taps from home."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.builders.company import Company
from tests.builders.figures import connect_erp
from tests.web.conftest import IN_BROWSER
from tests.web.deciding import earn, prepare
from tests.web.deeds import approve_above, budget_for, post, send
from tests.web.phones import Account, BrowserPhone

pytestmark = IN_BROWSER
TAPS_MAX = 3
#: A packet of more waits for somebody who may approve it.
FREE_UP_TO_FEN = 5_000


@dataclass(frozen=True)
class Task:
    """Something a role does: where the thumb goes from home, and what is then on the screen."""

    name: str
    taps: tuple[str, ...]
    shown: str


def tab(name: str) -> str:
    return f"nav.tabs a[href='/{name}']"


def card(key: str) -> Task:
    """A figure in full, with the parts or documents it is made of."""
    return Task(f"the figure {key}", (f"[data-card={key}]",), "main .value.large")


SEEN_BY_PEOPLE = "[role=radio]:text('按人员')"
ANNOUNCE = Task("announce", ("a.entry[href^='/feed/compose']",), "[data-body]")
REWARD = Task("send a packet", ("a.entry[href='/packets/send']",), "[data-total]")
REACH = Task("whom it reached", (tab("feed"), "[data-reach]"), "[data-reach-total]")
SENT = Task("what I sent", (tab("packets"), "a[href='/packets/sent']"), "main")
OVERSEE = Task("a packet of others", ("a.entry[href='/packets/sent']", "[data-sent]"), "main h2")
LEDGER = Task(
    "what others sent, from the wallet", (tab("packets"), "[data-sent-list]"), "[data-sent]"
)
APPROVE = Task("approve a packet", ("[data-waiting=decide]", "[data-approve]"), "main")
DECIDED = Task(
    "what was decided", ("a.entry[href='/approvals']", "[role=radio]:text('已处理')"), "main"
)
ERP_DECIDED = Task(
    "what I decided in the ERP",
    (tab("me"), "main a[href='/approvals']", "[role=radio]:text('已处理')"),
    "[data-no-documents]",
)
RELEASE = Task("release a payout", ("[data-waiting=release]", "[data-payout]"), "[data-approve]")
BUDGETS = Task("what is left", (tab("packets"), "main a[href='/budgets']"), "[data-budget]")
RULES = Task("rules on figures", (tab("packets"), "main a[href='/kpi-rules']"), "[data-make-rule]")
COLLEAGUE = Task("find somebody", (tab("feed"), "[data-search]"), "[data-words]")
REDEEMED = Task("what was redeemed", (tab("packets"), "[data-to='/redemptions']"), ".box")
CATALOGUE = Task(
    "the catalogue", (tab("packets"), "[data-to='/points']", "[data-keep]"), "[data-add]"
)
WHY = Task("who moved it", ("[data-card=sales]", SEEN_BY_PEOPLE), "table .name")
DOCUMENTS = Task("the documents behind it", ("[data-card=sales]",), "td .digits")

TASKS: dict[str, tuple[Task, ...]] = {
    "employee": (
        Task("wallet", (tab("packets"),), "[data-balance]"),
        Task("where I am paid", (tab("packets"), "[data-wallet]"), "[data-account]"),
        Task("acknowledge", ("[data-waiting=acknowledge]", ".pinned [data-acknowledge]"), "main"),
        Task("open a packet", ("[data-waiting=grab]", "[data-open]"), "[data-amount]"),
        Task("write", (tab("feed"), "[data-compose]"), "[data-body]"),
        COLLEAGUE,
        Task("what I was told", (tab("messages"),), "[data-notice]"),
        Task("colleagues", (tab("messages"), "[data-people]"), "[data-unit]"),
        Task("quiet hours", (tab("me"), "a[href='/me/notifications']"), "main input"),
    ),
    "account_manager": (
        card("sales"),
        card("order_execution"),
        card("stock"),
        card("my_receivables"),
        DOCUMENTS,
    ),
    "sales_leader": (ANNOUNCE, REWARD, REACH, SENT, ERP_DECIDED, card("sales"), WHY, DOCUMENTS),
    "manager": (ANNOUNCE, REWARD, REACH, SENT, APPROVE, DECIDED, COLLEAGUE),
    "owner": (
        *(card(key) for key in ("income", "profit", "expense", "sales", "receivables_ageing")),
        WHY,
        DOCUMENTS,
        ANNOUNCE,
        REWARD,
        REACH,
        APPROVE,
        DECIDED,
        RELEASE,
        BUDGETS,
        RULES,
    ),
    "finance": (
        *(card(key) for key in ("income", "profit", "expense", "receivables_ageing")),
        APPROVE,
        DECIDED,
        OVERSEE,
        LEDGER,
        RELEASE,
        BUDGETS,
    ),
    "operator": (
        *(ANNOUNCE, REWARD, REACH, DECIDED, SENT, COLLEAGUE),
        *(RULES, REDEEMED, CATALOGUE),
    ),
    "auditor": (OVERSEE, LEDGER),
}


@pytest.fixture(scope="module")
def unit(town: Company) -> Any:
    return town.unit("Taps")


@pytest.fixture(scope="module")
def sell(town: Company) -> Callable[[Account], None]:
    """Let somebody sell something in the ERP."""
    erp = connect_erp(town)
    erp.write("customer", "C1", name="梅子商店")

    def order(seller: Account) -> None:
        with erp.batch():
            key = erp.employs_person(seller.person_id, seller.name)
            erp.order(key, "128000.00", seller=key)

    return order


@pytest.fixture(scope="module")
def business(account_of: Any, unit: Any, sell: Callable[[Account], None]) -> Account:
    """A unit whose seller has sold something; packets above a limit are approved by somebody else."""
    sell(account_of("季小伟", unit))
    owner: Account = account_of("Keeper", role="owner")
    approve_above(owner, FREE_UP_TO_FEN)
    return owner


@pytest.fixture(scope="module")
def sender(account_of: Any, unit: Any) -> Account:
    """Somebody else of the unit who sends what has to be approved."""
    account: Account = account_of("Sender", unit, role="sales_leader", employee_code="E500")
    return account


@pytest.mark.parametrize("role", TASKS)
def test_what_a_role_does_most_is_three_taps_from_home(
    role, browser, account_of, business, sell, sender, unit
):
    phone = BrowserPhone(browser, account_of("Tao", unit, role=role))
    if role == "account_manager":
        sell(phone.account)
    _give_something_to_do(phone.account, role, business, sender, str(unit))
    phone.open()
    for task in TASKS[role]:
        assert len(task.taps) <= TAPS_MAX, task.name
        # Anew for each: a tap may still be on its way to another screen.
        phone.visit("/home")
        for tap in task.taps:
            phone.see(tap).click()
        phone.see(task.shown)
    assert phone.complaints == []
    phone.close()


def _give_something_to_do(
    person: Account, role: str, owner: Account, sender: Account, unit_id: str
) -> None:
    tasks = TASKS[role]
    budget_id = budget_for(owner, unit_id)
    if role == "employee":
        post(owner, unit_id, "请确认这一条", type="announcement")
    if REACH in tasks:
        post(person, unit_id, "我发的", type="announcement")
    if role in {"employee", "finance", "auditor"}:
        send(owner, budget_id, unit_id, 100, count=1)
    if APPROVE in tasks:
        send(sender, budget_id, unit_id, FREE_UP_TO_FEN + 100)
    if RELEASE in tasks:
        earn(sender, sender, budget_id, unit_id, 200)
        prepare(owner, unit_id)
