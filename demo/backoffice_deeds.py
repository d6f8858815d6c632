"""What happens behind the sales of the live business: requisitions, goods in, expenses, quotas."""

from datetime import date, timedelta
from typing import Final

from demo import catalogue, company, season
from demo.desk import Desk, Row, fen
from demo.ledger import CASH, PAYABLES, SELLING_EXPENSE, STOCK, TAX
from demo.money import tax_on, yuan

WAITING_MAX: Final = 40  # nobody's desk overflows, however long the demo runs
REFILL_BELOW: Final = 15
REFILL_TO: Final = 80
REFILL_LINES_MAX: Final = 25
_QUOTA_STEP_FEN: Final = 100_000


def ask_for_own_use(desk: Desk) -> str | None:
    """Somebody needs something for their own work; their superior decides."""
    (waiting,) = desk.one("SELECT count(*) FROM u8.pu_appvouch WHERE iverifystateex = 1")
    if waiting >= WAITING_MAX:
        return None
    applicant = desk.rng.choice(company.PEOPLE[1:])
    auditor = company.superior_of(applicant)
    requisition_id, code = _ask(desk, applicant, memo="办公补货", auditor=auditor)
    products = desk.rows("SELECT cinvcode, iinvncost FROM u8.inventory ORDER BY cinvcode")
    for product, unit_cost in desk.rng.sample(products, desk.rng.randint(1, 3)):
        _ask_line(desk, requisition_id, (product, unit_cost), None, desk.rng.randint(1, 10))
    return f"requisition {code} waits for {auditor.login}"


def approve_requisition(desk: Desk) -> str | None:
    """An approval given in the ERP itself."""
    requisition = desk.pick(
        desk.rows(
            "SELECT id, ccode, ccurrentauditor FROM u8.pu_appvouch WHERE iverifystateex = 1"
            " ORDER BY id LIMIT 10"
        )
    )
    if requisition is None:
        return None
    requisition_id, code, auditor = requisition
    desk.write(
        "UPDATE u8.pu_appvouch SET iverifystateex = 2, cverifier = %s, ccurrentauditor = NULL,"
        " caudittime = %s WHERE id = %s",
        company.person(auditor).name, desk.clock, requisition_id,
    )  # fmt: skip
    _expect(desk, requisition_id)
    return f"approved requisition {code}"


def refill_stock(desk: Desk) -> str | None:
    """Purchasing orders what is running out in one warehouse, within its own authority."""
    warehouse = desk.rng.choice(sorted(catalogue.WAREHOUSES))
    short = desk.rows(
        "SELECT s.cinvcode, i.iinvncost, %s - s.favaquantity - s.finquantity"
        " FROM u8.currentstock s JOIN u8.inventory i USING (cinvcode)"
        " WHERE s.cwhcode = %s AND s.favaquantity + s.finquantity < %s"
        " ORDER BY s.favaquantity, s.cinvcode LIMIT %s",
        REFILL_TO, warehouse, REFILL_BELOW, REFILL_LINES_MAX,
    )  # fmt: skip
    if not short:
        return None
    buyer = desk.rng.choice(company.people_titled("采购员"))
    memo = f"{catalogue.WAREHOUSES[warehouse]}补货"
    requisition_id, code = _ask(desk, buyer, memo=memo, auditor=None)
    for product, unit_cost, quantity in short:
        _ask_line(desk, requisition_id, (product, unit_cost), warehouse, int(quantity))
    _expect(desk, requisition_id)
    return f"requisition {code} refills warehouse {warehouse}"


def receive_goods(desk: Desk) -> str | None:
    """One awaited requisition arrives in a warehouse; the vendor is owed."""
    awaited = desk.pick(
        desk.rows(
            "SELECT DISTINCT l.id, l.cwhcode FROM u8.pu_appvouchs l"
            " JOIN u8.pu_appvouch m USING (id) WHERE m.iverifystateex = 2"
            " AND l.cwhcode IS NOT NULL AND l.ireceivedqty < l.fquantity ORDER BY l.id, l.cwhcode"
        )
    )
    if awaited is None:
        return None
    requisition_id, warehouse = awaited
    lines = desk.rows(
        "SELECT autoid, cinvcode, fquantity - ireceivedqty, funitprice FROM u8.pu_appvouchs"
        " WHERE id = %s AND cwhcode = %s AND ireceivedqty < fquantity ORDER BY autoid FOR UPDATE",
        requisition_id, warehouse,
    )  # fmt: skip
    code = desk.next_code("rdrecord01", "ccode", "RK")
    keeper = company.people_titled("仓管员")[0].name
    vendor = catalogue.vendor_for(lines[0][1])
    (receipt_id,) = desk.one(
        "INSERT INTO u8.rdrecord01 (ccode, ddate, cwhcode, cvencode, cmaker)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        code, desk.today, warehouse, vendor, keeper,
    )  # fmt: skip
    net_fen = sum(_put_away(desk, receipt_id, warehouse, line) for line in lines)
    tax_fen = tax_on(net_fen)
    desk.book("采购入库", [
        (STOCK, None, net_fen, 0),
        (TAX, None, tax_fen, 0),
        (PAYABLES, None, 0, net_fen + tax_fen),
    ])  # fmt: skip
    return f"received goods {code}"


