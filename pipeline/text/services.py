"""Which services, and which of their parts, a text names.

One automaton (Aho and Corasick 1975, "Efficient string matching") holds every name in the catalogue; a match counts
only at word boundaries and the longest match at a place wins. A name that is also an ordinary word counts where the
community or another word of the trade supports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import ahocorasick

from pipeline.core.catalogue import Catalogue
from pipeline.text.cues import FAILURES, lexicon_features
from pipeline.text.normalize import normalize
from pipeline.text.patterns import PatternSet
from pipeline.text.symptoms import symptom

TARGET, OTHER = "svctarget", "svcother"
_TRADE = PatternSet("services")
# an outage spoken of in any language tells that a name is not a person's or a fruit's
_TROUBLE = FAILURES | {"cue_status"}
_FAILS = ("login", "error", "crash", "no_response", "connection")


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A name found at [start, end) of the normalized text.

    `component` is empty where the service itself is named; `kind` is name, component, vendor or person.
    """

    start: int
    end: int
    service: str
    component: str
    kind: str


def _speaks_of_a_service(normalized: str) -> bool:
    return (
        bool(_TRADE.matched(normalized))
        or symptom(normalized) in _FAILS
        or not _TROUBLE.isdisjoint(lexicon_features(normalized))
    )


def _is_word(char: str) -> bool:
    # scripts written without spaces have no word boundary to respect
    return char.isalnum() and not "\u3040" <= char <= "\u9fff"


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


class ServiceMatcher:
    """Finds the names of a catalogue in text."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Build the automaton; names shared by several services are kept for all of them."""
        self.catalogue = catalogue
        self.home: dict[str, str] = {}
        names: dict[str, list[_Meaning]] = {}
        for service in catalogue.values():
            for community in service.communities:
                self.home.setdefault(community.casefold(), service.id)
            for alias in service.aliases:
                names.setdefault(normalize(alias), []).append(_Meaning(service.id, "", "name"))
            for part in service.components:
                for alias in part.aliases:
                    names.setdefault(normalize(alias), []).append(_Meaning(service.id, part.id, "component"))
        for service in catalogue.values():
            for kind, aliases in (("vendor", service.vendor_aliases), ("person", service.named_by)):
                for alias in aliases:
                    # a service's own name wins over the same word as somebody's vendor
                    if not any(meaning.kind == "name" for meaning in names.get(normalize(alias), [])):
                        names.setdefault(normalize(alias), []).append(_Meaning(service.id, "", kind))
        self._ids = {normalize(name): s.id for s in catalogue.values() for name in (*s.aliases, s.name, s.id)}
        self._automaton = ahocorasick.Automaton()
        for name, meanings in names.items():
            if name:
                self._automaton.add_word(name, (len(name), tuple(meanings)))
        if names:
            self._automaton.make_automaton()

    def id_of(self, name: str) -> str:
        """Return the id of the service that an id, a name or an alias means, in any case; the name itself otherwise."""
        return self._ids.get(normalize(name), name)

    def name_matches(self, normalized: str) -> list[NameMatch]:
        """Return the names in a normalized text, longest at each place, in order."""
        candidates: list[_Candidate] = []
        if not len(self._automaton):
            return []
        for last, (length, meanings) in self._automaton.iter(normalized):
            start, end = last - length + 1, last + 1
            before = normalized[start - 1] if start else " "
            after = normalized[end] if end < len(normalized) else " "
            if not (_is_word(before) and _is_word(normalized[start])) and not (
                _is_word(after) and _is_word(normalized[last])
            ):
                candidates.append(_Candidate(start, end, meanings))
        candidates.sort(key=lambda candidate: (candidate.start, -candidate.end))
        kept: list[NameMatch] = []
        reach = 0
        for start, end, meanings in candidates:
            if start >= reach:
                kept += [NameMatch(start, end, *meaning) for meaning in meanings]
                reach = end
        return kept

    def about(self, text: str, community: str = "") -> Mapping[str, list[NameMatch]]:
        """Return the services a post speaks of, with the matches: those named, or the community's own when none is.

        Vendors and people alone do not make a post one about a service.
        """
        normalized = normalize(text)
        matches = self.name_matches(normalized)
        home = self.home.get(community.casefold(), "")
        about: dict[str, list[NameMatch]] = {}
        supported: bool | None = None
        kinds = {match.service for match in matches if match.kind == "component"}
        for match in matches:
            if match.kind not in ("name", "component"):
                continue
            service = self.catalogue[match.service]
            alone = service.homograph and match.kind == "name" and match.service not in kinds
            if alone and match.service != home and not self._vendor_named(matches, match.service):
                supported = _speaks_of_a_service(normalized) if supported is None else supported
                if not supported:
                    continue
            about.setdefault(match.service, []).append(match)
        if home and home not in about and not about:
            about[home] = []
        return about

    @staticmethod
    def _vendor_named(matches: list[NameMatch], service: str) -> bool:
        return any(match.service == service and match.kind in ("vendor", "person") for match in matches)

    def entities(self, text: str) -> dict[str, tuple[str, ...]]:
        """Return the services a news text names, each with how: name, component, vendor, person."""
        normalized = normalize(text)
        matches = self.name_matches(normalized)
        kinds_of: dict[str, set[str]] = {}
        for match in matches:
            service = self.catalogue[match.service]
            by_name = match.kind == "name" and service.homograph
            if by_name and not _speaks_of_a_service(normalized) and not self._vendor_named(matches, match.service):
                continue
            kinds_of.setdefault(match.service, set()).add(match.kind)
        return {service: tuple(sorted(kinds)) for service, kinds in sorted(kinds_of.items())}

    def masked(self, text: str, target: str) -> str:
        """Return the normalized text with the target's names as one word and all other services' as another.

        The classifier then learns how people speak of a service that fails, not which service it was.
        """
        normalized = normalize(text)
        parts: list[str] = []
        reach = 0
        for match in self.name_matches(normalized):
            if match.start < reach or match.kind in ("vendor", "person"):
                continue
            # the part of a service stays readable: "api" says something that "svctarget" does not
            own = TARGET if match.service == target or not target else OTHER
            word = f"{own} {match.component}" if match.component and match.service == target else own
            parts += [normalized[reach : match.start], word]
            reach = match.end
        return "".join([*parts, normalized[reach:]])
