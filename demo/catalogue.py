"""What the company trades and with whom: products, warehouses, customers, vendors."""

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from demo import company

CUSTOMERS_PER_TEAM: Final = 20
CENTRAL_WAREHOUSE: Final = "04"

# Region → the warehouse that serves it; bulky goods leave from the central one whoever buys them.
WAREHOUSES: Final[dict[str, str]] = {
    "01": "上海仓",
    "02": "广州仓",
    "03": "北京仓",
    CENTRAL_WAREHOUSE: "武汉中心仓",
}
_SERVED_FROM: Final = {"010201": "01", "010202": "02", "010203": "03"}
_BULKY_CLASS: Final = "06"

CUSTOMER_CLASSES: Final = ("01", "02", "03")
_KINDS: Final = {"01": ("批发部", "贸易行"), "02": ("连锁超市", "便利店"), "03": ("物业", "酒店")}
_CITIES: Final = {
    "01020101": "上海",
    "01020102": "杭州",
    "01020201": "广州",
    "01020202": "深圳",
    "01020301": "北京",
    "01020302": "天津",
}
_WORDS: Final = (
    "青柚", "蓝莓", "橄榄", "苜蓿", "松果", "桑葚", "枇杷", "无花果", "芦苇", "薄荷",
    "向日葵", "紫藤", "麦穗", "豆芽", "花生", "柿子", "樱桃", "银耳", "佛手", "蒲公英",
)  # fmt: skip

# Class → (name, unit, cheapest cost in yuan, dearest, goods).
_CLASSES: Final[dict[str, tuple[str, str, int, int, str]]] = {
    "01": ("办公用品", "盒", 6, 90, "中性笔 文件夹 订书机 便签本 复印纸"),
    "02": ("清洁用品", "箱", 18, 160, "洗手液 拖把 垃圾袋 抹布 消毒湿巾"),
    "03": ("包装材料", "捆", 12, 120, "纸箱 气泡膜 封箱胶带 缠绕膜 编织袋"),
    "04": ("五金工具", "套", 25, 480, "扳手 螺丝刀 卷尺 手电钻 水平尺"),
    "05": ("照明电器", "件", 20, 360, "灯管 排插 台灯 应急灯 定时开关"),
    _BULKY_CLASS: ("劳保与货架", "组", 60, 900, "货架 安全帽 手推车 防护服 折叠梯"),
}
_MODELS: Final = ("A1", "A2", "B1", "B3", "Pro")

_VENDOR_WORDS: Final = (
    "远山",
    "清溪",
    "白桦",
    "长堤",
    "晴川",
    "石桥",
    "南坡",
    "月湾",
    "竹海",
    "沙洲",
)


@dataclass(frozen=True, slots=True)
class Product:
    code: str
    name: str
    model: str
    category: str
    unit: str
    cost_fen: int
    price_fen: int
    popularity: int
    lead_days: int


@dataclass(frozen=True, slots=True)
class Customer:
    code: str
    name: str
    short_name: str
    kind: str
    team: str
    seller: str
    credit_fen: int
    credit_days: int
    weight: int
    lateness_days: int  # how long after the due date it usually pays


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can stand on an order."""

    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    buyers_of: dict[str, tuple[Customer, ...]]  # by salesperson
    popularity: tuple[int, ...]  # cumulative, beside products

    def pick_product(self, rng: Random) -> Product:
        return rng.choices(self.products, cum_weights=self.popularity)[0]


def category_names() -> dict[str, str]:
    return {code: definition[0] for code, definition in _CLASSES.items()}


def vendors() -> dict[str, str]:
    return {f"V{place:02d}": f"{word}制造厂" for place, word in enumerate(_VENDOR_WORDS, 1)}


def vendor_for(product_code: str) -> str:
    codes = list(vendors())
    return codes[int(product_code[1:]) % len(codes)]


def city_of(team: str) -> str:
    return _CITIES[team]


def warehouse_for(team: str, category: str) -> str:
    """Where a team's customers are served from."""
    if category == _BULKY_CLASS:
        return CENTRAL_WAREHOUSE
    return _SERVED_FROM[team[: len("010201")]]


def warehouses_of(category: str) -> tuple[str, ...]:
    if category == _BULKY_CLASS:
        return (CENTRAL_WAREHOUSE,)
    return tuple(_SERVED_FROM.values())


def catalogue(seed: int) -> Catalogue:
    """The same products and customers for the same seed, whatever the day."""
    # Text seeds are stable across processes and Python versions.
    rng = Random(f"catalogue {seed}")
    products = tuple(_products(rng))
    customers = tuple(_customers(rng))
    return Catalogue(
        products=products,
        customers=customers,
        buyers_of={
            seller.code: tuple(buyer for buyer in customers if buyer.seller == seller.code)
            for seller in company.SALESPEOPLE
        },
        popularity=tuple(accumulate(product.popularity for product in products)),
    )


def _products(rng: Random) -> list[Product]:
    products: list[Product] = []
    for category, (_, unit, cheapest, dearest, goods) in _CLASSES.items():
        for good in goods.split():
            low = rng.randint(cheapest, (cheapest + dearest) // 2)
            for grade, model in enumerate(_MODELS):
                cost_fen = low * (100 + 18 * grade) + rng.randint(0, 99)
                number = len(products) + 1
                products.append(
                    Product(
                        code=f"P{number:04d}",
                        name=f"{good} {model}",
                        model=model,
                        category=category,
                        unit=unit,
                        cost_fen=cost_fen,
                        price_fen=cost_fen * rng.randint(128, 162) // 100,
                        popularity=rng.choice((2, 3, 5, 8, 13)),
                        lead_days=_lead_days(rng),
                    )
                )
    return products


def _lead_days(rng: Random) -> int:
    # A few goods are always hard to get: they make the short stock.
    return rng.randint(24, 38) if rng.random() < 0.08 else rng.randint(4, 11)


def _customers(rng: Random) -> list[Customer]:
    customers: list[Customer] = []
    for team in company.teams():
        sellers = [seller for seller in company.SALESPEOPLE if seller.department == team]
        for place, word in enumerate(_WORDS[:CUSTOMERS_PER_TEAM]):
            weight = rng.choice((2, 3, 4, 6, 10))
            kind = rng.choice(CUSTOMER_CLASSES)
            short_name = f"{city_of(team)}{word}"
            customers.append(
                Customer(
                    code=f"C{len(customers) + 1:04d}",
                    name=f"{short_name}{rng.choice(_KINDS[kind])}",
                    short_name=short_name,
                    kind=kind,
                    team=team,
                    seller=sellers[place % len(sellers)].code,
                    credit_fen=weight * rng.randint(4, 7) * 1_000_000,
                    credit_days=rng.choice((15, 30, 30, 45, 60)),
                    weight=weight,
                    lateness_days=_lateness_days(rng),
                )
            )
    return customers


def _lateness_days(rng: Random) -> int:
    habit = rng.random()
    if habit < 0.7:
        return rng.randint(-4, 3)
    return rng.randint(5, 25) if habit < 0.92 else rng.randint(35, 80)
