"""What an article claims about an outage: when, what works and what does not, why, how many; and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.text.clock import times_of_day
from pipeline.text.components import ROLE_WORDS
from pipeline.text.normal import fold

KINDS = ("start", "end", "up", "down", "cause", "reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim. `value` is HH:MM in UTC, a part's role, a number, or words; `said_by` company, tracker or outlet.

    `definition` says of a number of reports what was counted: peak, total or unknown; empty for other kinds.
    """

    kind: str
    value: str
    said_by: str = "outlet"
    definition: str = ""


_SENTENCE = re.compile(r"(?<=[.!?])(?<!\b[ap]\.m\.)\s+(?=[^\W\d_])")
_BEGAN = re.compile(
    r"\b(?:start\w*|began|begin\w*|since|from|first|around|went (?:down|dark)|down at|arrived|débuté|commencé|beg(?:ann|innt)|empez\w+|comenz\w+|começ\w+|iniziat\w+|seen)\b"
)
_OVER = re.compile(
    r"\b(?:restor\w*|resolved|back|full service|returned|fixed|ended|over|until|worked again|by|rétabli\w*|behoben|resuelt\w+)\b"
)
_OUTAGE = re.compile(r"\b(?:outage|down|disrupt\w*|trouble|problem\w*|incident|errors?|fail\w*|issues?|complaints?|service|log ?ins?|restor\w*|resolved|reports?|panne|ausfall|störung|caída|it|worked)\b")  # fmt: skip
_OTHERWISE = re.compile(r"\b(?:keynote|event|launch|doors|shares|stock|fell \d|bitcoin|conference|game|match|sale)\b")
_TRACKER = re.compile(r"\bdowndetector\b|\btrackers?\b|\btracking (?:site|service)\b")
_COMPANY = re.compile(r"\b(?:compan(?:y|ies)|firm|spokes\w+|provider|status page|engineers|vendor)\b")
_SAID = re.compile(r"\b(?:said|says|wrote|writes|told|blamed|attributed|confirmed|listed|showed|showing|according to|acknowledged)\b")  # fmt: skip
_NAMED = re.compile(
    r"\b[A-Z][\w-]+(?:['’]s)?(?: [A-Z][\w-]+)? (?:said|says|wrote|blamed|attributed|confirmed|told|acknowledged)\b"
)
_THEY = re.compile(
    r"(?i)\b(?:users|people|customers|developers|downdetector|the tracker|data|trackers?) (?:said|says|wrote|told|data)\b"
)
_ROLES: Mapping[str, re.Pattern[str]] = {
    **{role: re.compile(words.replace("web\\b|", "")) for role, words in ROLE_WORDS.items() if role not in ("code", "mobile", "web")},
    "web": re.compile(r"\bweb ?sites?\b|\bweb app\b|\bon the web\b|\bsite web\b|\bwebseite\b"),
    "mobile": re.compile(r"\bmobile(?: apps?)?\b|\b(?:the|its|and|or|phone) apps?\b|\bios\b|\bandroid\b"),
    "desktop": re.compile(r"\bdesktop(?: apps?)?\b"),
    "code": re.compile(r"\bclaude code\b|\bcodex\b|\bcli\b"),
    "login": re.compile(r"\blog ?ins?\b|\bsign(?:ing)?[ -]?in\b|\blog in\b"),
    "voice": re.compile(r"\bvoice\b"), "messaging": re.compile(r"\bmessag(?:ing|es)\b"), "actions": re.compile(r"\bactions\b(?= and|,| were| are)"),
    "pages": re.compile(r"\bpages\b(?= were| are|,)"),
}  # fmt: skip
_UP = re.compile(
    r"\b(?:un|not )affected\b|\bstayed (?:up|online|available)\b|\bremain\w* (?:up|available|operational|unaffected|online)\b|\bcontinued? to (?:work|run|function)\b|"
    r"\bkept (?:working|running)\b|\b(?:was|were|is|are) (?:back|working|operational|fine|still up)\b|\bas operational\b|\bnot (?:been )?affected\b|\bun ?touched\b"
)
_DOWN = re.compile(
    r"\b(?:fail(?:s|ed|ing|ures?)?|down|unreachable|degraded|broken|stopped|cannot|can't|unavailable|elevated errors|errors|not (?:load|work)\w*|crash\w*|disrupted|unable)\b"
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
_LEAD_IN = re.compile(r"^(?:.*\bsaid )?(?:that )?(?:an?|the|its) ", re.S)
_TAIL = re.compile(r",? (?:the )?[\w’' ]{2,30} (?:said|wrote|says)$|, [\w ]{2,30} (?:said|wrote)$")
_NUMBER = re.compile(
    r"(?<![\d.,])(?P<n>\d{1,3}(?:[.,  ]\d{3})+|\d+(?:\.\d+)?(?= million)|\d{2,7})(?P<m> million)?(?![\d:%])"
)
_REPORTS = re.compile(
    r"\b(?:reports?|complaints?|issues|users had complained|flagged|people|reportes|meldungen|signalements|segnalazioni|reclamações)\b"
)
_FILED = re.compile(
    r"\b(?:report\w*|complain\w*|flagged|tracker|downdetector|meldungen|signalements|segnalazioni|reclamações)\b"
)
_PEAK = re.compile(
    r"\bpeak\w*|\bspik\w+|\btopped\b|\bheight\b|\bclimbed to\b|\bsurged? to\b|\bpico\b|\bspitze\b|\bjusqu'à\b|\bat (?:its|their) (?:worst|height)"
)
_TOTAL = re.compile(
    r"\btotal\b|\bin all\b|\bover the day\b|\bworldwide\b|\bsince the morning\b|\baltogether\b|\ball day\b"
)


def claims(text: str, day: date, *, country: str = "") -> list[Claim]:
    """Return what an article published on `day` claims, in order, each once.

    Clock times are read only with a zone that means one thing, and only in sentences that speak of the outage.
    """
    found: list[Claim] = []
    for sentence in _SENTENCE.split(text[:20_000]):
        folded = fold(sentence)
        who = _who(sentence, folded)
        found += [Claim(kind=k, value=v, said_by=who) for k, v in _times(folded, day, country)]
        found += [Claim(kind=k, value=v, said_by=who) for k, v in _parts(folded)]
        found += [Claim(kind="cause", value=why, said_by=who) for why in _causes(folded)]
        found += list(_reports(folded))
    return list(dict.fromkeys(found))


def _who(sentence: str, folded: str) -> str:
    if _TRACKER.search(folded):
        return "tracker"
    told = _SAID.search(folded) or "spokes" in folded
    if (told and _COMPANY.search(folded)) or (_NAMED.search(sentence) and not _THEY.search(sentence)):
        return "company"
    return "outlet"


def _times(folded: str, day: date, country: str) -> Iterator[tuple[str, str]]:
    if not _OUTAGE.search(folded) or _OTHERWISE.search(folded):
        return
    reach = 0
    for start, end, moment in times_of_day(folded, day, country):
        before = folded[max(reach, start - 60) : start]
        reach = end
        began = max((m.end() for m in _BEGAN.finditer(before)), default=-1)
        over = max((m.end() for m in _OVER.finditer(before)), default=-1)
        if over > began or began >= 0:
            yield "end" if over > began else "start", f"{moment:%H:%M}"


def _parts(folded: str) -> Iterator[tuple[str, str]]:
    for clause in _CLAUSES.split(folded):
        up, down = _UP.search(clause), _DOWN.search(clause)
        if not up and not down:
            continue
        for role, pattern in _ROLES.items():
            if pattern.search(clause):
                yield "up" if up else "down", role


def _causes(folded: str) -> Iterator[str]:
    for pattern in _CAUSE:
        match = pattern.search(folded.rstrip(".!"))
        if match:
            why = _TAIL.sub("", _LEAD_IN.sub("", match["why"].strip()))
            if len(why) > 3 and not why.startswith(("not ", "unknown", "what ", "it ")):
                yield why
            return


def _reports(folded: str) -> Iterator[Claim]:
    if not (_REPORTS.search(folded) and _FILED.search(folded)):
        return
    for match in _NUMBER.finditer(folded):
        near = folded[max(0, match.start() - 45) : match.end() + 45]
        value = float(match["n"]) * 1e6 if match["m"] else float(re.sub(r"\D", "", match["n"]))
        if value < 50 or not _FILED.search(near):
            continue
        kind = "peak" if _PEAK.search(folded) else "total" if _TOTAL.search(folded) else "unknown"
        who = "tracker" if _TRACKER.search(folded) else "outlet"
        yield Claim(kind="reports", value=f"{value:.0f}", said_by=who, definition=kind)
        return
