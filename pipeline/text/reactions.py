"""Whether a text says anything at all: marks, pictures and laughter report nothing."""

from __future__ import annotations

from pipeline.text.lexicon import WordPattern
from pipeline.text.normalize import normalize

FEWEST_LETTERS = 3
LONGEST_REACTION = 80  # characters; a longer text has something to say
_REACTIONS = WordPattern("reactions", r"\W*(?:(?:%(alone)s)(?:\W+|$))*")


def has_words(text: str) -> bool:
    """Return whether a text says anything in words: marks, pictures, laughter and one or two letters do not.

    A sign of Chinese, Japanese or Korean is a syllable or a word, and enough.
    """
    if len(text) <= LONGEST_REACTION and _REACTIONS.regex.fullmatch(normalize(text)):
        return False
    letters = 0
    for letter in filter(str.isalpha, text):
        letters += FEWEST_LETTERS if letter >= "\u2e80" else 1
        if letters >= FEWEST_LETTERS:
            return True
    return False
