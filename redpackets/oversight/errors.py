"""What oversight refuses."""

from app.core.errors import NotAllowed, Refusal, Texts


class InvolvedInFlag(NotAllowed):
    """The flag is about the caller."""

    code = "redpackets.involved_in_flag"
    texts = Texts(
        "此预警涉及你本人，不能处理", "This flag is about you; somebody else resolves it."
    )


class FlagResolved(Refusal):
    """Somebody has already said otherwise; ``state`` says what."""

    status = 409
    code = "redpackets.flag_resolved"
    texts = Texts("此预警已处理", "This flag has been resolved already.")


class AudienceTooSmall(Refusal):
    """The audience is so small that figures about it would be figures about persons; ``minimum`` says how many."""

    status = 409
    code = "redpackets.audience_too_small"
    texts = Texts("人数过少，为保护隐私不予统计", "Too few people for figures that name nobody.")
