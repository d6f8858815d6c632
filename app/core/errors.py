"""Refusals: what people can do wrong, each a named type with a stable code and its text in two languages.

The edge turns them into ``application/problem+json`` or a socket answer; services only raise them.
"""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Texts:
    """One message to a reader, in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Pick the reader's language; Chinese unless English was asked for."""
        return self.en if language == "en" else self.zh


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The base of all refusals: an HTTP status, a stable code, a text; ``details`` go into the answer."""

    status: ClassVar[int]
    code: ClassVar[str]
    texts: ClassVar[Texts]

    def __init__(self, *, retry_after: int | None = None, **details: Any) -> None:
        super().__init__(self.code)
        self.details = details
        self.retry_after = retry_after


class InvalidFields(Refusal):
    """Fields that do not fit; ``errors`` maps a field's path to a code of the text catalogue."""

    status = 422
    code = "invalid_fields"
    texts = Texts("提交的内容有误", "Some fields are not valid.")

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__()
        self.errors = errors


class NotFound(Refusal):
    """There is no such thing, or none that the caller may know of."""

    status = 404
    code = "not_found"
    texts = Texts("没有找到", "There is no such thing.")


class NotAllowed(Refusal):
    """The caller may know of it, and may not do this."""

    status = 403
    code = "not_allowed"
    texts = Texts("没有权限", "You may not do this.")


class NotSignedIn(Refusal):
    """No token, or none that counts."""

    status = 401
    code = "invalid_token"
    texts = Texts("请重新登录", "Please sign in again.")


class BadRequest(Refusal):
    """The request cannot be read."""

    status = 400
    code = "bad_request"
    texts = Texts("请求无法识别", "The request cannot be read.")


class MalformedJson(BadRequest):
    """The body is not JSON in UTF-8."""

    code = "malformed_json"
    texts = Texts("请求内容不是有效的 JSON", "The body is not valid JSON.")


class DuplicateKey(BadRequest):
    """An object of the body names a key twice."""

    code = "duplicate_key"
    texts = Texts("请求内容有重复的键", "The body names a key twice.")


class TooDeep(BadRequest):
    """The body nests deeper than anything we accept."""

    code = "too_deep"
    texts = Texts("请求内容嵌套过深", "The body nests too deep.")


class BodyTooLarge(Refusal):
    """The body is larger than the limit."""

    status = 413
    code = "too_large"
    texts = Texts("请求内容过大", "The body is too large.")


class UnsupportedMediaType(Refusal):
    """The body is not declared as JSON."""

    status = 415
    code = "unsupported_media_type"
    texts = Texts("只接受 JSON", "Only JSON is accepted here.")


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    texts = Texts("不支持这种请求方式", "This method is not supported here.")


class TooManyRequests(Refusal):
    """A limit was reached; ``Retry-After`` says when it opens again."""

    status = 429
    code = "too_many_requests"
    texts = Texts("操作太频繁，请稍后再试", "Too many requests; please try again later.")


class Unavailable(Refusal):
    """A dependency is away or the server is shedding load; nothing was done."""

    status = 503
    code = "unavailable"
    texts = Texts(
        "服务暂时不可用，请稍后再试", "The service is away for a moment; please try again."
    )


class ServerError(Refusal):
    """Our fault; the request id finds the log line."""

    status = 500
    code = "server_error"
    texts = Texts("服务器出错了", "Something went wrong on our side.")


class BadCursor(InvalidFields):
    """A cursor that we did not give."""

    code = "bad_cursor"
    texts = Texts("翻页位置无效", "This cursor is not valid.")

    def __init__(self) -> None:
        super().__init__({"cursor": "bad_cursor"})


class IdempotencyKeyMissing(Refusal):
    """Money and ERP documents move only under a key."""

    status = 400
    code = "idempotency_key_required"
    texts = Texts(
        "缺少 Idempotency-Key", "An Idempotency-Key header of 1 to 128 characters is required."
    )


class IdempotencyKeyReused(Refusal):
    """The same key came with another body."""

    status = 422
    code = "idempotency_key_reused"
    texts = Texts(
        "同一个 Idempotency-Key 用于了不同的请求", "This key was used for another request."
    )


class IdempotencyKeySpent(Refusal):
    """What was asked for under this key was done so long ago that its answer is forgotten."""

    status = 409
    code = "idempotency_key_spent"
    texts = Texts("该操作早已完成，请刷新查看", "This was done long ago. Look it up instead.")


class IdempotencyKeyInProgress(Refusal):
    """The first request with this key has not been answered yet."""

    status = 409
    code = "idempotency_key_in_progress"
    texts = Texts("同一请求正在处理", "The first request with this key is still running.")


class VersionConflict(Refusal):
    """Somebody changed it since; ``current_version`` says to what."""

    status = 409
    code = "version_conflict"
    texts = Texts("内容已被他人修改", "It was changed by somebody else meanwhile.")
