"""What an article claims about an outage: when, what works and what does not, why, how many; and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from pipeline.core.incidents import Claim
from pipeline.text.clock_times import times_of_day
from pipeline.text.components import ROLE_WORDS
from pipeline.text.cues import lexicon_features
from pipeline.text.normalize import normalize

FAILURE_CUES = {"down", "outage", "cannot", "broken", "errorcode", "spin", "kicked"}
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\b[apAP]\.[mM]\.)\s+(?=[^\W\d_])")
_BEGAN = re.compile(
    r"\b(?:start\w*|began|begin\w*|beginning|since|went (?:down|dark|offline)|(?:down|out|offline) (?:from|since|at|around)|first (?:seen|noticed|reported|complaints|reports|signs)|arrived|débuté|commencé|beg(?:ann|innt)|empez\w+|comenz\w+|começ\w+|iniziat\w+)\b"
)
_OVER = re.compile(
    r"\b(?:restor\w*|resolved|back|full service|returned|fixed|ended|over|until|worked again|recovered|rétabli\w*|behoben|resuelt\w+|revenu|wieder)\b"
)
_NEITHER = re.compile(
    r"\b(?:peak\w*|reports? (?:by|as of|at)|climbed|topped|due|as of|next update|updated?|identified)\b"
)
_FROM = re.compile(r"\bfrom $")
_RANGE = re.compile(
    r"\b(?:from|between) (\d{1,2}(?:[:.]\d{2})?)( ?[ap]\.?m\b\.?)?(?: [a-z]{3,4})? (?:to|until|till|and) (\d{1,2}(?:[:.]\d{2})?)( ?[ap]\.?m\b\.?)? ([a-z]{2,5})\b"
)
_OUTAGE = re.compile(
    r"\b(?:outage|down|disrupt\w*|trouble|problem\w*|incident|errors?|fail\w*|issues?|complaints?|service|log ?ins?|restor\w*|resolved|reports?|panne|ausfall|störung|caída|it|worked)\b"
)
_OTHERWISE = re.compile(r"\b(?:keynote|event|launch|doors|shares|stock|fell \d|bitcoin|conference|game|match|sale)\b")
_TRACKER = re.compile(r"\bdowndetector\b|\btrackers?\b|\btracking (?:site|service)\b")
_COMPANY = re.compile(r"\b(?:compan(?:y|ies)|firm|spokes\w+|provider|status page|engineers|vendor)\b")
_SAID = re.compile(
    r"\b(?:said|says|wrote|writes|told|blamed|attributed|confirmed|listed|showed|showing|according to|acknowledged)\b"
)
_NAMED = re.compile(
    r"\b[A-Z][\w-]+(?:['’]s)?(?: [A-Z][\w-]+)? (?:said|says|wrote|blamed|attributed|confirmed|told|acknowledged)\b"
)
_THEY = re.compile(
    r"(?i)\b(?:users|people|customers|developers|downdetector|the tracker|data|trackers?) (?:said|says|wrote|told|data)\b"
)
_ROLES: Mapping[str, re.Pattern[str]] = {
    **{role: re.compile(ROLE_WORDS[role]) for role in ("api", "console")},
    "web": re.compile(r"\bweb ?sites?\b|\bweb app\b|\bon the web\b|\bsite web\b|\bwebseite\b"),
    "mobile": re.compile(r"\bmobile(?: apps?)?\b|\b(?:the|its|and|or|phone) apps?\b|\bios\b|\bandroid\b"),
    "desktop": re.compile(r"\bdesktop(?: apps?)?\b"),
    "code": re.compile(r"\bclaude code\b|\bcodex\b|\bcli\b"),
    "login": re.compile(r"\blog ?ins?\b|\bsign(?:s|ing)?[ -]?(?:\w+ )?in\b|\blog in\b"),
    "voice": re.compile(r"\bvoice\b"),
    "messaging": re.compile(r"\bmessag(?:ing|es)\b"),
    "actions": re.compile(r"\bactions\b(?= and|,| were| are)"),
    "pages": re.compile(r"\bpages\b(?= were| are|,)"),
}
_UP = re.compile(
    r"\b(?:un|not )affected\b|\bas (?:it|they) should\b|\bas (?:intended|expected)\b|\bstayed (?:up|online|available)\b|\bremain\w* (?:up|available|operational|unaffected|online)\b|\bcontinu(?:e|es|ed|ing) to (?:work|run|function)\b|"
    r"\bkept (?:working|running)\b|\b(?:was|were|is|are) (?:back|working|operational|fine|still up)\b|\bas operational\b|\bfully operational\b|\brecovered\b|\b(?:not|never|no longer) (?:been )?(?:down|failing|broken)\b|\bhad stopped\b|\bnot (?:been )?affected\b|\bun ?touched\b"
)
_DOWN = re.compile(
    r"(?<!not )(?<!not been )(?<!no longer )(?<!never )\b(?:fail(?:s|ed|ing|ures?)?|down|unreachable|degraded|broken|stopped|cannot|can't|unavailable|elevated errors|errors|not (?:load|work)\w*|crash\w*|disrupted|unable)\b"
)
_CLAUSES = re.compile(r"\b(?:but|while|whereas|although|though)\b|;")
_CAUSE = (
    re.compile(
        r"\b(?:blamed|attributed [\w ]{3,40}? to|(?:was|were|is) (?:caused (?:by)|due to|the result of)|root cause (?:was|is)|cause was)(?: on)? (?P<why>[^.;]{4,90})"
    ),
    re.compile(
        r"^(?P<why>[^.;]{4,90}?) (?:was to blame|was the (?:root )?cause|(?:has )?caused (?:the|an|this) (?:outage|disruption|incident|failure|breakdown)|overwhelmed its)"
    ),
)
_NO_CAUSE = ("not ", "unknown", "what ", "it ", "identified", "found", "known", "still ", "being ", "under ")
_LEAD_IN = re.compile(r"^(?:.*\bsaid )?(?:that )?(?:an?|the|its) ", re.S)
_TAIL = re.compile(
    r",? (?:the )?[\w’' ]{2,30} (?:said|wrote|says)(?: (?:on|in) [\w ]{2,30})?$|, [\w ]{2,30} (?:said|wrote)$"
)
_NUMBER = re.compile(
    r"(?<![\d.,])(?P<n>\d{1,3}(?:[.,  ]\d{3})+|\d+(?:[.,]\d+)?(?= ?(?:million|mio|k\b))|\d{2,7})(?: ?(?P<m>million|mio|k)\b)?(?![\d:%])(?! (?:percent|per cent|prozent|errors?|fehler|erreurs))"
)
_NO_COUNT = re.compile(r"\b(?:in|since|of|founded in|error|http|code|fell|rose|from a peak of|version) $")
_NOUN = r"(?:reports?|complaints?|issues|users|people|reportes|meldungen|signalements|segnalazioni|reclamações)"
_BESIDE = re.compile(rf"^ (?:\w+ ){{0,2}}{_NOUN}\b")
_REPORTS = re.compile(rf"\b{_NOUN}\b")
_FILED = re.compile(
    r"\b(?:report\w*|complain\w*|flagged|tracker|downdetector|meldungen|signalements|segnalazioni|reclamações)\b"
)
_PEAK = re.compile(
    r"\bpeak\w*|\bspik\w+|\btopped\b|\bheight\b|\bclimbed to\b|\bsurged? to\b|\bpico\b|\bspitze\b|\bjusqu'à\b|\bat (?:its|their) (?:worst|height)"
)
_TOTAL = re.compile(
    r"\btotal\b|\bin all\b|\bover the day\b|\bworldwide\b|\bsince the morning\b|\baltogether\b|\ball day\b"
)


def tells_of_failure(text: str) -> bool:
    """Return whether a text says of something that it fails, in any of the languages cues are kept in."""
    normalized = normalize(text)
    return _DOWN.search(normalized) is not None or not FAILURE_CUES.isdisjoint(lexicon_features(normalized))


def claims(text: str, day: date) -> list[Claim]:
    """Return what an article published on `day` claims, in order, each once.

    Clock times are read only with a zone that means one thing, and only in sentences that speak of the outage.
    """
    found: list[Claim] = []
    for sentence in _SENTENCE.split(text[:20_000]):
        normalized = normalize(sentence)
        who = _who(sentence, normalized)
        found += [Claim(kind=k, value=v, said_by=who) for k, v in _times(sentence, normalized, day)]
        found += [Claim(kind=k, value=v, said_by=who) for k, v in _parts(normalized)]
        found += [Claim(kind="cause", value=why, said_by=who) for why in _causes(normalized)]
        found += list(_reports(normalized))
    return list(dict.fromkeys(found))


def _who(sentence: str, normalized: str) -> str:
    if _TRACKER.search(normalized):
        return "tracker"
    told = _SAID.search(normalized) or "spokes" in normalized
    if (told and _COMPANY.search(normalized)) or (_NAMED.search(sentence) and not _THEY.search(sentence)):
        return "company"
    return "outlet"


def _times(sentence: str, normalized: str, day: date) -> Iterator[tuple[str, str]]:
    if not _OUTAGE.search(normalized) or _OTHERWISE.search(normalized):
        return
    # "from 9 to 11:30 a.m. ET": the zone and the half of the day belong to both
    spread = _RANGE.sub(
        lambda m: f"began {m[1]}{m[2] or m[4] or ''} {m[5]} ended {m[3]}{m[4] or ''} {m[5]}", normalized
    )
    reach = 0
    for start, end, moment in times_of_day(spread, sentence, day):
        before = spread[max(reach, start - 60) : start]
        reach = end
        last = {
            kind: max((m.end() for m in pattern.finditer(before)), default=-1)
            for kind, pattern in (("start", _BEGAN), ("end", _OVER), ("", _NEITHER))
        }
        kind = max(last, key=lambda k: last[k])
        if last[kind] < 0:
            kind = "start" if _FROM.search(before) else ""
        if kind:
            yield kind, f"{moment:%H:%M}"


def _parts(normalized: str) -> Iterator[tuple[str, str]]:
    for clause in _said_apart(normalized):
        up, down = _UP.search(clause), _DOWN.search(clause)
        if not up and not down:
            continue
        for role, pattern in _ROLES.items():
            if pattern.search(clause):
                yield "up" if up else "down", role


def _said_apart(normalized: str) -> Iterator[str]:
    """Yield the parts of a sentence that each say something: at a comma only when a verdict was given before it."""
    for clause in _CLAUSES.split(normalized):
        so_far = ""
        for piece in clause.split(", "):
            so_far = f"{so_far}, {piece}" if so_far else piece
            if _UP.search(so_far) or _DOWN.search(so_far):
                yield so_far
                so_far = ""
        yield so_far


def _causes(normalized: str) -> Iterator[str]:
    for pattern in _CAUSE:
        match = pattern.search(normalized.rstrip(".!"))
        if match:
            why = _TAIL.sub("", _LEAD_IN.sub("", match["why"].strip()))
            if len(why) > 3 and not why.startswith(_NO_CAUSE):
                yield why
            return


def _reports(normalized: str) -> Iterator[Claim]:
    if not (_REPORTS.search(normalized) and _FILED.search(normalized)):
        return
    counts = [
        (match, value)
        for match in _NUMBER.finditer(normalized)
        if (value := _count(match)) >= 50
        and _FILED.search(normalized[max(0, match.start() - 45) : match.end() + 45])
        and not _NO_COUNT.search(normalized[: match.start()])
    ]
    # the number that stands at the word it counts, else the first
    counts.sort(key=lambda pair: not _BESIDE.search(normalized[pair[0].end() :]))
    for match, value in counts[:1]:
        near = normalized[max(0, match.start() - 40) : match.end() + 40]
        kind = "peak" if _PEAK.search(near) else "total" if _TOTAL.search(normalized) else "unknown"
        who = "tracker" if _TRACKER.search(normalized) else "outlet"
        yield Claim(kind="reports", value=f"{value:.0f}", said_by=who, definition=kind)


def _count(match: re.Match[str]) -> float:
    if not match["m"]:
        return float(re.sub(r"\D", "", match["n"]))
    number = match["n"].replace(",", ".")
    plain = float(number) if number.replace(".", "", 1).isdigit() else float(re.sub(r"\D", "", number))
    return plain * (1e3 if match["m"] == "k" else 1e6)
