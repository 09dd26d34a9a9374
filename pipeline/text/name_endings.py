"""The endings that a language writes onto a name in Latin letters: cases and articles ("discordu", "spotifyssa").

Only names that are no words of such a language take one, and only in its texts: "Claudes" is no "Claude" anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Set
from functools import cache

from pipeline.core.catalogue import Service
from pipeline.text.language import language_of
from pipeline.text.lexicon import WordPattern, lexicon
from pipeline.text.normalize import normalize

FEWEST = 4  # letters of the shortest name that takes an ending
LONGEST = 8  # letters of the longest ending
_LETTERS = WordPattern("name_endings", r"(?:%(ending)s)(?!\w)")
_ANOTHER_WORD = WordPattern("name_endings", r"(?:%(another_word)s)")
# names that are words of English only, which writes no ending onto them
_ENGLISH = WordPattern("ordinary_words", r"(?:%(english)s|%(parts)s)")


def ordinary_words(service: Service) -> Set[str]:
    """Return the names of a service that are ordinary words as well: "free" of Free, but not "freebox".

    A name is one where the service's `ordinary` phrases have it, or its own name is it; each that is a single ASCII
    word where there are no such phrases. Empty for a service that is no homograph.
    """
    if not service.homograph:
        return frozenset()
    spelled = {normalize(name) for name in (service.name, *service.aliases)}
    single = {name for name in spelled if " " not in name and name.isascii()}
    if not service.ordinary:
        return single
    phrases = {word for phrase in (service.name, *service.ordinary) for word in normalize(phrase).split()}
    return single & phrases


def names_with_endings(services: Iterable[Service]) -> Set[str]:
    """Return the normalized names of services and of their parts, of one word, that take an ending."""
    names: set[str] = set()
    words: set[str] = set()
    for service in services:
        names.update(normalize(name) for name in service.aliases)
        names.update(normalize(name) for part in service.components for name in part.aliases)
        words |= ordinary_words(service)
        words.update(normalize(name) for name in (*service.vendor_aliases, *service.named_by, *service.joined_aliases))
        words.update({normalize(service.name)} if service.named_in else ())
    english = {word for word in words if _ENGLISH.regex.fullmatch(word)}
    return {name for name in names - words | english if len(name) >= FEWEST and name.isascii() and name.isalpha()}


@cache
def _endings() -> Mapping[str, re.Pattern[str]]:
    """Return by language what matches the letters of an ending."""
    languages = lexicon("name_endings").by_language("ending")
    return {language: re.compile("|".join(endings)) for language, endings in languages.items()}


class EndingsOf:
    """Finds the endings in a normalized text, whose language is asked for once and only where letters follow a name."""

    def __init__(self, normalized: str, names: Container[str]) -> None:
        """Take the text and all names: "chatgpt" is no ending of "chatgp"."""
        self._text, self._names = normalized, names
        self._ending: re.Pattern[str] | None = None
        self._asked = False

    def after(self, start: int, end: int) -> int:
        """Return where the ending of the name at [start, end) ends; `end` where the letters after it are none."""
        letters = _LETTERS.regex.match(self._text, end)
        if letters is None or self._text[start : letters.end()] in self._names:
            return end
        if _ANOTHER_WORD.regex.fullmatch(self._text, start, letters.end()):
            return end
        if not self._asked:
            self._asked = True
            self._ending = _endings().get(language_of(self._text))
        return letters.end() if self._ending is not None and self._ending.fullmatch(letters[0]) else end