def _put_away(desk: Desk, receipt_id: int, warehouse: str, line: Row) -> int:
    line_id, product, quantity, price = line
    net_fen = fen(price * quantity)
    desk.write(
        "INSERT INTO u8.rdrecords01 (id, iappautoid, cinvcode, iquantity, iunitcost, iprice)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        receipt_id, line_id, product, quantity, price, yuan(net_fen),
    )  # fmt: skip
    desk.write("UPDATE u8.pu_appvouchs SET ireceivedqty = fquantity WHERE autoid = %s", line_id)
    desk.write(
        "UPDATE u8.currentstock SET iquantity = iquantity + %s, finquantity = finquantity - %s,"
        " favaquantity = favaquantity + %s WHERE cwhcode = %s AND cinvcode = %s",
        quantity, quantity, quantity, warehouse, product,
    )  # fmt: skip
    return net_fen


def repay_travel(desk: Desk) -> str | None:
    """A salesperson's small expense is paid back."""
    traveller = desk.rng.choice(company.SALESPEOPLE)
    spent_fen = desk.rng.randint(3_000, 40_000)
    unit = traveller.department
    desk.book("差旅招待", [
        (SELLING_EXPENSE, unit, spent_fen, 0),
        (CASH, None, 0, spent_fen),
    ])  # fmt: skip
    return f"repaid travel of {traveller.login}"


def plan_months(desk: Desk) -> str | None:
    """Quotas for this month and the next: the latest ones, a little raised."""
    this_month = desk.today.replace(day=1)
    planned = [
        month for month in (this_month, season.next_month(this_month)) if _plan_month(desk, month)
    ]
    return f"set quotas for {planned[0]:%Y-%m}" if planned else None


def _plan_month(desk: Desk, month: date) -> bool:
    if desk.rows("SELECT 1 FROM u8.sa_salesquota WHERE dbegin >= %s LIMIT 1", month):
        return False
    latest = desk.rows(
        "SELECT cpersoncode, cdepcode, iamount FROM u8.sa_salesquota"
        " WHERE dbegin = (SELECT max(dbegin) FROM u8.sa_salesquota) ORDER BY cpersoncode"
    )
    for seller, team, amount in latest:
        raised_fen = fen(amount) * desk.rng.randint(99, 105) // 100
        rounded_fen = max(1, round(raised_fen / _QUOTA_STEP_FEN)) * _QUOTA_STEP_FEN
        desk.write(
            "INSERT INTO u8.sa_salesquota (cpersoncode, cdepcode, dbegin, dend, iamount)"
            " VALUES (%s, %s, %s, %s, %s)",
            seller, team, month, season.month_end(month), yuan(rounded_fen),
        )  # fmt: skip
    return True


def _ask(
    desk: Desk, applicant: company.Person, *, memo: str, auditor: company.Person | None
) -> tuple[int, str]:
    """A requisition that waits for ``auditor``, or is approved by purchasing when there is none."""
    code = desk.next_code("pu_appvouch", "ccode", "PR")
    (requisition_id,) = desk.one(
        "INSERT INTO u8.pu_appvouch (ccode, ddate, cpersoncode, cdepcode, cmaker, cmemo,"
        " ccurrentauditor, cverifier, iverifystateex, cmaketime, caudittime)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        code, desk.today, applicant.code, applicant.department, applicant.name, memo,
        auditor and auditor.code,
        None if auditor else company.purchasing_manager().name,
        1 if auditor else 2,
        desk.clock,
        None if auditor else desk.clock,
    )  # fmt: skip
    return requisition_id, code


def _ask_line(
    desk: Desk, requisition_id: int, product: Row, warehouse: str | None, quantity: int
) -> None:
    code, unit_cost = product
    desk.write(
        "INSERT INTO u8.pu_appvouchs (id, cinvcode, cwhcode, fquantity, funitprice, fmoney,"
        " drequirdate) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        requisition_id, code, warehouse, quantity, unit_cost, yuan(fen(unit_cost) * quantity),
        desk.today + timedelta(days=7),
    )  # fmt: skip


def _expect(desk: Desk, requisition_id: int) -> None:
    """What is approved for a warehouse is on its way."""
    desk.write(
        "UPDATE u8.currentstock s SET finquantity = s.finquantity + l.fquantity"
        " FROM u8.pu_appvouchs l WHERE l.id = %s AND l.cwhcode = s.cwhcode"
        " AND l.cinvcode = s.cinvcode",
        requisition_id,
    )
