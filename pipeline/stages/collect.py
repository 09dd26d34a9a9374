"""Collect: ask the sources side by side for what is new; store each one's rows, rejects, state and coverage together.

Sources are asked in threads; only this thread writes. One that does not come back is left behind and told, so that
it costs nobody else's rows.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from pipeline.core.errors import ClockError, Reason, SourceError
from pipeline.core.records import Batch, RejectedRow, Run
from pipeline.core.redaction import redacted
from pipeline.http.server_clocks import ClockState, ServerClocks
from pipeline.sources import Source
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.runs import coverage, load_source_state, quarantine, record_run, save_source_state

logger = logging.getLogger(__name__)

FIRST_LOOK = timedelta(hours=24)
LONGEST_LOOK = timedelta(days=7)
SIDE_BY_SIDE = 24
GRACE = 30.0  # seconds beyond its deadline that a source may take: parsing, a name server that does not answer

Outcome = Batch | SourceError


def run_collect(
    store: Store,
    source: Source,
    now: datetime,
    *,
    since: datetime | None = None,
) -> tuple[Run, Mapping[str, str]]:
    """Fetch one source; return what happened and the source's state. A failure is recorded, never raised."""
    known = load_source_state(store, source.name)
    since = since if since is not None else read_from(store, source, now)
    run, state = _keep(store, source, _fetch(source, since, now, known), now, known)
    record_run(store, run)
    return run, state


def collect_all(
    store: Store,
    sources: Sequence[Source],
    now: datetime,
    *,
    deadline: float,
    since: datetime | None = None,
    clocks: ServerClocks | None = None,
    before_storing: Callable[[], None] = lambda: None,
) -> list[Run]:
    """Fetch all sources side by side and store what each brought as it comes; return a run for each, in their order.

    `deadline` is seconds by the clock for each source's requests. One that takes much longer is recorded as an error
    and healed by the next run. `clocks` are those of the servers that the sources ask: raises ClockError, with nothing
    stored, where they prove this machine's wrong. `before_storing` is called once, after that.
    """
    known = [(since or read_from(store, source, now), load_source_state(store, source.name)) for source in sources]
    runs: dict[int, Run] = {}
    fetched = fetch_all(sources, known, now, deadline=deadline)
    accepted = fetched if clocks is None else _by_a_right_clock(fetched, clocks)
    for number, outcome in _after(before_storing, accepted):
        runs[number], _ = _keep(store, sources[number], outcome, now, known[number][1])
        record_run(store, runs[number])
    return [runs[number] for number in range(len(sources))]


def _by_a_right_clock(fetched: Iterable[tuple[int, Outcome]], clocks: ServerClocks) -> Iterator[tuple[int, Outcome]]:
    """Hold back what comes until a server's clock agrees with this machine's, or all has come; raises ClockError."""
    held: list[tuple[int, Outcome]] = []
    for item in fetched:
        held.append(item)
        if clocks.confirmed:
            yield from held
            held.clear()
    finding = clocks.finding()
    if finding.state is ClockState.WRONG:
        raise ClockError(f"{finding.words}; set it; nothing was stored or sent")
    yield from held


def _after(first: Callable[[], None], outcomes: Iterable[tuple[int, Outcome]]) -> Iterator[tuple[int, Outcome]]:
    """Yield outcomes, with a call before the first one, also where there is none."""
    called = False
    for item in outcomes:
        if not called:
            first()
            called = True
        yield item
    if not called:
        first()


class RecordedCollection:
    """Reads recorded sources one after the other, as a replay does: where each is, it keeps itself.

    The store's own note of that belongs to live sources; a second replay into a database offers every row again.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Start before the first row of every source."""
        self._sources = sources
        self._state: dict[str, Mapping[str, str]] = {source.name: {} for source in sources}

    def branch(self) -> RecordedCollection:
        """Return a collection of the same sources that goes on from where this one is; neither moves the other."""
        other = RecordedCollection(self._sources)
        other._state.update(self._state)
        return other

    def __call__(self, store: Store, now: datetime, since: datetime | None) -> list[Run]:
        """Store what became public from `since` to `now`; return a run for each source."""
        runs = []
        for source in self._sources:
            known = self._state[source.name]
            outcome = _fetch(source, since if since is not None else read_from(store, source, now), now, known)
            run, self._state[source.name] = _keep(store, source, outcome, now, known, replay=True)
            runs.append(run)
        record_run(store, *runs)
        return runs


