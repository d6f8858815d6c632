"""Requisitions and what comes of them: approvals, goods received, vendors paid."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Final

from demo import catalogue, company
from demo.catalogue import Product
from demo.company import Person
from demo.documents import Books, Requisition, RequisitionLine, StockReceipt
from demo.ledger import Ledger
from demo.money import tax_on
from demo.stock import Place, Stock

Deed = Callable[[date], None]

BIG_REQUISITION_FEN: Final = 25_000_000  # above it the general manager decides
_OPENING_CASH_FEN: Final = 2_500_000_000
_VENDOR_CREDIT_DAYS: Final = 30
_OWN_USE_PER_DAY: Final = 0.22
_OWN_USE_MEMOS: Final = ("办公补货", "样品间布置", "新员工入职", "客户拜访样品", "仓库安全整改")
_DESK_SIZE: Final = 12


@dataclass(slots=True, kw_only=True)
class Purchasing:
    """The purchasing department of the history."""

    rng: Random
    books: Books
    stock: Stock
    ledger: Ledger
    products: dict[str, Product]
    number: Callable[[str, date], tuple[int, str]]
    later: Callable[[date, Deed], None]
    line_count: int = 0

    def open_warehouses(self, day: date) -> None:
        """The opening stock, one receipt a warehouse, and the owners' money."""
        shelves: dict[str, list[tuple[Product, int, int | None]]] = defaultdict(list)
        for (warehouse, code), quantity in self.stock.opening(self.rng).items():
            shelves[warehouse].append((self.products[code], quantity, None))
        receipts = [self._put_away(day, place, None, items) for place, items in shelves.items()]
        stock_fen = sum(receipt.net_fen for receipt in receipts)
        self.ledger.opening(day, stock_fen=stock_fen, cash_fen=_OPENING_CASH_FEN)

    def work(self, day: date) -> None:
        if day.weekday() == 0:
            self._review_stock(day)
        if day.weekday() < 5 and self.rng.random() < _OWN_USE_PER_DAY:
            applicant = self.rng.choice(company.PEOPLE[1:])
            requisition = self._ask_for_own_use(day, applicant)
            self._await_approval(requisition, day + timedelta(days=self.rng.randint(0, 3)))

    def leave_desks_full(self, today: date) -> None:
        """What was asked for in the last hours still waits, on many desks."""
        leaders = [company.leader_of(team) for team in company.teams()]
        sellers = [self.rng.choice(company.SALESPEOPLE) for _ in range(_DESK_SIZE // 2)]
        buyers = company.people_titled("采购员")[:2]
        others = [company.purchasing_manager(), company.leader_of(company.WAREHOUSING)]
        for applicant in (*leaders[::2], *sellers, *buyers, *others):
            self._ask_for_own_use(today, applicant)

    def _review_stock(self, day: date) -> None:
        wanted: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for (warehouse, code), quantity in self.stock.shortfalls(self.products):
            wanted[warehouse].append((code, quantity))
        buyers = company.people_titled("采购员")
        for place, (warehouse, items) in enumerate(sorted(wanted.items())):
            buyer = buyers[place % len(buyers)]
            memo = f"{catalogue.WAREHOUSES[warehouse]}补货"
            requisition = self._ask(day, buyer, memo, [
                self._line(code, warehouse, quantity) for code, quantity in items
            ])  # fmt: skip
            big = requisition.net_fen > BIG_REQUISITION_FEN
            auditor = company.general_manager() if big else company.purchasing_manager()
            requisition.auditor = auditor.code
            self._await_approval(requisition, day + timedelta(days=self.rng.choice((0, 1, 1, 2))))

    def _ask_for_own_use(self, day: date, applicant: Person) -> Requisition:
        goods = self.rng.sample(sorted(self.products), self.rng.randint(1, 3))
        lines = [self._line(code, None, self.rng.randint(2, 12)) for code in goods]
        requisition = self._ask(day, applicant, self.rng.choice(_OWN_USE_MEMOS), lines)
        requisition.auditor = company.superior_of(applicant).code
        return requisition

    def _line(self, code: str, warehouse: str | None, quantity: int) -> RequisitionLine:
        self.line_count += 1
        return RequisitionLine(self.line_count, self.products[code], warehouse, quantity)

    def _ask(
        self, day: date, applicant: Person, memo: str, lines: list[RequisitionLine]
    ) -> Requisition:
        key, code = self.number("PR", day)
        requisition = Requisition(
            key, code, day, applicant.code, applicant.department, None, memo, lines
        )
        self.books.requisitions.append(requisition)
        return requisition

    def _await_approval(self, requisition: Requisition, day: date) -> None:
        self.later(day, partial(self._approve, requisition))

    def _approve(self, requisition: Requisition, day: date) -> None:
        assert requisition.auditor is not None
        requisition.approved_on = day
        requisition.verifier = company.person(requisition.auditor).name
        requisition.auditor = None
        loads: dict[tuple[date, str, str], list[RequisitionLine]] = defaultdict(list)
        for line in requisition.lines:
            if line.warehouse is None:
                continue
            self.stock.incoming[line.warehouse, line.product.code] += line.quantity
            arrives_on = day + timedelta(days=line.product.lead_days)
            vendor = catalogue.vendor_for(line.product.code)
            loads[arrives_on, line.warehouse, vendor].append(line)
        for (arrives_on, warehouse, vendor), lines in loads.items():
            self.later(arrives_on, partial(self._receive, warehouse, vendor, lines))

    def _receive(
        self, warehouse: str, vendor: str, lines: list[RequisitionLine], day: date
    ) -> None:
        for line in lines:
            line.received = line.quantity
            self.stock.incoming[warehouse, line.product.code] -= line.quantity
        items: list[tuple[Product, int, int | None]] = [
            (line.product, line.quantity, line.key) for line in lines
        ]
        receipt = self._put_away(day, warehouse, vendor, items)
        tax_fen = tax_on(receipt.net_fen)
        self.ledger.purchase(day, net_fen=receipt.net_fen, tax_fen=tax_fen)
        pays_on = _friday(day + timedelta(days=_VENDOR_CREDIT_DAYS))
        self.later(pays_on, partial(self._pay, receipt.net_fen + tax_fen))

    def _pay(self, gross_fen: int, day: date) -> None:
        self.ledger.payment(day, gross_fen)

    def _put_away(
        self,
        day: date,
        warehouse: str,
        vendor: str | None,
        items: list[tuple[Product, int, int | None]],
    ) -> StockReceipt:
        key, code = self.number("RK", day)
        receipt = StockReceipt(key, code, day, warehouse, vendor, items)
        self.books.stock_receipts.append(receipt)
        for product, quantity, _ in items:
            place: Place = (warehouse, product.code)
            self.stock.receive(place, quantity)
        return receipt


def _friday(day: date) -> date:
    return day + timedelta(days=(4 - day.weekday()) % 7)
