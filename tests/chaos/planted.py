"""Mistakes that the rig has to see, planted into a process: each is one that programs of this kind are known for."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.core import files
from pipeline.core.alerts import Alert
from pipeline.notify.channels import Channel, build_channels
from pipeline.stages.alert import stage
from pipeline.stages.explain import write
from pipeline.store import Store
from tests.chaos.faults import Fault
from tests.copies import replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """How it is made, the faults that show it, and what the rig then says."""

    plant: Callable[[], None]
    faults: tuple[Fault, ...]
    seen_as: str


def mark_before_sending() -> None:
    """Mark each message as sent before it is."""
    due, send = stage.due_alerts, stage.send
    stores: list[Store] = []

    def remember(store: Store, now: datetime) -> list[Alert]:
        stores[:] = [store]
        return due(store, now)

    def mark_and_send(channel: Channel | None, alert: Alert) -> stage.Outcome:
        stage.mark_sent(stores[0], alert, alert.due_at)
        return send(channel, alert)

    stage.due_alerts, stage.send = remember, mark_and_send


def send_before_commit() -> None:
    """Send each message while the transaction that writes it down is still open."""
    from pipeline.config.load import load_config

    put = write.put_alerts
    channels = build_channels(load_config(Path("groundswell.toml")), Path())

    def send_and_put(conn: sqlite3.Connection, alerts: Iterable[Alert]) -> int:
        waiting = list(alerts)
        for alert in waiting:
            channels[alert.channel].send(alert)
        return put(conn, waiting)

    write.put_alerts = send_and_put


def leave_out_syncs() -> None:
    """Leave the time of writing to the operating system."""
    begin = Store.__init__

    def unsynced(self: Store, path: Path | str, *, views: Path | None = None, durable: bool = True) -> None:
        begin(self, path, views=views, durable=False)

    Store.__init__ = unsynced  # type: ignore[method-assign]


def roll_back_after_commit() -> None:
    """Answer a COMMIT that failed with a ROLLBACK, which SQLite has done already."""

    @contextmanager
    def transaction(self: Store) -> Iterator[sqlite3.Connection]:
        self.conn.execute("BEGIN IMMEDIATE")
        try:
            yield self.conn
            self.conn.execute("COMMIT")
        except BaseException:
            self.conn.execute("ROLLBACK")
            raise

    Store.transaction = transaction  # type: ignore[method-assign]


def name_anew() -> None:
    """Give a message another Message-ID each time it is tried."""
    send = stage.send

    def renamed(channel: Channel | None, alert: Alert) -> stage.Outcome:
        return send(channel, replace(alert, message_id=f"<{time.time_ns()}@example.org>"))

    stage.send = renamed


def write_in_place() -> None:
    """Write pages where readers look for them, not beside and then moved."""

    def created(fresh: Path, mode: int) -> object:
        return fresh.with_name(fresh.name.removesuffix(".new")).open("wb", buffering=0)

    files._created = created  # type: ignore[assignment]
    Path.replace = lambda self, target: Path(target)  # type: ignore[method-assign,assignment]


def _at(call: str, kind: str, *nths: int) -> tuple[Fault, ...]:
    return tuple(Fault(call=call, kind=kind, nth=nth) for nth in nths)


def mistakes(calls: Mapping[str, int]) -> dict[str, Mistake]:
    """Return the mistakes by name, with faults for a run that makes so many calls."""
    answers = calls["recv"]  # the last of each message are to its text, which is when it is taken, and to QUIT
    taken = (*range(answers // 2 - 3, answers // 2 + 2), answers - 2)
    return {
        "marked before it is sent": Mistake(
            plant=mark_before_sending, faults=_at("connect", "kill", 1, 2), seen_as="messages lost"
        ),
        "sent before COMMIT": Mistake(
            plant=send_before_commit, faults=_at("recv", "kill", *taken), seen_as="no row of it"
        ),
        "no sync": Mistake(plant=leave_out_syncs, faults=_at("recv", "power", *taken), seen_as="no row of it"),
        "ROLLBACK after COMMIT": Mistake(
            plant=roll_back_after_commit, faults=_at("fdatasync", "EIO", 3, 5), seen_as="the cause is hidden"
        ),
        "another Message-ID each time": Mistake(
            plant=name_anew, faults=_at("recv", "kill", *taken), seen_as="no row of it"
        ),
        "pages written in place": Mistake(
            plant=write_in_place, faults=_at("write", "torn", calls["write"] // 2), seen_as="half a page"
        ),
    }
