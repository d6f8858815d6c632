"""The app's types of the API are made of the API's document as it is."""

import re

from app.commands.documents import TYPES_FILE, document_hash
from app.core.documentation import DOCUMENT


def test_the_generated_types_are_of_the_document_as_it_is(app):
    """When this fails: ``bin/workspace docs client-types``."""
    made_of = re.match(r"// document: ([0-9a-f]{64})\n", TYPES_FILE.read_text())
    assert made_of is not None
    assert made_of[1] == document_hash(app.extensions[DOCUMENT].spec.to_dict())
