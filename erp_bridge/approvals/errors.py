"""What approvals refuse."""

from app.core.errors import NotAllowed, NotFound, Refusal, Texts


class ApprovalUnknown(NotFound):
    """There is no such document waiting, or it waits for somebody else."""

    code = "erp_bridge.approval_unknown"
    texts = Texts("没有找到该审批单据", "There is no such document to approve.")


class DocumentChanged(Refusal):
    """The document is not as it was shown; ``current_version`` names it as it is now."""

    status = 409
    code = "erp_bridge.document_changed"
    texts = Texts(
        "单据内容已变更，请重新查看后再审批", "The document has changed; please look at it again."
    )


class ApprovalDecided(Refusal):
    """It waits no longer, or a decision on it is under way; ``state`` and ``decision`` say which."""

    status = 409
    code = "erp_bridge.approval_decided"
    texts = Texts("该单据已处理或正在处理", "This document was decided, or is being decided.")


class VerdictNotOffered(Refusal):
    """The ERP has no such decision for this document; ``verdicts`` lists those there are."""

    status = 409
    code = "erp_bridge.verdict_not_offered"
    texts = Texts("ERP 不支持对该单据做此操作", "The ERP offers no such decision here.")


class ApproverUnmapped(NotAllowed):
    """It is not set up, or no longer, which user of the ERP this person decides as."""

    code = "erp_bridge.approver_unmapped"
    texts = Texts(
        "尚未关联您的 ERP 用户，只能查看；请联系平台管理员",
        "Your ERP user is not set up, so you can only look; please ask your operator.",
    )


class SourceReadOnly(Refusal):
    """Nothing is written back to this ERP."""

    status = 409
    code = "erp_bridge.source_read_only"
    texts = Texts(
        "该 ERP 连接为只读，请在 ERP 中审批", "This ERP is only read; please decide it there."
    )


class ApproverUnknown(NotFound):
    """There is no such entry of who decides as whom."""

    code = "erp_bridge.approver_unknown"
    texts = Texts("没有找到该关联", "There is no such entry.")


class ApproverTaken(Refusal):
    """The person, or the ERP's user, is already set up for some of this time."""

    status = 409
    code = "erp_bridge.approver_taken"
    texts = Texts(
        "该人员或该 ERP 用户在此期间已有关联", "This person or ERP user is already set up then."
    )


class ApproverFourEyes(NotAllowed):
    """Nobody sets up as whom they themselves decide."""

    code = "erp_bridge.approver_four_eyes"
    texts = Texts("不能为自己设置 ERP 用户", "Somebody else must set up your ERP user.")
