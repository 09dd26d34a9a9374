"""Metrics of each service for Prometheus, as a file for the textfile collector of its node exporter.

https://github.com/prometheus/node_exporter#textfile-collector: written by rename, and without times of samples. Labels
are ids of services from the catalogue; incidents, posts and texts never become labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.files import write_atomically


class ServiceMetrics(Struct, frozen=True, kw_only=True):
    """What is measured of a service.

    `state` 0 no incident, 1 possible, 2 likely, 3 confirmed; `impact` 0 none to 4 critical; `last_read` seconds of the
    epoch, None for never; `availability` of this month by who says so, 0 to 1.
    """

    service: str
    state: int
    impact: int
    incidents: int
    last_read: float | None
    availability: Mapping[str, float]


class RunMetrics(NamedTuple):
    """When a run published, in seconds of the epoch, and how many messages wait to be sent or were given up."""

    published: float
    waiting: int
    failed: int


def write_metrics(path: Path, services: Sequence[ServiceMetrics], run: RunMetrics) -> None:
    """Write the file. Raises ModuleNotFoundError without prometheus_client, StoreError where it cannot."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, words: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"groundswell_{name}", words, labels, registry=registry)

    state = gauge("service_state", "0 no incident, 1 possible, 2 likely, 3 confirmed", ("service",))
    impact = gauge("service_impact", "Of the incident that lasts: 0 none, 1 low to 4 critical", ("service",))
    incidents = gauge("service_incidents", "Incidents on record", ("service",))
    read = gauge("service_last_read_timestamp_seconds", "When a source about it was last read", ("service",))
    availability = gauge("service_availability_ratio", "Share of this month it was up", ("service", "according_to"))
    for s in services:
        state.labels(s.service).set(s.state)
        impact.labels(s.service).set(s.impact)
        incidents.labels(s.service).set(s.incidents)
        if s.last_read is not None:
            read.labels(s.service).set(s.last_read)
        for who, share in s.availability.items():
            availability.labels(s.service, "provider" if who == "page" else "reports").set(share)
    gauge("last_publish_timestamp_seconds", "When the report was last published").set(run.published)
    gauge("messages_waiting", "Messages that are due and not sent").set(run.waiting)
    gauge("messages_failed", "Messages that were given up").set(run.failed)
    write_atomically(path, generate_latest(registry))
