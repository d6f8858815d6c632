"""What payouts refuse."""

from app.core.errors import InvalidFields, NotAllowed, Refusal, Texts


class NothingToPay(Refusal):
    """Nobody of the unit has a payable that this way can pay; ``left_out`` counts who has one and why not."""

    status = 409
    code = "redpackets.nothing_to_pay"
    texts = Texts("没有可发放的金额", "There is nothing to pay out.")


class PayoutTooLarge(Refusal):
    """More rows than one payout takes; pay unit by unit. ``rows`` and ``maximum`` say how many."""

    status = 409
    code = "redpackets.payout_too_large"
    texts = Texts("一次发放的人数过多，请按部门发放", "Too many rows for one payout; pay by unit.")


class PayoutFourEyes(NotAllowed):
    """Who made a payout does not release it."""

    code = "redpackets.payout_four_eyes"
    texts = Texts("不能审批自己创建的发放", "Somebody else must release this payout.")


class PayoutToOneself(NotAllowed):
    """Who is paid by a payout does not release it; sending it back is no matter."""

    code = "redpackets.payout_to_oneself"
    texts = Texts(
        "发放对象包含你本人，请由他人放行",
        "You are paid by this payout; somebody else releases it.",
    )


class PayoutWithoutReleaser(Refusal):
    """Everybody who may release the payout is paid by it or made it: send it back, and pay them by another one."""

    status = 409
    code = "redpackets.payout_without_releaser"
    texts = Texts(
        "所有可放行的人都在本次发放中，请退回后分开发放，或另行授权",
        "All who may release this are paid by it. Send it back and pay by unit, or let somebody else release.",
    )


class PayoutDecided(Refusal):
    """The payout was decided otherwise before; ``state`` says how."""

    status = 409
    code = "redpackets.payout_decided"
    texts = Texts("该发放已有结论", "This payout was decided already.")


class PayoutNotReleased(Refusal):
    """The payout is not released, so there is no file and nothing to come back."""

    status = 409
    code = "redpackets.payout_not_released"
    texts = Texts("该发放尚未放行", "This payout is not released.")


class NotByPayroll(Refusal):
    """The payout goes over a rail; it has no file."""

    status = 409
    code = "redpackets.not_by_payroll"
    texts = Texts("该发放不走工资表", "This payout does not go by payroll.")


class PayoutSettled(Refusal):
    """The results of this payout were taken before, and they were others."""

    status = 409
    code = "redpackets.payout_settled"
    texts = Texts("该发放的结果已经导入", "The results of this payout were taken before.")


class ResultsRefused(InvalidFields):
    """The results file does not fit its payout; none of it was taken."""

    code = "redpackets.results_refused"
    texts = Texts("回盘文件有误，未导入任何内容", "The results do not fit; nothing was taken.")


class TaxExportTooLarge(Refusal):
    """More rows than one export gives; ``maximum`` says how many it may be."""

    status = 409
    code = "redpackets.tax_export_too_large"
    texts = Texts("导出行数过多", "This export would be too large.")
