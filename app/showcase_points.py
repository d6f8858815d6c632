"""What the demo's people can redeem points for, and what some of them have asked for already."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.callers import Caller
from redpackets.points.catalogue import NewItem, add_item
from redpackets.points.redeeming import redeem

COFFEE = NewItem(
    unit_id=None,
    name_zh="云栗咖啡券",
    name_en="Coffee voucher",
    description_zh="楼下咖啡店通用，当月有效。",
    description_en="Good for the café downstairs, this month.",
    price_points=200,
    stock=60,
    per_person_limit=None,
    needs_approval=False,
    active=True,
    tax_class="wage_income",
    cash_value_fen=20_00,
)
HOODIE = NewItem(
    unit_id=None,
    name_zh="云栗连帽衫",
    name_en="Company hoodie",
    description_zh="尺码由行政与你确认。",
    description_en="The office asks you for your size.",
    price_points=450,
    stock=20,
    per_person_limit=1,
    needs_approval=True,
    active=True,
    tax_class="wage_income",
    cash_value_fen=99_00,
)
HALF_DAY = NewItem(
    unit_id=None,
    name_zh="半天带薪假",
    name_en="Half a day off",
    description_zh="日期由直属上级安排。",
    description_en="Your manager settles the day.",
    price_points=2_000,
    stock=12,
    per_person_limit=2,
    needs_approval=True,
    active=True,
    tax_class="not_taxable",
    cash_value_fen=0,
)
#: What is asked for already, by one person each: something to hand over, and something to approve.
ASKED = (COFFEE, HOODIE)


def fill_catalogue(
    session: Session, *, keeper: Caller, people: Sequence[Caller], now: datetime
) -> None:
    """Offer the items to everybody, and let these people, who have points, ask for some of them."""
    offered = {
        new: add_item(session, caller=keeper, new=new, now=now)
        for new in (COFFEE, HOODIE, HALF_DAY)
    }
    for person, wanted in zip(people, ASKED, strict=False):
        redeem(
            session,
            caller=person,
            item_id=offered[wanted].id,
            quantity=1,
            price_points=wanted.price_points,
            now=now,
        )
