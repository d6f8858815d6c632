"""Two years of trade, day by day: who orders, what ships, who pays, and when.

Everything follows from the seed and the last day, so the same company can be made again anywhere.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import accumulate
from random import Random
from typing import Final

from demo import company, quotas, season
from demo.catalogue import catalogue, warehouse_for
from demo.documents import Books, Dispatch, Invoice, Order, OrderLine, Parcel, ReceivableRow
from demo.ledger import Ledger, spend_like_every_month
from demo.money import part_of_line, tax_on
from demo.purchasing import Purchasing
from demo.stock import Stock

_ORDERS_PER_DAY: Final = 10.0
_LINES_PER_ORDER: Final = ((1, 2, 3, 4, 5, 6), (15, 25, 25, 18, 11, 6))
_DELETED_SHARE: Final = 0.015
_CANCELLED_SHARE: Final = 0.01
_SPLIT_SHARE: Final = 0.07
_RETURN_SHARE: Final = 0.012
_SHIPPING_TRIES_MAX: Final = 14
_DAY_BEGINS: Final = time(8, 30)
_DAY_MINUTES: Final = 540


def write_history(*, today: date, seed: int) -> Books:
    """All documents of the company from its first day to ``today``."""
    return _Trade(today=today, seed=seed).run()


class _Trade:
    def __init__(self, *, today: date, seed: int) -> None:
        self._today = today
        self._rng = Random(f"history {seed} {today.isoformat()}")
        self._catalogue = catalogue(seed)
        self._first_day = season.first_day(today)
        self._books = Books()
        self._ledger = Ledger()
        self._stock = Stock(self._catalogue)
        self._agenda: dict[date, list[Callable[[date], None]]] = defaultdict(list)
        self._numbers: Counter[str] = Counter()
        self._purchasing = Purchasing(
            rng=self._rng,
            books=self._books,
            stock=self._stock,
            ledger=self._ledger,
            products={product.code: product for product in self._catalogue.products},
            number=self._number,
            later=self._later,
        )
        skills = [self._rng.uniform(0.6, 1.5) for _ in company.SALESPEOPLE]
        self._skills = tuple(accumulate(skills))

    def run(self) -> Books:
        self._purchasing.open_warehouses(self._first_day)
        for day in season.days(self._first_day, self._today):
            self._live_through(day)
        self._purchasing.leave_desks_full(self._today)
        self._books.vouchers = self._ledger.vouchers()
        self._books.quotas = quotas.set_quotas(
            self._books.orders, rng=self._rng, first_day=self._first_day, today=self._today
        )
        return self._books

    def _live_through(self, day: date) -> None:
        self._take_orders(day)
        self._purchasing.work(day)
        for deed in self._agenda[day]:  # deeds may add to the very day they happen on
            deed(day)
        spend_like_every_month(self._ledger, self._rng, day)
        if day == season.working_day(day.replace(day=15)):
            self._ledger.tax_payment(day)
        if day.day == 8 and day.month % 3 == 0:
            self._void_an_expense(day)

    def _later(self, day: date, deed: Callable[[date], None]) -> None:
        self._agenda[season.working_day(day)].append(deed)

    def _number(self, prefix: str, day: date) -> tuple[int, str]:
        """The next key and code of a kind of document; codes count anew each month."""
        month = f"{prefix}{day:%y%m}"
        self._numbers[prefix] += 1
        self._numbers[month] += 1
        return self._numbers[prefix], f"{month}{self._numbers[month]:06d}"

    def _take_orders(self, day: date) -> None:
        expected = _ORDERS_PER_DAY * season.demand(day, self._first_day)
        if day == self._today:
            expected /= 2  # the day is not over
        count = int(expected * self._rng.uniform(0.75, 1.25) + self._rng.random())
        minutes = sorted(self._rng.randrange(_DAY_MINUTES) for _ in range(count))
        for minute in minutes:
            created_at = datetime.combine(day, _DAY_BEGINS) + timedelta(minutes=minute)
            self._take_order(day, created_at)

    def _take_order(self, day: date, created_at: datetime) -> None:
        key, code = self._number("SO", day)
        if self._rng.random() < _DELETED_SHARE:
            return  # entered and deleted again; the number stays a gap
        seller = self._rng.choices(company.SALESPEOPLE, cum_weights=self._skills)[0]
        buyers = self._catalogue.buyers_of[seller.code]
        customer = self._rng.choices(buyers, [buyer.weight for buyer in buyers])[0]
        order = Order(key, code, day, created_at, customer, seller.name, [])
        self._fill(order)
        self._books.orders.append(order)
        self._later(
            day + timedelta(days=self._rng.choice((0, 0, 1, 1, 2))), partial(self._approve, order)
        )

    def _fill(self, order: Order) -> None:
        rng = self._rng
        promised_on = season.working_day(order.ordered_on + timedelta(days=rng.randint(3, 10)))
        seen: set[str] = set()
        for _ in range(rng.choices(*_LINES_PER_ORDER)[0]):
            product = self._catalogue.pick_product(rng)
            if product.code in seen:
                continue
            seen.add(product.code)
            price_fen = product.price_fen * rng.randint(90, 100) // 100
            value_fen = rng.lognormvariate(13.0, 0.7) * (0.75 + order.customer.weight / 20)
            self._numbers["line"] += 1
            line = OrderLine(
                key=self._numbers["line"],
                product=product,
                warehouse=warehouse_for(order.customer.team, product.category),
                quantity=_round_quantity(value_fen / price_fen),
                price_fen=price_fen,
                promised_on=promised_on + timedelta(days=rng.choice((0, 0, 0, 7))),
            )
            self._stock.want((line.warehouse, product.code), line.quantity)
            order.lines.append(line)

    def _approve(self, order: Order, day: date) -> None:
        team_leader = company.leader_of(order.customer.team)
        order.approved_at = _during(day, after=order.created_at, rng=self._rng)
        order.verifier = team_leader.name
        for line in order.lines:
            self._stock.promise((line.warehouse, line.product.code), line.quantity)
        if self._rng.random() < _CANCELLED_SHARE:
            self._later(day + timedelta(days=2), partial(self._close, order))
            return
        shipping_on = order.lines[0].promised_on + timedelta(days=self._rng.randint(-2, 1))
        self._later(max(shipping_on, day + timedelta(days=1)), partial(self._ship, order, 1))

    def _ship(self, order: Order, attempt: int, day: date) -> None:
        if order.closer is not None:
            return
        parcels = [parcel for line in order.lines if (parcel := self._parcel(line, attempt))]
        if parcels:
            self._dispatch(order, parcels, day)
        if any(line.to_ship for line in order.lines):
            deed = partial(self._ship, order, attempt + 1)
            if attempt == _SHIPPING_TRIES_MAX:
                deed = partial(self._close, order)
            self._later(day + timedelta(days=3), deed)

    def _parcel(self, line: OrderLine, attempt: int) -> Parcel | None:
        wanted = line.to_ship
        if attempt == 1 and wanted > 10 and self._rng.random() < _SPLIT_SHARE:
            wanted //= 2
        place = (line.warehouse, line.product.code)
        taken = self._stock.take(place, wanted)
        if taken == 0:
            return None
        self._stock.promise(place, -taken)
        return _move(line, taken)

    def _dispatch(self, order: Order, parcels: list[Parcel], day: date) -> None:
        key, code = self._number("DL", day)
        dispatch = Dispatch(
            key, code, day, order, parcels, first_parcel_key=self._parcel_keys(parcels)
        )
        self._books.dispatches.append(dispatch)
        bill_on = day + timedelta(days=self._rng.choice((0, 1, 1, 2, 4)))
        self._later(bill_on, partial(self._bill, dispatch))

    def _parcel_keys(self, parcels: list[Parcel]) -> int:
        first = self._numbers["parcel"] + 1
        self._numbers["parcel"] += len(parcels)
        return first

    def _bill(self, dispatch: Dispatch, day: date) -> None:
        invoice = self._invoice(dispatch, day)
        invoice.open_fen = invoice.gross_fen
        self._books.receivables.append(
            ReceivableRow(day, "26", invoice.code, invoice, invoice.gross_fen, 0)
        )
        self._expect_money(invoice)
        order = dispatch.order
        if all(line.invoiced == line.quantity for line in order.lines):
            self._later(day + timedelta(days=3), partial(self._close, order))
            if self._rng.random() < _RETURN_SHARE:
                self._later(day + timedelta(days=6), partial(self._send_back, invoice))

    def _invoice(self, dispatch: Dispatch, day: date) -> Invoice:
        key, code = self._number("SI", day)
        net_fen = sum(parcel.net_fen for parcel in dispatch.parcels)
        tax_fen = sum(parcel.tax_fen for parcel in dispatch.parcels)
        customer = dispatch.order.customer
        due_on = day + timedelta(days=customer.credit_days)
        invoice = Invoice(key, code, day, due_on, dispatch, net_fen, net_fen + tax_fen, 0)
        self._books.invoices.append(invoice)
        dispatch.invoiced = True
        for parcel in dispatch.parcels:
            parcel.line.invoiced += parcel.quantity
        self._ledger.sale(
            day,
            team=customer.team,
            net_fen=net_fen,
            tax_fen=tax_fen,
            cost_fen=sum(parcel.cost_fen for parcel in dispatch.parcels),
        )
        return invoice

    def _expect_money(self, invoice: Invoice) -> None:
        lateness = invoice.dispatch.order.customer.lateness_days
        pays_on = invoice.due_on + timedelta(days=lateness + self._rng.randint(-2, 5))
        pays_on = max(pays_on, invoice.invoiced_on + timedelta(days=1))
        self._later(pays_on, partial(self._collect, invoice))

    def _collect(self, invoice: Invoice, day: date) -> None:
        if invoice.open_fen <= 0:
            return
        paid_fen = invoice.open_fen
        is_slow = invoice.dispatch.order.customer.lateness_days > 4
        if is_slow and paid_fen > 500_000 and self._rng.random() < 0.4:
            paid_fen //= 2
            self._later(day + timedelta(days=30), partial(self._collect, invoice))
        _, code = self._number("SK", day)
        self._books.receivables.append(ReceivableRow(day, "48", code, invoice, 0, paid_fen))
        invoice.open_fen -= paid_fen
        self._ledger.receipt(day, paid_fen)

    def _send_back(self, invoice: Invoice, day: date) -> None:
        """A part of the first line comes back and is credited, unless it is already paid for."""
        order, line = invoice.dispatch.order, invoice.dispatch.parcels[0].line
        quantity = max(1, invoice.dispatch.parcels[0].quantity // 4)
        credit_fen = line.price_fen * quantity + tax_on(line.price_fen * quantity)
        if invoice.open_fen < credit_fen + 1 or order.closer is None:
            return
        parcel = _move(line, -quantity)
        line.closed_by = order.closer
        self._stock.receive((line.warehouse, line.product.code), quantity)
        order.returns += 1
        key, code = self._number("DL", day)
        back = Dispatch(
            key,
            code,
            day,
            order,
            [parcel],
            is_return=True,
            first_parcel_key=self._parcel_keys([parcel]),
        )
        self._books.dispatches.append(back)
        red = self._invoice(back, day)
        self._books.receivables.append(
            ReceivableRow(day, "26", red.code, invoice, red.gross_fen, 0)
        )
        invoice.open_fen += red.gross_fen

    def _close(self, order: Order, day: date) -> None:
        """Closing an order gives back what was promised and will not be shipped."""
        order.closer = company.leader_of(order.customer.team).name
        for line in order.lines:
            self._stock.promise((line.warehouse, line.product.code), -line.to_ship)
            if line.to_ship:
                line.closed_by = order.closer

    def _void_an_expense(self, day: date) -> None:
        self._ledger.expense(
            day, "重复报销（作废）", company.SALES, self._rng.randint(50_000, 90_000)
        )
        self._ledger.void(day, "重复报销（作废）")


def _move(line: OrderLine, quantity: int) -> Parcel:
    net_fen, tax_fen = part_of_line(line.price_fen, line.shipped, quantity)
    line.shipped += quantity
    return Parcel(line, quantity, net_fen, tax_fen)


def _round_quantity(pieces: float) -> int:
    """People order by fives and tens once it is many."""
    step = 1 if pieces < 20 else 5 if pieces < 100 else 10
    return max(1, round(pieces / step) * step)


def _during(day: date, *, after: datetime, rng: Random) -> datetime:
    begins = max(after, datetime.combine(day, _DAY_BEGINS))
    return begins + timedelta(minutes=rng.randint(5, 120))
