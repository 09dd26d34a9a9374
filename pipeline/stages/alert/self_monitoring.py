"""What the program says of itself: the digest, sources that went blind, runs that did not happen, surge advisories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.config.load import Config
from pipeline.core.alerts import Alert, message_id
from pipeline.core.times import iso, utc
from pipeline.notify.digest import digest_message, system_message
from pipeline.reports.alert_record import alert_record
from pipeline.store import Store
from pipeline.store.runs import get_checkpoint
from pipeline.store.summary import BLIND_AFTER, blind_sources

MISSING = "What they would bring is missing, not zero. groundswell doctor says what to do."
MISSED = timedelta(minutes=30)  # a shorter pause is no missed run


def self_alerts(store: Store, config: Config, now: datetime) -> tuple[list[Alert], dict[str, str]]:
    """Return rows for what is due to be said at this run, and stage notes to keep with them.

    What was said before has the same Message-ID, or is noted as said.
    """
    found = []
    digest = _digest(store, config, now)
    if digest is not None:
        found += _rows(config, "digest", *digest, now)
    blind, said = _blind(store, now)
    if digest is not None:
        said["digest"] = digest[0]
    for mark, told in [*blind, *_missed(store, now)]:
        found += _rows(config, "trouble", mark, told, now)
    return found, said


def _rows(config: Config, transition: str, mark: str, told: Mapping[str, Any], now: datetime) -> list[Alert]:
    """Return a note for every channel that is used: to mail.to, or to the first route that uses it."""
    routes = config.alerts.routes
    used = dict.fromkeys([*config.alerts.channels, *(c for r in routes for c in r.channels)])
    found = []
    for channel in used:
        own = next((r.name for r in routes if channel in (r.channels or config.alerts.channels)), "")
        plain = channel in config.alerts.channels and (channel != "email" or bool(config.mail.to))
        found.append(
            Alert(
                message_id=message_id(transition, mark, channel),
                incident="",
                service="",
                transition=transition,
                channel=channel,
                created=now,
                due_at=now,
                subject=str(told["subject"]),
                facts=told,
                route="" if plain else own,
            )
        )
    return found


def _digest(store: Store, config: Config, now: datetime) -> tuple[str, dict[str, Any]] | None:
    """Return the digest that was due last, and the name of its day; None where none is wanted."""
    if config.alerts.digest == "off":
        return None
    days = 1 if config.alerts.digest == "daily" else 7
    there = now.astimezone(ZoneInfo(config.display_timezone))
    hour, minute = map(int, config.alerts.digest_at.split(":"))
    due = there.replace(hour=hour, minute=minute, second=0)
    due -= timedelta(days=due.weekday() if days == 7 else 0)
    if due > there:
        due -= timedelta(days=days)
    if there - due > timedelta(hours=12):
        return None  # too late to be news: the next one tells
    if get_checkpoint(store, "alert", "digest") == f"{due:%Y-%m-%d}":
        return None
    end = due.astimezone(now.tzinfo)
    return f"{due:%Y-%m-%d}", digest_message(alert_record(store, end - timedelta(days=days), end), now, days)


def _blind(store: Store, now: datetime) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, str]]:
    """Return one note of the sources that answered once and do not any more and were not told yet, and what it tells of."""
    fresh = {
        str(item["source"]): item
        for item in blind_sources(store, now)
        if item["since"] is not None
        and now - utc(str(item["since"])) > BLIND_AFTER
        and get_checkpoint(store, "alert", f"blind:{item['source']}") != item["since"]
    }
    if not fresh:
        return [], {}
    lines = [
        f"{name}: not since {item['since']}" + (f"; {item['error']}" if item["error"] else "")
        for name, item in sorted(fresh.items())
    ]
    first = min(fresh)
    words = (
        f"{first} has not answered since {fresh[first]['since']}"
        if len(fresh) == 1
        else f"{len(fresh)} sources do not answer any more"
    )
    told = system_message(f"Blind: {words}", words, [("Sources", lines), ("What it means", [MISSING])], now)
    return [("\0".join(f"{n}={i['since']}" for n, i in sorted(fresh.items())), told)], {
        f"blind:{n}": str(i["since"]) for n, i in fresh.items()
    }


def _missed(store: Store, now: datetime) -> list[tuple[str, dict[str, Any]]]:
    """Return the pause before this run where it was far longer than usual."""
    rows = store.rows(
        "SELECT DISTINCT started FROM runs WHERE stage = 'explain' AND started <= ? ORDER BY started DESC LIMIT 21",
        (iso(now),),
    )
    times = [utc(row[0]) for row in rows]
    gaps = [a - b for a, b in pairwise(times)]
    if len(gaps) < 5:
        return []
    usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps[1:]))
    if gaps[0] <= max(3 * usual, MISSED):
        return []
    words = f"No run from {iso(times[1])} to {iso(times[0])}; usually one every {usual / timedelta(minutes=1):.0f} min"
    lines = [words, "What happened meanwhile was read afterwards, as far as the sources still tell it."]
    return [(iso(times[1]), system_message(f"Runs were missed: {words}", words, [("Runs", lines)], now))]
