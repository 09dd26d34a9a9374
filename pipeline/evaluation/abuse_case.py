"""A case of abuse: a service with hourly reports of two weeks, the reports of six hours, and whether it alerts then.

Its hours are spread over their minutes, its reports judged and explained as the stages do it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from msgspec import structs

from detectors.events import find_events
from detectors.seasonal.detector import SeasonalNB
from pipeline.config.load import load_catalogue
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.reports import Report
from pipeline.core.series import Interval, SeriesKey
from pipeline.detection.alarm_intervals import interval_of
from pipeline.detection.report_counting import is_first_copy
from pipeline.incidents.build import IncidentInputs, build
from pipeline.incidents.closing import ClosingRule
from pipeline.notify.policy import NotificationPolicy, next_transition
from pipeline.text.services import ServiceMatcher

QUIET = timedelta(minutes=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A service at a moment: its reports by hour of two weeks, and the posts of six hours as the files hold them.

    `expect` is alert or quiet, empty where nobody says.
    """

    service: str
    now: datetime
    hourly_reports: Sequence[int]
    posts: Sequence[Mapping[str, object]] = ()
    expect: str = ""


def decide(
    cases: Sequence[Case], reports: Sequence[Sequence[Report]], service: Service
) -> list[tuple[bool, Incident | None]]:
    """Return for each case whether a message about an open incident would be sent at its moment, and the incident.

    `reports` are what each case's posts say, as reports_of returns them. All cases are judged at once, as if their
    moments were one.
    """
    hours = len(cases[0].hourly_reports)
    size = (6 + hours) * 60
    votes, talk = np.zeros((size, len(cases))), np.zeros((size, len(cases)))
    end = cases[0].now
    begin = end - timedelta(minutes=size)
    shifted = []
    for column, (case, said) in enumerate(zip(cases, reports, strict=True)):
        numbers = np.asarray(case.hourly_reports, dtype=np.int64)
        minutes = np.random.default_rng(column).integers(0, 60, numbers.sum())
        votes[:, column] = np.bincount(np.repeat(np.arange(hours) * 60, numbers) + minutes, minlength=size)
        talk[:, column] = votes[:, column]
        off = end - case.now
        shifted.append([structs.replace(r, created=r.created + off) for r in said])
        heard: dict[str, datetime] = {}
        for r in shifted[-1]:
            slot = int((r.created - begin) / timedelta(minutes=1))
            if 0 <= slot < size:
                votes[slot, column] += r.weight
                talk[slot, column] += r.counted or is_first_copy(heard, r.fingerprint, r.created)
    index = pd.date_range(begin, periods=size, freq="1min")
    detector = SeasonalNB(repeats=0.0)
    verdicts = detector.detect(pd.DataFrame(votes, index=index), pd.DataFrame(talk, index=index))
    tables = [t.to_numpy() for t in (verdicts.observed, verdicts.expected, verdicts.score)]
    policy = NotificationPolicy(
        from_state="possible", group_interval=QUIET, max_group_interval=QUIET, alerting_since=begin
    )
    decisions: list[tuple[bool, Incident | None]] = []
    for column, said in enumerate(shifted):
        intervals = _intervals(tables, column, begin, end, detector, service.id)
        built, _ = build(
            service, IncidentInputs(intervals=intervals, reports=said), [], end, closing=ClosingRule(quiet=QUIET)
        )
        last = built[-1] if built else None
        decisions.append((last is not None and next_transition(last, [], policy, end) is not None, last))
    return decisions


def _intervals(
    tables: Sequence[npt.NDArray[np.float64]],
    column: int,
    begin: datetime,
    end: datetime,
    detector: SeasonalNB,
    service: str,
) -> list[Interval]:
    observed, expected, score = (table[:, column] for table in tables)
    key = SeriesKey(service=service, channel="votes", source="x", bin_s=60)

    events = find_events(observed, expected, score, alarm=detector.alarm, quiet_bins=45, look_back=60)
    intervals = [interval_of(event, key, begin, observed, expected) for event in events]
    return [i for i in intervals if i.last_alarm > end - timedelta(hours=6)]


def catalogue_with(name: str) -> tuple[ServiceMatcher, Service]:
    """Return a matcher that knows one service more, and the service."""
    service = Service(id="case", name=name, aliases=(name.lower(),), communities=(name.replace(" ", ""),))
    return ServiceMatcher({**load_catalogue(), "case": service}), service
