"""Why the product did not start, in one line a person can act on."""


class StartRefusedError(Exception):
    """The product cannot start here and now; the text says what to do about it."""
