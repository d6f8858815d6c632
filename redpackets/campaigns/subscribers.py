"""What campaigns do when figures changed."""

from sqlalchemy.orm import Session

from app.core.jobs import defer
from app.core.subscriptions import Handling, Subscriptions
from redpackets.campaigns.jobs import EVALUATE
from roledata.events import CardsChanged


def subscribe_to_others(heard: Subscriptions) -> None:
    """Hear of changed figures."""
    heard.add(CardsChanged, "redpackets.evaluate_rules", on_cards_changed)


def on_cards_changed(session: Session, fact: CardsChanged, handling: Handling) -> None:
    """Ask for one evaluation for however many told of the same change: the figures are committed."""
    defer(session, EVALUATE, lock=EVALUATE, once=True)
