"""Many patterns tried at once, in one pass over a text and in time linear in its length, whatever the text (RE2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "ß": "ss"})


def unaccented(normalized: str) -> str:
    """Return text without accents: RE2 knows word boundaries of ASCII letters only."""
    if normalized.isascii():
        return normalized
    return _ACCENTS.sub("", unicodedata.normalize("NFD", normalized).translate(_LETTERS))


class Patterns:
    """Named patterns over normalized text, accents aside; a word boundary is one of ASCII letters.

    Built when first used: RE2 is loaded then. No look-around, no references, as RE2 has none.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        """Take patterns by name, in the order in which `names` tells them."""
        self._patterns = patterns
        self._names = tuple(patterns)
        self._set: Any = None

    def names(self, normalized: str) -> list[str]:
        """Return the names of the patterns that a text shows, in order."""
        if self._set is None:
            import re2

            self._set = re2.Set.SearchSet()
            for pattern in self._patterns.values():
                self._set.Add(unaccented(pattern))
            self._set.Compile()
        return [self._names[place] for place in sorted(self._set.Match(unaccented(normalized)) or ())]
