"""Downdetector's Enterprise API, version 2: counts by quarter of an hour with their parts, and its own verdict.

Needs a contract: GROUNDSWELL_DOWNDETECTOR_CLIENT_ID and GROUNDSWELL_DOWNDETECTOR_CLIENT_SECRET. The official
reference is for customers only; field names are as several public clients read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.names import usable_name
from pipeline.core.records import Batch, ComplaintCount, ExternalStatus, Record, RejectedRow
from pipeline.core.times import Span, floor_to, utc
from pipeline.http.session import HttpClient, SourceSession
from pipeline.sources.downdetector_access import Token, find_company
from pipeline.sources.pagination import Page, next_address, pages
from pipeline.sources.parsing import MOST_ROWS, not_from_the_future, plain, read_json, reject
from pipeline.sources.spec import (
    Coverage,
    DocsRow,
    ReadPlan,
    SourceSpec,
    first_reason,
    key_pair,
    named_services,
    unnamed,
)

SOURCE, WIDTH = "downdetector", 900
SETTLED = timedelta(minutes=2)
MOST_PAGES = 8
VERDICTS = ("success", "warning", "danger")


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise ValueError(f"{plain(value, 40)!r} is not a whole count")
    return value


def parse_reports(
    body: bytes,
    *,
    source: str,
    fetched_at: datetime,
    service: str = "",
    region: str = "",
    baseline: Mapping[datetime, float] | None = None,
) -> Batch:
    """Parse `/slugs/{slug}/reports?interval=15m`: a total an interval, and its parts by indicator.

    An interval that is not over, or only just, is left for the next time: its count still grows. Raises SourceError
    on any other answer; a bad interval is refused alone.
    """
    answer = read_json(body, source)
    if not isinstance(answer, list):
        raise SourceError("no list of reports in the answer", source=source, reason=Reason.REFUSED, head=body[:200])
    rows: dict[tuple[datetime, str], ComplaintCount] = {}
    bad: list[RejectedRow] = []
    for number, point in enumerate(answer[:MOST_ROWS]):
        try:
            start = not_from_the_future(utc(str(point["point_in_time"])), fetched_at)
            if start + timedelta(seconds=WIDTH) + SETTLED > fetched_at:
                continue
            parts = point.get("indicators") or {}
            if isinstance(parts, list):
                parts = {part["slug"]: part["amount"] for part in parts}
            named = {re.sub(r"[/|\s]+", "-", plain(name, 60)): _whole(n) for name, n in parts.items()}
            if len(named) != len(parts) or not all(map(usable_name, named)):
                raise ValueError("two indicators of one name, or one without a usable name")
            counts = {"": _whole(point["total"]), **named}
            for indicator, total in counts.items():
                expected = (baseline or {}).get(start) if not indicator else None
                rows[start, indicator] = ComplaintCount(
                    service=service,
                    source=SOURCE,
                    region=region,
                    indicator=indicator,
                    start=start,
                    interval_s=WIDTH,
                    total=total,
                    collected=fetched_at,
                    baseline=expected,
                )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"report {number}", error, point))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def parse_last_15(body: bytes, *, source: str, fetched_at: datetime, service: str = "") -> Batch:
    """Parse `/companies/{id}/last_15`: a number, the reports of a rolling quarter of an hour. Raises SourceError."""
    answer = read_json(body, source)
    try:
        total = _whole(answer)
    except ValueError as error:
        raise SourceError("no number in the answer", source=source, reason=Reason.REFUSED, head=body[:200]) from error
    row = ComplaintCount(
        service=service,
        source=SOURCE,
        region="",
        indicator="",
        start=fetched_at - timedelta(seconds=WIDTH),
        interval_s=WIDTH,
        total=total,
        collected=fetched_at,
        window="rolling",
    )
    return Batch(source=source, rows=(row,))


def parse_company(
    body: bytes, *, source: str, fetched_at: datetime, service: str = ""
) -> tuple[ExternalStatus | None, dict[datetime, float]]:
    """Parse `/companies/{id}`: their verdict, and what they expect in each of the last 96 quarters of an hour."""
    answer = read_json(body, source)
    if not isinstance(answer, dict):
        raise SourceError("no company in the answer", source=source, reason=Reason.REFUSED, head=body[:200])
    verdict = plain(answer.get("status"), 20)
    status = (
        ExternalStatus(source=SOURCE, service=service, verdict=verdict, observed=fetched_at, collected=fetched_at)
        if verdict in VERDICTS
        else None
    )
    buckets = answer.get("baseline")
    expected: dict[datetime, float] = {}
    if isinstance(buckets, list) and len(buckets) == 96:
        last = floor_to(fetched_at, WIDTH)
        for number, value in enumerate(reversed(buckets)):
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
                expected[last - timedelta(seconds=WIDTH * number)] = float(value)
    return status, expected


class DowndetectorSource:
    """One service's reports, by quarter of an hour."""

    def __init__(
        self, service: str, slug: str, token: Token, client: HttpClient, countries: Sequence[str] = ()
    ) -> None:
        """`countries` are read apart, each as a region, in addition to the total of all."""
        self.name = f"downdetector:{service}"
        self._service, self._slug, self._token, self._client = service, slug, token, client
        self._countries = tuple(countries)

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read their verdict, the last quarter of an hour and the intervals that are over. Raises SourceError."""
        rows: list[Record] = []
        bad: list[RejectedRow] = []
        cut = False
        limit = 4 + MOST_PAGES * (1 + len(self._countries))
        with self._client.session_for(self.name, state, now, limit=limit) as session:
            headers = self._token.header(session, self.name)
            slug, _, company = state.get("company", "").rpartition(":")
            company = (
                company
                if slug == self._slug
                else find_company(session, headers, self._token.base, self._slug, self.name)
            )
            fields = urlencode({"fields": "id,status,baseline_current,stats_24,baseline"})
            answer = session.fetch(f"{self._token.base}/companies/{quote(company)}?{fields}", headers=headers)
            verdict, expected = parse_company(
                answer.body or b"", source=self.name, fetched_at=now, service=self._service
            )
            rows += [verdict] if verdict else []
            recent = session.fetch(f"{self._token.base}/companies/{quote(company)}/last_15", headers=headers)
            rows += parse_last_15(recent.body or b"", source=self.name, fetched_at=now, service=self._service).rows
            for country in ("", *self._countries):
                baseline = expected if not country else None
                for page in self._reports(session, headers, country, baseline, now):
                    rows += page.rows
                    bad += page.rejected
                cut |= page.following is not None
        counted = any(isinstance(row, ComplaintCount) and row.window == "interval" for row in rows)
        span = Span(max(since, now - timedelta(days=1)), max(since, now - SETTLED))
        return Batch(
            source=self.name,
            rows=tuple(rows),
            rejected=tuple(bad),
            coverage=() if cut else (span,),
            detail=f"more than {MOST_PAGES} pages; the rest was left" if cut else "",
            outcome="ok" if counted else "empty",
            state={"company": f"{self._slug}:{company}", "retry_after": ""},
        )

    def _reports(
        self,
        session: SourceSession,
        headers: Mapping[str, str],
        country: str,
        baseline: Mapping[datetime, float] | None,
        now: datetime,
    ) -> Iterator[Page]:
        """Yield the pages of a country's intervals, of all countries together where it is empty; one at least."""

        def read(url: str) -> Page:
            answer = session.fetch(url, headers=headers)
            batch = parse_reports(
                answer.body or b"",
                source=self.name,
                fetched_at=now,
                service=self._service,
                region=country,
                baseline=baseline,
            )
            following = answer.headers.get("x-page-next", "")
            return Page(batch.rows, batch.rejected, next_address(url, following, self.name) if following else None)

        query = {"interval": "15m"} | ({"countries": country} if country else {})
        first = f"{self._token.base}/slugs/{quote(self._slug)}/reports?{urlencode(query)}"
        return pages(first, read, source=self.name, most=MOST_PAGES)


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[DowndetectorSource]:
    key = key_pair(config.secrets.downdetector_client_id, config.secrets.downdetector_client_secret)
    if not config.sources.downdetector or key is None:
        return []
    token = Token(config.sources.downdetector_base, *key)
    return [
        DowndetectorSource(s.id, s.downdetector or s.downstatus, token, client, config.sources.downdetector_countries)
        for s in named_services(config)
        if s.downdetector or s.downstatus
    ]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    slug = service.downdetector or service.downstatus
    return first_reason(
        f"downdetector:{service.id}" in plan.built,
        slug,
        unnamed(plan, service),
        "" if slug else "no slug in the catalogue",
        SPEC.missing_key(plan.config),
    )


SPEC = SourceSpec(
    kind="downdetector",
    label="Downdetector",
    build=_build,
    covers=_covers,
    remedy="check GROUNDSWELL_DOWNDETECTOR_CLIENT_ID and …_CLIENT_SECRET; they come with a Downdetector contract",
    docs=DocsRow(
        "Downdetector (`downdetector`)",
        "reports by quarter of an hour, by indicator and country, their baseline; their own verdict apart",
        "contract",
        "a day of intervals",
        "2 min after the interval",
    ),
    secrets=("downdetector_client_id", "downdetector_client_secret"),
    where_to_get_a_key="a Downdetector contract",
    key_kind="a contract",
)
