"""What points refuse."""

from app.core.errors import NotAllowed, Refusal, Texts


class InsufficientPoints(Refusal):
    """The person has fewer points than are asked for; ``available`` and ``requested`` say how many."""

    status = 409
    code = "redpackets.insufficient_points"
    texts = Texts("积分不足", "You do not have enough points.")


class OutOfStock(Refusal):
    """Fewer pieces are left than are asked for; ``available`` says how many."""

    status = 409
    code = "redpackets.out_of_stock"
    texts = Texts("库存不足", "There are not enough of these left.")


class PriceChanged(Refusal):
    """The price is not what the person saw; ``now`` says what it is."""

    status = 409
    code = "redpackets.price_changed"
    texts = Texts("价格已变化，请重新确认", "The price has changed; please confirm again.")


class NotOnOffer(Refusal):
    """The item was taken out of the catalogue."""

    status = 409
    code = "redpackets.not_on_offer"
    texts = Texts("该商品已下架", "This item is no longer on offer.")


class LimitReached(Refusal):
    """One person may have so many of the item; ``limit`` and ``taken`` say how many."""

    status = 409
    code = "redpackets.limit_reached"
    texts = Texts("已达到每人兑换上限", "You have reached the limit for one person.")


class OwnRedemption(NotAllowed):
    """Nobody decides about their own redemption."""

    code = "redpackets.own_redemption"
    texts = Texts("不能处理自己的兑换", "You may not decide about your own redemption.")


class RedemptionState(Refusal):
    """What is asked for does not follow on where the redemption stands; ``state`` says where."""

    status = 409
    code = "redpackets.redemption_state"
    texts = Texts(
        "兑换当前状态不允许此操作", "The redemption does not allow this any more, or yet."
    )
