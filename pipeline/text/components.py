"""Which parts of a service a text says fail, and which it says work: rules over clauses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from pipeline.core.catalogue import Service
from pipeline.text.normalize import normalize
from pipeline.text.services import NameMatch
from pipeline.text.symptoms import symptom

ROLE_WORDS: Mapping[str, str] = {
    "web": r"\b(?:web ?sites?|web ?app|web|site|página|navegador|navigateur|browser(?! console)|sito|webseite)\b|サイト|ブラウザ|網站",
    "mobile": r"\b(?:apps?|appli|iphone|android|ios|mobile|phone|móvil|celular|téléphone|telefono)\b|\b(?:am|auf dem|aufm|mein|dem) handy\b|アプリ|スマホ",
    "desktop": r"\b(?:desktop|mac app|windows app|escritorio)\b",
    "api": r"(?<![a-z])apis?(?![a-z])(?! error)|\bendpoints?\b|\bapi[- ]?keys?\b|\bsdk\b",
    "code": r"\b(?:cli|terminal)\b",
    "console": r"(?<!browser )\bconsole\b|\bdashboard\b",
}
_ROLES = {role: re.compile(words) for role, words in ROLE_WORDS.items()}
_CLAUSE = re.compile(
    r"[;!?\n。、！？]|\.(?=\s|$)|,|—| - |\b(but|yet|while|whereas|although|though|and|however|pero|mientras|mais|tandis|aber|während|dagegen|mas|ma|mentre|"
    r"invece|enquanto)\b|けど|が、"
)
_WORKS = re.compile(
    r"\bwork(s|ed|ing)?\b|\bfine\b|\b(is|are|still|seems?|was|all|totally|perfectly|looks?|=) (ok(ay)?|good|up|healthy|happy|alive|green|solid|normal)\b|"
    r"\bok(ay)?(?= ?$)|\bnormal(ly)?\b|\bperfectly\b|\brespond(s|ing)\b|\banswer(s|ing)\b|\bhapp(y|ily)\b|\bas ever\b|\bonly way\b|\bruns\b|"
    r"\bunaffected\b|\buntouched\b|\b(no|zero|not one|without) (\w+ )?(issues?|problems?|trouble|errors?|hitch)\b|"
    r"\bfunciona\w*|\bva (bien|perfect\w*|de lujo)|\br(es|se)p(on|no)d\w*|\bsin problema\w*|\btranquil\w*|\bde boa\b|\bsem problema\w*|\bnormalmente\b|"
    r"\bfunktioniert|\bläuft|\bgeht\b|\bproblemlos|\bantwortet|\bfonctionne\b|\bmarche\b|\brépond\w*|\bsans (souci|problème)|\bimpeccable|"
    r"\bfunziona|\brispond\w*|\bsenza problemi|\bcontinua a\b|\bva\b(?! (?:fatal|mal|lent\w*|muy|fort|pas|a|en)\b)|\b(?:oui|sí|ja|sì|yes)(?= ?[.!]?$)|動い|問題な|普通に|正常|使え|生きて|返って"
)
_NOT = re.compile(
    r"\bnot\b|n't\b|\bnt\b|\bno longer\b|\bnever\b|\bnothing\b|\bstopped\b|\bnone\b|\bneither\b|\bbarely\b|\bused to\b|\bnada\b|\bno (va|funciona|responde)\b|"
    r"\bonly (affects|hits)\b|\bnicht\b|\bnix\b|\bnull\b|\bfatal\b|\bkein\w*|\bpas\b|\b(?:ne|va|marche|fonctionne|charge|répond) plus\b|\bn'\w+ plus\b|\bplus rien\b|\b(?:broken|unusable|borked|dead|down|kaputt|stuck|fails?|failing)\b|\bnon\b|\bnão\b|\b[45]\d\ds?\b|\berrors?\b(?<!no errors)(?<!without errors)|ない|ません|動かな|使えな"
)
# "claude.ai and the API are both fine": a clause that says nothing of its own shares the verdict of the next
_JOINS = re.compile(r"(?:\b(?:and|y|e|et|und|en|i|ve|dan)\b|,|と)\s*$")


@cache
def _bare_names(service: Service) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Return what the parts are called among those who know which service is meant ("Actions", "Code"), and their ids."""
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


