"""Amounts in whole fen, and how a line's amount is cut when it ships in parts."""

from typing import Final

TAX_PERCENT: Final = 13


def tax_on(net_fen: int) -> int:
    """Value-added tax, rounded half up; mirrored for what comes back."""
    if net_fen < 0:
        return -tax_on(-net_fen)
    return (net_fen * TAX_PERCENT + 50) // 100


def part_of_line(price_fen: int, already: int, quantity: int) -> tuple[int, int]:
    """Net and tax of the next ``quantity`` pieces; all parts of a line sum to the line exactly."""
    before = price_fen * already
    after = price_fen * (already + quantity)
    return after - before, tax_on(after) - tax_on(before)


def yuan(fen: int) -> str:
    """The amount as the ERP writes it."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
