"""The one way connectors speak HTTP.

TLS is always verified, hosts are held to what the installation permits, answers have a largest size and a
longest time, requests a budget. What goes wrong is a `ConnectorError` that names the path only: queries,
headers and bodies may hold tokens.
"""

from __future__ import annotations

import logging
import ssl
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
import orjson
from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, Range

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.egress import Deadline, GuardedBackend
from erp_bridge.connectors.pacing import TRIES_MAX, Allowance, Budget, Waiting, budget_of

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 120.0
ANSWER_BYTES_MAX = 64 * 1024 * 1024
REDIRECTS_MAX = 3
URL_LENGTH_MAX = 500
PEM_LENGTH_MAX = 100_000
PER_SECOND, PER_SECOND_MAX = 5.0, 1_000.0
PER_DAY, PER_DAY_MAX = 50_000, 10_000_000

#: What stands among a connector's settings without being one: who counts the requests of the day.
ALLOWANCE = "allowance"

#: One value of a name, or several.
Query = Mapping[str, str | Sequence[str]]

_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_CODES = {
    401: "erp.sign_in_refused",
    403: "erp.not_allowed",
    404: "erp.not_found",
    408: "erp.too_slow",
    429: "erp.busy",
    504: "erp.too_slow",
}


def _check_url(value: str) -> None:
    try:
        parts = urlsplit(value)
        port_is_fit = parts.port != 0
    except ValueError as error:
        raise ValidationError("Not the address of a server.") from error
    is_server = parts.scheme in {"http", "https"} and parts.hostname and port_is_fit
    if not is_server or "@" in parts.netloc or any(mark in value for mark in "?# \\"):
        raise ValidationError("Not the address of a server.")
    if not (value.isascii() and value.isprintable()):
        raise ValidationError("Not the address of a server.")


def _check_pem(value: str | None) -> None:
    try:
        if value is not None:
            ssl.create_default_context(cadata=value)
    except (ssl.SSLError, ValueError) as error:
        raise ValidationError("Not certificates in PEM.") from error


def address(**options: Any) -> fields.String:
    """A setting that is the address of a server."""
    return fields.String(validate=[Length(8, URL_LENGTH_MAX), _check_url], **options)


class HttpSettings(Schema):
    """Where an ERP's web service is, whom to trust, and how hard to lean on it."""

    base_url = address(required=True)
    ca_pem = fields.String(
        load_default=None, allow_none=True, validate=[Length(1, PEM_LENGTH_MAX), _check_pem]
    )
    requests_per_second = fields.Float(
        load_default=PER_SECOND, validate=Range(0, PER_SECOND_MAX, min_inclusive=False)
    )
    requests_per_day = fields.Integer(load_default=PER_DAY, validate=Range(1, PER_DAY_MAX))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ERP answered; the body is whole and within the largest size."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    path: str

    def json(self) -> Any:
        """The body as JSON; numbers with a point come as floats, so exact ones are asked for as text."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise HttpError("erp.bad_answer", self.path, self.status) from None

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class HttpError(ConnectorError):
    """A request that did not give an answer; ``detail`` is its path."""

    def __init__(self, code: str, path: str, status: int | None = None) -> None:
        super().__init__(code, path)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    content: bytes | None


@dataclass
class Caps:
    """The most that one answer may take."""

    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    total_seconds: float = TOTAL_SECONDS
    answer_bytes: int = ANSWER_BYTES_MAX


@dataclass
class Http:
    """Speaks to one server, over one connection at a time; closed after the run."""

    base_url: str
    budget: Budget
    ca_pem: str | None = None
    caps: Caps = field(default_factory=Caps)
    waiting: Waiting = field(default_factory=Waiting)
    allowance: Allowance | None = None

    def __post_init__(self) -> None:
        hide_secrets_in_logs()
        self._base = httpx.URL(self.base_url.rstrip("/"))
        self._deadline = Deadline()
        self._client = httpx.Client(
            transport=_Transport(self._deadline, self.ca_pem, is_plain=self._base.scheme == "http"),
            timeout=httpx.Timeout(self.caps.read_seconds, connect=self.caps.connect_seconds),
            trust_env=False,
            headers={"Accept-Encoding": "gzip", "User-Agent": "workspace-erp-bridge"},
        )

    def get(self, path: str, query: Query | None = None, **options: Any) -> Answer:
        """Read ``path``; see `ask`."""
        return self.ask("GET", path, query=query, **options)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        accept: Collection[int] = (),
        is_read: bool = True,
    ) -> Answer:
        """Ask until there is an answer below 400 or one of ``accept``; only what merely reads is asked again."""
        assert path.startswith("/"), "a path below the base, never a whole address"
        call = _Call(method, path, query or {}, headers or {}, content)
        for tries in range(TRIES_MAX):
            self.budget.spend(self.waiting, self.allowance)
            retry_after = None
            try:
                answer = self._follow(call)
            except HttpError as error:
                failure = error
            else:
                if answer.status < 400 or answer.status in accept:
                    return answer
                failure = _refused(answer)
                retry_after = answer.headers.get("retry-after")
            if not (is_read and _is_passing(failure)):
                raise failure
            self._wait(tries, retry_after, failure)
        raise AssertionError("the last try has raised")

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _wait(self, tries: int, retry_after: str | None, failure: HttpError) -> None:
        pause = self.waiting.before_retry(tries, retry_after)
        if tries + 1 >= TRIES_MAX or pause is None:
            raise failure
        self.waiting.sleep(pause)

    def _follow(self, call: _Call) -> Answer:
        url = self._base.copy_with(path=self._base.path.rstrip("/") + call.path)
        if call.query:
            url = url.copy_merge_params(dict(call.query))
            # Not every server reads a plus as a blank; a real plus is written otherwise by now.
            url = url.copy_with(query=url.query.replace(b"+", b"%20"))
        for _ in range(REDIRECTS_MAX + 1):
            answer = self._send(call, url)
            if answer.status not in {301, 302, 303, 307, 308}:
                return answer
            target = _join(url, answer)
            if call.method not in {"GET", "HEAD"} or _origin(target) != _origin(url):
                break
            url = target
        raise HttpError("erp.redirected", call.path)

    def _send(self, call: _Call, url: httpx.URL) -> Answer:
        self._deadline.start(self.caps.total_seconds)
        request = self._client.build_request(
            call.method, url, headers=dict(call.headers), content=call.content
        )
        # The original error may quote the address with its query: it is not kept.
        try:
            response = self._client.send(request, stream=True)
            try:
                body = b"".join(self._body(response, call.path))
            finally:
                response.close()
        except httpx.TimeoutException:
            raise HttpError("erp.too_slow", call.path) from None
        except httpx.HTTPError as error:
            raise HttpError(_transport_code(error), call.path) from None
        except ConnectorError as error:
            raise HttpError(error.code, call.path) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body, call.path)

    def _body(self, response: httpx.Response, path: str) -> Iterator[bytes]:
        """The body, unpacked by ourselves: a small packed answer may be a huge one."""
        unpack = _unpacker(response.headers.get("content-encoding", ""), path)
        left = self.caps.answer_bytes
        for chunk in response.iter_raw():
            piece = unpack.unpack(chunk, left)
            left -= len(piece)
            if left < 0:
                raise ConnectorError("erp.too_large")
            yield piece
        unpack.finish()


def moment_of(answer: Answer) -> datetime | None:
    """When the server says that it answered, to the second; by its own clock, which its stamps go by too."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def open_http(settings: Mapping[str, Any], *, account: str) -> Http:
    """Speak to the server that settings name; requests count against the account's budget."""
    budget = budget_of(
        f"{settings['base_url']}|{account}",
        per_second=settings["requests_per_second"],
        per_day=settings["requests_per_day"],
    )
    allowance = settings.get(ALLOWANCE)
    return Http(settings["base_url"], budget, settings["ca_pem"], allowance=allowance)


