"""Reading the catalogue from YAML: a closed grammar, in which a mistake is an error and never a surprise."""

import hashlib
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.core.errors import Texts
from erp_bridge.canon import TABLES
from roledata.catalogue import (
    COMPANY,
    COST,
    COUNT,
    KEPT_BY_DAY,
    LAST,
    MONEY,
    NUMBER,
    OWN,
    PERSONAL,
    QUOTA,
    RATE,
    RATIO,
    SALES,
    SUM,
    Amount,
    Card,
    Catalogue,
    Condition,
    Home,
    Metric,
)

FOLDER = Path(__file__).parent
VALUE_COUNT_MAX = 20
LAYOUTS = ("number", "bar", "buckets", "list")
LIVE = ("order_execution", "ageing", "stock_cover", "tasks")


class DefinitionInvalid(Exception):  # noqa: N818 - raised at start, to whoever edits a definition
    """A definition that does not fit the grammar; names the file and the field."""


class _UniqueKeys(yaml.SafeLoader):
    """Safe YAML in which a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the library's signature
        """Refuse a repeated key, which YAML would silently let win."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = {str(key) for key in keys if keys.count(key) > 1}
        if repeated:
            raise DefinitionInvalid(f"repeated: {', '.join(sorted(repeated))}")
        return super().construct_mapping(node, deep=deep)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _Titles(_Strict):
    zh = fields.String(required=True)
    en = fields.String(required=True)


class _AmountGrammar(_Strict):
    column = fields.String(required=True)
    minus = fields.String(load_default=None)


class _MetricGrammar(_Strict):
    key = fields.String(required=True, validate=validate.Regexp(r"^[a-z][a-z_]{1,40}$"))
    source = fields.String(required=True, validate=validate.OneOf(list(TABLES)))
    time = fields.String(load_default=None)
    amount = fields.Nested(_AmountGrammar, load_default=None)
    where = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String(), validate=validate.Length(min=1, max=VALUE_COUNT_MAX)),
        load_default=dict,
    )
    aggregation = fields.String(required=True, validate=validate.OneOf([SUM, COUNT, LAST, RATIO]))
    numerator = fields.String(load_default=None)
    denominator = fields.String(load_default=None)
    unit = fields.String(required=True, validate=validate.OneOf([MONEY, NUMBER, RATE]))
    sentiment = fields.String(
        required=True, validate=validate.OneOf(["more_is_better", "less_is_better", "neutral"])
    )
    target = fields.String(load_default=None, validate=validate.OneOf([QUOTA]))
    comparisons = fields.List(
        fields.String(validate=validate.OneOf(["previous", "last_year", "target"])),
        load_default=list,
    )
    freshness_minutes = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 100_000)
    )
    mask = fields.String(load_default=None, validate=validate.OneOf([COST]))


class _CardGrammar(_Strict):
    key = fields.String(required=True, validate=validate.Regexp(r"^[a-z][a-z_]{1,40}$"))
    title = fields.Nested(_Titles, required=True)
    layout = fields.String(required=True, validate=validate.OneOf(LAYOUTS))
    metric = fields.String(required=True)
    otherwise = fields.String(load_default=None)
    parts = fields.List(fields.String(), load_default=list)
    live = fields.String(load_default=None, validate=validate.OneOf(LIVE))
    permissions = fields.List(
        fields.String(validate=validate.OneOf([COMPANY, SALES, OWN, PERSONAL])), required=True
    )


class _HomeGrammar(_Strict):
    role = fields.String(required=True)
    cards = fields.List(fields.String(), required=True, validate=validate.Length(min=1, max=12))


class _CardsGrammar(_Strict):
    cards = fields.List(fields.Nested(_CardGrammar), required=True)


class _HomesGrammar(_Strict):
    homes = fields.List(fields.Nested(_HomeGrammar), required=True)


@cache
def catalogue() -> Catalogue:
    """Read the catalogue that the product is shipped with, once for each process."""
    metrics = [
        read_metric(path.read_text("utf-8")) for path in sorted((FOLDER / "metrics").iterdir())
    ]
    return read_catalogue(
        metrics,
        (FOLDER / "cards.yaml").read_text("utf-8"),
        (FOLDER / "homes.yaml").read_text("utf-8"),
    )


