"""Access tokens: short-lived JWTs that name tenant, person and sign-in, and are checked in full."""

from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from app.core.composition import Claims
from app.core.errors import NotSignedIn
from app.core.settings import Settings

ISSUER = "workspace"
AUDIENCE = "workspace-api"
TYPE = "access"
LEEWAY_SECONDS = 30
ALGORITHM = "HS256"


class TokenKey:
    """Writes and reads access tokens with the installation's key."""

    def __init__(self, settings: Settings) -> None:
        self._key = OctKey.import_key(f"access token {settings.secret_key}")
        self._seconds = settings.access_token_seconds

    def write(self, claims: Claims, *, now: datetime) -> str:
        """Write a token for this sign-in."""
        issued = int(now.timestamp())
        return jwt.encode(
            {"alg": ALGORITHM, "typ": "JWT"},
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "typ": TYPE,
                "iat": issued,
                "exp": issued + self._seconds,
                "tid": str(claims.tenant_id),
                "sub": str(claims.person_id),
                "sid": str(claims.session_id),
            },
            self._key,
        )

    def read(self, token: str, *, now: datetime) -> Claims:
        """Read a token, or refuse it; every refusal looks the same."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            _check(claims, int(now.timestamp()))
            return Claims(UUID(claims["tid"]), UUID(claims["sub"]), UUID(claims["sid"]))
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotSignedIn from error


def _check(claims: dict[str, Any], now: int) -> None:
    """Every claim is required; a token of another kind or audience is no token here."""
    expected = claims["iss"] == ISSUER and claims["aud"] == AUDIENCE and claims["typ"] == TYPE
    timely = claims["iat"] - LEEWAY_SECONDS <= now < claims["exp"]
    if not (expected and timely):
        raise NotSignedIn
