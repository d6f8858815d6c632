"""The general ledger: what happens in trade, summed up into one voucher per kind and day."""

from collections import defaultdict
from datetime import date
from random import Random
from typing import Final

from demo import company, season
from demo.documents import Leg, Voucher

CASH: Final = "1002"
RECEIVABLES: Final = "1122"
STOCK: Final = "1405"
PAYABLES: Final = "2202"
TAX: Final = "2221"
CAPITAL: Final = "4001"
REVENUE: Final = "6001"
COST_OF_SALES: Final = "6401"
SELLING_EXPENSE: Final = "6601"
ADMIN_EXPENSE: Final = "6602"

# Account → (name, class, 1 if it grows by debit).
ACCOUNTS: Final[dict[str, tuple[str, str, int]]] = {
    CASH: ("银行存款", "资产", 1),
    RECEIVABLES: ("应收账款", "资产", 1),
    STOCK: ("库存商品", "资产", 1),
    PAYABLES: ("应付账款", "负债", 0),
    TAX: ("应交税费", "负债", 0),
    CAPITAL: ("实收资本", "权益", 0),
    REVENUE: ("主营业务收入", "损益", 0),
    COST_OF_SALES: ("主营业务成本", "损益", 1),
    SELLING_EXPENSE: ("销售费用", "损益", 1),
    ADMIN_EXPENSE: ("管理费用", "损益", 1),
}

_SALARY_YUAN: Final = {
    "owner": 42_000,
    "sales_leader": 17_000,
    "manager": 19_000,
    "account_manager": 8_200,
    "finance": 8_800,
    "operator": 9_500,
    "auditor": 11_000,
    "employee": 6_900,
}


class Ledger:
    """Collects what is posted; a day and digest make one balanced voucher."""

    def __init__(self) -> None:
        self._sums: dict[tuple[date, str], dict[tuple[str, str | None], list[int]]] = defaultdict(
            lambda: defaultdict(lambda: [0, 0])
        )
        self._voided: set[tuple[date, str]] = set()

    def debit(
        self, day: date, digest: str, account: str, fen: int, unit: str | None = None
    ) -> None:
        self._sums[day, digest][account, unit][0] += fen

    def credit(
        self, day: date, digest: str, account: str, fen: int, unit: str | None = None
    ) -> None:
        self._sums[day, digest][account, unit][1] += fen

    def sale(self, day: date, *, team: str, net_fen: int, tax_fen: int, cost_fen: int) -> None:
        """An invoice; all amounts negative when goods come back."""
        self.debit(day, "销售开票", RECEIVABLES, net_fen + tax_fen)
        self.credit(day, "销售开票", REVENUE, net_fen, team)
        self.credit(day, "销售开票", TAX, tax_fen)
        self.debit(day, "结转销售成本", COST_OF_SALES, cost_fen, team)
        self.credit(day, "结转销售成本", STOCK, cost_fen)

    def receipt(self, day: date, fen: int) -> None:
        self.debit(day, "收回货款", CASH, fen)
        self.credit(day, "收回货款", RECEIVABLES, fen)

    def purchase(self, day: date, *, net_fen: int, tax_fen: int) -> None:
        self.debit(day, "采购入库", STOCK, net_fen)
        self.debit(day, "采购入库", TAX, tax_fen)
        self.credit(day, "采购入库", PAYABLES, net_fen + tax_fen)

    def payment(self, day: date, fen: int) -> None:
        self.debit(day, "支付货款", PAYABLES, fen)
        self.credit(day, "支付货款", CASH, fen)

    def opening(self, day: date, *, stock_fen: int, cash_fen: int) -> None:
        self.debit(day, "期初建账", STOCK, stock_fen)
        self.debit(day, "期初建账", CASH, cash_fen)
        self.credit(day, "期初建账", CAPITAL, stock_fen + cash_fen)

    def tax_payment(self, day: date) -> None:
        """Pay what stands on the tax account, if the company owes anything."""
        owed_fen = sum(
            sums[1] - sums[0]
            for legs in self._sums.values()
            for (account, _), sums in legs.items()
            if account == TAX
        )
        if owed_fen > 0:
            self.debit(day, "缴纳增值税", TAX, owed_fen)
            self.credit(day, "缴纳增值税", CASH, owed_fen)

    def expense(self, day: date, digest: str, unit: str, fen: int) -> None:
        """Spent and paid: selling expense in the sales tree, administrative elsewhere."""
        account = SELLING_EXPENSE if sells(unit) else ADMIN_EXPENSE
        self.debit(day, digest, account, fen, unit)
        self.credit(day, digest, CASH, fen)

    def void(self, day: date, digest: str) -> None:
        """The voucher stays in the books, marked, and counts for nothing."""
        self._voided.add((day, digest))

    def vouchers(self) -> list[Voucher]:
        return [
            Voucher(
                booked_on=day,
                digest=digest,
                legs=[
                    Leg(account, unit, debit_fen, credit_fen)
                    for (account, unit), (debit_fen, credit_fen) in legs.items()
                ],
                void=(day, digest) in self._voided,
            )
            for (day, digest), legs in sorted(self._sums.items(), key=lambda entry: entry[0])
        ]


def sells(unit: str) -> bool:
    return unit.startswith((company.SALES, "010402"))


def spend_like_every_month(ledger: Ledger, rng: Random, day: date) -> None:
    """The running costs that fall due on ``day``, unit by unit."""
    if day == season.working_day(day.replace(day=5)):
        _pay_rent(ledger, rng, day)
    if day == season.working_day(day.replace(day=10)):
        _pay_salaries(ledger, day)
    if day == season.working_day(day.replace(day=20)):
        _pay_services(ledger, rng, day)
    if day.weekday() == 4:
        _repay_travel(ledger, rng, day)


def _pay_rent(ledger: Ledger, rng: Random, day: date) -> None:
    for unit, thousand_yuan in (
        ("0101", 12), ("010201", 11), ("010202", 10), ("010203", 11), ("0103", 5),
        ("010401", 34), ("0105", 6), ("0106", 5), ("0107", 6),
    ):  # fmt: skip
        ledger.expense(day, "房租水电", unit, thousand_yuan * 100_000 + rng.randint(0, 90_000))


def _pay_salaries(ledger: Ledger, day: date) -> None:
    for member in company.PEOPLE:
        fen = _SALARY_YUAN[company.role_of(member)] * 100
        ledger.expense(day, "发放工资", member.department, fen)


def _pay_services(ledger: Ledger, rng: Random, day: date) -> None:
    ledger.expense(day, "运输费用", "010402", rng.randint(4_800_000, 6_900_000))
    ledger.expense(day, "市场推广", company.SALES, rng.randint(2_500_000, 5_500_000))
    ledger.expense(day, "软件服务", "0107", rng.randint(900_000, 1_500_000))
    ledger.expense(day, "培训招聘", "0106", rng.randint(400_000, 1_600_000))
    ledger.expense(day, "审计咨询", company.FINANCE, rng.randint(300_000, 900_000))


def _repay_travel(ledger: Ledger, rng: Random, day: date) -> None:
    for unit in company.teams():
        ledger.expense(day, "差旅招待", unit, rng.randint(120_000, 520_000))
    ledger.expense(day, "差旅招待", company.PURCHASING, rng.randint(80_000, 300_000))