class _Transport(httpx.HTTPTransport):
    """httpx's own, except that its connections are made by our backend and verified by our context."""

    def __init__(self, deadline: Deadline, ca_pem: str | None, *, is_plain: bool) -> None:
        super().__init__(verify=_trust(ca_pem), trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(ca_pem),
            max_connections=1,
            keepalive_expiry=5.0,
            network_backend=GuardedBackend(deadline, is_plain=is_plain),
        )


@lru_cache(maxsize=64)
def _trust(ca_pem: str | None) -> ssl.SSLContext:
    """The authorities of the web, or a company's own and no others."""
    if ca_pem is None:
        return httpx.create_ssl_context(trust_env=False)
    return ssl.create_default_context(cadata=ca_pem)


class _Plain:
    """A body that is not packed."""

    def unpack(self, chunk: bytes, left: int) -> bytes:
        return chunk

    def finish(self) -> None:
        return


class _Gzip:
    """A packed body, unpacked no further than one byte past the largest size."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=47)
        self._is_begun = False

    def unpack(self, chunk: bytes, left: int) -> bytes:
        self._is_begun = True
        try:
            return self._unpacker.decompress(chunk, left + 1)
        except zlib.error:
            raise ConnectorError("erp.bad_answer") from None

    def finish(self) -> None:
        if self._is_begun and not self._unpacker.eof:
            raise ConnectorError("erp.bad_answer")


def _unpacker(encoding: str, path: str) -> _Plain | _Gzip:
    if encoding.lower() in {"gzip", "deflate"}:
        return _Gzip()
    if encoding.lower() in {"", "identity"}:
        return _Plain()
    raise HttpError("erp.bad_answer", path)


def _refused(answer: Answer) -> HttpError:
    fallback = "erp.unavailable" if answer.status >= 500 else "erp.refused"
    return HttpError(_CODES.get(answer.status, fallback), answer.path, answer.status)


def _is_passing(failure: HttpError) -> bool:
    """Whether the same request may well succeed in a moment."""
    if failure.status is not None:
        return failure.status in _AGAIN
    return failure.code in {"erp.unavailable", "erp.too_slow", "erp.bad_answer"}


def _transport_code(error: httpx.HTTPError) -> str:
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return "erp.tls_refused"
        reason = reason.__cause__ or reason.__context__
    return "erp.unavailable"


def _join(url: httpx.URL, answer: Answer) -> httpx.URL:
    try:
        return url.join(answer.headers.get("location", ""))
    except httpx.InvalidURL:
        raise HttpError("erp.redirected", answer.path) from None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _NoSecrets(logging.Filter):
    """Lines of the HTTP libraries name addresses without their queries, and no headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("httpcore"):
            record.msg, record.args = str(record.msg).partition(" ")[0], ()
        elif isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None, username=None, password=None)
                if isinstance(arg, httpx.URL)
                else arg
                for arg in record.args
            )
        return True


_NO_SECRETS = _NoSecrets()


def hide_secrets_in_logs() -> None:
    """Hold the HTTP libraries' own lines to what may be logged; doing it twice is doing it once."""
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2"):
        logging.getLogger(name).addFilter(_NO_SECRETS)
