"""What happens to one order in the live business; each deed says what it did, or nothing."""

from datetime import date, timedelta
from typing import Any, Final

from demo import company
from demo.catalogue import warehouse_for
from demo.desk import Desk, Row, fen
from demo.ledger import CASH, COST_OF_SALES, RECEIVABLES, REVENUE, STOCK, TAX
from demo.money import part_of_line, tax_on, yuan

LINES_MAX: Final = 2
# Live orders are small, as there is one every few seconds: a day of them must not be a year's trade.
SMALL_LINE_FEN: Final = 12_000
CHEAP_FEN: Final = 6_000
BIG_ORDER_SHARE: Final = 0.004
BIG_LINE_FEN: Final = 900_000
RECENT: Final = 40  # deeds choose among so many newest documents …
OLDER_SHARE: Final = 0.05  # … and now and then among the older ones
OLDER: Final = 4000


def place_order(desk: Desk) -> str | None:
    """A customer orders one or two products from their salesperson."""
    customers = desk.rows(
        "SELECT ccuscode, cdccode, ccuspperson, ccccode FROM u8.customer"
        " WHERE dEndDate IS NULL ORDER BY ccuscode"
    )
    customer, team, seller, kind = desk.rng.choice(customers)
    code = desk.next_code("so_somain", "csocode", "SO")
    (order_id,) = desk.one(
        "INSERT INTO u8.so_somain (csocode, cstcode, ddate, ccuscode, cdepcode, cpersoncode,"
        " cmaker, dcreatesystime, dmodifysystime)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        code, kind, desk.today, customer, team, seller,
        company.person(seller).name, desk.clock, desk.clock,
    )  # fmt: skip
    big = desk.rng.random() < BIG_ORDER_SHARE
    products = desk.rows(
        "SELECT cinvcode, cinvccode, iinvscost, iinvncost FROM u8.inventory"
        " WHERE %s OR iinvscost < %s ORDER BY cinvcode",
        big, yuan(CHEAP_FEN),
    )  # fmt: skip
    value_fen = BIG_LINE_FEN if big else SMALL_LINE_FEN
    for place, product in enumerate(desk.rng.sample(products, desk.rng.randint(1, LINES_MAX)), 1):
        _add_line(desk, (order_id, code, place), team, product, value_fen)
    return f"ordered {code}"


def _add_line(
    desk: Desk, place: tuple[int, str, int], team: str, product: Row, value_fen: int
) -> None:
    code, category, list_price, unit_cost = product
    price_fen = fen(list_price) * desk.rng.randint(90, 100) // 100
    quantity = max(1, round(value_fen * desk.rng.random() / price_fen))
    money = _amounts(price_fen * quantity)
    promised_on = desk.today + timedelta(days=desk.rng.randint(2, 9))
    desk.write(
        "INSERT INTO u8.so_sodetails (id, csocode, irowno, cinvcode, cwhcode, iquantity,"
        " iunitprice, imoney, itax, isum, inatmoney, inattax, inatsum, dpredate, cdefine26)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        *place, code, warehouse_for(team, category), quantity, yuan(price_fen), *money, *money,
        promised_on, yuan(fen(unit_cost) * quantity),
    )  # fmt: skip


