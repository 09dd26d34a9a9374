"""Whether a post asks if a service fails as another one does: "is AWS down too?"."""

from __future__ import annotations

from pipeline.text.normalize import normalize
from pipeline.text.patterns import PatternSet

QUESTION = ("?", "？", "؟")
_WORDS = PatternSet("comparisons")


def asks_whether_too(text: str) -> bool:
    """Return whether a text is a question with a word of comparison in it."""
    return any(mark in text for mark in QUESTION) and bool(_WORDS.matched(normalize(text)))
