"""The surge watch: once an hour, who is likely to be overrun, and the alerts that advisories become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.alert_facts import Section, SurgeFacts
from pipeline.core.alerts import Alert, message_id
from pipeline.core.incidents import Advisory
from pipeline.core.times import floor_to, iso, utc_or_none
from pipeline.core.vocabulary import Transition
from pipeline.incidents.surge import advisory_facts, update_advisory
from pipeline.notify.digest import with_lines
from pipeline.stages.explain.context import surge_inputs
from pipeline.stages.explain.records import ExplainRun
from pipeline.store.advisories import advisories, put_advisories
from pipeline.store.incidents import anything_said, incidents
from pipeline.store.outbox import put_alerts
from pipeline.store.runs import get_checkpoint, set_checkpoint

SIGNALS = timedelta(days=11)  # as far back as signals of a surge are read


def advisory_rows(config: Config, changed: Sequence[Advisory], now: datetime, *, simulated: bool) -> list[Alert]:
    """Return rows that tell webhooks of surge advisories as they begin, rise and end; none unless switched on."""
    if not config.alerts.surge_advisories:
        return []
    routes = config.alerts.routes
    found = []
    for advisory in changed:
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
                    transition=Transition.ADVISORY,
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


def watch_surges(run: ExplainRun) -> int:
    """Look at who is about to be overrun; return how many advisories changed."""
    store, watched, hour = run.store, run.config.watched, floor_to(run.now, 3600)
    lasting = {a.service: a for a in advisories(store, lasting=True)}
    recent = incidents(store, hour - timedelta(days=1))
    broken = {i.service for i in recent if i.active and any(episode.by_crowd for episode in i.episodes)}
    # without posts, ranks and news nothing can stand out
    has_signals = bool(run.events or lasting) or anything_said(store, hour - SIGNALS)
    changed: list[Advisory] = []
    checkpoints = {"surge": iso(hour)}
    for name in watched if has_signals else ():
        before = lasting.get(name)
        last = utc_or_none(get_checkpoint(store, "explain", f"surge:{name}"))
        inputs = surge_inputs(store, run.config.catalogue[name], run.news_events, hour)
        after, stands_out = update_advisory(name, inputs, before, last, hour, broken=name in broken)
        if stands_out:
            checkpoints[f"surge:{name}"] = iso(hour)
        if after is not None and after != before:
            changed.append(after)
    changed += [structs.replace(a, until=hour) for name, a in lasting.items() if name not in watched]
    with store.transaction() as conn:
        put_advisories(conn, changed)
        if run.alerting.since is not None:
            put_alerts(conn, advisory_rows(run.config, changed, run.now, simulated=run.alerting.simulated))
        for key, at in checkpoints.items():
            set_checkpoint(conn, "explain", key, at)
    return len(changed)