def edit_line(desk: Desk) -> str | None:
    """The customer wants another quantity: only the line is written, its header stays as it was."""
    order = _pick_open_order(desk)
    if order is None:
        return None
    lines = desk.rows(
        "SELECT autoid, iquantity, iunitprice, cdefine26 FROM u8.so_sodetails"
        " WHERE id = %s ORDER BY autoid FOR UPDATE",
        order[0],
    )
    line_id, quantity, price, cost = desk.rng.choice(lines)
    wanted = max(1, int(quantity) + desk.rng.choice((-2, -1, 1, 2, 3)))
    money = _amounts(fen(price) * wanted)
    desk.write(
        "UPDATE u8.so_sodetails SET iquantity = %s, imoney = %s, itax = %s, isum = %s,"
        " inatmoney = %s, inattax = %s, inatsum = %s, cdefine26 = %s WHERE autoid = %s",
        wanted, *money, *money, yuan(fen(cost) * wanted // int(quantity)), line_id,
    )  # fmt: skip
    return f"edited a line of {order[1]}"


def approve_order(desk: Desk) -> str | None:
    """The team's leader approves; from now on the stock is promised."""
    order = _pick_open_order(desk)
    if order is None:
        return None
    order_id, code, team = order
    desk.write(
        "UPDATE u8.so_somain SET istatus = 1, iverifystate = 2, cverifier = %s,"
        " dverifysystime = %s, dmodifysystime = %s WHERE id = %s",
        company.leader_of(team).name, desk.clock, desk.clock, order_id,
    )  # fmt: skip
    _promise(desk, order_id, 1)
    return f"approved {code}"


def delete_order(desk: Desk) -> str | None:
    """An order that was never approved is deleted, really."""
    order = _pick_open_order(desk)
    if order is None:
        return None
    desk.write("DELETE FROM u8.so_sodetails WHERE id = %s", order[0])
    desk.write("DELETE FROM u8.so_somain WHERE id = %s", order[0])
    return f"deleted {order[1]}"


def close_order(desk: Desk) -> str | None:
    """Close what is shipped and billed in full."""
    order = _pick(
        desk,
        "SELECT m.id, m.csocode, m.cdepcode FROM u8.so_somain m"
        " WHERE m.ccloser IS NULL AND m.istatus = 1 AND NOT EXISTS (SELECT FROM u8.so_sodetails l"
        " WHERE l.id = m.id AND l.cscloser IS NULL AND l.ikpquantity < l.iquantity)"
        " ORDER BY m.id DESC LIMIT %s",
    )
    if order is None:
        return None
    _close(desk, order)
    return f"closed {order[1]}"


def cancel_rest(desk: Desk) -> str | None:
    """The customer no longer wants what is not shipped; what is shipped must be billed first."""
    order = _pick(
        desk,
        "SELECT m.id, m.csocode, m.cdepcode FROM u8.so_somain m"
        " WHERE m.ccloser IS NULL AND m.istatus = 1"
        " AND NOT EXISTS (SELECT FROM u8.so_sodetails l"
        " WHERE l.id = m.id AND l.ikpquantity <> l.ifhquantity)"
        " AND EXISTS (SELECT FROM u8.so_sodetails l"
        " WHERE l.id = m.id AND l.cscloser IS NULL AND l.ifhquantity < l.iquantity)"
        " ORDER BY m.id DESC LIMIT %s",
    )
    if order is None:
        return None
    _promise(desk, order[0], -1)
    closer = company.leader_of(order[2]).name
    desk.write(
        "UPDATE u8.so_sodetails SET cscloser = %s WHERE id = %s AND ifhquantity < iquantity",
        closer, order[0],
    )  # fmt: skip
    _close(desk, order)
    return f"cancelled the rest of {order[1]}"


def ship_order(desk: Desk) -> str | None:
    """Ship what is on hand of one approved order."""
    order = _pick(
        desk,
        "SELECT m.id, m.csocode, m.cdepcode, m.ccuscode, m.cpersoncode FROM u8.so_somain m"
        " WHERE m.ccloser IS NULL AND m.istatus = 1 AND EXISTS (SELECT FROM u8.so_sodetails l"
        " JOIN u8.currentstock s ON s.cwhcode = l.cwhcode AND s.cinvcode = l.cinvcode"
        " WHERE l.id = m.id AND l.cscloser IS NULL AND l.ifhquantity < l.iquantity"
        " AND s.iquantity >= 1) ORDER BY m.id DESC LIMIT %s",
    )
    if order is None:
        return None
    order_id, order_code, team, customer, seller = order
    code = desk.next_code("dispatchlist", "cdlcode", "DL")
    clerk = company.people_titled("物流调度")[0].name
    (dispatch_id,) = desk.one(
        "INSERT INTO u8.dispatchlist (cdlcode, ddate, csocode, ccuscode, cdepcode, cpersoncode,"
        " cmaker, cverifier, dcreatesystime) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " RETURNING dlid",
        code, desk.today, order_code, customer, team, seller, clerk, clerk, desk.clock,
    )  # fmt: skip
    for line in _shippable_lines(desk, order_id):
        _ship_line(desk, dispatch_id, line)
    return f"shipped {code} of {order_code}"


def _shippable_lines(desk: Desk, order_id: int) -> list[Row]:
    return desk.rows(
        "SELECT l.autoid, l.cinvcode, l.cwhcode, l.iunitprice, l.ifhquantity,"
        " least(l.iquantity - l.ifhquantity, s.iquantity) FROM u8.so_sodetails l"
        " JOIN u8.currentstock s ON s.cwhcode = l.cwhcode AND s.cinvcode = l.cinvcode"
        " WHERE l.id = %s AND l.cscloser IS NULL AND l.ifhquantity < l.iquantity"
        " AND s.iquantity >= 1 ORDER BY l.autoid FOR UPDATE",
        order_id,
    )


def _ship_line(desk: Desk, dispatch_id: int, line: Row) -> None:
    line_id, product, warehouse, price, already, quantity = line
    net_fen, tax_fen = part_of_line(fen(price), int(already), int(quantity))
    desk.write(
        "INSERT INTO u8.dispatchlists (dlid, isosid, cwhcode, cinvcode, iquantity, inatmoney,"
        " inattax, inatsum, foutquantity) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        dispatch_id, line_id, warehouse, product, quantity,
        yuan(net_fen), yuan(tax_fen), yuan(net_fen + tax_fen), quantity,
    )  # fmt: skip
    desk.write(
        "UPDATE u8.so_sodetails SET ifhquantity = ifhquantity + %s, ifhmoney = ifhmoney + %s"
        " WHERE autoid = %s",
        quantity, yuan(net_fen), line_id,
    )  # fmt: skip
    # What leaves was promised, so what is available stays the same.
    desk.write(
        "UPDATE u8.currentstock SET iquantity = iquantity - %s, foutquantity = foutquantity - %s"
        " WHERE cwhcode = %s AND cinvcode = %s",
        quantity, quantity, warehouse, product,
    )  # fmt: skip


def bill_dispatch(desk: Desk) -> str | None:
    """Invoice one dispatch: the customer owes, the ledger knows."""
    dispatch = _pick(
        desk,
        "SELECT d.dlid, d.csocode, d.ccuscode, d.cdepcode, d.cpersoncode FROM u8.dispatchlist d"
        " WHERE d.breturnflag = 0 AND EXISTS (SELECT FROM u8.dispatchlists l"
        " WHERE l.dlid = d.dlid AND l.isettlequantity <> l.iquantity)"
        " ORDER BY d.dlid DESC LIMIT %s",
    )
    if dispatch is None:
        return None
    dispatch_id, order_code, customer, team, seller = dispatch
    net, gross, cost = desk.one(
        "SELECT sum(p.inatmoney), sum(p.inatsum), sum(round(l.cdefine26 / l.iquantity, 2)"
        " * p.iquantity) FROM u8.dispatchlists p"
        " JOIN u8.so_sodetails l ON l.autoid = p.isosid WHERE p.dlid = %s",
        dispatch_id,
    )
    (credit_days,) = desk.one("SELECT icuscredate FROM u8.customer WHERE ccuscode = %s", customer)
    due_on = desk.today + timedelta(days=credit_days)
    code = desk.next_code("salebillvouch", "csbvcode", "SI")
    clerk = company.people_titled("会计")[0].name
    (invoice_id,) = desk.one(
        "INSERT INTO u8.salebillvouch (csbvcode, ddate, dgatheringdate, csocode, ccuscode,"
        " cdepcode, cpersoncode, inatmoney, inatsum, cmaker, cverifier, dcreatesystime)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING sbvid",
        code, desk.today, due_on, order_code, customer, team, seller, net, gross,
        clerk, clerk, desk.clock,
    )  # fmt: skip
    _bill_lines(desk, invoice_id, dispatch_id)
    _enter_receivable(desk, (customer, team, seller), ("26", code), (code, due_on), (gross, 0))
    desk.book("销售开票", [
        (RECEIVABLES, None, fen(gross), 0),
        (REVENUE, team, 0, fen(net)),
        (TAX, None, 0, fen(gross - net)),
        (COST_OF_SALES, team, fen(cost), 0),
        (STOCK, None, 0, fen(cost)),
    ])  # fmt: skip
    return f"invoiced {code}"


def _bill_lines(desk: Desk, invoice_id: int, dispatch_id: int) -> None:
    desk.write(
        "INSERT INTO u8.salebillvouchs (sbvid, isosid, idlsid, cinvcode, iquantity, inatmoney,"
        " inattax, inatsum, cdefine26) SELECT %s, p.isosid, p.autoid, p.cinvcode, p.iquantity,"
        " p.inatmoney, p.inattax, p.inatsum, round(l.cdefine26 / l.iquantity, 2) * p.iquantity"
        " FROM u8.dispatchlists p JOIN u8.so_sodetails l ON l.autoid = p.isosid"
        " WHERE p.dlid = %s ORDER BY p.autoid",
        invoice_id, dispatch_id,
    )  # fmt: skip
    desk.write(
        "UPDATE u8.so_sodetails l SET ikpquantity = l.ikpquantity + p.iquantity,"
        " ikpmoney = l.ikpmoney + p.inatmoney FROM u8.dispatchlists p"
        " WHERE p.dlid = %s AND l.autoid = p.isosid",
        dispatch_id,
    )
    desk.write(
        "UPDATE u8.dispatchlists SET isettlequantity = iquantity WHERE dlid = %s", dispatch_id
    )


def collect_money(desk: Desk) -> str | None:
    """A customer pays one invoice, now and then only half of it."""
    invoice = _pick(
        desk,
        "SELECT i.csbvcode, i.ccuscode, i.cdepcode, i.cpersoncode, i.dgatheringdate, o.amount"
        " FROM u8.salebillvouch i JOIN LATERAL (SELECT sum(idamount - icamount) AS amount"
        " FROM u8.ar_detail WHERE ccovouchid = i.csbvcode) o ON o.amount > 0"
        " WHERE i.breturnflag = 0 ORDER BY i.sbvid DESC LIMIT %s",
    )
    if invoice is None:
        return None
    code, *debtor, due_on, owed = invoice
    paid_fen = fen(owed)
    if paid_fen > 1 and desk.rng.random() < 0.1:
        paid_fen //= 2
    receipt = desk.next_code("ar_detail", "cvouchid", "SK")
    customer, team, seller = debtor
    _enter_receivable(
        desk, (customer, team, seller), ("48", receipt), (code, due_on), (0, yuan(paid_fen))
    )
    desk.book("收回货款", [(CASH, None, paid_fen, 0), (RECEIVABLES, None, 0, paid_fen)])
    return f"received {receipt} for {code}"


def _enter_receivable(
    desk: Desk,
    debtor: tuple[str, str, str],
    document: tuple[str, str],
    invoice: tuple[str, date],
    amounts: tuple[Any, Any],
) -> None:
    debit, credit = amounts
    desk.write(
        "INSERT INTO u8.ar_detail (cdwcode, cdeptcode, cperson, cvouchtype, cvouchid,"
        " ccovouchtype, ccovouchid, dvouchdate, dgatheringdate, idamount, icamount, cdigest)"
        " VALUES (%s, %s, %s, %s, %s, '26', %s, %s, %s, %s, %s, %s)",
        *debtor, *document, invoice[0], desk.today, invoice[1], debit, credit,
        "销售发票" if document[0] == "26" else "收款",
    )  # fmt: skip
    desk.write(
        "UPDATE u8.customer SET iarmoney = iarmoney + %s::numeric - %s::numeric"
        " WHERE ccuscode = %s",
        debit, credit, debtor[0],
    )  # fmt: skip


def _pick_open_order(desk: Desk) -> Row | None:
    return _pick(
        desk,
        "SELECT id, csocode, cdepcode FROM u8.so_somain"
        " WHERE istatus = 0 AND ccloser IS NULL ORDER BY id DESC LIMIT %s",
    )


def _pick(desk: Desk, query: str) -> Row | None:
    """One of the newest; the history's backlog is worked off slowly, or it would be gone at once."""
    limit = OLDER if desk.rng.random() < OLDER_SHARE else RECENT
    return desk.pick(desk.rows(query, limit))


def _promise(desk: Desk, order_id: int, sign: int) -> None:
    """Promise what an order still has to ship, or take the promise back."""
    desk.write(
        "UPDATE u8.currentstock s SET foutquantity = s.foutquantity + %s * l.pieces,"
        " favaquantity = s.favaquantity - %s * l.pieces FROM (SELECT cwhcode, cinvcode,"
        " sum(iquantity - ifhquantity) AS pieces FROM u8.so_sodetails"
        " WHERE id = %s AND cscloser IS NULL GROUP BY cwhcode, cinvcode) l"
        " WHERE s.cwhcode = l.cwhcode AND s.cinvcode = l.cinvcode",
        sign, sign, order_id,
    )  # fmt: skip


def _close(desk: Desk, order: Row) -> None:
    desk.write(
        "UPDATE u8.so_somain SET ccloser = %s, dmodifysystime = %s WHERE id = %s",
        company.leader_of(order[2]).name, desk.clock, order[0],
    )  # fmt: skip


def _amounts(net_fen: int) -> tuple[str, str, str]:
    tax_fen = tax_on(net_fen)
    return yuan(net_fen), yuan(tax_fen), yuan(net_fen + tax_fen)
