"""The view of availability worked out again: minutes down and read, minute by minute span, month by month."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from tests.recomputed_views.tables import MINUTE, Tables, recomputes, rows_where

OVER = ("resolved", "completed", "postmortem")
Span = tuple[pd.Timestamp, pd.Timestamp]


@recomputes("availability_by_month")
def availability_by_month(tables: Tables) -> pd.DataFrame:
    found: list[dict[str, Any]] = []
    for service in tables("services").itertuples():
        host = (urlsplit(service.status_page).hostname or "").removeprefix("www.")
        notices = _notices(tables, {host, f"{host}/{service.id}"} if host else set())
        read = _read(tables, lambda source, own=service.id: source in ("status", f"status:{own}")) if host else []
        until = _known_until(notices, tables.now)
        if read and notices:
            first = min([since for since, _ in notices], default=read[0][0])
            before = [(first, read[0][0])] if first < read[0][0] else []
            found += _months(service.id, "page", notices, _joined(before + read), min(until, read[-1][1]))
        elif notices:
            first = min(since for since, _ in notices)
            found += _months(service.id, "page", notices, [(first, until)], until)
        series = tables("series")
        sources = set(series[series["service"] == service.id]["source"])
        heard = _read(tables, lambda source, own=sources: source in own or source.split(":")[0] in own)
        rises = _rises(tables, service.id)
        until = _known_until(rises, tables.now)
        if rises:
            first = min(since for since, _ in rises)
            found += _months(service.id, "crowd", rises, heard or [(first, until)], until)
    columns = "service month said_by incidents down_minutes observed_minutes availability mttr_minutes mtbf_hours"
    return pd.DataFrame(found, columns=columns.split())


def _known_until(spans: list[Span], now: pd.Timestamp) -> pd.Timestamp:
    """Return the end of the month in which the last incident ended, `now` where one is open or that is earlier."""
    last = max((now if pd.isna(end) else end for _, end in spans), default=now)
    return min(now, (last.normalize().replace(day=1) + pd.DateOffset(months=1)))


def _notices(tables: Tables, pages: set[str]) -> list[Span]:
    """Return when a page's incidents were open; closed for half an hour and less is not closed.

    One that only ever was said to be over lasts no time here, unless the page has fields for its start and its end.
    """
    fields = tables("official_incidents").set_index(["page", "incident_id"])
    updates = tables("status_updates")
    updates = updates[updates["page"].isin(pages) & (updates["timing"] != "doubtful")]
    spans: list[Span] = []
    for key, rows in updates.sort_values(["displayed_at", "created_at"]).groupby(["page", "incident_id"]):
        if rows["impact"].iloc[-1] not in ("minor", "major", "critical"):
            continue
        cut: list[list[Any]] = []
        for update in rows.itertuples():
            is_open = update.status not in (*OVER, "update")
            if not cut or (is_open and cut[-1][1] is not None and update.displayed_at - cut[-1][1] > 30 * MINUTE):
                cut.append([update.displayed_at, None])
            if is_open:
                cut[-1][1] = None
            elif update.status in OVER and cut[-1][1] is None:
                cut[-1][1] = update.displayed_at
        if len(cut) == 1 and cut[0][0] == cut[0][1] and key in fields.index:
            start, end = fields.loc[key, "started_at"], fields.loc[key, "resolved_at"]
            cut = [[start, end]] if start < end else cut
        spans += [(since, pd.NaT if end is None else end) for since, end in cut]
    return spans


def _rises(tables: Tables, service: str) -> list[Span]:
    """Return when reports of a service were above the usual, doubtful incidents and shared failures left out."""
    incidents, episodes = tables("incidents"), tables("incident_episodes")
    groups = set(incidents["part_of"])
    sure = incidents["official_first_at"].notna() | (incidents["probability"].fillna(1) >= 0.5)
    own = incidents[(incidents["service"] == service) & sure & ~incidents["id"].isin(groups)]["id"]
    spans: list[Span] = []
    for one in episodes[episodes["incident"].isin(own) & (episodes["by_crowd"] == 1)].itertuples():
        kept = [tuple(map(pd.Timestamp, span[:2])) for span in json.loads(one.crowd_spans)]
        whole = (one.crowd_since, one.crowd_until) if not pd.isna(one.crowd_since) else (one.onset, one.end)
        spans += kept or [whole]  # type: ignore[list-item]
    return spans


def _read(tables: Tables, wanted: Any) -> list[Span]:
    coverage = tables("coverage")
    rows = rows_where(coverage, (bool(wanted(source)) for source in coverage["source"]))
    return _joined(list(zip(rows["since"], rows["until"], strict=True)))


def _joined(spans: list[Span]) -> list[Span]:
    """Return what spans cover together, apart from each other."""
    joined: list[Span] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((since, until))
    return joined


def _covered(spans: Iterable[Span], inside: list[Span]) -> float:
    """Return how many minutes of `inside` the spans cover."""
    cut = [(max(a, c), min(b, d)) for a, b in spans for c, d in inside if max(a, c) < min(b, d)]
    return sum((until - since) / MINUTE for since, until in _joined(cut))


def _months(
    service: str, said_by: str, down: list[Span], read: list[Span], until: pd.Timestamp
) -> list[dict[str, Any]]:
    down = [(since, until if pd.isna(end) else end) for since, end in down]
    found = []
    begin = min([since for since, _ in [*down, *read]]).normalize().replace(day=1)
    while begin < until:
        end = begin + pd.DateOffset(months=1)
        month = [(max(since, begin), min(to, end, until)) for since, to in read]
        month = [(since, to) for since, to in month if since < to]
        observed, broken = _covered(month, month), _covered(down, month)
        began = [(to - since) / MINUTE for since, to in down if begin <= since < min(end, until)]
        known = [length for length in began if length > 0]
        if observed:
            found.append(
                {
                    "service": service,
                    "month": f"{begin:%Y-%m}",
                    "said_by": said_by,
                    "incidents": len(began),
                    "down_minutes": broken,
                    "observed_minutes": observed,
                    "availability": 1 - broken / observed,
                    "mttr_minutes": sum(known) / len(known) if known else None,
                    "mtbf_hours": (observed - broken) / len(began) / 60 if began else None,
                }
            )
        begin = end
    return found
