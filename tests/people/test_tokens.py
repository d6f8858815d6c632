"""Access tokens: only one made by us, for this, and still good, lets anybody in."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from app.core.composition import Claims
from app.core.errors import NotSignedIn
from app.people.tokens import TokenKey

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CLAIMS = Claims(uuid4(), uuid4(), uuid4())


@pytest.fixture
def key(settings) -> TokenKey:
    return TokenKey(settings)


def signed(settings, header: dict | None = None, **changes) -> str:
    issued = int(NOW.timestamp())
    claims = {
        "iss": "workspace",
        "aud": "workspace-api",
        "typ": "access",
        "iat": issued,
        "exp": issued + 900,
        "tid": str(CLAIMS.tenant_id),
        "sub": str(CLAIMS.person_id),
        "sid": str(CLAIMS.session_id),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    octets = OctKey.import_key(f"access token {settings.secret_key}")
    return jwt.encode(header or {"alg": "HS256"}, claims, octets)


def test_a_good_token_is_read_back(key):
    assert key.read(key.write(CLAIMS, now=NOW), now=NOW + timedelta(minutes=14)) == CLAIMS


def test_the_forged_twin_would_be_read_if_nothing_were_wrong_with_it(key, settings):
    assert key.read(signed(settings), now=NOW) == CLAIMS


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "elsewhere"},
        {"aud": "another-api"},
        {"typ": "refresh"},
        {"exp": int(NOW.timestamp())},
        {"iat": int(NOW.timestamp()) + 3600},
        {"exp": None},
        {"iss": None},
        {"aud": None},
        {"sid": None},
        {"tid": "not-an-id"},
        {"exp": "tomorrow"},
    ],
)
def test_a_claim_that_is_wrong_or_missing_is_refused(key, settings, changes):
    with pytest.raises(NotSignedIn):
        key.read(signed(settings, **changes), now=NOW)


def test_a_token_of_another_key_is_refused(key):
    forged = jwt.encode({"alg": "HS256"}, {"iss": "workspace"}, OctKey.generate_key(256))
    with pytest.raises(NotSignedIn):
        key.read(forged, now=NOW)


def test_an_unsigned_token_is_refused(key, settings):
    _, body, _ = signed(settings).split(".")
    with pytest.raises(NotSignedIn):
        key.read(f"eyJhbGciOiJub25lIn0.{body}.", now=NOW)
