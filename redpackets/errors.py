"""What red packets refuses."""

from app.core.errors import InvalidFields, NotAllowed, Refusal, Texts


class PeriodClosed(Refusal):
    """The budget's period has not begun or is over."""

    status = 409
    code = "redpackets.period_closed"
    texts = Texts("预算不在有效期内", "This budget's period is not open.")


class InsufficientBudget(Refusal):
    """The budget has less than what is asked for; ``available`` and ``requested`` say how much."""

    status = 409
    code = "redpackets.insufficient_budget"
    texts = Texts("预算余额不足", "The budget does not have enough left.")


class LimitTooLow(Refusal):
    """The limit would fall below what is held and spent."""

    status = 409
    code = "redpackets.limit_too_low"
    texts = Texts(
        "额度不能低于已占用和已支出的金额", "The limit is below what is already held and spent."
    )


class CannotSplit(InvalidFields):
    """The total cannot be cut into so many shares within these bounds."""

    code = "redpackets.cannot_split"
    texts = Texts("金额无法按要求拆分", "The total cannot be cut this way.")

    def __init__(self, field: str = "total_minor") -> None:
        super().__init__({field: "cannot_split"})


class UnitMismatch(InvalidFields):
    """The packet's unit is not the budget's."""

    code = "redpackets.unit_mismatch"
    texts = Texts("币种与预算不一致", "The unit is not the budget's.")

    def __init__(self) -> None:
        super().__init__({"unit": "unit_mismatch"})


class ScopeEmpty(InvalidFields):
    """Nobody is in the audience."""

    code = "redpackets.scope_empty"
    texts = Texts("受众中没有人", "Nobody is in this audience.")

    def __init__(self) -> None:
        super().__init__({"audience.scopes": "scope_empty"})


class ReceiverRefused(InvalidFields):
    """A person of the audience is named twice, or is no longer active."""

    code = "redpackets.receiver_refused"
    texts = Texts("有领取人无效", "A receiver is not valid.")


class TimesRefused(InvalidFields):
    """The packet would open in the past, or end too early or too late."""

    code = "redpackets.times_refused"
    texts = Texts("时间设置无效", "These times are not valid.")


class OwnerUnknown(InvalidFields):
    """The budget's owner is nobody active here."""

    code = "redpackets.owner_unknown"
    texts = Texts("预算负责人无效", "The budget's owner is not valid.")

    def __init__(self) -> None:
        super().__init__({"owner_id": "receiver_not_active"})


class PeriodRefused(InvalidFields):
    """The budget's period ends before it begins."""

    code = "redpackets.period_refused"
    texts = Texts("预算期间无效", "The period ends before it begins.")

    def __init__(self) -> None:
        super().__init__({"period_to": "time_order"})


class NotEligible(NotAllowed):
    """The caller may see the packet and is not among those it is for."""

    code = "redpackets.not_eligible"
    texts = Texts("你不在领取范围内", "This red packet is not for you.")


class NotOpen(Refusal):
    """The packet opens later; ``opens_at`` says when."""

    status = 409
    code = "redpackets.not_open"
    texts = Texts("红包还没有开始", "This red packet is not open yet.")


class PacketExpired(Refusal):
    """The packet's time is over; what nobody took went back to the budget."""

    status = 410
    code = "redpackets.expired"
    texts = Texts("红包已过期", "This red packet has expired.")


class PacketCancelled(Refusal):
    """The packet was withdrawn before anybody took from it."""

    status = 410
    code = "redpackets.cancelled"
    texts = Texts("红包已撤回", "This red packet was withdrawn.")


class AlreadyClaimed(Refusal):
    """Somebody holds a share: the packet can no longer be withdrawn."""

    status = 409
    code = "redpackets.already_claimed"
    texts = Texts("已有人领取，不能撤回", "Somebody has taken a share; it cannot be withdrawn.")


class GiveOnly(Refusal):
    """The budget is a person's allowance to give: it pays kudos and nothing else."""

    status = 409
    code = "redpackets.give_only"
    texts = Texts("该额度只能用于赠送", "This allowance can only be given away as kudos.")


class OutsideParent(InvalidFields):
    """The budget's period or cost centre does not lie within those of the budget it is carved out of."""

    code = "redpackets.outside_parent"
    texts = Texts("超出上级预算的范围", "This lies outside the budget above.")

    def __init__(self, field: str) -> None:
        super().__init__({field: "outside_parent"})


class TreeTooDeep(Refusal):
    """Budgets are carved out of each other so many times and no more."""

    status = 409
    code = "redpackets.tree_too_deep"
    texts = Texts("预算层级过多", "There are too many budgets above one another.")


class StillInUse(Refusal):
    """The budget's owner is active and its period is not over: there is nothing to recover."""

    status = 409
    code = "redpackets.still_in_use"
    texts = Texts("预算仍在使用中", "This budget is still in use.")


class NotPending(Refusal):
    """The packet does not wait for approval (any more); ``state`` says what it is."""

    status = 409
    code = "redpackets.not_pending"
    texts = Texts("红包不在待审批状态", "This red packet does not wait for approval.")


class AlreadyDecided(Refusal):
    """The caller has decided otherwise before; ``decision`` says how."""

    status = 409
    code = "redpackets.already_decided"
    texts = Texts("你已作出不同的决定", "You have decided otherwise before.")


class FourEyes(NotAllowed):
    """Who sends a packet does not approve it, and neither does who stands in for the sender."""

    code = "redpackets.four_eyes"
    texts = Texts("不能审批自己发起的红包", "Somebody else than the sender must approve this.")


class ConflictOfInterest(NotAllowed):
    """The approver would receive from the packet; ``offers`` says "renounce" where that can be given up."""

    code = "redpackets.conflict_of_interest"
    texts = Texts("领取人不能审批该红包", "A receiver may not approve this red packet.")


class ReasonMissing(InvalidFields):
    """A rejection or a freeze needs a reason."""

    code = "redpackets.reason_missing"
    texts = Texts("请填写原因", "A reason is needed.")

    def __init__(self) -> None:
        super().__init__({"reason": "required"})


class BandsRefused(InvalidFields):
    """The bands of a policy leave amounts out, overlap, or end."""

    code = "redpackets.bands_refused"
    texts = Texts("审批区间无效", "The bands are not valid.")


class DelegationRefused(InvalidFields):
    """The delegate or the time of a delegation is not valid."""

    code = "redpackets.delegation_refused"
    texts = Texts("代理设置无效", "This delegation is not valid.")


class TooManyDelegations(Refusal):
    """The caller's right is lent to as many people as it can be."""

    status = 409
    code = "redpackets.too_many_delegations"
    texts = Texts("代理过多", "Your right is lent to too many people.")


class PacketFrozen(Refusal):
    """Somebody stopped the packet; what was taken stays taken, and claims may go on later."""

    status = 423
    code = "redpackets.frozen"
    texts = Texts("红包已被冻结，暂时不能领取", "This red packet is frozen for now.")


class ReceiveCapReached(NotAllowed):
    """The share would bring what the person received from this budget above its cap."""

    code = "redpackets.receive_cap_reached"
    texts = Texts(
        "你从这项预算领取的金额已达上限", "You have received as much as this budget allows."
    )


class OriginCapReached(NotAllowed):
    """The person has taken as many shares of this campaign's packets as one person may."""

    code = "redpackets.origin_cap_reached"
    texts = Texts(
        "你在本次活动中的领取次数已达上限", "You have taken all you may of this campaign."
    )
