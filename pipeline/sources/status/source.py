"""Official status pages: the form of each is found by what it answers, remembered, and found anew when it changes."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Listing, Record
from pipeline.core.times import Span, iso, remembered
from pipeline.http.session import HttpClient, SourceSession
from pipeline.sources.status.platforms import (
    AUTO,
    BY_NAME,
    chosen_data,
    first_paths,
    is_chosen,
    paths_of,
    reader_of,
)
from pipeline.sources.status.reader import PageContext, Reader, Reading, one_after_another
from pipeline.sources.status.search import (
    MOST_REQUESTS,
    Found,
    answer_of,
    host_and_port,
    is_address,
    joined,
    may_lie_elsewhere,
    search,
    unreadable,
)

logger = logging.getLogger(__name__)

SEARCH_EVERY = timedelta(hours=1)  # how often a page that cannot be read is searched at other addresses
MOST_LATER = 3  # requests of a page whose form is known, where it is read
ALSO_EVERY = timedelta(hours=1)  # how often planned maintenance is read


class StatusPageSource:
    """One provider's page, read for one service: what it says belongs to that service, whatever it calls itself."""

    def __init__(self, service: Service, url: str, client: HttpClient, *, data: Sequence[str] = ()) -> None:
        """`url` is the page's address, `data` the addresses of its machine-readable form where those are known."""
        self.name = f"status:{service.id}"
        self._service, self._client = service, client
        self._url, self._data = url.rstrip("/"), tuple(data)
        self._format = service.status_format or AUTO

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read the page; unchanged since last time is `not_modified`. Raises SourceError.

        The first contact costs at most eight requests, a later one at most three; a page that can no longer be read
        where it was is searched again, at most once an hour.
        """
        configured = json.dumps([self._format, self._url, *self._data, *self._service.status_components])
        forgotten: dict[str, str] = {}
        if state.get("configured", configured) != configured:
            # nothing that was known of another configuration counts, also where the page does not answer now
            forgotten = {key: "" for key in state if key != "retry_after"}
            state = {**state, **forgotten}
        state = self._usable(state)
        span = Span(since, now)
        with self._client.session_for(self.name, state, now, limit=MOST_REQUESTS) as session:
            session.transport.most_asked = MOST_REQUESTS
            try:
                found = self._find(session, state, now)
            except SourceError as error:
                error.state = {**forgotten, **error.state, "configured": configured}
                raise
            reader = found.reader if found else BY_NAME[state["reader"]]
            context = self._context(reader, state, now)
            readings = [reader.read(found.answer, context)] if found else []
            also = {"also_read": iso(now)} if _due(state.get("also_read"), ALSO_EVERY, now) else {}
            if also:
                address = found.answer.url if found else state["address"]
                limit = MOST_LATER if state.get("address") else MOST_REQUESTS
                readings += self._further(session, reader, address, context, limit)
        reading = one_after_another(readings)
        if found is None:
            batch = self._batch(reading, span, {"retry_after": "", **also}, "")
            return batch if batch.rows or batch.rejected else structs.replace(batch, outcome="not_modified")
        memory = {
            **forgotten,
            **found.result.state,
            "configured": configured,
            "address": found.answer.url,
            "reader": reader.name,
            "searched": "",
            **also,
        }
        if reading.seen_down is not None:
            memory |= {"seen_down": _as_text(reading.seen_down), "seen_by": reader.name}
        if reading.detail:
            # what was salvaged of a broken answer may be incomplete: the next read must not be "unchanged"
            memory |= {"etag": "", "last_modified": ""}
        return self._batch(reading, span, memory, self._news_of_move(found, state))

    def _usable(self, state: Mapping[str, str]) -> Mapping[str, str]:
        """Return what is remembered, without an address that cannot be asked: the page is searched again then."""
        address = state.get("address", "")
        if not address or is_address(address):
            return state
        logger.info("%s: the remembered address is damaged; the page is searched again", self.name)
        return {**state, "address": "", "etag": "", "last_modified": "", "searched": ""}

    def _is_lost(self, error: SourceError, address: str) -> bool:
        """Return whether a remembered address may be wrong though the page is not: nobody configured its host."""
        known = {host_and_port(joined(self._url, path)) for path in ("", *self._data)}
        return error.reason in (Reason.UNREACHABLE, Reason.FORBIDDEN_ADDRESS) and host_and_port(address) not in known

    def _context(self, reader: Reader, state: Mapping[str, str], now: datetime) -> PageContext:
        """Return for whom an answer is read; what another reader saw down is not this one's to end."""
        own = state.get("seen_by", reader.name) in ("", reader.name)
        return PageContext(
            page=self._service.page,
            source=self.name,
            fetched_at=now,
            components=self._service.status_components,
            seen_down=_seen_down(state) if own else {},
        )

    def _find(self, session: SourceSession, state: Mapping[str, str], now: datetime) -> Found | None:
        """Return the page's answer, None when it has not changed; the remembered address is asked first."""
        address, reader = state.get("address", ""), BY_NAME.get(state.get("reader", ""))
        problem: SourceError | None = None
        if address and reader:
            try:
                result = session.fetch(address, conditional=True)
            except SourceError as error:
                if self._is_lost(error, address):
                    logger.info("%s: %s cannot be asked; the page is searched again", self.name, host_and_port(address))
                elif not may_lie_elsewhere(error):
                    raise
                problem = error
            else:
                if result.body is None:
                    return None
                answer = answer_of(result)
                recognised = reader_of(answer, reader)
                if recognised is not None:
                    return Found(answer, recognised, result)
                problem = unreadable(answer, self.name)
        if not _due(state.get("searched"), SEARCH_EVERY, now):
            if problem is not None:
                raise problem
            return self._first_address(session)
        try:
            return search(session, self.name, self._url, self._format, self._data)
        except SourceError as error:
            error = problem or error
            error.state = {**error.state, "searched": iso(now)}
            raise error from None

    def _first_address(self, session: SourceSession) -> Found:
        """Ask only the likeliest address, between two searches."""
        likely = (*paths_of(self._format), *first_paths(self._format))
        result = session.fetch(joined(self._url, (*chosen_data(self._format, self._data), *likely)[0]))
        answer = answer_of(result)
        reader = reader_of(answer)
        if reader is None or not is_chosen(reader, self._format):
            raise unreadable(answer, self.name)
        return Found(answer, reader, result)

    def _further(
        self, session: SourceSession, reader: Reader, address: str, context: PageContext, limit: int
    ) -> list[Reading]:
        """Read the further answers of a platform, each asked once; one that fails is left out."""
        readings = []
        session.transport.most_asked = limit
        for path in reader.also:
            if session.transport.asked >= limit:
                break
            session.transport.max_requests = session.transport.sent + 1
            base = address
            for own in reader.paths:
                base = base.removesuffix(own)
            try:
                answer = answer_of(session.fetch(joined(base, path)))
                if reader.recognises(answer):
                    readings.append(reader.read(answer, context))
            except SourceError as error:
                logger.info("%s: %s: %s", self.name, path, error.message)
        return readings

    def _batch(self, reading: Reading, span: Span, memory: Mapping[str, str], news: str) -> Batch:
        listing = None
        if reading.complete_since is not None:
            ids = frozenset(
                [row.incident_id for row in reading.updates] + [row.incident_id for row in reading.incidents]
            )
            listing = Listing(self._service.page, span.until, reading.complete_since, ids)
        rows: tuple[Record, ...] = (*reading.updates, *reading.incidents)
        return Batch(
            source=self.name,
            rows=rows,
            rejected=reading.rejected,
            outcome="ok" if rows else "empty",
            coverage=() if reading.detail else (span,),
            detail="; ".join(text for text in (reading.detail, news) if text),
            state=memory,
            listing=listing,
        )

    def _news_of_move(self, found: Found, state: Mapping[str, str]) -> str:
        """Return a sentence when the page answers from another host or platform than before; empty otherwise."""
        before, platform = state.get("address") or joined(self._url, (*self._data, "")[0]), found.reader.platform
        old, new = host_and_port(before), host_and_port(found.answer.url)
        if old != new:
            words = f"{old} moved to {new}, {platform} now"
        elif state.get("reader") and BY_NAME.get(state["reader"], found.reader).platform != platform:
            words = f"{new} is {platform} now"
        else:
            return ""
        logger.info("%s: %s", self.name, words)
        return words


def _due(last: str | None, every: timedelta, now: datetime) -> bool:
    """Return whether what was last done at a remembered moment is to be done again; a clock may have run ahead."""
    moment = remembered(last)
    return moment is None or abs(now - moment) >= every


def _seen_down(state: Mapping[str, str]) -> dict[str, datetime]:
    try:
        value = json.loads(state.get("seen_down") or "{}")
    except (ValueError, RecursionError):
        value = None
    moments = {part: remembered(str(text)) for part, text in value.items()} if isinstance(value, dict) else {}
    return {part: moment for part, moment in moments.items() if moment is not None}


def _as_text(seen_down: Mapping[str, datetime]) -> str:
    return json.dumps({part: iso(moment) for part, moment in sorted(seen_down.items())})
