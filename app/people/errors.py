"""What people refuses."""

from app.core.errors import InvalidFields, NotAllowed, Refusal, Texts


class WrongPassword(Refusal):
    """Company, login or password do not fit; which one is not said."""

    status = 401
    code = "people.wrong_password"
    texts = Texts("企业、账号或密码不正确", "The company, login or password is not right.")


class RefreshTokenInvalid(Refusal):
    """A refresh token that is unknown, expired, or used before; a reused one has ended its family."""

    status = 401
    code = "people.refresh_token_invalid"
    texts = Texts("登录已失效，请重新登录", "This sign-in has ended; please sign in again.")


class TenantSuspended(Refusal):
    """The company's space is suspended."""

    status = 403
    code = "people.tenant_suspended"
    texts = Texts("企业空间已停用", "This company's space is suspended.")


class AudienceNotAllowed(NotAllowed):
    """The sender may not address these people."""

    code = "people.audience_not_allowed"
    texts = Texts("你不能向这些受众发送", "You may not address this audience.")


class AudienceUnknown(InvalidFields):
    """The audience names a unit, role or person that does not exist for the sender."""

    code = "people.audience_unknown"
    texts = Texts("受众不存在", "This audience does not exist.")

    def __init__(self, position: int) -> None:
        super().__init__({f"audience.scopes.{position}": "invalid"})


class AudienceEmpty(InvalidFields):
    """An audience needs at least one scope."""

    code = "people.audience_empty"
    texts = Texts("请选择受众", "Choose an audience.")

    def __init__(self) -> None:
        super().__init__({"audience.scopes": "required"})


class LoginTaken(Refusal):
    """Another person of the company signs in by this login."""

    status = 409
    code = "people.login_taken"
    texts = Texts("账号已被使用", "This login is taken.")


class UnitCycle(Refusal):
    """A unit cannot move below itself."""

    status = 409
    code = "people.unit_cycle"
    texts = Texts("不能移动到自己的下级", "A unit cannot move below itself.")
