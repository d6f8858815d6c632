"""What role data refuses."""

from app.core.errors import InvalidFields, Refusal, Texts


class PeriodUnknown(InvalidFields):
    """``period=`` names no period."""

    code = "roledata.period_unknown"
    texts = Texts("期间无效", "This is no period that can be asked for.")

    def __init__(self) -> None:
        super().__init__({"period": "invalid_period"})


class ComparisonUnknown(InvalidFields):
    """The card is not compared in this way."""

    code = "roledata.comparison_unknown"
    texts = Texts("该卡片不支持这种对比", "This card has no such comparison.")

    def __init__(self) -> None:
        super().__init__({"compare": "not_a_choice"})


class MomentAhead(InvalidFields):
    """Nobody knows yet what will be known."""

    code = "roledata.moment_ahead"
    texts = Texts("不能查询未来时刻的数据", "What will be known cannot be asked for.")

    def __init__(self) -> None:
        super().__init__({"as_known_at": "in_the_future"})


class NothingKnownThen(InvalidFields):
    """Nothing had come from the ERP by then."""

    code = "roledata.nothing_known_then"
    texts = Texts("该时刻尚无任何 ERP 数据", "Nothing had come from the ERP by then.")

    def __init__(self) -> None:
        super().__init__({"as_known_at": "before_the_first_batch"})


class NotWatchable(InvalidFields):
    """There is nothing on the card that a rule of this kind could watch."""

    code = "roledata.not_watchable"
    texts = Texts("该卡片不能设置这种预警", "This card cannot be watched in this way.")

    def __init__(self) -> None:
        super().__init__({"of": "not_a_choice"})


class ThresholdsCrossed(InvalidFields):
    """The exit must lie on the good side of the entry, or the watch would never rest."""

    code = "roledata.thresholds_crossed"
    texts = Texts("恢复阈值必须优于触发阈值", "The exit must be at least as good as the entry.")

    def __init__(self) -> None:
        super().__init__({"exit": "out_of_range"})


class TooManyWatches(Refusal):
    """A person keeps so many watches and no more."""

    status = 409
    code = "roledata.too_many_watches"
    texts = Texts("预警数量已达上限", "You have as many watches as one may have.")
