"""What campaigns refuses."""

from app.core.errors import InvalidFields, NotAllowed, Refusal, Texts


class RuleRefused(InvalidFields):
    """The parts of a rule do not fit each other, its metric or its subjects."""

    code = "redpackets.rule_refused"
    texts = Texts("规则设置无效", "This rule is not valid.")


class FigureNotVisible(NotAllowed):
    """Who makes a rule on a figure must be able to see it: firing tells how high it is."""

    code = "redpackets.figure_not_visible"
    texts = Texts("你无权查看该指标", "You may not see this figure of these subjects.")


class NotImpartial(NotAllowed):
    """Who answers for the rule, or may take from its packet, does not decide about it."""

    code = "redpackets.not_impartial"
    texts = Texts(
        "规则负责人和领取人不能做此决定", "Its owner and its receivers may not decide this."
    )


class ProposalDecided(Refusal):
    """Somebody decided otherwise; ``state`` says how."""

    status = 409
    code = "redpackets.proposal_decided"
    texts = Texts("已经作出其他决定", "This was decided otherwise already.")


class NoAllowance(Refusal):
    """No programme gives the caller anything of this unit to give."""

    status = 409
    code = "redpackets.no_allowance"
    texts = Texts("你没有可赠送的额度", "You have no allowance to give from.")


class DatesRefused(InvalidFields):
    """Rows of a file of dates are wrong; nothing of it was taken."""

    code = "redpackets.dates_refused"
    texts = Texts("日期文件有误，未导入任何内容", "Some rows are wrong; nothing was taken over.")


class WavesRefused(InvalidFields):
    """The waves of a rain do not make sense."""

    code = "redpackets.waves_refused"
    texts = Texts("红包雨的波次设置无效", "These waves are not valid.")
