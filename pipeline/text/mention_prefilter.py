"""Which of many texts may name a service, long before any is read: one search through all of them at once.

The names are one regular expression of RE2 (a finite automaton, Cox 2010, "Regular expression matching in the wild").
Whoever is passed over here names nothing to `ServiceMatcher`; whoever is not may still name nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from pipeline.core.catalogue import Catalogue
from pipeline.text.name_endings import LONGEST, names_with_endings
from pipeline.text.names import names_of
from pipeline.text.normalize import CAP, fold

MEMORY = 64 << 20  # bytes that the automaton may take
_SEPARATOR = "\n\0\n"  # a match takes a character on either side at most: no separator is lost to one


class MentionPrefilter:
    """Finds the texts that may name a service of a catalogue, and the communities of services."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Compile the names."""
        services = list(catalogue.values())
        self._homes = frozenset(name.casefold() for service in services for name in service.communities)
        self._pattern = _compiled(names_of(services), names_with_endings(services))

    def is_home(self, community: str) -> bool:
        """Return whether all posts of a community are about a service, whatever they name."""
        return community.casefold() in self._homes

    def candidates(self, texts: Sequence[str]) -> set[int]:
        """Return the places of the texts that may name a service; a text of CAP characters or more always may."""
        found: set[int] = set()
        ascii_ones: list[int] = []
        other_ones: list[int] = []
        for place, text in enumerate(texts):
            if len(text) >= CAP or "\0" in text:
                found.add(place)
            else:
                (ascii_ones if text.isascii() else other_ones).append(place)
        found.update(ascii_ones[at] for at in self._matched(_SEPARATOR.join(texts[at] for at in ascii_ones).lower()))
        joined = _SEPARATOR.join(texts[at] for at in other_ones)
        # a lone surrogate is stored as a question mark, next to which a name stands alone
        found.update(other_ones[at] for at in self._matched(fold(joined.encode("utf-8", "replace").decode())))
        return found

    def _matched(self, joined: str) -> Iterator[int]:
        """Yield the numbers of the texts, joined and folded, in which something is found."""
        body = joined.encode()
        number = reach = 0
        for match in self._pattern.finditer(body):
            number += body.count(b"\0", reach, match.start())
            reach = match.start()
            yield number


def _compiled(names: Iterable[str], with_endings: Set[str]) -> Any:
    """Return the pattern of what a text has, folded and in UTF-8, that names a service.

    A name in ASCII letters has no such letter or digit next to it, but for those of an ending. An entity (`&`) may
    stand for any letter, and a hashtag or handle hold a name between others.
    """
    import re2

    bounded: list[str] = []
    free: list[str] = []
    for name in names:
        whole = _is_letter(name[0]) and _is_letter(name[-1])
        ending = f"[a-z]{{0,{LONGEST}}}" if name in with_endings else ""
        (bounded if whole else free).append("".join(f"\\x{byte:02x}" for byte in name.encode()) + ending)
    options = re2.Options()
    options.max_mem = MEMORY
    options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are
    ways = ["&", r"[#@][a-z0-9_\x80-\xff]", *free]
    if bounded:
        ways.append(f"(?:^|[^a-z0-9])(?:{'|'.join(bounded)})(?:[^a-z0-9]|$)")
    return re2.compile("|".join(ways).encode(), options)


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalnum()
