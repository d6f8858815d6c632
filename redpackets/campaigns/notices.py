"""News of campaigns, for the owners of rules: what happened and why, without any figure."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.core.work import tenant_of
from app.delivery.notices import Notice, notify
from redpackets.campaigns.events import FigureRestated, GiftMissed, RuleFired, RuleMissed
from redpackets.campaigns.models import MilestoneRule, TriggerRule
from redpackets.campaigns.placing import personal_scopes, told_of

KIND = "redpackets.campaigns"
KIND_NAME = Texts("奖励活动与规则", "Campaigns and rules")
_FIRED = (
    Texts("奖励规则已触发", "A reward rule fired"),
    Texts("红包已按规则发出", "Its packet was sent."),
)
_RESTATED = Texts("指标被下调", "A figure was restated")
_TO_DECIDE = Texts(
    "已触发的指标被下调，请决定如何处理",
    "It fell below what it fired at; a decision is needed.",
)
_OTHERS_DECIDE = Texts(
    "已触发的指标被下调，将由审批人决定如何处理",
    "It fell below what it fired at; those who approve say what becomes of it.",
)
_MISSED = Texts("奖励规则未能触发", "A reward rule could not fire")
_GIFT_MISSED = Texts("纪念日礼金未能发出", "A milestone gift could not be given")
_OTHER_REASON = Texts("暂时无法执行，将再次尝试", "It could not be done now and is tried again.")
REASONS = {
    "figure_missing": Texts("缺少指标数据", "The figure is not there."),
    "figure_stale": Texts("指标数据已过时", "The figure is out of date."),
    "target_missing": Texts("没有设定目标", "No target is set."),
    "target_zero": Texts("目标为零", "The target is zero."),
    "base_zero": Texts("去年同期为零", "There was nothing in the same period last year."),
    "insufficient_budget": Texts("预算余额不足", "The budget does not have enough left."),
    "period_closed": Texts("预算不在有效期内", "The budget's period is not open."),
    "scope_empty": Texts("没有可领取的人", "Nobody is there to receive it."),
    "cannot_split": Texts("金额无法按人数拆分", "The amount cannot be cut for so many."),
    "owner_inactive": Texts("规则负责人已离开", "Its owner has left."),
    "owner_not_allowed": Texts(
        "规则负责人已无权使用该预算", "Its owner may no longer spend its budget."
    ),
}


def tell_fired(session: Session, fact: RuleFired, handling: Handling) -> None:
    """Tell a rule's owner that it fired."""
    link = f"/red-packets/{fact.packet_id}"
    _tell(session, handling, [fact.owner_id], _FIRED, link, f"rule_fired:{fact.fire_id}")


def tell_missed(session: Session, fact: RuleMissed, handling: Handling) -> None:
    """Tell those concerned why a rule could not fire, once for each reason and period."""
    rule = session.get_one(TriggerRule, (tenant_of(session), fact.rule_id))
    told_ids = told_of(session, rule, fact.reason, handling.now)
    texts = (_MISSED, REASONS.get(fact.reason, _OTHER_REASON))
    source = f"rule_missed:{fact.rule_id}:{fact.period_from}:{fact.reason}"
    _tell(session, handling, told_ids, texts, f"/kpi-rules/{fact.rule_id}", source)


def tell_restated(session: Session, fact: FigureRestated, handling: Handling) -> None:
    """Tell those who may decide that a figure fell below what a rule fired at, and the rule's owner, who may not."""
    link, source = f"/kpi-rules/{fact.rule_id}", f"figure_restated:{fact.proposal_id}"
    _tell(session, handling, [fact.owner_id], (_RESTATED, _OTHERS_DECIDE), link, source)
    if not fact.decider_scope_ids:
        return
    notice = Notice(
        kind=KIND,
        texts=(_RESTATED, _TO_DECIDE),
        link="/kpi-proposals",
        scope_ids=fact.decider_scope_ids,
        collapse_key="kpi-proposals",
        source=f"redpackets.{source}:to_decide",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_gift_missed(session: Session, fact: GiftMissed, handling: Handling) -> None:
    """Tell those concerned why a milestone's gift could not be given, once for each reason and day."""
    rule = session.get_one(MilestoneRule, (tenant_of(session), fact.rule_id))
    told_ids = told_of(session, rule, fact.reason, handling.now)
    texts = (_GIFT_MISSED, REASONS.get(fact.reason, _OTHER_REASON))
    source = f"gift_missed:{fact.rule_id}:{fact.on}:{fact.reason}"
    _tell(session, handling, told_ids, texts, f"/milestone-rules/{fact.rule_id}", source)


def _tell(
    session: Session,
    handling: Handling,
    told_ids: list[UUID],
    texts: tuple[Texts, Texts],
    link: str,
    source: str,
) -> None:
    notice = Notice(
        kind=KIND,
        texts=texts,
        link=link,
        scope_ids=personal_scopes(session, told_ids),
        collapse_key=link,
        source=f"redpackets.{source}",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)
