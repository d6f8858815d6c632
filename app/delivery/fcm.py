"""FCM, through firebase-admin: encoding, batches and errors are the library's, retrying is ours.

With ``fcm_endpoint`` set, messages go there instead of to Google, under a credential that asks nobody.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any

import firebase_admin
import structlog
from firebase_admin import credentials, exceptions, messaging
from google.auth.credentials import AnonymousCredentials
from requests.adapters import HTTPAdapter

from app.core.settings import Settings
from app.delivery.push import BATCH_SIZE, Answer, Channel, Outcome, Push

TIMEOUT_SECONDS = 10
COLLAPSE_BYTES_MAX = 64

_GONE = (messaging.UnregisteredError, messaging.SenderIdMismatchError)
_REFUSED = (exceptions.InvalidArgumentError, exceptions.NotFoundError)
log = structlog.get_logger()


class LocalCredential(credentials.Base):  # type: ignore[misc]  # the library brings no types
    """A credential for a push service on this machine."""

    def get_credential(self) -> Any:
        """Give a credential that adds nothing to a request."""
        return AnonymousCredentials()  # type: ignore[no-untyped-call]


class FcmChannel:
    """Sends through FCM; connects when first used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: Any = None
        self._lock = Lock()

    def send(self, pushes: Sequence[Push]) -> list[Answer]:
        """Send a batch, each message by itself."""
        assert len(pushes) <= BATCH_SIZE
        try:
            app = self._open()
            batch = messaging.send_each([_message(push) for push in pushes], app=app)
        except (exceptions.FirebaseError, ValueError, OSError) as error:
            log.exception("push_channel_failed")
            return [Answer(Outcome.AGAIN, type(error).__name__)] * len(pushes)
        return [_answer(sent.exception) for sent in batch.responses]

    def _open(self) -> Any:
        with self._lock:
            if self._app is None:
                self._app = self._connect()
            return self._app

    def _connect(self) -> Any:
        settings = self._settings
        app = firebase_admin.initialize_app(
            self._credential(),
            {"projectId": settings.fcm_project, "httpTimeout": TIMEOUT_SECONDS},
            name=f"push-{id(self)}",
        )
        service = messaging._get_messaging_service(app)  # noqa: SLF001 - there is no public door to its address
        if settings.fcm_endpoint:
            address = f"{settings.fcm_endpoint}/v1/projects/{settings.fcm_project}/messages:send"
            service._fcm_url = address  # noqa: SLF001
        # The library would sleep and retry inside the job; the job itself is put off instead.
        for scheme in ("https://", "https://fcm.googleapis.com", "http://"):
            service._client.session.mount(  # noqa: SLF001
                scheme, HTTPAdapter(pool_maxsize=BATCH_SIZE, max_retries=0)
            )
        return app

    def _credential(self) -> Any:
        if self._settings.fcm_endpoint:
            return LocalCredential()
        return credentials.Certificate(self._settings.fcm_credentials_file)


def channels_of(settings: Settings) -> dict[str, Channel]:
    """Open the channels that are configured; only the worker sends, so only it pays for loading them."""
    if settings.fcm_endpoint or settings.fcm_credentials_file:
        return {"fcm": FcmChannel(settings)}
    log.warning("push_not_configured")
    return {}


def _message(push: Push) -> messaging.Message:
    """Write one message: the latest of a collapse key replaces the others on every kind of phone."""
    key = push.collapse_key.encode()[:COLLAPSE_BYTES_MAX].decode(errors="ignore")
    expires = datetime.now(UTC) + timedelta(seconds=push.lives_seconds)
    message = messaging.Message(
        notification=messaging.Notification(title=push.title, body=push.body),
        data=dict(push.data),
        android=messaging.AndroidConfig(
            collapse_key=key,
            priority="high" if push.is_urgent else "normal",
            ttl=timedelta(seconds=push.lives_seconds),
            notification=messaging.AndroidNotification(tag=key),
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-collapse-id": key,
                "apns-priority": "10" if push.is_urgent else "5",
                "apns-expiration": str(int(expires.timestamp())),
            },
            payload=messaging.APNSPayload(aps=messaging.Aps(thread_id=push.data.get("kind"))),
        ),
        webpush=messaging.WebpushConfig(
            headers={
                "TTL": str(push.lives_seconds),
                "Urgency": "high" if push.is_urgent else "normal",
            },
            notification=messaging.WebpushNotification(tag=key),
        ),
    )
    # Set afterwards: phones give registration tokens, and the constructor warns that installation ids will follow.
    message.token = push.token
    return message


def _answer(error: Exception | None) -> Answer:
    if error is None:
        return Answer(Outcome.ACCEPTED)
    word = getattr(error, "code", None) or type(error).__name__
    if isinstance(error, _GONE):
        return Answer(Outcome.GONE, word)
    if isinstance(error, _REFUSED):
        return Answer(Outcome.REFUSED, word)
    return Answer(Outcome.AGAIN, word, _retry_after(error))


def _retry_after(error: Exception) -> float | None:
    response = getattr(error, "http_response", None)
    given = response.headers.get("Retry-After") if response is not None else None
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        return _seconds_until(given)


def _seconds_until(given: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