# what was, is hoped for, or is for work says nothing of what works
_HEDGED = re.compile(
    r"\b(?:was|were|used to|worked|had been) (?:\w+ ){0,2}(?:fine|working|ok|okay|good|great|perfect\w*|until|yesterday|this morning)\b|\b(?:yesterday|earlier|until|hope\w*|wish\w*|should|ojalá|hoffe\w*|espero|j'espère)\b|"
    r"\b(?:for|at|to|from|my) work\b|\bwork (?:phone|laptop|account|computer)\b"
)


def _works(clause: str) -> bool:
    return bool(_WORKS.search(clause)) and not _NOT.search(clause) and not _HEDGED.search(clause)


def _verdict(clause: str) -> bool:
    """Return whether a clause says anything of how a part does."""
    return bool(_WORKS.search(clause) or _NOT.search(clause) or symptom(clause))


def parts_named(text: str, service: Service, named: Iterable[NameMatch]) -> tuple[list[str], list[str]]:
    """Return the component ids a text says fail, and those it says work, both sorted.

    `named` are the matches of the service's names in the normalized text; words such as "website" count by role. A clause that says "works" of a part, unnegated, clears it; what is said to fail
    is not cleared elsewhere in the text.
    """
    normalized = normalize(text)
    roles = {part.role: part.id for part in reversed(service.components)}
    taken = [(match.start, match.end) for match in named]
    spots = [(match.start, match.component) for match in named if match.component]
    found = [
        (match.start(), roles[role])
        for role, pattern in _ROLES.items()
        if role in roles
        for match in pattern.finditer(normalized)
    ]
    if len(normalized) == len(text):  # normalizing that changes lengths would move the places
        found += [(match.start(), part) for match, part in _by_bare_name(service, text) if _inside(match, text)]
    spots += [(spot, part) for spot, part in found if not any(start <= spot < end for start, end in taken)]
    failing: set[str] = set()
    working: set[str] = set()
    edges = [0, *sorted({match.end() for match in _CLAUSE.finditer(normalized)}), len(normalized)]
    for spot, component in spots:
        at = max(i for i, edge in enumerate(edges[:-1]) if edge <= spot)
        clause = normalized[edges[at] : edges[at + 1]]
        while at + 2 < len(edges) and _JOINS.search(clause) and not _verdict(clause):
            at += 1
            clause = normalized[edges[at] : edges[at + 1]]
        if "?" in clause and _WORKS.search(clause) and not _NOT.search(clause):
            continue  # whether it works is asked, not said
        (working if _works(clause) else failing).add(component)
    return sorted(failing), sorted(working - failing)


_EVERYTHING = re.compile(r"(?i)\ball (?:[\w.]+ )?services\b")
_GOES_ON = re.compile(r" ?(?:$|[,:/&]|and\b|or\b|is\b|are\b|not\b|was\b|degraded|outage|runs?\b|jobs?\b|[A-Z])")


def official_parts(title: str, service: Service, named: Iterable[str]) -> list[str]:
    """Return the component ids that a provider's own incident title names, sorted.

    A provider's titles use its own names, in capitals wherever they stand; `named` are the component ids of names in longer form.
    At the beginning a name counts where a list or a verdict follows: "Issues and Pages", not "Issues starting runs".
    """
    if _EVERYTHING.search(title):
        return sorted(part.id for part in service.components if part.official)
    found = set(named)
    for match, part in _by_bare_name(service, title):
        if match.start() or _GOES_ON.match(title[match.end() :]):
            found.add(part)
    return sorted(found)
