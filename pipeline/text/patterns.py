"""Many word lists tried at once, in one pass over a text and in time linear in its length, whatever the text (RE2)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

from pipeline.text.lexicon import lexicon
from pipeline.text.normalize import REMEMBERED

if TYPE_CHECKING:
    import re2

TOGETHER = 9  # lists in one automaton, which has to fit in RE2's memory, or it is built again and again
_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "ß": "ss"})


@lru_cache(REMEMBERED)
def unaccented(normalized: str) -> str:
    """Return text without accents: RE2 knows word boundaries of ASCII letters only."""
    if normalized.isascii():
        return normalized
    return _ACCENTS.sub("", unicodedata.normalize("NFD", normalized).translate(_LETTERS))


class PatternSet:
    """All word lists of one lexicon file over normalized text, accents aside; a word boundary is one of ASCII letters.

    `matched` keeps what it returned for the latest texts. The file is read and RE2 loaded when first used, and an
    automaton is compiled when one of its lists is first asked for. No look-around, no references, as RE2 has none.
    """

    def __init__(self, file: str, template: str = "{}", together: int = TOGETHER) -> None:
        """Take the file's name, what stands around the alternatives of each list, and how many share an automaton."""
        self._file, self._template, self._together = file, template, together
        self.matched = lru_cache(REMEMBERED)(self._matched)
        self._automaton = cache(self._compiled)
        self._chosen: dict[frozenset[str], list[tuple[re2.Set, tuple[str, ...]]]] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all lists, in the file's order; raises ConfigError."""
        return tuple(lexicon(self._file))

    @cached_property
    def _groups(self) -> list[tuple[str, ...]]:
        """The names of the lists of each automaton."""
        return [self.names[start : start + self._together] for start in range(0, len(self.names), self._together)]

    @cached_property
    def _sets(self) -> list[tuple[re2.Set, tuple[str, ...]]]:
        """All automata, each with the names of its lists."""
        return [(self._automaton(names), names) for names in self._groups]

    def _compiled(self, names: tuple[str, ...]) -> re2.Set:
        import re2

        lists = lexicon(self._file)
        options = re2.Options()
        options.log_errors = False
        compiled = re2.Set.SearchSet(options)
        for name in names:
            try:
                compiled.Add(unaccented(self._template.format(lists[name])))
            except re2.error as error:
                lists.check(name)
                raise lists.error(name, f"RE2 cannot read this list: {error}") from error
        compiled.Compile()
        return compiled

    def matched_of(self, normalized: str, names: frozenset[str]) -> frozenset[str]:
        """Return which of the lists `names` a text matches: only the automata that hold one are run."""
        plain = unaccented(normalized).encode("utf-8", "surrogatepass")
        found = {held[place] for each, held in self._sets_of(names) for place in each.Match(plain) or ()}
        return names & found

    def _sets_of(self, names: frozenset[str]) -> list[tuple[re2.Set, tuple[str, ...]]]:
        """Return the automata that hold one of some lists; `names` come from a few constants and what texts match."""
        if len(self._chosen) > REMEMBERED:
            self._chosen.clear()
        if (chosen := self._chosen.get(names)) is None:
            held = [group for group in self._groups if not names.isdisjoint(group)]
            chosen = self._chosen[names] = [(self._automaton(group), group) for group in held]
        return chosen

    def _matched(self, normalized: str) -> tuple[str, ...]:
        """Return the names of the lists that a text matches, in the file's order; raises ConfigError."""
        plain = unaccented(normalized).encode("utf-8", "surrogatepass")
        return tuple(names[place] for each, names in self._sets for place in sorted(each.Match(plain) or ()))
