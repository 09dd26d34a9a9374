"""Numbers of things in words."""

from __future__ import annotations


def quantity(number: int, noun: str) -> str:
    """Return `1 row` or `2 rows` of `row`: a noun whose plural ends in s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
