"""Where a text names services of the catalogue, as people write them.

One automaton (Aho and Corasick 1975, "Efficient string matching") holds every name with its spellings; a match counts
only at word boundaries and the longest match at a place wins. A hashtag or handle is taken apart into a name and the
words around it (`#namedown`, `@namecares`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import ahocorasick
from msgspec import Struct

from pipeline.core.catalogue import Service
from pipeline.text.lexicon import WordPattern, lexicon
from pipeline.text.name_endings import EndingsOf, names_with_endings
from pipeline.text.normalize import normalize

NAME, COMPONENT, VENDOR, PERSON = "name", "component", "vendor", "person"
LOCAL = "local"  # the name of a service that is a word in all but some languages
_ORDINARY, _JOINED = "ordinary", "joined"
_WORDS = "words"  # an ordinary phrase of a name that is local: no app or servers make a service of it
_NO_NAME = (_ORDINARY, _WORDS)
_SEPARATORS = (" ", "-", "", "_")
_BETWEEN_WORDS = re.compile(r"[ _-]+")
_HANDLE = re.compile(r"(?<!\w)([#@])(\w{2,60})(?!\w)")
# grammar that is written onto a name: cases in Russian and Ukrainian, articles and prepositions in Arabic
_ENDING = re.compile("[авеиймоухыьюя]{1,3}(?!\\w)")
_PREFIX = re.compile("(?<!\\w)(?:[وفبلك]?ال|لل|[وفبلك])$")
_THING = WordPattern("ordinary_words", r"(?:'s)?[ -](?:%(thing)s)(?!\w)|(?:%(thing_joined)s)")
_SPACELESS = re.compile("[\u3040-\u30ff\u3400-\u9fff]")  # kana and Chinese characters: written without spaces
_ENDING_AFTER = 4  # letters of the shortest name that takes an ending


class NameMatch(Struct, frozen=True):
    """A name found at [start, end) of the normalized text.

    `component` is empty where the service itself is named; `kind` is name, local, component, vendor or person. `sure`
    where it is written so that no ordinary word is meant: a handle, or a hashtag with a word of trouble.
    """

    start: int
    end: int
    service: str
    component: str
    kind: str
    sure: bool = False


class _Meaning(NamedTuple):
    """What a name of the catalogue stands for."""

    service: str
    component: str
    kind: str


class _Candidate(NamedTuple):
    """A name at [start, end) of a text, and all it may stand for."""

    start: int
    end: int
    meanings: tuple[_Meaning, ...]
    sure: bool = False


def spellings(alias: str) -> Iterator[str]:
    """Yield the normalized ways to write an alias: its words with blanks, hyphens, underscores or nothing between."""
    name = normalize(alias)
    words = [word for word in _BETWEEN_WORDS.split(name) if word]
    yield name
    if len(words) > 1:
        yield from (separator.join(words) for separator in _SEPARATORS)


def _script(char: str) -> int:
    """Return a number for the script of a letter or digit; 0 for others and for scripts written without spaces."""
    if not char.isalnum():
        return 0
    code = ord(char)
    if code < 0x0370:
        return 1
    if 0x30A1 <= code <= 0x30FF:  # a loan word in katakana ends where the katakana end
        return 2
    if 0x3040 <= code <= 0x9FFF:
        return 0
    if 0xAC00 <= code <= 0xD7A3:
        return 3
    return 4 + (code >> 8)


def _begins_inside_a_word(text: str, start: int) -> bool:
    """Return whether letters of the same word stand before `start`."""
    script = _script(text[start - 1]) if start else 0
    return bool(script) and script == _script(text[start]) and not _PREFIX.search(text[max(0, start - 4) : start])


def _ends_inside_a_word(text: str, start: int, end: int) -> bool:
    """Return whether the word that begins with [start, end) of a text goes on."""
    script = _script(text[end]) if end < len(text) else 0
    if not script or script != _script(text[end - 1]):
        return False
    if script == 3:  # Korean writes particles onto a name
        return False
    return not (end - start >= _ENDING_AFTER and _ENDING.match(text, end))


def _is_in_spaceless_text(text: str, start: int, end: int) -> bool:
    """Return whether kana or Chinese characters stand next to [start, end) of a text, with at most a blank between."""
    before, after = text[max(0, start - 2) : start].rstrip(" "), text[end : end + 2].lstrip(" ")
    return bool(_SPACELESS.match(before[-1:]) or _SPACELESS.match(after[:1]))


def names_a_thing(normalized: str, end: int) -> bool:
    """Return whether what follows at `end` makes a service of an ordinary word: its app, its servers."""
    return bool(_THING.regex.match(normalized, end))


@cache
def _handle_parts() -> tuple[Callable[[str], Any], Callable[[str], Any], Callable[[str], Any]]:
    """Return what matches the letters before a name in a handle, a word of trouble after it, and one of an account."""
    import re2

    words = lexicon("handles")
    before, trouble, account = (words[name] for name in ("before", "trouble", "account"))
    return (
        re2.compile(rf"(?:(?:{before})_?)*").fullmatch,
        re2.compile(
            rf"(?:_?(?:{trouble}|{account}))*_?(?:{trouble})(?:_?(?:{trouble}|{account}))*_?\d{{0,4}}"
        ).fullmatch,
        re2.compile(rf"(?:_?(?:{account}))*_?\d{{0,4}}").fullmatch,
    )


def _with_joined(text: str, candidate: _Candidate) -> _Candidate | None:
    """Return a candidate with its joined names as names where they stand in spaceless text; None where none is left."""
    start, end, meanings, _ = candidate
    if all(meaning.kind != _JOINED for meaning in meanings):
        return candidate
    others = tuple(meaning for meaning in meanings if meaning.kind != _JOINED)
    if _is_in_spaceless_text(text, start, end):
        joined = tuple(meaning._replace(kind=NAME) for meaning in meanings if meaning.kind == _JOINED)
        return _Candidate(start, end, (*joined, *others), sure=True)
    return candidate._replace(meanings=others) if others else None


class NameFinder:
    """Finds the names of services in normalized text."""

    def __init__(self, services: Iterable[Service]) -> None:
        """Build the automaton; names shared by several services are kept for all of them."""
        self._automaton = ahocorasick.Automaton()
        services = list(services)
        self._with_endings = names_with_endings(services)
        for name, meanings in _meanings(services).items():
            if name:
                self._automaton.add_word(name, (len(name), tuple(meanings)))
        if len(self._automaton):
            self._automaton.make_automaton()

    def matches(self, normalized: str) -> list[NameMatch]:
        """Return the names in a normalized text, longest at each place, in order."""
        if not len(self._automaton):
            return []
        candidates = [
            candidate
            for each in self._candidates(normalized)
            if (candidate := _with_joined(normalized, each)) is not None
        ]
        if "#" in normalized or "@" in normalized:
            candidates += self._in_handles(normalized)
        candidates.sort(key=lambda candidate: (candidate.start, -candidate.end, not candidate.sure))
        kept: list[NameMatch] = []
        reach = 0
        for start, end, meanings, sure in candidates:
            if start >= reach and not (meanings[0].kind == _ORDINARY and names_a_thing(normalized, end)):
                kept += [NameMatch(start, end, *each, sure) for each in meanings if each.kind not in _NO_NAME]
                reach = end
        return kept

    def _candidates(self, normalized: str) -> Iterator[_Candidate]:
        """Yield the names at word boundaries, each with the ending that its text's language writes onto it."""
        endings = EndingsOf(normalized, self._automaton)
        refused = 0  # the end of a name that takes no ending: its last word is not meant alone ("türk telekomda")
        # of names that end together the longest comes first
        for last, (length, meanings) in self._automaton.iter(normalized):
            start, end = last - length + 1, last + 1
            if _begins_inside_a_word(normalized, start):
                continue
            if _ends_inside_a_word(normalized, start, end):
                takes_one = normalized[start:end] in self._with_endings and end != refused
                if not takes_one or (whole := endings.after(start, end)) == end:
                    refused = end
                    continue
                end = whole
            yield _Candidate(start, end, meanings)

    def _in_handles(self, normalized: str) -> Iterator[_Candidate]:
        """Yield the name in each hashtag and handle that is a name and known words around it."""
        for handle in _HANDLE.finditer(normalized):
            yield from self._in_handle(handle[2], handle.start(2), is_account=handle[1] == "@")

    def _in_handle(self, letters: str, at: int, *, is_account: bool) -> Iterator[_Candidate]:
        before, trouble, account = _handle_parts()
        spots = [(last - length + 1, last + 1, meanings) for last, (length, meanings) in self._automaton.iter(letters)]
        for start, end, meanings in sorted(spots, key=lambda spot: spot[0] - spot[1]):
            if not before(letters[:start]):
                continue
            meanings = tuple(meaning for meaning in meanings if meaning.kind not in (*_NO_NAME, _JOINED))
            if not meanings:
                continue
            rest = letters[end:]
            if trouble(rest):
                yield _Candidate(at + start, at + end, meanings, sure=True)
            elif account(rest):
                yield _Candidate(at, at + len(letters), meanings, sure=is_account or bool(rest.strip("_")))
            else:
                continue
            return


