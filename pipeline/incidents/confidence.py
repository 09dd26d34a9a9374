"""How sure: the state in words, and the probability that something is really broken, in parts that add up. Pure.

The probability is a logistic regression over what the incident rests on. Its weights for crowds were fitted on
simulated outages and on what only looks like one (news, adoption, chatter, rings of accounts, broken counters), at the
first run that could see anything and hours later: few people in the first minutes are no sign that nothing is broken
(`groundswell evaluate certainty onset` fits and judges them anew). The page's word outweighs them all. Whether an
incident is credible at all is asked apart, of weights that take no account of its age.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.incidents import LEAST_PROBABILITY, Evidence, Incident
from pipeline.core.row_refs import RowRef
from pipeline.core.series import Interval
from pipeline.core.vocabulary import EvidenceKind, State
from pipeline.incidents.episodes import ProviderIncident

FAR_ABOVE = 36.0
OVERWHELMING = 150.0
ALARM = 9.0
EVEN = 0.5
MOST_VOTERS = 200  # more people make it no surer
YOUNG = 120.0  # minutes; so long the number of people still grows
AGE_STEP = 30.0  # minutes; within them an incident that nothing is new about is the same
FEW = 8.0  # people, among whom what is doubtful weighs more
# log-odds; fitted by `groundswell evaluate certainty onset` on seeds of their own,
# but for `notice` and `outlets`, which no crowd simulation can tell
WEIGHTS = {
    "base": -0.3,
    "loudest": 0.4,
    "second kind": 1.7,
    "voters": 0.1,
    "young": 1.8,
    "talked": 4.7,
    "denied": -19.0,
    "doubtful": -1.3,
    "few doubtful": -1.2,
    "notice": 6.0,
    "outlets": 0.5,
}
# an incident that these make less probable than LEAST_PROBABILITY is not told: it is mostly what was not counted
CREDIBLE = {"base": -3.5, "loudest": 0.05, "second kind": 2.5, "voters": 1.2, "denied": -4.5, "doubtful": -3.8}
CREDIBLE |= {"notice": 6.0, "outlets": 0.5}


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
    minutes: float = math.inf  # since the onset


def signals(
    intervals: Sequence[Interval],
    provider_incidents: Sequence[ProviderIncident],
    *,
    voters: int,
    works: int,
    fails: int,
    doubtful: float,
    outlets: int,
    minutes: float = math.inf,
) -> Signals:
    """Return what an incident rests on; see Signals."""
    kinds = {(i.series.channel, i.series.source) for i in intervals}
    strongest = max((i.score for i in intervals), default=0.0)
    # who complains to a counter is somebody, too: its highest bin, less what is expected
    counted = max(
        (i.observed_peak - i.expected_peak for i in intervals if i.series.channel == "complaints"), default=0.0
    )
    return Signals(
        loudest=math.log2(max(strongest, 1.0) / ALARM) if intervals else 0.0,
        minutes=minutes,
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
    young = max(0.0, 1 - s.minutes // AGE_STEP * AGE_STEP / YOUNG) if s.minutes < YOUNG else 0.0
    return {
        "base": 1.0,
        "loudest": min(s.loudest, 5.0),
        "second kind": float(s.kinds >= 2),
        "voters": _people(s) * (1 - young),
        "young": young,
        "talked": min(1.0, 5 * s.denied),
        "denied": s.denied,
        "doubtful": s.doubtful,
        "few doubtful": s.doubtful / (1 + s.voters / FEW),
        "notice": float(s.notice),
        "outlets": float(min(s.outlets, 5)),
    }


def _people(s: Signals) -> float:
    return math.log2(1 + min(s.voters, MOST_VOTERS))


def is_credible(s: Signals) -> bool:
    """Return whether an incident is more than a few voices among many that were not counted."""
    taken = {**features(s), "loudest": min(max(s.loudest, 0.0), 5.0), "voters": _people(s)}
    return sum(weight * taken[name] for name, weight in CREDIBLE.items()) >= _log_odds(LEAST_PROBABILITY)


def _log_odds(p: float) -> float:
    return math.log(p / (1 - p))


def probability(s: Signals) -> tuple[float, dict[str, float]]:
    """Return the probability that something is broken, and each part's log-odds.

    What is not credible stays below LEAST_PROBABILITY, and what is does not fall below it: the part `limit`.
    """
    parts = {name: WEIGHTS[name] * value for name, value in features(s).items()}
    total, least = sum(parts.values()), _log_odds(LEAST_PROBABILITY)
    bounded = max(total, least + 0.01) if is_credible(s) else min(total, least - 0.05)
    if bounded != total:
        parts["limit"] = bounded - total
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, bounded)))), parts


def state(intervals: Sequence[Interval], s: Signals) -> State:
    """Return how sure: confirmed by page or overwhelming crowd; likely by two kinds or one far above; else possible.

    What is less probable than not is no more than possible.
    """
    strongest = max((i.score for i in intervals), default=0.0)
    if s.notice:
        return State.CONFIRMED
    if probability(s)[0] < EVEN:
        return State.POSSIBLE
    if s.kinds >= 2 and strongest >= OVERWHELMING:
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
        "young": "it began within the last two hours: few people yet is no sign against it",
        "talked": "people name the part that fails, as they do in outages",
        "denied": f"{s.denied:.0%} of those who speak of a part say it works",
        "few doubtful": "those that were not counted are many beside the few that were",
        "limit": "what was not counted outweighs it" if not is_credible(s) else "no less, as it is credible",
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
    return tuple(missing)


def _after(odds: float, more: float) -> str:
    return f"{1 / (1 + math.exp(-odds - more)):.0%}"
