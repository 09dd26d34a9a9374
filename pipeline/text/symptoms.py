"""How it fails, and how angry somebody is: rules over words.

The word lists are in data/lexicon/symptoms.toml and anger.toml.
"""

from __future__ import annotations

from pipeline.text.lexicon import WordList
from pipeline.text.normalize import normalize
from pipeline.text.patterns import PatternSet

# at the beginning of a word, or after a letter of a script that is written without spaces
_SYMPTOMS = PatternSet("symptoms", r"(?:^|\b|[^\x00-\x7f])(?:{})")
_ANGRY = WordList("anger", "marks")
A_MARK, A_SHOUT = 0.34, 0.15  # what a mark of anger, and a word in capitals, add to the grade


def symptom_names() -> tuple[str, ...]:
    """Return every symptom, the most specific first."""
    return _SYMPTOMS.names


def matched_symptoms(normalized: str) -> tuple[str, ...]:
    """Return every symptom that the words of a normalized text hint at, the most specific first."""
    return _SYMPTOMS.matched(normalized)


def symptom(text: str) -> str:
    """Return how the thing fails, the most specific kind first; empty when the text does not say."""
    return next(iter(matched_symptoms(normalize(text))), "")


def anger(text: str) -> float:
    """Return 0 to 1: how many marks of anger and words in capitals a text has."""
    shouting = sum(word.isupper() and len(word) > 3 for word in text[:2000].split())
    return min(1.0, A_MARK * sum(1 for _ in _ANGRY.matches(normalize(text))) + A_SHOUT * shouting)
