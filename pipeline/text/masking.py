"""The words that stand for names of services in a masked text."""

from __future__ import annotations

from pipeline.text.lexicon import WordPattern

TARGET, OTHER = "svctarget", "svcother"
_NAMES = rf"(?:{TARGET}|{OTHER})"
_BETWEEN = r"(?:\s*(?:%(between)s)\s*|\s*,?\s+(?:%(joins)s)\s+)"
BETWEEN_NAMES = WordPattern("clauses", _BETWEEN)
_LIST = WordPattern(
    "clauses", rf"{_NAMES}(?:{_BETWEEN}{_NAMES}){{2,}}|{_NAMES}{_BETWEEN}{_NAMES}(?=\s*(?:%(plural)s)(?!\w))"
)


def without_lists(masked: str) -> str:
    """Return a masked text with one name for a list of them: in "A, B and C are down" the order says nothing."""
    if masked.count(TARGET) + masked.count(OTHER) < 2:
        return masked
    return _LIST.regex.sub(lambda names: TARGET if TARGET in names[0] else OTHER, masked)
