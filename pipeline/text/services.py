"""Which services, and which of their parts, a text names.

One automaton (Aho and Corasick 1975, "Efficient string matching") holds every name in the catalogue; a hit counts
only at word boundaries and the longest hit at a place wins. A name that is also an ordinary word counts where the
community or another word of the trade supports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ahocorasick

from pipeline.core.catalogue import Catalogue
from pipeline.text.cues import cues
from pipeline.text.normalize import fold
from pipeline.text.patterns import Patterns
from pipeline.text.symptoms import symptom

TARGET, OTHER = "svctarget", "svcother"
_TRADE = Patterns(
    {
        "trade": r"\b(ai|api|app|apps|account|chatbot|server|servers|login|log in|sign in|logged|outage|down|status page|website|"
        r"model|models|code|prompt|prompts|subscription|update|error|errors|bug|browser|download|downtime|cloud|caído|caída|"
        r"panne|störung|fora do ar)\b|障害|エラー|ログイン|サイト"
    }
)
# an outage spoken of in any language tells that a name is not a person's or a fruit's
_TROUBLE = {f"cue_{name}" for name in ("down", "outage", "cannot", "broken", "errorcode", "spin", "kicked", "status")}
_FAILS = ("login", "error", "crash", "no_response", "connection")


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found at [start, end) of the folded text; `component` is empty for the service, `role` for vendor names."""

    start: int
    end: int
    service: str
    component: str
    kind: str


def _speaks_of_a_service(folded: str) -> bool:
    return bool(_TRADE.names(folded)) or symptom(folded) in _FAILS or not _TROUBLE.isdisjoint(cues(folded))


def _is_word(char: str) -> bool:
    # scripts written without spaces have no word boundary to respect
    return char.isalnum() and not "\u3040" <= char <= "\u9fff"


class ServiceMatcher:
    """Finds the names of a catalogue in text."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Build the automaton; names shared by several services are kept for all of them."""
        self.catalogue = catalogue
        self.home: dict[str, str] = {}
        names: dict[str, list[tuple[str, str, str]]] = {}
        for service in catalogue.values():
            for community in service.communities:
                self.home.setdefault(community.casefold(), service.id)
            for alias in service.aliases:
                names.setdefault(fold(alias), []).append((service.id, "", "name"))
            for part in service.components:
                for alias in part.aliases:
                    names.setdefault(fold(alias), []).append((service.id, part.id, "component"))
        for service in catalogue.values():
            for kind, aliases in (("vendor", service.vendor_aliases), ("person", service.named_by)):
                for alias in aliases:
                    # a service's own name wins over the same word as somebody's vendor
                    if not any(entry[2] == "name" for entry in names.get(fold(alias), [])):
                        names.setdefault(fold(alias), []).append((service.id, "", kind))
        self._ids = {fold(name): s.id for s in catalogue.values() for name in (*s.aliases, s.name, s.id)}
        self._automaton = ahocorasick.Automaton()
        for name, entries in names.items():
            if name:
                self._automaton.add_word(name, (len(name), tuple(entries)))
        if names:
            self._automaton.make_automaton()

    def id_of(self, name: str) -> str:
        """Return the id of the service that an id, a name or an alias means, in any case; the name itself otherwise."""
        return self._ids.get(fold(name), name)

    def hits(self, folded: str) -> list[Hit]:
        """Return the names in a folded text, longest at each place, in order."""
        found: list[tuple[int, int, tuple[tuple[str, str, str], ...]]] = []
        if not len(self._automaton):
            return []
        for last, (length, entries) in self._automaton.iter(folded):
            start, end = last - length + 1, last + 1
            before = folded[start - 1] if start else " "
            after = folded[end] if end < len(folded) else " "
            if not (_is_word(before) and _is_word(folded[start])) and not (_is_word(after) and _is_word(folded[last])):
                found.append((start, end, entries))
        found.sort(key=lambda hit: (hit[0], -hit[1]))
        kept: list[Hit] = []
        reach = 0
        for start, end, entries in found:
            if start >= reach:
                kept += [Hit(start, end, *entry) for entry in entries]
                reach = end
        return kept

    def about(self, text: str, community: str = "") -> Mapping[str, list[Hit]]:
        """Return the services a post speaks of, with the hits: those named, or the community's own when none is.

        Vendors and people alone do not make a post one about a service.
        """
        folded = fold(text)
        hits = self.hits(folded)
        home = self.home.get(community.casefold(), "")
        found: dict[str, list[Hit]] = {}
        supported: bool | None = None
        kinds = {hit.service for hit in hits if hit.kind == "component"}
        for hit in hits:
            if hit.kind not in ("name", "component"):
                continue
            service = self.catalogue[hit.service]
            alone = service.homograph and hit.kind == "name" and hit.service not in kinds
            if alone and hit.service != home and not self._vendor_named(hits, hit.service):
                supported = _speaks_of_a_service(folded) if supported is None else supported
                if not supported:
                    continue
            found.setdefault(hit.service, []).append(hit)
        if home and home not in found and not found:
            found[home] = []
        return found

    @staticmethod
    def _vendor_named(hits: list[Hit], service: str) -> bool:
        return any(hit.service == service and hit.kind in ("vendor", "person") for hit in hits)

    def entities(self, text: str) -> dict[str, tuple[str, ...]]:
        """Return the services a news text names, each with how: name, component, vendor, person."""
        folded = fold(text)
        hits = self.hits(folded)
        found: dict[str, set[str]] = {}
        for hit in hits:
            service = self.catalogue[hit.service]
            by_name = hit.kind == "name" and service.homograph
            if by_name and not _speaks_of_a_service(folded) and not self._vendor_named(hits, hit.service):
                continue
            found.setdefault(hit.service, set()).add(hit.kind)
        return {service: tuple(sorted(kinds)) for service, kinds in sorted(found.items())}

    def masked(self, text: str, target: str) -> str:
        """Return the folded text with the target's names as one word and all other services' as another.

        The classifier then learns how people speak of a service that fails, not which service it was.
        """
        folded = fold(text)
        parts: list[str] = []
        reach = 0
        for hit in self.hits(folded):
            if hit.start < reach or hit.kind in ("vendor", "person"):
                continue
            # the part of a service stays readable: "api" says something that "svctarget" does not
            own = TARGET if hit.service == target or not target else OTHER
            word = f"{own} {hit.component}" if hit.component and hit.service == target else own
            parts += [folded[reach : hit.start], word]
            reach = hit.end
        return "".join([*parts, folded[reach:]])