def fetch_all(
    sources: Sequence[Source], known: Sequence[tuple[datetime, Mapping[str, str]]], now: datetime, *, deadline: float
) -> Iterator[tuple[int, Outcome]]:
    """Yield (number of the source, what came) of each as it comes back; `known` is (since, state) of each.

    When nothing has come back for half a minute longer than the deadline, those under way are given up; their
    threads are left behind. Waiting for a place at a busy host is nobody's fault as long as others come back.
    """
    todo: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()
    begun: list[int] = []

    def work() -> None:
        while (number := todo.get()) is not None:
            begun.append(number)
            since, state = known[number]
            done.put((number, _fetch(sources[number], since, now, state)))

    for number in range(len(sources)):
        todo.put(number)
    workers = min(SIDE_BY_SIDE, len(sources))
    for _ in range(workers):
        todo.put(None)
        threading.Thread(target=work, daemon=True).start()
    back: set[int] = set()
    lost, last = 0, time.monotonic()
    while len(back) < len(sources):
        try:
            number, outcome = done.get(timeout=0.5)
        except queue.Empty:
            if time.monotonic() - last <= deadline + GRACE:
                continue
            last = time.monotonic()
            for number in [n for n in begun if n not in back]:
                lost += 1
                if lost >= workers:
                    # every thread is held: others take their place
                    threading.Thread(target=work, daemon=True).start()
                back.add(number)
                words = f"did not come back within {deadline + GRACE:g} s; left behind"
                yield number, SourceError(words, source=sources[number].name, reason=Reason.TIMEOUT)
            continue
        last = time.monotonic()
        if number not in back:
            back.add(number)
            yield number, outcome


def read_from(store: Store, source: Source, now: datetime) -> datetime:
    """Return from when a source is to be read: where it was last read to, a day back at first, a week at most."""
    # what a run by a clock that was ahead noted says nothing of where this one is to begin
    spans = [span for span in coverage(store, source.name) if span[0] <= now]
    return min(now, max(spans[-1][1], now - LONGEST_LOOK)) if spans else now - FIRST_LOOK


def _fetch(source: Source, since: datetime, now: datetime, state: Mapping[str, str]) -> Outcome:
    try:
        return source.fetch(since, now, state)
    except SourceError as error:
        return error
    except Exception as error:
        logger.exception("%s: a bug while it was read", source.name)
        words = f"unexpected {type(error).__name__}: {str(error)[:160]}"
        return SourceError(words, source=source.name, reason=Reason.UNEXPECTED)


def honest(batch: Batch) -> Batch:
    """Return the batch, or an error with its refused rows where not a single row could be read: that is no silence."""
    if batch.rows or not batch.rejected:
        return batch
    words = f"every row was refused, the first for: {batch.rejected[0].reason}"
    # nor may an unchanged answer be taken for read next time
    forgotten = {"etag": "", "last_modified": ""}
    return structs.replace(batch, outcome="error", coverage=(), detail=words, state={**batch.state, **forgotten})


def _keep(
    store: Store, source: Source, outcome: Outcome, now: datetime, known: Mapping[str, str], *, replay: bool = False
) -> tuple[Run, Mapping[str, str]]:
    """Store what came, or why nothing did; return the run, to be recorded, and the source's state."""
    if isinstance(outcome, Batch):
        outcome = outcome if replay else honest(outcome)
        new = save_batch(store, outcome, now)
        known = {**known, **outcome.state}
        run = Run(
            stage="collect",
            subject=source.name,
            started=now,
            outcome=outcome.outcome,
            seen=outcome.size,
            new=new,
            rejected=len(outcome.rejected),
            covered=outcome.covered,
            error=redacted(outcome.detail),
        )
    else:
        words = redacted(" ".join(outcome.message.split()))[:500]
        if not replay:
            state = {**outcome.state, **({"retry_after": outcome.retry_after} if outcome.retry_after else {})}
            with store.transaction() as conn:
                save_source_state(conn, source.name, state)
                if outcome.head:
                    head = outcome.head.decode("utf-8", "replace")
                    quarantine(conn, source.name, [RejectedRow(where="the whole answer", reason=words, head=head)], now)
        run = Run(stage="collect", subject=source.name, started=now, outcome=outcome.outcome, error=words)
    return run, known
