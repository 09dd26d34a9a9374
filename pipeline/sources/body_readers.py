"""What each source's parser makes of one raw answer, without asking anything: for answers that were kept as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, NewsItem, Record, source_kind
from pipeline.http.kept_bodies import KeptBody
from pipeline.sources import bluesky, charts, downdetector, downstatus, feed, hacker_news, mastodon, reddit_posts
from pipeline.sources.spec import author_salt
from pipeline.sources.status.platforms import READERS as STATUS_READERS
from pipeline.sources.status.reader import Answer, PageContext, Reader

STATUS = "status"


@dataclass(frozen=True, slots=True)
class ReadContext:
    """For whom an answer is read: the source's name, what stands after its first colon, the salt of authors' hashes.

    `page` and `components` are those of the status page of the service that the source is about.
    """

    source: str
    subject: str
    fetched_at: datetime
    salt: bytes
    page: str = ""
    components: tuple[str, ...] = ()


Read = Callable[[KeptBody, ReadContext], Batch]


class BodyReader(NamedTuple):
    """One form of answer: the kind of source it belongs to, its name, how it is read. `read` raises SourceError."""

    kind: str
    name: str
    read: Read


class BodyReading(NamedTuple):
    """What a reader made of an answer; where it could not read it, `batch` has no rows and says why in `detail`."""

    reader: str
    batch: Batch


def read_body(kept: KeptBody, config: Config, kind: str = "") -> list[BodyReading]:
    """Return what each reader of a kind of source makes of an answer; of all kinds where none is given or known.

    A kind of the caller's is taken before that of the source which the answer was kept for. Of the readers of status
    pages only those that recognise the answer are asked, unless none does.
    """
    kind = kind or source_kind(kept.source)
    readers = [reader for reader in BODY_READERS if not kind or reader.kind == kind]
    recognised = [reader for reader in STATUS_READERS if reader.recognises(_answer(kept))]
    names = {reader.name for reader in recognised or STATUS_READERS}
    asked = [reader for reader in readers if reader.kind != STATUS or reader.name in names]
    name = kept.source if source_kind(kept.source) == kind else kind
    return [BodyReading(f"{r.kind} {r.name}".strip(), _read_one(r, kept, _context(kept, config, name))) for r in asked]


def _context(kept: KeptBody, config: Config, name: str) -> ReadContext:
    subject = name.partition(":")[2]
    service = config.catalogue.get(subject)
    return ReadContext(
        name or "file",
        subject,
        kept.fetched_at,
        author_salt(config),
        service.page if service else subject,
        service.status_components if service else (),
    )


def _read_one(reader: BodyReader, kept: KeptBody, context: ReadContext) -> Batch:
    if kept.status == 304:
        return Batch(source=context.source, rows=(), outcome="not_modified")
    if kept.status not in (0, 200):
        outcome = SourceError("", reason=Reason.REFUSED if kept.status in (401, 403, 429) else Reason.STATUS).outcome
        return Batch(source=context.source, rows=(), outcome=outcome, detail=f"answered {kept.status}")
    try:
        return reader.read(kept, context)
    except SourceError as error:
        return Batch(source=context.source, rows=(), outcome=error.outcome, detail=error.message)


def _parser(parse: Callable[..., Batch]) -> Read:
    return lambda kept, context: parse(kept.body, source=context.source, fetched_at=context.fetched_at)


def _of_posts(parse: Callable[..., Batch]) -> Read:
    return lambda kept, context: parse(
        kept.body, source=context.source, fetched_at=context.fetched_at, salt=context.salt
    )


def _of_service(parse: Callable[..., Batch]) -> Read:
    return lambda kept, context: parse(
        kept.body, source=context.source, fetched_at=context.fetched_at, service=context.subject
    )


def _reddit(kept: KeptBody, context: ReadContext) -> Batch:
    # its rows are stored under the kind alone, as its source has no further name
    return reddit_posts.parse_listing(kept.body, source="reddit", fetched_at=context.fetched_at, salt=context.salt)


def _company(kept: KeptBody, context: ReadContext) -> Batch:
    verdict, _ = downdetector.parse_company(
        kept.body, source=context.source, fetched_at=context.fetched_at, service=context.subject
    )
    rows = () if verdict is None else (verdict,)
    return Batch(source=context.source, rows=rows, outcome="ok" if rows else "empty")


def _google_news(kept: KeptBody, context: ReadContext) -> Batch:
    batch = feed.parse_feed(kept.body, source=context.source, fetched_at=context.fetched_at)
    return structs.replace(
        batch, rows=tuple(structs.replace(r, source="google_news") for r in batch.rows if isinstance(r, NewsItem))
    )


def _chart(kept: KeptBody, context: ReadContext) -> Batch:
    country, chart = charts.chart_of(context.subject)
    return charts.parse_chart(
        kept.body, source=context.source, fetched_at=context.fetched_at, country=country, chart=chart
    )


def _answer(kept: KeptBody) -> Answer:
    return Answer(body=kept.body, url=kept.url, content_type=kept.headers.get("content-type", "").lower())


def _page(reader: Reader) -> Read:
    def read(kept: KeptBody, context: ReadContext) -> Batch:
        reading = reader.read(
            _answer(kept),
            PageContext(
                page=context.page,
                source=context.source,
                fetched_at=context.fetched_at,
                components=context.components,
            ),
        )
        rows: tuple[Record, ...] = (*reading.updates, *reading.incidents)
        outcome = "ok" if rows else "empty"
        return Batch(
            source=context.source, rows=rows, rejected=reading.rejected, outcome=outcome, detail=reading.detail
        )

    return read


BODY_READERS: Sequence[BodyReader] = (
    *(BodyReader(STATUS, reader.name, _page(reader)) for reader in STATUS_READERS),
    BodyReader("feed", "", _parser(feed.parse_feed)),
    BodyReader("google_news", "", _google_news),
    BodyReader("downstatus", "", _of_service(downstatus.parse_downstatus)),
    BodyReader("downdetector", "reports", _of_service(downdetector.parse_reports)),
    BodyReader("downdetector", "last_15", _of_service(downdetector.parse_last_15)),
    BodyReader("downdetector", "company", _company),
    BodyReader("hacker_news", "", _of_posts(hacker_news.parse_hits)),
    BodyReader("reddit", "", _reddit),
    BodyReader("mastodon", "", _of_posts(mastodon.parse_statuses)),
    BodyReader("bluesky", "", _of_posts(bluesky.parse_posts)),
    BodyReader("charts", "", _chart),
)
KINDS = tuple(dict.fromkeys(reader.kind for reader in BODY_READERS))
