"""Secrets at rest, in envelopes: each under a key of its own, which the installation's key locks up.

AES-GCM, bound to the place where the secret is kept, so that a moved envelope opens nowhere. An envelope says which
key locked it; when the installation's key is changed, the former ones still open what they sealed until it is
sealed anew.
"""

import os
from collections.abc import Iterable
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
DATA_KEY_BYTES = 32
KEY_ID_BYTES = 8
_LOCKED_BYTES = NONCE_BYTES + DATA_KEY_BYTES + 16
_HEAD_BYTES = 1 + KEY_ID_BYTES
#: Sealed by the installation's key itself, which it does not name; read and never written.
PLAIN_FORMAT = b"\x01"
FORMAT = b"\x02"


class SecretUnreadable(Exception):  # noqa: N818
    """The secret was sealed elsewhere, under another key, or was changed."""


class SealingKeyUnknown(SecretUnreadable):
    """The secret was sealed under a key that this installation no longer has."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(f"sealed under the key {key_id.hex()}, which this installation has not")


class SecretKey(str):
    """The installation's key, and the former ones that may still open what they sealed."""

    __slots__ = ("former",)

    former: tuple[str, ...]

    def __new__(cls, key: str, former: Iterable[str] = ()) -> Self:
        made = super().__new__(cls, key)
        made.former = tuple(old for old in former if old and old != key)
        return made


def seal(secret: bytes, *, key: str, place: str) -> bytes:
    """Encrypt ``secret`` for one place (``tenant|table|row|column``)."""
    data_key = os.urandom(DATA_KEY_BYTES)
    locked = _encrypted(data_key, _derived(key), place)
    return FORMAT + key_id(key) + locked + _encrypted(secret, data_key, place)


def unseal(sealed: bytes, *, key: str, place: str) -> bytes:
    """Decrypt what was sealed for this place, by the key or by a former one."""
    keys = (key, *getattr(key, "former", ()))
    if sealed[:1] == PLAIN_FORMAT:
        return _first_that_opens(sealed[1:], keys, place)
    if sealed[:1] != FORMAT:
        raise SecretUnreadable
    found = next((known for known in keys if key_id(known) == sealed[1:_HEAD_BYTES]), None)
    if found is None:
        raise SealingKeyUnknown(sealed[1:_HEAD_BYTES])
    rest = sealed[_HEAD_BYTES:]
    data_key = _decrypted(rest[:_LOCKED_BYTES], _derived(found), place)
    return _decrypted(rest[_LOCKED_BYTES:], data_key, place)


def head_of(key: str) -> bytes:
    """How everything begins that is sealed under this key."""
    return FORMAT + key_id(key)


def key_id(key: str) -> bytes:
    """The name of a key, which tells nothing of it."""
    return HKDF(SHA256(), KEY_ID_BYTES, salt=None, info=b"workspace key id").derive(key.encode())


def _first_that_opens(body: bytes, keys: Iterable[str], place: str) -> bytes:
    for key in keys:
        try:
            return _decrypted(body, _derived(key), place)
        except SecretUnreadable:
            continue
    raise SecretUnreadable


def _encrypted(plain: bytes, key: bytes, place: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def _decrypted(body: bytes, key: bytes, place: str) -> bytes:
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable from error


def _derived(key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"workspace secrets").derive(key.encode())
