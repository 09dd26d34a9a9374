"""Apple's app charts: the current marketing feeds, the legacy ones for a genre, and charts as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, ChartRank, RejectedRow
from pipeline.core.times import Span, utc
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import FUTURE, MOST_ROWS, not_from_the_future, plain, read_json, reject, whole
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec, first_reason
from pipeline.text.time_texts import read_time

CHART = "top-free"


def parse_chart(body: bytes, *, source: str, fetched_at: datetime, country: str = "", chart: str = CHART) -> Batch:
    """Parse a chart of either form: `feed.results[]`, or the legacy `feed.entry[]`; rank is the place in the list.

    A chart is observed at the feed's own `updated`, or when fetched if that is missing, old beyond a week or in the
    future. A bad row is refused alone and keeps its rank. Raises SourceError on another answer.
    """
    answer = read_json(body, source)
    feed = answer.get("feed") if isinstance(answer, dict) else None
    entries = (feed.get("results") if "results" in feed else feed.get("entry")) if isinstance(feed, dict) else None
    entries = [entries] if isinstance(entries, dict) else entries  # the legacy form gives a single app bare
    if not isinstance(feed, dict) or not isinstance(entries, list):
        raise SourceError("no chart in the answer", source=source, reason=Reason.REFUSED, head=body[:200])
    observed = _updated(feed.get("updated"), fetched_at)
    rows: list[ChartRank] = []
    bad: list[RejectedRow] = []
    for number, entry in enumerate(entries[:MOST_ROWS]):
        try:
            name = plain(entry["name"] if "name" in entry else entry["im:name"]["label"], 200)
            if not name:
                raise ValueError("no name")
            rows.append(
                ChartRank(
                    store="apple",
                    country=country or plain(feed.get("country"), 2),
                    chart=chart,
                    app=name,
                    rank=number + 1,
                    observed=observed,
                    collected=fetched_at,
                )
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"place {number + 1}", error, entry))
    return Batch(source=source, rows=tuple(rows), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _updated(value: object, fetched_at: datetime) -> datetime:
    text = value.get("label") if isinstance(value, dict) else value
    found = read_time(str(text))
    if found is None or abs((fetched_at - found).days) >= 7 or found > fetched_at + FUTURE:
        return fetched_at  # the place in the list is the one of now, whatever its label says
    return found


def parse_charts(body: bytes, *, source: str, fetched_at: datetime, name: str = "line") -> Batch:
    """Parse `observed_utc,store,country,chart,rank,app`; a bad row is refused with its line."""
    if max(map(len, body.split(b"\n"))) > 100_000:
        raise SourceError("a line of more than 100,000 bytes is no chart row", source=name)
    reader = csv.DictReader(io.StringIO(body.decode("utf-8", "replace"), newline=""))
    wanted = {"observed_utc", "store", "country", "chart", "rank", "app"}
    if not wanted <= set(reader.fieldnames or ()):
        raise SourceError("needs the columns observed_utc, store, country, chart, rank, app", source=f"{name}:1")
    rows: list[ChartRank] = []
    bad: list[RejectedRow] = []
    try:
        for row in reader:
            try:
                if None in row.values() or None in row:
                    raise ValueError("not as many cells as columns")
                observed = not_from_the_future(utc(row["observed_utc"]), fetched_at)
                rows.append(
                    ChartRank(
                        store=plain(row["store"], 40),
                        country=plain(row["country"], 10),
                        chart=plain(row["chart"], 40),
                        app=plain(row["app"], 200),
                        rank=whole(row["rank"]),
                        observed=observed,
                        collected=fetched_at,
                    )
                )
            except (ValueError, TypeError, AttributeError) as error:
                bad.append(reject(f"{name}:{reader.line_num}", error, ",".join(str(value) for value in row.values())))
    except csv.Error as error:
        bad.append(reject(f"{name}:{reader.line_num}", error, ""))
    return Batch(source=source, rows=tuple(rows), rejected=tuple(bad), outcome="ok" if rows else "empty")


def chart_of(where: str) -> tuple[str, str]:
    """Return the country and the name of a chart: `us` is that of all free apps, `us:6007` that of a genre."""
    country, _, genre = where.partition(":")
    return country, f"{CHART}-{genre}" if genre else CHART


class ChartSource:
    """One country's chart of free apps, all of them or one genre's."""

    def __init__(self, where: str, client: HttpClient, *, base: str, legacy_base: str) -> None:
        """`where` is a country as `us`, or country and genre as `us:6007`; genres exist in the legacy feeds only."""
        country, _, genre = where.partition(":")
        self.name = f"charts:{where}"
        (self._country, self._chart), self._client = chart_of(where), client
        self._url = (
            f"{legacy_base.rstrip('/')}/{country}/rss/topfreeapplications/limit=100/genre={genre}/json"
            if genre
            else f"{base.rstrip('/')}/api/v2/{country}/apps/{CHART}/100/apps.json"
        )

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read the chart unless it is unchanged. Raises SourceError."""
        with self._client.session_for(self.name, state, now) as session:
            answer = session.fetch(self._url, conditional=True)
        if answer.body is None:
            return Batch(
                source=self.name, rows=(), outcome="not_modified", coverage=(Span(since, now),), state=answer.state
            )
        batch = parse_chart(answer.body, source=self.name, fetched_at=now, country=self._country, chart=self._chart)
        return Batch(
            source=self.name,
            rows=batch.rows,
            rejected=batch.rejected,
            coverage=(Span(since, now),),
            outcome=batch.outcome,
            state=answer.state,
        )


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[ChartSource]:
    base, legacy = config.sources.charts_base, config.sources.charts_legacy_base
    return [ChartSource(where, client, base=base, legacy_base=legacy) for where in config.sources.charts]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    return first_reason(
        bool(plan.config.sources.charts and service.app_names),
        ", ".join(service.app_names),
        "" if service.app_names else "no app in the catalogue",
        "" if plan.config.sources.charts else "no country in sources.charts",
    )


SPEC = SourceSpec(
    kind="charts",
    label="app charts",
    build=_build,
    covers=_covers,
    remedy="see whether the country is one of Apple's; sources.charts chooses",
    docs=DocsRow(
        "app charts (`charts`)",
        "ranks in Apple's charts, `us` or with a genre `us:6007`",
        "none",
        "the chart; unchanged: nothing",
        "at once",
    ),
)
