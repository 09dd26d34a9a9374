"""What a news item is about: its kind, the services it names, and near-identical items folded into one event."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from pipeline.model import NewsEvent, NewsItem, iso
from pipeline.text.cues import cues
from pipeline.text.normal import fold, jaccard, shingles
from pipeline.text.services import ServiceMatcher

KINDS = ("service_outage", "outage_followup", "politics_regulation", "company_business", "product",
         "infrastructure_outage", "security", "other")  # fmt: skip
FOLD_WITHIN = timedelta(hours=72)
FOLD_AT = 0.5
_WORDS: Mapping[str, str] = {
    "infrastructure_outage": r"data ?cent(er|re)|availability zone|power (loss|cut|failure)|without power|undersea cable|submarine cable|fib(er|re) cut|"
    r"substation|rechenzentrum|centre de données|centro de datos|centro dati|datacenter|cloud region|seekabel|stromausfall|fire at|blackout|基地局|データセンター",
    "outage_followup": r"post-?mortem|what (went wrong|happened|we learned|the .{0,30}outage)|lessons|after (the|last|monday'?s|this week'?s) .{0,40}outage|"
    r"aftermath|look(ing)? back|explain(s|ed)|timeline of|compensat|apologi[sz]|twice in|report counts?|how many|résilien|resilien|retour sur|bilan|nach (dem|der) .{0,20}(ausfall|panne|störung)|tras (la|el) (caída|fallo)|"
    r"counting|tally|recap|in review|reliab|root cause|cause of",
    "service_outage": r"outage|\b(is|are|was|goes|go|went|back) (\w+ )?(down|offline)\b|\bdown (for|from|since|across|worldwide|again|today)\b|disrupt|log ?in (problems|failure|issues|trouble)|"
    r"can(no|')t (log|sign)|locked out|elevated errors|service interruption|users report|errors? for|unreachable|unavailable|not working|restored|falla|caíd[oa]|caída|apagón|en panne|panne|"
    r"hors service|inaccessible|störung|ausfall|gestört|disservizi|fora do ar|instabilidade|interrup|storing|awaria|kesinti|gangguan|down\b.{0,20}users|障害|stops answering|fails? (to|for)|stumbles",
    "security": r"vulnerab|breach|flaw|exploit|malware|ransom|hack|phish|leak|patch(es)? (a|for)|zero-day|lücke|faille|brecha|sicherheits|脆弱",
    "politics_regulation": r"government|federal|president|white house|pentagon|defen[cs]e|congress|senat|minister|lawsuit|court|judge|regulat|antitrust|ban(s|ned)?\b|"
    r"directive|agenc(y|ies)|supply[- ]chain risk|commission|parliament|law\b|lawmaker|sanction|election|fine[sd]?\b|gouvern|gobierno|regierung|governo|gesetz|gericht|tribunal|bundes|loi\b|règlement|"
    r"contract|military|surveillance|deadline|ultimatum|政府|規制",
    "company_business": r"app store|number one|no\. ?1|top (of|free)|chart|rank|sign-?ups|downloads|revenue|earnings|profit|fund(s|ing|raise)|valuation|ipo|"
    r"shares|stock|quarter|acqui|layoff|hires|subscribers|users grow|umsatz|gewinn|finanzierung|levée|ingresos|beneficio|bourse|uninstall|switch(ing)?|boycott|cancel|株価|決算",
    "product": r"launch|unveil|release|introduc|new (model|phone|feature|version|app)|announces? .{0,30}(model|phone|feature|chip|tablet)|update(s|d)? (to|for|brings)|debut|lanza|présente|stellt .{0,30} vor|"
    r"rollout|rolls out|preview|beta|phone fair|mobile world|tablet|laptop|gadget|lanciert|発表|新機能",
}  # fmt: skip
_PATTERNS = {kind: re.compile(words) for kind, words in _WORDS.items()}


def news_cues(title: str, summary: str = "") -> str:
    """Return an item's folded text followed by the kinds its words hint at: what the model reads."""
    head, rest = fold(title), fold(summary)
    found = [f"cue_title_{kind}" for kind, pattern in _PATTERNS.items() if pattern.search(head)]
    found += [f"cue_text_{kind}" for kind, pattern in _PATTERNS.items() if pattern.search(rest)]
    return " ".join([head, rest, *found, *cues(head)])


def says_down(title: str) -> bool:
    """Return whether a headline says outright that something is out of service."""
    return bool(_PATTERNS["service_outage"].search(fold(title)))


def kind_of(title: str, summary: str = "") -> str:
    """Return the kind by key words alone, for rules-only mode: the first that the title shows, else the summary."""
    for text in (fold(title), fold(summary)):
        for kind, pattern in _PATTERNS.items():
            if pattern.search(text):
                return kind
    return "other"


