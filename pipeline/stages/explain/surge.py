"""Surge advisories: inputs from the store, and the rows they become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.config.load import Config
from pipeline.core.alerts import Alert, message_id
from pipeline.core.incidents import Advisory
from pipeline.core.times import iso
from pipeline.incidents.surge import payload
from pipeline.notify.digest import system_message


def advisory_rows(config: Config, advisories: Sequence[Advisory], now: datetime, *, simulated: bool) -> list[Alert]:
    """Return rows that tell webhooks of surge advisories as they begin, rise and end."""
    routes = config.alerts.routes
    found = []
    for advisory in advisories:
        told = payload(advisory, config.catalogue[advisory.service].name, simulated=simulated)
        ways = [
            (r.name, r.channels or config.alerts.channels)
            for r in routes
            if not r.services or advisory.service in r.services
        ]
        for route, channels in ways if routes else [("", config.alerts.channels)]:
            if "webhook" not in channels:
                continue
            subject = f"{told['name']}: surge advisory, {advisory.level}{', over' if advisory.until else ''}"
            found.append(
                Alert(
                    message_id=message_id(
                        "advisory", advisory.service, iso(advisory.since), advisory.level, str(advisory.until), route
                    ),
                    incident="",
                    service=advisory.service,
                    transition="advisory",
                    channel="webhook",
                    created=now,
                    due_at=now,
                    subject=subject,
                    facts={**system_message(subject, subject, [("Reasons", advisory.reasons)], now), "advisory": told},
                    route=route,
                )
            )
    return found