def names_of(services: Iterable[Service]) -> list[str]:
    """Return every name that is looked for in normalized texts, with its spellings."""
    return [name for name in _meanings(list(services)) if name]


def _meanings(services: list[Service]) -> Mapping[str, list[_Meaning]]:
    """Return what each name, normalized, stands for."""
    names: dict[str, list[_Meaning]] = {}

    def put(name: str, meaning: _Meaning) -> None:
        if (known := names.get(name)) is None:
            names[name] = [meaning]
        elif meaning not in known:
            known.append(meaning)

    def add(alias: str, meaning: _Meaning) -> None:
        for name in spellings(alias):
            put(name, meaning)

    for service in services:
        for alias in service.aliases:
            add(alias, _Meaning(service.id, "", NAME))
        for alias in service.joined_aliases:
            add(alias, _Meaning(service.id, "", _JOINED))
        if service.named_in:
            add(service.name, _Meaning(service.id, "", LOCAL))
        for part in service.components:
            for alias in part.aliases:
                add(alias, _Meaning(service.id, part.id, COMPONENT))
    for service in services:
        for kind, aliases in ((VENDOR, service.vendor_aliases), (PERSON, service.named_by)):
            for alias in aliases:
                # a service's own name wins over the same word as somebody's vendor
                if not any(meaning.kind == NAME for meaning in names.get(normalize(alias), ())):
                    put(normalize(alias), _Meaning(service.id, "", kind))
        for phrase in service.ordinary:
            words = normalize(phrase)
            for written in (words, words.replace(" ", "-")):  # "free app" and "free-app"
                names[written] = [_Meaning(service.id, "", _WORDS if service.named_in else _ORDINARY)]
    return names