@cache
def edition() -> str:
    """A fingerprint of this package as it is installed: other rules may make other answers of the same facts."""
    found = hashlib.blake2b(digest_size=6)
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in {".py", ".yaml"}:
            found.update(path.read_bytes())
    return found.hexdigest()


def read_metric(text: str) -> Metric:
    """Read one metric's definition."""
    given = _load(_MetricGrammar, text)
    where = tuple(
        Condition(column=column, values=tuple(values))
        for column, values in sorted(given.pop("where").items())
    )
    amount = given.pop("amount")
    comparisons = tuple(given.pop("comparisons"))
    metric = Metric(
        **given,
        where=where,
        amount=Amount(**amount) if amount else None,
        comparisons=comparisons,
        version=_fingerprint([given, str(where), str(amount), comparisons]),
    )
    _check_metric(metric)
    return metric


def read_catalogue(metrics: list[Metric], cards_text: str, homes_text: str) -> Catalogue:
    """Put metrics, cards and homes together; every name they use must exist."""
    by_key = _by_key(metrics)
    cards = _by_key([_card_of(card) for card in _load(_CardsGrammar, cards_text)["cards"]])
    homes = tuple(
        Home(role=home["role"], cards=tuple(home["cards"]))
        for home in _load(_HomesGrammar, homes_text)["homes"]
    )
    _check_names(by_key, cards, homes)
    version = _fingerprint([metric.version for metric in metrics])
    return Catalogue(by_key, cards, homes, version)


def _card_of(given: dict[str, Any]) -> Card:
    title = given.pop("title")
    parts, permissions = tuple(given.pop("parts")), tuple(given.pop("permissions"))
    return Card(**given, title=Texts(**title), parts=parts, permissions=permissions)


def _load(grammar: type[Schema], text: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = grammar().load(yaml.load(text, Loader=_UniqueKeys))  # noqa: S506 - a safe loader
    except (ValidationError, yaml.YAMLError) as error:
        raise DefinitionInvalid(str(error)) from error
    return loaded


def _by_key(items: list[Any]) -> dict[str, Any]:
    found = {item.key: item for item in items}
    if len(found) != len(items):
        raise DefinitionInvalid("two definitions have the same key")
    return found


def _check_metric(metric: Metric) -> None:
    """Columns are of the source and of the right kind; each aggregation has what it needs."""
    kinds = {name: field.kind for name, field in TABLES[metric.source].fields.items()}
    wanted = [(metric.time, "date")] if metric.time else []
    wanted += [(condition.column, "text") for condition in metric.where]
    if metric.amount:
        wanted += [(c, "decimal") for c in (metric.amount.column, metric.amount.minus) if c]
    for column, kind in wanted:
        if kinds.get(column) != kind:
            raise DefinitionInvalid(
                f"{metric.key}: {column} is no {kind} column of {metric.source}"
            )
    if metric.aggregation in KEPT_BY_DAY and metric.time is None:
        raise DefinitionInvalid(f"{metric.key}: a {metric.aggregation} by day needs a time column")
    if metric.aggregation == SUM and metric.amount is None:
        raise DefinitionInvalid(f"{metric.key}: a sum needs an amount")
    if (metric.aggregation == RATIO) != bool(metric.numerator and metric.denominator):
        raise DefinitionInvalid(f"{metric.key}: a ratio, and only a ratio, has two parts")


def _check_names(
    metrics: dict[str, Metric], cards: dict[str, Card], homes: tuple[Home, ...]
) -> None:
    named = {
        name for m in metrics.values() for name in (m.numerator, m.denominator, m.target) if name
    }
    for card in cards.values():
        named |= {card.metric, *card.parts} | ({card.otherwise} if card.otherwise else set())
    unknown = (named - set(metrics)) | {c for home in homes for c in home.cards if c not in cards}
    if unknown:
        raise DefinitionInvalid(f"nothing is called {', '.join(sorted(unknown))}")


def _fingerprint(value: Any) -> str:
    return hashlib.blake2b(
        orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=6
    ).hexdigest()
