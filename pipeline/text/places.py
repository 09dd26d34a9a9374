"""Where it fails: places and networks that a report names, from the list in data/places.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import ahocorasick
from msgspec import Struct

from pipeline.config.paths import CACHE
from pipeline.core.kept import kept_toml
from pipeline.text.lexicon import WordPattern
from pipeline.text.normalize import normalize
from pipeline.text.symptoms import symptom

MOST = 5
SHORT = 3  # a name of so few letters is an abbreviation


class Gazetteer(Struct, frozen=True):
    """Names of places and networks: normalized name to what is stored; `shown` names countries and parts by code."""

    places: Mapping[str, str]
    networks: Mapping[str, str]
    ordinary: frozenset[str]
    shown: Mapping[str, str]
    automaton: ahocorasick.Automaton

    def may_name(self, normalized: str) -> bool:
        """Return whether a text may name a place or network: the automaton is several times as fast as the pattern."""
        for last, length in self.automaton.iter(normalized):
            start, end = last - length + 1, last + 1
            bare = "\u3040" <= normalized[start] <= "\u9fff"
            if bare or not (normalized[start - 1 : start].isalnum() or normalized[end : end + 1].isalnum()):
                return True
        return False


@cache
def gazetteer(path: Path) -> Gazetteer:
    """Read data/places.toml."""
    places: dict[str, str] = {}
    networks: dict[str, str] = {}
    shown: dict[str, str] = {}
    tables: dict[str, Any] = kept_toml(path.read_bytes(), CACHE)
    ordinary = frozenset(tables.pop("ordinary"))
    for country, table in tables.items():
        for name in table.get("names", ()):
            places[normalize(name)] = country
            shown.setdefault(country, name.upper() if len(name) <= SHORT else name.title())
        for city in table.get("cities", ()):
            known, *others = city.split("|")
            for name in (known, *others):
                places.setdefault(normalize(name), f"{known.title()}, {country}")
        for region in table.get("regions", ()):
            names, _, code = region.rpartition("=")
            for name in names.split("|"):
                places.setdefault(normalize(name), f"{country}-{code}")
                shown.setdefault(f"{country}-{code}", name.title())
        for network in table.get("networks", ()):
            known, *others = network.split("|")
            for name in (known, *others):
                networks[normalize(name)] = f"network {known}"
    automaton = ahocorasick.Automaton()
    for name in {**places, **networks}:
        automaton.add_word(name, len(name))
    automaton.make_automaton()
    return Gazetteer(places, networks, ordinary, shown, automaton)


@cache
def _pattern(path: Path) -> re.Pattern[str]:
    """Return what matches a name, the longest first: compiled for the first text that may name a place."""
    known = gazetteer(path)
    names = sorted({*known.places, *known.networks}, key=lambda name: (-len(name), name))
    words = "|".join(re.escape(name) for name in names if name[0] < "\u3040")
    # scripts written without spaces have no word boundary to respect
    bare = "|".join(re.escape(name) for name in names if "\u3040" <= name[0] <= "\u9fff")
    return re.compile(rf"(?<![\w@-])[@#]?(?P<name>{words})(?![\w-])|(?P<bare>{bare})")


def name_of_place(place: str, path: Path) -> str:
    """Return what people call a place stored as `CA-ON`, `CA` or `Toronto, CA`; as stored where no name is known."""
    return gazetteer(path).shown.get(place, place.partition(", ")[0])


_BEFORE = WordPattern("place_words", r"(?:\b(?:%(before)s)|[#(,@/&·|-]|^) ?(?:%(articles)s)?$")
NEAR = 20  # characters before a name in which such a word is looked for


def where(text: str, path: Path) -> str:
    """Return the places and networks a text says it fails in, parted by `; `; empty when it does not say.

    A place counts after a word such as `in`, or standing apart ("same here, Lyon"); a network wherever it is named.
    Names that are everyday words too need a capital.
    """
    normalized = normalize(text)
    known = gazetteer(path)
    if not known.may_name(normalized):
        return ""
    regions: list[str] = []
    reach = 0
    for match in _pattern(path).finditer(normalized):
        name = match["name"] or match["bare"]
        if name in known.ordinary and not _marked(match, text, normalized):
            continue
        if name in known.networks:
            regions.append(known.networks[name])
        elif regions and (region := known.places[name])[2:3] == "-" and normalized[reach : match.start()] == ", ":
            regions[-1] = region  # "Paris, Texas" is in Texas
        elif match["bare"] or _BEFORE.regex.search(normalized[max(0, match.start() - NEAR) : match.start()]):
            regions.append(known.places[name])
        reach = match.end()
    return "; ".join(list(dict.fromkeys(regions))[:MOST])


def _marked(match: re.Match[str], text: str, normalized: str) -> bool:
    """Return whether an everyday word is written as a name: with an @, or with a capital inside a text."""
    if match[0][0] in "@#":
        return True
    # normalizing that changes lengths moves the places; then nothing is known of capitals
    return len(text) == len(normalized) and text[match.start()].isupper() and (match.start() > 0 or bool(symptom(text)))
