"""What the program says of itself: the digest, sources that went blind, runs that did not happen."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.alert_facts import Section, SystemFacts
from pipeline.core.alerts import Alert, message_id
from pipeline.core.times import iso, utc, utc_or_none
from pipeline.core.vocabulary import Transition
from pipeline.notify.digest import digest_message, system_message
from pipeline.reports.alert_record import alert_record
from pipeline.store import Store
from pipeline.store.clock import CORRECTED
from pipeline.store.runs import get_checkpoint, run_times, simulated
from pipeline.store.summary import BLIND_AFTER, blind_sources

MISSING = "What they would bring is missing, not zero. groundswell doctor says what to do."
MISSED = timedelta(minutes=30)  # a shorter pause is no missed run
LATEST_PAUSES = 3  # looked at again in each run: one that was stopped in between sent nothing
TOO_LATE = timedelta(hours=12)  # a digest so late is no news: the next one has it


class SystemAlert(NamedTuple):
    """A message about the program itself; `key` names its occasion, so that each is sent once."""

    transition: Transition
    key: str
    facts: SystemFacts


def self_alerts(
    store: Store, config: Config, now: datetime, *, missed_runs: bool = True
) -> tuple[list[Alert], dict[str, str]]:
    """Return the rows to write about the program itself now, and the checkpoints of the alert stage to keep with them.

    What was said before has the same Message-ID, or a checkpoint. `missed_runs` false: runs are left out on purpose.
    """
    found: list[SystemAlert] = []
    blind, said = _blind(store, now)
    digest = _digest(store, config, now)
    if digest is not None:
        found.append(digest)
        said["digest"] = digest.key
    found += [*blind, *(_missed(store, now) if missed_runs else [])]
    if found and simulated(store) is not None:
        found = [_marked(alert) for alert in found]
    return [row for alert in found for row in _rows(config, alert, now)], said


def _marked(alert: SystemAlert) -> SystemAlert:
    """Return a message that says that what it counts is simulated."""
    return alert._replace(
        facts=structs.replace(alert.facts, subject=f"[simulated] {alert.facts.subject}", simulated=True)
    )


def _rows(config: Config, alert: SystemAlert, now: datetime) -> list[Alert]:
    """Return a message for every channel that is used: to mail.to, or to the first route that uses it."""
    routes = config.alerts.routes
    used = dict.fromkeys([*config.alerts.channels, *(c for r in routes for c in r.channels)])
    found = []
    for channel in used:
        own = next((r.name for r in routes if channel in (r.channels or config.alerts.channels)), "")
        plain = channel in config.alerts.channels and (channel != "email" or bool(config.mail.to))
        found.append(
            Alert(
                message_id=message_id(alert.transition, alert.key, channel),
                incident="",
                service="",
                transition=alert.transition,
                channel=channel,
                created=now,
                due_at=now,
                subject=alert.facts.subject,
                facts=alert.facts,
                route="" if plain else own,
            )
        )
    return found


def _digest(store: Store, config: Config, now: datetime) -> SystemAlert | None:
    """Return the digest that was due last, under the name of its day; None where none is wanted or it was sent."""
    due = last_digest(config, now)
    if due is None:
        return None
    days, day = _digest_days(config), f"{due:%Y-%m-%d}"
    if now - due > TOO_LATE or get_checkpoint(store, "alert", "digest") == day:
        return None
    end = due.astimezone(now.tzinfo)
    counted = alert_record(store, end - timedelta(days=days), end)
    return SystemAlert(Transition.DIGEST, day, digest_message(counted, now, days))


def _digest_days(config: Config) -> int:
    return 1 if config.alerts.digest == "daily" else 7


def last_digest(config: Config, now: datetime) -> datetime | None:
    """Return when the last digest up to now was due, in the reader's zone; None where none is wanted."""
    if config.alerts.digest == "off":
        return None
    days = _digest_days(config)
    there = now.astimezone(ZoneInfo(config.display_timezone))
    hour, minute = map(int, config.alerts.digest_at.split(":"))
    due = there.replace(hour=hour, minute=minute, second=0)
    due -= timedelta(days=due.weekday() if days == 7 else 0)
    return due - timedelta(days=days) if due > there else due


def next_digest(config: Config, now: datetime) -> datetime | None:
    """Return when the first digest after now is due, in the reader's zone; None where none is wanted."""
    last = last_digest(config, now)
    return last + timedelta(days=_digest_days(config)) if last is not None else None


def _blind(store: Store, now: datetime) -> tuple[list[SystemAlert], dict[str, str]]:
    """Return one message of the sources that stopped answering and were in none yet, and the checkpoints to keep."""
    fresh = {
        item.source: item
        for item in blind_sources(store, now)
        if item.since is not None
        and now - utc(item.since) > BLIND_AFTER
        and get_checkpoint(store, "alert", f"blind:{item.source}") != item.since
    }
    if not fresh:
        return [], {}
    lines = tuple(
        f"{name}: not since {item.since}" + (f"; {item.error}" if item.error else "")
        for name, item in sorted(fresh.items())
    )
    first = min(fresh)
    heading = (
        f"{first} has not answered since {fresh[first].since}"
        if len(fresh) == 1
        else f"{len(fresh)} sources do not answer any more"
    )
    sections = (Section("Sources", lines), Section("What it means", (MISSING,)))
    key = "\0".join(f"{name}={item.since}" for name, item in sorted(fresh.items()))
    alert = SystemAlert(Transition.TROUBLE, key, system_message(f"Blind: {heading}", heading, sections, now))
    return [alert], {f"blind:{name}": str(item.since) for name, item in fresh.items()}


def _missed(store: Store, now: datetime) -> list[SystemAlert]:
    """Return the pauses between the last runs that were far longer than usual.

    One that ends with this run is left to the next: after a single run by a clock that is ahead, the next one corrects
    its time, and there was no pause. Nor was there one where times were corrected to a clock that was behind.
    """
    times = run_times(store, "explain", now, 21)
    gaps = [a - b for a, b in pairwise(times)]
    if len(gaps) < 6:
        return []
    usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps[1:]))
    corrected = utc_or_none(get_checkpoint(store, "clock", CORRECTED))
    found = []
    for end, begin in list(pairwise(times))[1 : 1 + LATEST_PAUSES]:
        if end - begin <= max(3 * usual, MISSED) or (corrected is not None and begin <= corrected < end):
            continue
        heading = f"No run from {iso(begin)} to {iso(end)}; usually one every {usual / timedelta(minutes=1):.0f} min"
        lines = (heading, "What happened meanwhile was read afterwards, as far as the sources still tell it.")
        facts = system_message(f"Runs were missed: {heading}", heading, (Section("Runs", lines),), now)
        found.append(SystemAlert(Transition.TROUBLE, iso(begin), facts))
    return found