def fold_items(
    items: Sequence[NewsItem], matcher: ServiceMatcher, kind: Callable[[str, str], str] = kind_of,
    known: Mapping[str, str] | None = None,
) -> list[NewsEvent]:  # fmt: skip
    """Fold near-identical items within three days into events; outlets of one event are counted once each.

    An event is named after its first item, so that a later copy changes its outlets, not its id. `known` holds the
    kinds of events read before, which are not asked again.
    """
    open_events: list[tuple[frozenset[tuple[str, ...]], list[NewsItem]]] = []
    done: list[list[NewsItem]] = []
    for item in sorted(items, key=lambda i: (i.published, i.source, i.native_id)):
        marks = shingles(f"{item.title} {item.summary}", 3)
        still: list[tuple[frozenset[tuple[str, ...]], list[NewsItem]]] = []
        home: list[NewsItem] | None = None
        for other, members in open_events:
            if item.published - members[0].published > FOLD_WITHIN:
                done.append(members)
                continue
            still.append((other, members))
            if home is None and (jaccard(marks, other) >= FOLD_AT or fold(item.title) == fold(members[0].title)):
                home = members
        open_events = still
        if home is not None:
            home.append(item)
        else:
            open_events.append((marks, [item]))
    groups = done + [members for _, members in open_events]
    return sorted(
        (_event(members, matcher, kind, known or {}) for members in groups), key=lambda e: (e.first_seen, e.id)
    )


def _event(
    members: Sequence[NewsItem], matcher: ServiceMatcher, kind: Callable[[str, str], str], known: Mapping[str, str]
) -> NewsEvent:
    first = members[0]
    text = f"{first.title}. {first.summary}"
    named = matcher.entities(text)
    entities = tuple(f"{service}:{'+'.join(how)}" for service, how in named.items())
    digest = hashlib.sha256(f"{first.source}\0{first.native_id}".encode()).hexdigest()[:12]
    event_id = f"news-{iso(first.published)[:10]}-{digest}"
    return NewsEvent(
        id=event_id, kind=known.get(event_id) or kind(first.title, first.summary), title=first.title,
        entities=entities, outlets=tuple(sorted({item.outlet for item in members})), first_seen=first.published,
        items=tuple((item.source, item.native_id) for item in members),
    )  # fmt: skip


def entity_services(entities: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read `service:how+how` back as a mapping."""
    pairs = (entity.partition(":") for entity in entities)
    return {service: tuple(how.split("+")) for service, _, how in pairs}


_ZONES = {"pst": -8, "pdt": -7, "est": -5, "edt": -4, "utc": 0, "gmt": 0, "cet": 1, "cest": 2}
_CLOCK = re.compile(r"\b(\d{1,2})(?::(\d{2}))? ?(a\.?m\.?|p\.?m\.?)? ?(pst|pdt|est|edt|utc|gmt|cet|cest)\b")
_BEGAN = re.compile(r"\b(start\w*|began|begin\w*|since|from|around|first)\b")
_OVER = re.compile(r"\b(restor\w*|resolved|back|full service|returned|fixed|ended|over)\b")
_API_UP = re.compile(
    r"\bapi\b.{0,40}\b(stayed|remain\w*|kept|still|continued|was|is|not)\b.{0,30}\b(up|work\w*|operational|unaffected|fine|available|affected|running|normal\w*|answering)\b"
)


def claims(text: str) -> list[tuple[str, int | str]]:
    """Return what an article claims: ("start", minutes after 00:00 UTC), ("end", …), ("api", "up").

    Only clock times with a zone that means one thing are read; PST in the text is PST, even in summer.
    """
    folded = fold(text)
    found: list[tuple[str, int | str]] = []
    for match in _CLOCK.finditer(folded):
        hour, minute = int(match[1]), int(match[2] or 0)
        if match[3]:
            hour = hour % 12 + (12 if match[3][0] == "p" else 0)
        elif match[2] is None:
            continue
        if hour > 23 or minute > 59:
            continue
        moment = (hour - _ZONES[match[4]]) * 60 + minute
        before = folded[max(0, match.start() - 60) : match.start()]
        last = max((("start", m.end()) for m in _BEGAN.finditer(before)), default=("", -1), key=lambda pair: pair[1])
        over = max((m.end() for m in _OVER.finditer(before)), default=-1)
        if over > last[1]:
            found.append(("end", moment % 1440))
        elif last[0]:
            found.append(("start", moment % 1440))
    if _API_UP.search(folded):
        found.append(("api", "up"))
    return found
