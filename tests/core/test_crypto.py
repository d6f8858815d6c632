"""Secrets at rest: an envelope opens in its place, by its key or a former one, and nowhere else."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.crypto import (
    PLAIN_FORMAT,
    SealingKeyUnknown,
    SecretKey,
    SecretUnreadable,
    head_of,
    seal,
    unseal,
)
from app.core.settings import load_settings

PLACE = "acme|erp_source|1|secrets"
SECRET = b"walnut"


def test_what_is_sealed_opens_in_its_place_and_shows_nothing() -> None:
    sealed = seal(SECRET, key="oak", place=PLACE)
    assert unseal(sealed, key="oak", place=PLACE) == SECRET
    assert SECRET not in sealed
    assert seal(SECRET, key="oak", place=PLACE) != sealed


def test_an_envelope_opens_nowhere_else() -> None:
    sealed = seal(SECRET, key="oak", place=PLACE)
    with pytest.raises(SecretUnreadable):
        unseal(sealed, key="oak", place=PLACE.replace("acme", "other"))


@pytest.mark.parametrize("place", [0, 1, 5, 12, 30, 60, 75, 90, -1])
def test_an_envelope_that_was_changed_does_not_open(place: int) -> None:
    sealed = bytearray(seal(SECRET, key="oak", place=PLACE))
    sealed[place] ^= 1
    with pytest.raises(SecretUnreadable):
        unseal(bytes(sealed), key="oak", place=PLACE)


@pytest.mark.parametrize("length", [0, 1, 9, 40, 69, 80])
def test_an_envelope_that_was_cut_off_does_not_open(length: int) -> None:
    with pytest.raises(SecretUnreadable):
        unseal(seal(SECRET, key="oak", place=PLACE)[:length], key="oak", place=PLACE)


def test_another_key_is_told_from_a_changed_envelope() -> None:
    sealed = seal(SECRET, key="oak", place=PLACE)
    with pytest.raises(SealingKeyUnknown, match=sealed[1:9].hex()):
        unseal(sealed, key="elm", place=PLACE)


def test_former_keys_open_what_they_sealed_and_seal_nothing_new() -> None:
    key = SecretKey("elm", ["oak", "ash"])
    for former in key.former:
        assert unseal(seal(SECRET, key=former, place=PLACE), key=key, place=PLACE) == SECRET
    assert seal(SECRET, key=key, place=PLACE).startswith(head_of("elm"))


def test_what_an_earlier_release_sealed_still_opens() -> None:
    derived = HKDF(SHA256(), 32, salt=None, info=b"workspace secrets").derive(b"oak")
    sealed = PLAIN_FORMAT + b"n" * 12 + AESGCM(derived).encrypt(b"n" * 12, SECRET, PLACE.encode())
    assert unseal(sealed, key="oak", place=PLACE) == SECRET
    assert unseal(sealed, key=SecretKey("elm", ["ash", "oak"]), place=PLACE) == SECRET
    with pytest.raises(SecretUnreadable):
        unseal(sealed, key="elm", place=PLACE)


def test_the_settings_know_the_former_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPACE_SECRET_KEY", "elm")
    monkeypatch.setenv("WORKSPACE_FORMER_SECRET_KEYS", " oak, ash ,, elm")
    settings = load_settings()
    assert isinstance(settings.secret_key, SecretKey)
    assert (settings.secret_key, settings.secret_key.former) == ("elm", ("oak", "ash"))
    # Whoever copies the settings keeps what the key knows.
    assert dataclasses.replace(settings, log_level="INFO").secret_key is settings.secret_key
