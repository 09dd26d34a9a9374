"""The readers of status pages that are feeds; the general one is last."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.records import StatusUpdate
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification, gather
from pipeline.sources.status_history import parse_history


def _read(answer: Answer, context: PageContext) -> Reading:
    batch = parse_history(answer.body, source=context.source, fetched_at=context.fetched_at)
    reading = gather(replace(row, page=context.page) for row in batch.rows if isinstance(row, StatusUpdate))
    return Reading(updates=reading.updates, rejected=batch.rejected, detail=batch.detail)


FEED_READERS: tuple[Reader, ...] = (
    Reader(
        name="statuspage_atom",
        platform="Statuspage",
        paths=("history.atom",),
        recognises=lambda answer: b"<feed" in answer.body[:5000],
        read=_read,
        verification=Verification.RECORDED,
        origin="mrshu/github-statuses",
    ),
)
