"""Counts and posts that rise together: each less than an alarm, both together one. Pure.

The two are independent kinds of evidence, so that their likelihood ratios multiply and the scores, which are logarithms
of them, add up. Asked of two kinds at once a sum of scores is reached by chance more often than one score (Fisher 1925,
"Statistical methods for research workers", section 21.1): it has to be higher by JOINT_MARGIN.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.core.series import Points, SeriesKey, VerdictPoint
from pipeline.core.times import Span
from pipeline.core.vocabulary import Channel

SHARE_OF_ALARM = 1 / 3  # of the score of an alarm, from which counts rise
ALARM = 9.0  # nats, of which other detectors' alarms are taken to be worth as many
JOINT_MARGIN = 1.0  # nats
LEAST_REPORTS = 2  # posts by as many people
JUDGED_REPORTS = 4  # of an hour, which the detector judges itself: it knows how much else is said
HOUR = timedelta(hours=1)
LEAST_EXPECTED = 0.05  # reports of a window: of what is rarer, how rare is not known
LOOKS = 3.1  # nats taken off for looking each minute, as the detector does in bins of a minute
WINDOWS_MIN = (5, 15, 30, 60)
WIDEST_S = 3600  # of the counts: posts within a day say little of the same trouble
EXPLAINS_FOR = timedelta(hours=2)  # after its count a failure of another service brings counts and posts
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=30)  # so far from an interval its posts may lie
REACH = timedelta(hours=2)  # the interval, and posts before and after it that are judged with it, are no longer


class _Reports(NamedTuple):
    """The reports of a minute on a source of posts, how many were expected, and the detector's score of them."""

    at: datetime
    key: SeriesKey
    number: float
    expected: float
    score: float


class _Joint(NamedTuple):
    """The first minute in which reports and a count alarm together, the source of its reports, and the score."""

    at: datetime
    key: SeriesKey
    score: float


def may_join(key: SeriesKey) -> bool:
    """Return whether posts can support the counts of a series."""
    return key.channel == Channel.COMPLAINTS and key.is_total and key.bin_s <= WIDEST_S


def with_joint_alarms(
    levels: Mapping[SeriesKey, Points], alarm: float, explained: Sequence[datetime] = (), sent: Sequence[Span] = ()
) -> dict[SeriesKey, Points]:
    """Return the series of a service that alarm together, their bins with the score of both.

    `levels` are the judged bins of the service's totals, oldest first. A count of at least SHARE_OF_ALARM of an alarm
    and LEAST_REPORTS reports in its interval, or near it, alarm together where their scores reach that of an alarm and
    JOINT_MARGIN. The bin of the count and the minute of the last report needed then have that score. Empty where
    nothing does; reports that alarm alone support no count. Where a source has JUDGED_REPORTS in an hour, their score
    is the detector's, which knows how much else is said about the service; it has none for fewer. `explained` are, in
    order, when another failure was counted that brings both counts and posts: counts near one stand alone.

    Reports and counts that are read late take back no message: for counts that began in a span of `sent`, from the
    onset of an incident to the first message about it, the larger of both scores of reports is taken, and none of the
    failures of others.
    """
    reports = sorted(_reports(levels), key=lambda report: (report.at, str(report.key)))
    raised: dict[SeriesKey, dict[datetime, float]] = {}
    for key, points in levels.items():
        if not reports or not may_join(key):
            continue
        for point in points:
            is_sent = any(span.since <= point.start <= span.until for span in sent)
            if not SHARE_OF_ALARM * alarm <= point.score < alarm or (_is_near(point.start, explained) and not is_sent):
                continue
            joint = _joint(point, timedelta(seconds=key.bin_s), reports, alarm, is_sent=is_sent)
            if joint is not None:
                raised.setdefault(key, {})[point.start] = joint.score
                raised.setdefault(joint.key, {})[joint.at] = joint.score
    return {key: _raise(levels[key], scores) for key, scores in raised.items()}


def without_alarm(spans: Iterable[Span], starts: Sequence[datetime]) -> list[Span]:
    """Return the spans in which none of the bins in alarm begins."""
    return [span for span in spans if not any(span.since <= start <= span.until for start in starts)]


def _is_near(moment: datetime, moments: Sequence[datetime]) -> bool:
    """Return whether one of the sorted moments is a moment or at most EXPLAINS_FOR before it."""
    place = bisect.bisect_left(moments, moment - EXPLAINS_FOR)
    return place < len(moments) and moments[place] <= moment


def _reports(levels: Mapping[SeriesKey, Points]) -> Iterator[_Reports]:
    """Yield the minutes with reports; those before a source's usual number is known are left out."""
    for key, points in levels.items():
        if key.channel == Channel.VOTES and key.is_total:
            for point in points:
                if point.observed > 0 and not math.isnan(point.score):
                    yield _Reports(point.start, key, point.observed, point.expected * 60 / key.bin_s, point.score)


def _joint(
    count: VerdictPoint, width: timedelta, reports: Sequence[_Reports], alarm: float, *, is_sent: bool
) -> _Joint | None:
    """Return when reports and the count of an interval first alarm together; None where they do not.

    `is_sent`: a message says that they did, and more reports make them no less.
    """
    start = count.start
    near = [report for report in reports if start - BEFORE - HOUR < report.at <= start + width + AFTER]
    for place, last in enumerate(near):
        if last.at < start - BEFORE or last.score >= alarm:
            continue
        within = [report for report in near[: place + 1] if report.at > last.at - HOUR]
        number = Counter[SeriesKey]()
        for report in within:
            number[report.key] += int(report.number)
        few = [report for report in within if number[report.key] < JUDGED_REPORTS]
        nats = _nats(few) if number[last.key] < JUDGED_REPORTS else last.score / alarm * ALARM
        if is_sent:
            own = [report for report in within if report in few or report.key == last.key]
            nats = max(nats, _nats(within), _nats(own))
        score = count.score / alarm + nats / ALARM
        if nats > 0 and score >= 1 + JOINT_MARGIN / ALARM:
            return _Joint(last.at, last.key, score * alarm)
    return None


def _nats(reports: Sequence[_Reports]) -> float:
    """Return the log likelihood ratio of reports up to the last one, in the window that has the largest; 0 for few."""
    best, last = 0.0, reports[-1].at
    for minutes in WINDOWS_MIN:
        within = [report for report in reports if report.at > last - timedelta(minutes=minutes)]
        number = sum(report.number for report in within)
        by_source: dict[SeriesKey, list[float]] = {}
        for report in within:
            by_source.setdefault(report.key, []).append(report.expected)
        usual = max(LEAST_EXPECTED, minutes * sum(sum(one) / len(one) for one in by_source.values()))
        if number >= LEAST_REPORTS and number > usual:
            best = max(best, number * math.log(number / usual) - (number - usual) - LOOKS)
    return best


def _raise(points: Points, scores: Mapping[datetime, float]) -> Points:
    return [
        point._replace(score=scores[point.start], level=max(point.level, 1), joint=True)
        if scores.get(point.start, -math.inf) > point.score
        else point
        for point in points
    ]
