"""A message says when counts did not come back, and what would make it surer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from pipeline.config.settings import Alerts
from pipeline.core.incidents import LEAST_PROBABILITY, CrowdSpan, Episode, Evidence, Incident
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.vocabulary import Impact
from pipeline.incidents.confidence import Signals, is_credible, parts_in_words, probability, what_is_missing
from pipeline.incidents.levels import comparison, new_level
from pipeline.render.mail_text import incident_text
from pipeline.store import Store
from pipeline.store.levels import Counter
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from tests.copies import replace
from tests.policy_inputs import BEGAN, INCIDENT
from tests.world import World, at

HOUR = timedelta(hours=1)
COUNTER = Counter("complaints", "x", 900)
EPISODE = Episode(
    number=1,
    onset=BEGAN,
    end=BEGAN + HOUR,
    impact=Impact.LOW,
    components=(),
    official_first_at=None,
    by_crowd=True,
    crowd_spans=(CrowdSpan(BEGAN, BEGAN + HOUR),),
)


@pytest.mark.parametrize(
    ("now", "before", "higher"),
    [
        ({COUNTER: 200.0}, [{COUNTER: 100.0}], False),
        ({COUNTER: 201.0}, [{COUNTER: 100.0}], True),
        ({COUNTER: 201.0}, [{COUNTER: 100.0}, {COUNTER: 120.0}], False),  # as on one of the days before
        ({COUNTER: 8.0}, [{COUNTER: 1.0}], True),
        ({COUNTER: 6.0}, [{COUNTER: 1.0}], False),  # a few more may be luck
        ({COUNTER: 900.0}, [{}], False),  # nobody counted before
        ({COUNTER: 900.0}, [], False),
    ],
)
def test_counts_well_above_every_day_before_are_a_new_level(
    now: Mapping[Counter, float], before: list[dict[Counter, float]], higher: bool
) -> None:
    assert bool(list(new_level(now, before, HOUR))) is higher


@pytest.mark.parametrize("hours", [1, 30, 200])
def test_the_days_compared_with_lie_before_the_onset(hours: int) -> None:
    over = replace(INCIDENT, active=False, end=BEGAN + hours * HOUR, episodes=(EPISODE,))
    assert over.end is not None
    spans = comparison(over, over.end + 2 * HOUR)
    assert spans is not None
    assert all(until <= over.onset for _, until in spans.before)
    assert all((spans.since - since) % timedelta(days=1) == timedelta(0) for since, _ in spans.before)
    assert comparison(over, over.end + HOUR / 3) is None, "too soon"
    shorter = comparison(over, over.end + HOUR / 2)
    assert shorter is not None
    assert (shorter.since, shorter.until) == (over.end, over.end + HOUR / 2)
    assert comparison(replace(over, episodes=()), over.end + 2 * HOUR) is None, "nobody counted it"


@pytest.mark.parametrize(("after", "headline"), [(10, "over"), (60, "over, at a new normal level")])
def test_an_end_at_a_higher_level_is_told_as_such(store: Store, after: int, headline: str) -> None:
    world = World(store, ("netflix",))
    counts = [
        ComplaintCount(
            service="netflix",
            source="x",
            start=at("00:00") + n * timedelta(minutes=15),
            interval_s=900,
            region="",
            indicator="",
            total=10 if n < 96 + 44 else after,
            collected=at("00:00") + (n + 1) * timedelta(minutes=15),
        )
        for n in range(-96, 96 + 96)
    ]
    save_batch(store, Batch(source="x", rows=tuple(counts)), at("23:00", 3))
    world.bins("netflix", "10:00", 12, 80, 60, day=3)
    world.explain("10:30", 3)
    world.bins("netflix", "11:00", 60, after, 0, day=3)
    world.explain("14:00", 3)
    alert = alerts_of(store)[-1]
    assert alert.transition == "over"
    assert alert.subject.removeprefix("Netflix: ") == headline
    text = incident_text(alert.incident_facts, alert.incident, "UTC")
    assert bool(text.new_level) is (after > 10)


def unsure(signals: Signals) -> Incident:
    p, parts = probability(signals)
    said: tuple[Evidence, ...] = tuple(parts_in_words(p, parts, signals, BEGAN, None))  # type: ignore[arg-type]
    return replace(INCIDENT, probability=p, evidence=said)


FEW = Signals(loudest=0.5, kinds=1, voters=4, denied=0.0, doubtful=0.0, outlets=0, notice=False)


def test_an_unsure_message_says_what_would_make_it_surer() -> None:
    incident = unsure(FEW)
    said = what_is_missing(incident, 0.9)
    assert [line.split(" (")[0][:22] for line in said] == ["a notice of the provid", "a second kind of signa"]
    assert "%)" in said[0]
    two = unsure(replace(FEW, kinds=2))
    assert incident.probability is not None
    assert two.probability is not None
    assert incident.probability < two.probability
    assert what_is_missing(two, two.probability) == ()
    assert not any("second kind" in line for line in what_is_missing(two, 0.999))
    assert what_is_missing(replace(incident, probability=None), 0.5) == ()


def test_few_people_in_the_first_minutes_are_no_sign_against_it() -> None:
    first = probability(replace(FEW, minutes=5.0))[0]
    later = probability(replace(FEW, minutes=240.0))[0]
    assert first > 0.6 > later
    doubted = replace(FEW, minutes=5.0, doubtful=0.95)
    assert probability(doubted)[0] < LEAST_PROBABILITY, "mostly what was not counted"
    assert not is_credible(doubted)
    assert is_credible(FEW)


def test_the_floor_is_a_setting(store: Store) -> None:
    for floor, said in ((0.0, False), (0.99, True)):
        world = World(store, ("netflix", "github"))
        world.config = replace(world.config, alerts=Alerts(channels=("file",), sure_from=floor))
        name = "github" if said else "netflix"
        world.bins(name, "11:00", 6, 12, 10)
        world.explain("11:15" if not said else "11:20")
        (alert,) = [a for a in alerts_of(store) if a.service == name]
        assert bool(alert.incident_facts.missing) is said
