"""Errors: every code is unique, said in both languages, and documented."""

from app import factory
from app.commands.documents import ERRORS_FILE, error_table
from app.core.errors import Refusal
from app.core.texts import FIELD_TEXTS

assert factory


def refusals(base: type[Refusal] = Refusal) -> set[type[Refusal]]:
    found = set(base.__subclasses__())
    return found | {deeper for kind in found for deeper in refusals(kind)}


def test_every_refusal_has_a_code_of_its_own():
    codes = sorted(kind.code for kind in refusals())
    assert codes == sorted(set(codes))


def test_every_refusal_speaks_both_languages():
    for texts in [kind.texts for kind in refusals()] + list(FIELD_TEXTS.values()):
        assert texts.zh
        assert texts.en
        assert texts.zh != texts.en


def test_a_packages_codes_carry_its_name():
    for kind in refusals():
        package = kind.__module__.split(".")[0]
        if package != "app":
            assert kind.code.startswith(f"{package}."), kind


def test_the_document_lists_every_code_as_it_stands():
    assert ERRORS_FILE.read_text() == error_table(), "run: bin/workspace docs errors"
