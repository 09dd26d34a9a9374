"""Which parts of a service a text says fail, and which it says work: rules over clauses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from pipeline.core.catalogue import Service
from pipeline.text.lexicon import WordList, WordPattern
from pipeline.text.names import NameMatch
from pipeline.text.normalize import normalize
from pipeline.text.symptoms import symptom

ROLES = ("web", "mobile", "desktop", "api", "code", "console")
_ROLES = {role: WordList("post_components", role) for role in ROLES}
_CLAUSE = WordPattern("components", r"%(clause_end)s|\b(?:%(but)s)\b")
_WORKS = WordPattern("components", "%(works)s")
_FAILS = WordPattern("components", "%(fails)s")
# "claude.ai and the API are both fine": a clause that says nothing of its own shares the verdict of the next
_JOINS = WordPattern("components", r"(?:\b(?:%(and)s)\b|,|と)\s*$")
# what was, is hoped for, or is for work says nothing of what works
_HEDGED = WordPattern("components", "%(hedged)s")


def names_a_role(normalized: str) -> bool:
    """Return whether a text names a part by its role: the website, the app, the API."""
    return any(True for words in _ROLES.values() for _ in words.matches(normalized))


@cache
def _bare_names(service: Service) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Return a pattern of what parts are called where the service is understood ("Actions", "Code"), and their ids."""
    names: dict[str, str] = {}
    for part in service.components:
        for name in (part.name, *part.official):
            short = re.sub(rf"^{re.escape(service.name)} |\s*\(.*\)$", "", name)
            if short[:1].isupper() and short != service.name:
                names.setdefault(short, part.id)
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "(?!)"
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])"), names


def _by_bare_name(service: Service, text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield (match, part) of the bare names, in capitals, in a text."""
    pattern, names = _bare_names(service)
    for match in pattern.finditer(text):
        yield match, names[match[0]]


def _inside(match: re.Match[str], text: str) -> bool:
    """Return whether a match stands inside a sentence; at its beginning "Issues" are just issues."""
    before = text[: match.start()].rstrip()
    return bool(before) and before[-1] not in ".!?\n"


def _works(clause: str) -> bool:
    return bool(_WORKS.regex.search(clause)) and not _FAILS.regex.search(clause) and not _HEDGED.regex.search(clause)


def _verdict(clause: str) -> bool:
    """Return whether a clause says anything of how a part does."""
    return bool(_WORKS.regex.search(clause) or _FAILS.regex.search(clause) or symptom(clause))


def parts_named(text: str, service: Service, named: Iterable[NameMatch]) -> tuple[list[str], list[str]]:
    """Return the component ids a text says fail, and those it says work, both sorted.

    `named` are the matches of the service's names in the normalized text; words such as "website" count by role. A
    clause that says "works" of a part, unnegated, clears it; what is said to fail is not cleared elsewhere in the text.
    """
    normalized = normalize(text)
    roles = {part.role: part.id for part in reversed(service.components)}
    taken = [(match.start, match.end) for match in named]
    spots = [(match.start, match.component) for match in named if match.component]
    by_role = [
        (match.start(), roles[role])
        for role, words in _ROLES.items()
        if role in roles
        for match in words.matches(normalized)
    ]
    if len(normalized) == len(text):  # normalizing that changes lengths would move the places
        by_role += [(match.start(), part) for match, part in _by_bare_name(service, text) if _inside(match, text)]
    spots += [(spot, part) for spot, part in by_role if not any(start <= spot < end for start, end in taken)]
    if not spots:
        return [], []
    failing: set[str] = set()
    working: set[str] = set()
    edges = [0, *sorted({match.end() for match in _CLAUSE.regex.finditer(normalized)}), len(normalized)]
    for spot, component in spots:
        at = max(i for i, edge in enumerate(edges[:-1]) if edge <= spot)
        clause = normalized[edges[at] : edges[at + 1]]
        while at + 2 < len(edges) and _JOINS.regex.search(clause) and not _verdict(clause):
            at += 1
            clause = normalized[edges[at] : edges[at + 1]]
        if "?" in clause and _WORKS.regex.search(clause) and not _FAILS.regex.search(clause):
            continue  # whether it works is asked, not said
        (working if _works(clause) else failing).add(component)
    return sorted(failing), sorted(working - failing)


_EVERYTHING = re.compile(r"(?i)\ball (?:[\w.]+ )?services\b")
_GOES_ON = re.compile(r" ?(?:$|[,:/&]|and\b|or\b|is\b|are\b|not\b|was\b|degraded|outage|runs?\b|jobs?\b|[A-Z])")


def official_parts(title: str, service: Service, named: Iterable[str]) -> list[str]:
    """Return the component ids that a provider's own incident title names, sorted.

    A provider's titles use its own names, in capitals wherever they stand; `named` are the component ids of names in
    longer form.
    At the beginning a name counts where a list or a verdict follows: "Issues and Pages", not "Issues starting runs".
    """
    if _EVERYTHING.search(title):
        return sorted(part.id for part in service.components if part.official)
    components = set(named)
    for match, part in _by_bare_name(service, title):
        if match.start() or _GOES_ON.match(title[match.end() :]):
            components.add(part)
    return sorted(components)
