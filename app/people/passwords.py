"""Passwords: Argon2id at 19 MiB, two passes, one lane: 25 ms of CPU, the same whether or not the login exists."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Verified when there is no such login, so that the answer takes as long.
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Hash a password for keeping."""
    return _hasher.hash(password)


def verify_password(kept: str | None, password: str) -> bool:
    """Say whether the password is right; spends the same time when there is none to compare with."""
    try:
        return _hasher.verify(kept or _NOBODY, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
