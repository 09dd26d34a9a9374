"""Each bound of which reports and articles belong to an incident, and of what makes it doubtful."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.vocabulary import VoteReason
from pipeline.incidents import build
from pipeline.incidents.closing import ClosingRule
from tests.scope_inputs import HOUR, MINUTE, SECOND, START, posted
from tests.test_story import SERVICE, at, built, interval, notice

# an incident's reports, and how doubtful they are


def probability(counted: int, uncounted: int, reason: VoteReason) -> float:
    """Return an incident's probability from reports that count and reports left out for a reason."""
    reports = [posted(n * SECOND, fails="web") for n in range(counted)]
    reports += [posted(MINUTE + n * SECOND, fails="web", weight=0.0, reason=reason) for n in range(uncounted)]
    (incident,) = built([interval("10:00", None, channel="votes")], [], at("11:00"), reports=reports)
    assert incident.probability is not None
    return incident.probability


DOUBTFUL = {
    VoteReason.HALF,
    VoteReason.NO_AUTHOR,
    VoteReason.SAME_MINUTE_ACCOUNT,
    VoteReason.SAME_DAY_ACCOUNT,
    VoteReason.YOUNG_ACCOUNT,
    VoteReason.SAME_AUTHOR,
    VoteReason.SAME_TEXT,
}


@pytest.mark.parametrize("reason", list(VoteReason))
def test_reports_left_out_for_author_account_or_wording_make_an_incident_doubtful(reason: VoteReason) -> None:
    assert (probability(4, 4, reason) < probability(4, 0, VoteReason.UNKNOWN)) == (reason in DOUBTFUL)
    assert reason.doubts_origin == (reason in DOUBTFUL)


@pytest.mark.parametrize(("uncounted", "doubtful"), [(1, False), (2, True)])
def test_fewer_than_four_reports_are_not_doubtful(uncounted: int, doubtful: bool) -> None:
    reason = VoteReason.SAME_TEXT
    assert (probability(2, uncounted, reason) < probability(2, 0, VoteReason.UNKNOWN)) == doubtful


@pytest.mark.parametrize(("before", "counts"), [(5 * MINUTE, True), (5 * MINUTE + SECOND, False)])
def test_reports_belong_to_an_incident_from_five_minutes_before_it(before: timedelta, counts: bool) -> None:
    reports = [posted(-before, fails="web", symptom="login")]
    (incident,) = built([interval("10:00", "11:00")], [], at("11:00"), reports=reports)
    assert incident.symptom == ("login" if counts else "")


@pytest.mark.parametrize(
    ("clocks", "longest", "usual"),
    [
        (("11:00", "11:10"), 10, 10),
        (("11:00", "11:10", "11:40"), 30, 30),  # the upper of two
        (("11:00", "11:10", "11:40", "11:45"), 30, 10),
    ],
)
def test_the_page_is_silent_for_its_longest_gap_and_usually_for_the_upper_median(
    clocks: tuple[str, ...], longest: float, usual: float
) -> None:
    updates = [notice(1, clock, "investigating", "major") for clock in clocks]
    (incident,) = built([], updates, at("11:50"))
    silences = [(e.value, e.compared_with) for e in incident.evidence if e.subject == "silence"]
    assert silences == [(longest, usual)]


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        (START - 15 * MINUTE - SECOND, False),
        (START - 15 * MINUTE, True),
        (START + 2 * HOUR, True),
        (START + 2 * HOUR + SECOND, False),
    ],
)
def test_articles_belong_to_an_incident_from_a_quarter_hour_before_it_to_an_hour_after(
    seen: datetime, counts: bool
) -> None:
    event = NewsEvent(
        id="e",
        kind="service_outage",
        title="Svc is down",
        entities=(NewsEntity("svc", ("name",)),),
        outlets=("one.example", "two.example"),
        first_seen=seen,
        items=(("feed:x", "1"),),
    )
    intervals = [interval("10:00", "11:00")]
    inputs = build.IncidentInputs(intervals=intervals, articles=[event])
    ((incident,), _) = build.build(SERVICE, inputs, [], at("12:30"), closing=ClosingRule(quiet=5 * HOUR))
    # a second kind of signal makes it likely
    assert incident.state == ("likely" if counts else "possible")
