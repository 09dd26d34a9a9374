"""A database whose status pages, counts, votes and news a test writes, explained as a run would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.config.load import load_catalogue
from pipeline.config.settings import Alerts, Config
from pipeline.core.incidents import Incident
from pipeline.core.records import Batch, NewsItem, Post, Run
from pipeline.core.reports import Vote
from pipeline.core.series import SeriesKey
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import Span, iso, utc
from pipeline.core.vocabulary import VoteReason
from pipeline.detection.factory import make_detector
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.explain.stage import run_explain
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from pipeline.store.reports import save_tags
from pipeline.store.verdicts import Judgement, save_judgement
from pipeline.text.models.kinds import RULES, NewsModel
from pipeline.text.services import ServiceMatcher
from tests.stored_rows import VerdictRow, a_tag, as_columns

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)
QUIET = timedelta(minutes=90)  # an incident is over so long after its end
ALARM = float(make_detector(Config()).alarm)


def at(clock: str, day: int = 2) -> datetime:
    return utc(f"2026-03-{day:02d}T{clock}:00Z")


class World:
    """A database whose pages, counts and votes a test writes, explained as a run would."""

    def __init__(self, store: Store, watch: tuple[str, ...]) -> None:
        self.store = store
        self.config = Config(watch=watch, catalogue=CATALOGUE, alerts=Alerts(channels=("file",), quiet_to_close=QUIET))
        self.explain("08:00")

    def explain(self, clock: str, day: int = 2) -> Run:
        telling = AlertingContext(since=at("08:00"), channels=("file",))
        return run_explain(
            self.store, self.config, MATCHER, lambda: NewsModel(RULES, ""), telling, at(clock, day), alarm=ALARM
        )

    def page(self, service: str, incident: str, clock: str, status: str, impact: str, day: int = 2) -> None:
        when = at(clock, day)
        row = StatusUpdate(
            page=CATALOGUE[service].page,
            incident_id=incident,
            update_id=f"{iso(when)}{status}",
            name="trouble",
            status=status,
            impact=impact,
            components=(),
            displayed_at=when,
            created_at=when,
            collected=when,
        )
        save_batch(self.store, Batch(source="page", rows=(row,)), when)

    def bins(
        self,
        service: str,
        clock: str,
        many: int,
        count: float,
        score: float,
        *,
        channel: str = "complaints",
        width: int = 300,
        day: int = 2,
        judged: datetime | None = None,
        expected: float = 5.0,
    ) -> None:
        """Write verdicts on `many` bins from `clock` on, `judged` (None: as soon as they end)."""
        key = SeriesKey(service=service, channel=channel, source="x", bin_s=width)
        first = at(clock, day)
        rows = [
            VerdictRow(
                str(key),
                iso(first + timedelta(seconds=n * width)),
                count,
                expected,
                15.0,
                score,
                1e-9,
                2,
                int(score >= 9),
                "d",
            )
            for n in range(many)
        ]
        save_judgement(
            self.store,
            Judgement(
                subject="q",
                keys=[key],
                verdicts=[as_columns(rows)],
                states={},
                redo_from=None,
                now=judged or first + timedelta(seconds=many * width),
                collected=None,
            ),
        )

    def read(self, since: str, until: str, day: int = 2) -> None:
        span = Span(at(since, day), at(until, day))
        save_batch(self.store, Batch(source="x", rows=(), coverage=(span,)), at(until, day))

    def news(self, clock: str, title: str) -> None:
        item = NewsItem(
            source="feed",
            native_id=title,
            outlet="Daily",
            published=at(clock),
            collected=at(clock),
            title=title,
            summary="",
            url="",
        )
        save_batch(self.store, Batch(source="feed", rows=(item,)), at(clock))

    def people(self, service: str, clock: str, texts: Sequence[str]) -> None:
        """Let a person write each text, a second apart, and count each as a report."""
        posts = [
            Post(
                source="x",
                native_id=f"{service}{clock}{n}",
                kind="post",
                community=service,
                author_key=f"{service}{clock}{n}",
                author_created=None,
                created=at(clock) + timedelta(seconds=n),
                collected=at(clock) + timedelta(minutes=1),
                title="",
                text=text,
                url=f"https://x.example/{service}/{n}",
            )
            for n, text in enumerate(texts)
        ]
        tags = [a_tag(p, service) for p in posts]
        votes = [
            Vote(p.source, p.native_id, service, p.created, 1.0, VoteReason.COUNTED, p.author_key, p.native_id)
            for p in posts
        ]
        save_batch(self.store, Batch(source="x", rows=tuple(posts)), at(clock))
        save_tags(self.store, posts, tags, votes, "m")

    def mails(self, incident: str) -> list[str]:
        return [a.transition for a in alerts_of(self.store, incident)]

    def all(self) -> dict[str, Incident]:
        return {i.id: i for i in incidents(self.store)}
