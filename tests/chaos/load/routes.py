"""One incident and very many alert routes, each with its own recipient: who has which message, and how often."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from pipeline.core.times import iso, utc
from tests.chaos.load.measured import Result, count, measured

NOW = utc("2026-03-02T12:00:00Z")
SETTINGS = """
watch = ["claude", "github"]
[alerts]
channels = ["email"]
[mail]
to = ["everybody@example.org"]
host = "127.0.0.1"
port = {port}
[sources]
statuspage = false
downstatus = false
hacker_news = false
news_desks = false
google_news = false
counts = ["counts.csv"]
"""
ROUTE = """
[[alerts.routes]]
name = "team{number}"
to = ["team{number}@example.org"]
services = ["{service}"]
"""


class Mailbox:
    """Takes every mail and keeps who had which."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = str(message_from_bytes(envelope.content)["Message-ID"])
        self.taken.update((recipient, message) for recipient in envelope.rcpt_tos)
        return "250 taken"


@contextmanager
def _mail_server() -> Iterator[tuple[Mailbox, int]]:
    """Yield a mail server's box and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield box, port
    finally:
        server.stop()


def _write_counts(path: Path, *, trouble: bool) -> None:
    """Write two days of counts of two services; where `trouble`, the last three of the first one are high."""
    rows = ["service,start_utc,interval_s,total"]
    for back in range(192, 0, -1):
        at = iso(NOW - back * timedelta(minutes=15))
        rows.append(f"claude,{at},900,{300 if trouble and back <= 3 else 4 + back % 3}")
        rows.append(f"github,{at},900,{5 + back % 2}")
    path.write_text("\n".join(rows[: -6 if not trouble else None]) + "\n")


def routes(folder: Path, *, number: int = 500, matching: int = 400) -> list[Result]:
    """Run once with an incident that `matching` of the routes take, once more after it; return both."""
    with _mail_server() as (box, port):
        tables = [ROUTE.format(number=n, service="claude" if n < matching else "github") for n in range(number)]
        (folder / "groundswell.toml").write_text(SETTINGS.format(port=port) + "".join(tables))
        _write_counts(folder / "counts.csv", trouble=False)
        measured(folder, "run", "--now", iso(NOW - timedelta(minutes=45)))
        before = box.taken.total()
        _write_counts(folder / "counts.csv", trouble=True)
        opened = measured(folder, "run", "--now", iso(NOW))
        taken = Counter(box.taken)
        again = measured(folder, "run", "--now", iso(NOW + timedelta(minutes=1)))
        after = box.taken.total() - taken.total()
    kept = count(folder, "alerts WHERE sent_at IS NOT NULL")
    checks = {
        f"{before} messages before": before == 0,
        f"not each of {matching} had one: {len(taken)}": {to for to, _ in taken}
        == {f"team{n}@example.org" for n in range(matching)},
        "somebody had a message twice": max(taken.values(), default=0) == 1,
        f"{after} messages came again": after == 0,
        f"{kept} are marked as sent": kept == taken.total(),
        f"it printed {opened.err!r} {again.err!r}": not opened.err and not again.err,
    }
    wrong = [words for words, held in checks.items() if not held]
    return [
        Result(f"{number} routes, {matching} of them match an incident that opens", opened, kept, taken.total(), wrong),
        Result("the next run", again, 0, after),
    ]
