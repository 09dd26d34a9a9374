"""How sure: the state in words, and the probability that something is really broken, in parts that add up. Pure.

The probability is a logistic regression over what the incident rests on. Its weights for crowds were fitted on
simulated outages and on what only looks like one (news, adoption, chatter, rings of accounts, broken counters;
`groundswell evaluate certainty` fits and judges them anew). The page's word outweighs them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.incidents import Evidence, Incident
from pipeline.core.row_refs import RowRef
from pipeline.core.series import Interval
from pipeline.core.vocabulary import EvidenceKind, State
from pipeline.incidents.episodes import ProviderIncident

FAR_ABOVE = 36.0
OVERWHELMING = 150.0
ALARM = 9.0
MOST_VOTERS = 200  # more people make it no surer
# log-odds; fitted by `groundswell evaluate certainty`,
# but for `notice` and `outlets`, which no crowd simulation can tell
WEIGHTS = {
    "base": -3.5,
    "loudest": 0.05,
    "second kind": 2.5,
    "voters": 1.2,
    "denied": -4.5,
    "doubtful": -3.8,
    "notice": 6.0,
    "outlets": 0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What an incident rests on.

    `loudest`: log2 of the strongest channel's score over the alarm; `kinds`: independent kinds of signal above what is
    expected (complaint counts of a source, votes of a source, articles); `voters`: distinct people who report it, in
    posts or to a counter; `denied`: share of those who speak of a part that say it works; `doubtful`: share of reports
    not counted because of who wrote them or because they are copies; `outlets`: independent outlets that report it.
    """

    loudest: float
    kinds: int
    voters: int
    denied: float
    doubtful: float
    outlets: int
    notice: bool
    complaints: int = 0  # what stands for `voters` where a counter heard more than wrote


def signals(
    intervals: Sequence[Interval],
    provider_incidents: Sequence[ProviderIncident],
    *,
    voters: int,
    works: int,
    fails: int,
    doubtful: float,
    outlets: int,
) -> Signals:
    """Return what an incident rests on; see Signals."""
    kinds = {(i.series.channel, i.series.source) for i in intervals}
    strongest = max((i.score for i in intervals), default=0.0)
    # who complains to a counter is somebody, too: its highest bin, less what is expected
    counted = max(
        (i.observed_peak - i.expected_peak for i in intervals if i.series.channel == "complaints"), default=0.0
    )
    return Signals(
        loudest=math.log2(max(strongest, ALARM) / ALARM) if intervals else 0.0,
        kinds=len(kinds) + (outlets >= 2),
        voters=max(voters, int(counted)),
        complaints=int(counted) if counted > voters else 0,
        denied=works / (works + fails) if works + fails >= 3 else 0.0,
        doubtful=doubtful,
        outlets=outlets,
        notice=bool(provider_incidents),
    )


def features(s: Signals) -> dict[str, float]:
    """Return what each weight is multiplied with."""
    return {
        "base": 1.0,
        "loudest": min(s.loudest, 5.0),
        "second kind": float(s.kinds >= 2),
        "voters": math.log2(1 + min(s.voters, MOST_VOTERS)),
        "denied": s.denied,
        "doubtful": s.doubtful,
        "notice": float(s.notice),
        "outlets": float(min(s.outlets, 5)),
    }


def probability(s: Signals) -> tuple[float, dict[str, float]]:
    """Return the probability that something is broken, and each part's log-odds."""
    parts = {name: WEIGHTS[name] * value for name, value in features(s).items()}
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, sum(parts.values()))))), parts


def state(intervals: Sequence[Interval], s: Signals) -> State:
    """Return how sure: confirmed by page or overwhelming crowd; likely by two kinds or one far above; else possible."""
    strongest = max((i.score for i in intervals), default=0.0)
    if s.notice or (s.kinds >= 2 and strongest >= OVERWHELMING):
        return State.CONFIRMED
    return State.LIKELY if s.kinds >= 2 or strongest >= FAR_ABOVE else State.POSSIBLE


def parts_in_words(p: float, parts: dict[str, float], s: Signals, at: datetime, row: RowRef) -> Iterator[Evidence]:
    """Yield the parts of the probability, each with its log-odds."""
    words = {
        "base": "before anything else is known",
        "loudest": "how far above the alarm the loudest channel is",
        "second kind": f"{s.kinds} independent kinds of signal",
        "voters": f"{s.complaints:,} complaints above what is usual, at the peak"
        if s.complaints
        else f"{s.voters} {'person reports' if s.voters == 1 else 'people report'} it",
        "denied": f"{s.denied:.0%} of those who speak of a part say it works",
        "doubtful": f"{s.doubtful:.0%} of the reports were not counted",
        "notice": "the provider's page lists it",
        "outlets": f"{s.outlets} outlets report it",
    }
    for name, value in parts.items():
        if round(value, 2):
            yield Evidence(
                kind=EvidenceKind.CERTAINTY,
                at=at,
                subject=name,
                value=round(value, 2),
                compared_with=round(p, 3),
                rows=(row,),
                statement=f"{words[name]}: {'for' if value > 0 else 'against'} ({value:+.1f})",
            )


def what_is_missing(incident: Incident, floor: float) -> tuple[str, ...]:
    """Return what would make an incident surer, each with the probability it would have then; nothing from `floor` on.

    Empty, too, where nobody has judged the probability.
    """
    p = incident.probability
    if p is None or p >= floor:
        return ()
    odds = math.log(max(p, 1e-6) / (1 - max(p, 1e-6)))
    parts = {e.subject: e.value or 0.0 for e in incident.evidence if e.kind is EvidenceKind.CERTAINTY}
    missing = []
    if "notice" not in parts:
        missing.append(f"a notice of the provider ({_after(odds, WEIGHTS['notice'])})")
    if "second kind" not in parts:
        words = "a second kind of signal: complaint counts, reports on another network, or articles of two outlets"
        missing.append(f"{words} ({_after(odds, WEIGHTS['second kind'])})")
    needed = (math.log(floor / (1 - floor)) - odds + parts.get("voters", 0.0)) / WEIGHTS["voters"]
    if needed <= math.log2(1 + MOST_VOTERS):
        missing.append(f"{math.ceil(2**needed - 1)} people in all who report it ({floor:.0%})")
    return tuple(missing)


def _after(odds: float, more: float) -> str:
    return f"{1 / (1 + math.exp(-odds - more)):.0%}"
