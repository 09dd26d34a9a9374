"""Run every shell command of README and docs, in their order, in a fresh directory: `make docs-check`.

A page has a directory with the files its commands name, the demo's database and a mail server on this machine; there is
no network. What cannot run there is in `SKIPPED`, with the reason.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"```sh\n(.*?)```", re.S)
SKIPPED = {
    r"^make\b": "a target of the Makefile in the checkout, run by itself",
    r"^pip install -e": "changes the environment of the checkout",
    r"s3://": "needs a bucket and a cluster",
    r"^groundswell train": "takes minutes; tests/test_model_use.py trains",
    r"^groundswell label": "asks a person",
    r"^groundswell bench": "needs the recorded days, and minutes with them; tests/test_benchmark_days.py scores a day",
    r"^groundswell backtest day": "replays two weeks; tests/test_recordings.py replays a recording",
    r"^(useradd|su - |cp .*/srv/|systemctl|cp examples/.*systemd)": "needs root and changes the machine",
    r"^python3 -m pip wheel": "needs the build backend from an index; tests/test_package.py builds the wheel",
}
# commands whose exit code tells of the missing network, and of a database older than the clock
CODES = {
    r"^groundswell (run|collect|status|doctor)": (0, 3),
    r"^groundswell import posts": (0, 3),
}
MAIL = " --host smtp.example.org --port 587 --security starttls --user me"


@dataclass(frozen=True, slots=True)
class Done:
    """A command of a page, and how it ended; `reason` is why it was not run."""

    page: str
    command: str
    code: int | None
    output: str = ""
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Return whether it ended otherwise than it may."""
        if self.code is None:
            return False
        allowed = next((codes for pattern, codes in CODES.items() if re.search(pattern, self.command)), (0,))
        return self.code not in allowed


def blocks(text: str) -> list[list[str]]:
    """Return the commands of each shell block of a page, without comments; a line that goes on is one command."""
    found = []
    for block in BLOCK.findall(text):
        lines = (re.sub(r"\s+#\s.*$", "", line).strip() for line in block.replace("\\\n", " ").splitlines())
        found.append([line for line in lines if line and not line.startswith("#")])
    return found


def prepare(folder: Path, database: Path) -> None:
    """Write the files that commands of the docs name."""
    (folder / "out" / "demo").mkdir(parents=True)
    shutil.copy(database, folder / "out" / "demo" / "groundswell.db")
    shutil.copy(database, folder / "groundswell.db")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    start = datetime(2026, 2, 28, tzinfo=UTC)
    stamps = [start + timedelta(minutes=15 * number) for number in range(320)]
    with (folder / "counts.csv").open("w") as file:
        csv.writer(file).writerows([("timestamp_utc", "value"), *((f"{at:%Y-%m-%dT%H:%MZ}", 5) for at in stamps)])
    with (folder / "tickets.csv").open("w") as file:
        csv.writer(file).writerows([("created at", "subject"), *((f"{at:%Y-%m-%d %H:%M}", "login") for at in stamps)])
    (folder / "posts.csv").write_text("id,text\n1,Claude is down for me\n2,Claude wrote a poem\n")
    (folder / "incidents.csv").write_text("id,name,impact,started_at\na,Pages fail,major,2026-02-01T10:00:00Z\n")
    posts = [
        {"id": f"p{number}", "title": "Claude is down", "selftext": "", "author": f"a{number}", "subreddit": "ClaudeAI"}
        | {"created_utc": int(start.timestamp()) + 60 * number}
        for number in range(50)
    ]
    packed = zstandard.ZstdCompressor().compress("\n".join(map(json.dumps, posts)).encode())
    (folder / "comments").mkdir()
    for name in ("RS_2026-03.zst", "RS_2026-02.zst", "comments/RC_2026-02.zst"):
        (folder / name).write_bytes(packed)
    (folder / "kept").mkdir()
    (folder / "kept" / "FILE.body").write_text('{"page": {"id": "x", "name": "X", "url": "u"}, "incidents": []}')
    _write_counts_parquet(folder / "counts.parquet", stamps)


def _write_counts_parquet(path: Path, stamps: list[datetime]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return
    columns = {
        "service": ["claude"] * len(stamps),
        "start_utc": [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in stamps],
        "interval_s": [900] * len(stamps),
        "total": [5] * len(stamps),
    }
    pq.write_table(pa.table(columns), path)


def run_page(page: str, folder: Path, mail_port: int) -> Iterator[Done]:
    """Run the commands of a page, those of a block in one shell, so that `cd` and variables last."""
    for block in blocks((ROOT / page).read_text(encoding="utf-8")):
        chosen = []
        for command in block:
            reason = next((why for pattern, why in SKIPPED.items() if re.search(pattern, command)), "")
            if reason:
                yield Done(page, command, None, reason=reason)
            else:
                chosen.append(command)
        if chosen:
            yield from run_block(page, chosen, folder, mail_port)


def run_block(page: str, chosen: Sequence[str], folder: Path, mail_port: int) -> Iterator[Done]:
    """Run commands one after the other in one shell."""
    script = ["exec 1>&2"]
    for number, command in enumerate(chosen):
        here = command.replace(MAIL, f" --host 127.0.0.1 --port {mail_port} --security none")
        script.append(f"echo '@@ {number}' >&2\n{here}\necho '@@ {number} code' $? >&2")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
        },
    )
    for number, command in enumerate(chosen):
        match = re.search(rf"@@ {number}\n(.*?)@@ {number} code (\d+)", done.stderr, re.S)
        yield Done(page, command, int(match[2]) if match else -1, match[1] if match else done.stderr[-2000:])


def check(database: Path) -> list[Done]:
    """Run all pages, each in a directory of its own; return what became of each command."""
    found: list[Done] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Controller(Sink(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        for page in PAGES:
            with tempfile.TemporaryDirectory() as folder:
                inner = Path(folder) / "fresh"
                inner.mkdir()
                prepare(inner, database)
                found += run_page(page, inner, port)
    finally:
        server.stop()
    return found


def main() -> None:
    """Print each command with its exit code; exit 1 where one ended otherwise than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, default=ROOT / "out" / "demo" / "groundswell.db")
    done = check(parser.parse_args().db)
    for item in done:
        verdict = "skipped" if item.code is None else f"FAIL {item.code}" if item.failed else f"ok {item.code}"
        print(f"{verdict:<8} {item.page:<22} {item.command[:90]}" + (f"  ({item.reason})" if item.reason else ""))
        if item.failed:
            print(item.output)
    unused = [pattern for pattern in SKIPPED if not any(re.search(pattern, item.command) for item in done)]
    print(f"{len(done)} commands, {sum(item.failed for item in done)} failed", *[f"unused: {p}" for p in unused])
    sys.exit(1 if any(item.failed for item in done) or unused else 0)


if __name__ == "__main__":
    main()
