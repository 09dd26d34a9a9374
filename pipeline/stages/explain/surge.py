"""Surge advisories: inputs from the store, and the rows they become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.config.load import Config
from pipeline.core.alert_facts import Section, SurgeFacts
from pipeline.core.alerts import Alert, message_id
from pipeline.core.incidents import Advisory
from pipeline.core.times import iso
from pipeline.incidents.surge import advisory_facts
from pipeline.notify.digest import with_lines


def advisory_rows(config: Config, advisories: Sequence[Advisory], now: datetime, *, simulated: bool) -> list[Alert]:
    """Return rows that tell webhooks of surge advisories as they begin, rise and end."""
    routes = config.alerts.routes
    found = []
    for advisory in advisories:
        facts = advisory_facts(advisory, config.catalogue[advisory.service].name, simulated=simulated)
        ways = [
            (r.name, r.channels or config.alerts.channels)
            for r in routes
            if not r.services or advisory.service in r.services
        ]
        for route, channels in ways if routes else [("", config.alerts.channels)]:
            if "webhook" not in channels:
                continue
            subject = f"{facts.name}: surge advisory, {advisory.level}{', over' if advisory.until else ''}"
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
                    facts=SurgeFacts(
                        subject=subject,
                        heading=subject,
                        at=now,
                        sections=with_lines((Section("Reasons", tuple(advisory.reasons)),)),
                        advisory=facts,
                    ),
                    route=route,
                )
            )
    return found
