"""What an article claims about an outage: when, what works and what does not, why, how many; and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache

from pipeline.core.news_events import Claim
from pipeline.core.vocabulary import ClaimKind, SaidBy
from pipeline.text.clock_times import times_of_day
from pipeline.text.lexicon import WordPattern, lexicon
from pipeline.text.normalize import normalize

CAP = 20_000  # characters of an article that are read
FEWEST_REPORTS = 50  # smaller numbers are not taken for a count of reports
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\b[apAP]\.[mM]\.)\s+(?=[^\W\d_])")
_BEGAN = WordPattern("claims", r"\b(?:%(began)s)\b")
_OVER = WordPattern("claims", r"\b(?:%(over)s)\b")
_NEITHER = WordPattern("claims", r"\b(?:%(neither)s)\b")
_FROM = re.compile(r"\bfrom $")
_RANGE = re.compile(
    r"\b(?:from|between) (\d{1,2}(?:[:.]\d{2})?)( ?[ap]\.?m\b\.?)?(?: [a-z]{3,4})? "
    r"(?:to|until|till|and) (\d{1,2}(?:[:.]\d{2})?)( ?[ap]\.?m\b\.?)? ([a-z]{2,5})\b"
)
_OUTAGE = WordPattern("claims", r"\b(?:%(outage)s)\b")
_OTHERWISE = WordPattern("claims", r"\b(?:%(otherwise)s)\b")
_TRACKER = WordPattern("claims", "%(tracker)s")
_COMPANY = WordPattern("claims", r"\b(?:%(company)s)\b")
_SAID = WordPattern("claims", r"\b(?:%(said)s)\b")
_NAMED = WordPattern("claims", r"\b[A-Z][\w-]+(?:['’]s)?(?: [A-Z][\w-]+)? (?:%(said_by_name)s)\b")
_THEY = WordPattern("claims", r"(?i)\b(?:%(users)s) (?:%(users_said)s)\b")
_ROLES: Mapping[str, WordPattern] = {
    **{role: WordPattern("post_components", f"%({role})s") for role in ("api", "console")},
    **{
        role: WordPattern("article_components", f"%({role})s")
        for role in ("web", "mobile", "desktop", "code", "login", "voice", "messaging", "actions", "pages")
    },
}
_UP = WordPattern("claims", "%(up)s")
_CLEARED = WordPattern("claims", "%(cleared)s")
_DOWN = WordPattern("claims", r"(?<!not )(?<!not been )(?<!no longer )(?<!never )\b(?:%(down)s)\b")
_CLAUSES = WordPattern("claims", r"\b(?:%(but)s)\b|;")
_CAUSE = (
    WordPattern("claims", r"\b(?:%(cause_follows)s)(?: on)? (?P<why>[^.;]{4,90})"),
    WordPattern("claims", r"^(?P<why>[^.;]{4,90}?) (?:%(cause_precedes)s)"),
)
_LEAD_IN = re.compile(r"^(?:.*\bsaid )?(?:that )?(?:an?|the|its) ", re.S)
_TAIL = re.compile(
    r",? (?:the )?[\w’' ]{2,30} (?:said|wrote|says)(?: (?:on|in) [\w ]{2,30})?$|, [\w ]{2,30} (?:said|wrote)$"
)
_NUMBER = WordPattern(
    "claims",
    r"(?<![\d.,])(?P<n>\d{1,3}(?:[., ]\d{3})+|\d+(?:[.,]\d+)?(?= ?(?:million|mio|k\b))|\d{2,7})"
    r"(?: ?(?P<m>million|mio|k)\b)?(?![\d:%%])(?! (?:%(counts_no_people)s))",
)
_NO_COUNT = WordPattern("claims", r"\b(?:%(before_no_count)s) $")
_BESIDE = WordPattern("claims", r"^ (?:\w+ ){0,2}(?:%(reports)s)\b")
_REPORTS = WordPattern("claims", r"\b(?:%(reports)s)\b")
_FILED = WordPattern("claims", r"\b(?:%(filed)s)\b")
_PEAK = WordPattern("claims", "%(peak)s")
_TOTAL = WordPattern("claims", "%(total)s")


def tells_of_failure(text: str) -> bool:
    """Return whether an English text says of something that it fails."""
    return _DOWN.regex.search(normalize(text)) is not None


def without_cleared(text: str) -> str:
    """Return an English text without the clauses that say of what they name that it works or did not cause it."""
    clauses = re.split(r"(?<=[.!?])\s+|[;\n]", text[:CAP])
    return "\n".join(clause for clause in clauses if not _CLEARED.regex.search(normalize(clause)))


def claims(text: str, day: date) -> list[Claim]:
    """Return what an article published on `day` claims, in order, each once.

    Clock times are read only with a zone that means one thing, and only in sentences that speak of the outage.
    """
    return list(_claims(text, day))


@lru_cache(maxsize=1024)  # the notices of an incident are read again whenever it is explained
def _claims(text: str, day: date) -> tuple[Claim, ...]:
    read: list[Claim] = []
    for sentence in _SENTENCE.split(text[:CAP]):
        normalized = normalize(sentence)
        who = _who(sentence, normalized)
        read += [Claim(kind=k, value=v, said_by=who) for k, v in _times(sentence, normalized, day)]
        read += [Claim(kind=k, value=v, said_by=who) for k, v in _parts(normalized)]
        read += [Claim(kind=ClaimKind.CAUSE, value=why, said_by=who) for why in _causes(normalized)]
        read += list(_reports(normalized))
    return tuple(dict.fromkeys(read))


def _who(sentence: str, normalized: str) -> SaidBy:
    if _TRACKER.regex.search(normalized):
        return SaidBy.TRACKER
    attributed = _SAID.regex.search(normalized) or "spokes" in normalized
    if (attributed and _COMPANY.regex.search(normalized)) or (
        _NAMED.regex.search(sentence) and not _THEY.regex.search(sentence)
    ):
        return SaidBy.COMPANY
    return SaidBy.OUTLET


def _times(sentence: str, normalized: str, day: date) -> Iterator[tuple[ClaimKind, str]]:
    if not _OUTAGE.regex.search(normalized) or _OTHERWISE.regex.search(normalized):
        return
    # "from 9 to 11:30 a.m. ET": the zone and the half of the day belong to both
    spread = _RANGE.sub(
        lambda m: f"began {m[1]}{m[2] or m[4] or ''} {m[5]} ended {m[3]}{m[4] or ''} {m[5]}", normalized
    )
    reach = 0
    for start, end, moment in times_of_day(spread, sentence, day):
        before = spread[max(reach, start - 60) : start]
        reach = end
        last: dict[ClaimKind | None, int] = {
            kind: max((m.end() for m in pattern.regex.finditer(before)), default=-1)
            for kind, pattern in ((ClaimKind.START, _BEGAN), (ClaimKind.END, _OVER), (None, _NEITHER))
        }
        kind = max(last, key=lambda k: last[k])
        if last[kind] < 0:
            kind = ClaimKind.START if _FROM.search(before) else None
        if kind:
            yield kind, f"{moment:%H:%M}"


def _parts(normalized: str) -> Iterator[tuple[ClaimKind, str]]:
    for clause in _said_apart(normalized):
        up, down = _UP.regex.search(clause), _DOWN.regex.search(clause)
        if not up and not down:
            continue
        for role, pattern in _ROLES.items():
            if pattern.regex.search(clause):
                yield ClaimKind.UP if up else ClaimKind.DOWN, role


def _said_apart(normalized: str) -> Iterator[str]:
    """Yield the parts of a sentence that each say something: at a comma only when a verdict was given before it."""
    for clause in _CLAUSES.regex.split(normalized):
        so_far = ""
        for piece in clause.split(", "):
            so_far = f"{so_far}, {piece}" if so_far else piece
            if _UP.regex.search(so_far) or _DOWN.regex.search(so_far):
                yield so_far
                so_far = ""
        yield so_far


def _causes(normalized: str) -> Iterator[str]:
    for pattern in _CAUSE:
        match = pattern.regex.search(normalized.rstrip(".!"))
        if match:
            why = _TAIL.sub("", _LEAD_IN.sub("", match["why"].strip()))
            if len(why) > 3 and not why.startswith(lexicon("claims").words("no_cause")):
                yield why
            return


def _reports(normalized: str) -> Iterator[Claim]:
    if not (_REPORTS.regex.search(normalized) and _FILED.regex.search(normalized)):
        return
    counts = [
        (match, value)
        for match in _NUMBER.regex.finditer(normalized)
        if (value := _count(match)) >= FEWEST_REPORTS
        and _FILED.regex.search(normalized[max(0, match.start() - 45) : match.end() + 45])
        and not _NO_COUNT.regex.search(normalized[: match.start()])
    ]
    # the number that stands at the word it counts, else the first
    counts.sort(key=lambda pair: not _BESIDE.regex.search(normalized[pair[0].end() :]))
    for match, value in counts[:1]:
        near = normalized[max(0, match.start() - 40) : match.end() + 40]
        kind = "peak" if _PEAK.regex.search(near) else "total" if _TOTAL.regex.search(normalized) else "unknown"
        who = SaidBy.TRACKER if _TRACKER.regex.search(normalized) else SaidBy.OUTLET
        yield Claim(kind=ClaimKind.REPORTS, value=f"{value:.0f}", said_by=who, definition=kind)


def _count(match: re.Match[str]) -> float:
    if not match["m"]:
        return float(re.sub(r"\D", "", match["n"]))
    number = match["n"].replace(",", ".")
    plain = float(number) if number.replace(".", "", 1).isdigit() else float(re.sub(r"\D", "", number))
    return plain * (1e3 if match["m"] == "k" else 1e6)
