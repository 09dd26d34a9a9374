"""`groundswell parse FILE`: what each reader makes of one raw answer, as `collect --keep-bodies` keeps them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from pipeline.commands.common import Setting, common
from pipeline.commands.terminal import printable
from pipeline.core.errors import ConfigError
from pipeline.core.records import Record
from pipeline.core.times import iso

if TYPE_CHECKING:
    from pipeline.http.kept_bodies import KeptBody
    from pipeline.sources.body_readers import BodyReading

SHOWN = 10
TIMES = ("created", "published", "displayed_at", "started_at", "start", "observed")  # what says when, by record


@click.command("parse")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--source", "kind", help="Parse it as an answer of this kind of source.  [default: the kind it was kept for]"
)
@click.option("--json", "as_json", is_flag=True, help="Print every row and every refused row as JSON.")
@common
def parse_command(setting: Setting, file: Path, kind: str | None, as_json: bool) -> None:
    """Show how each reader parses FILE: the outcome, the rows, and what was refused and why. Stores nothing.

    FILE is an answer that `collect --keep-bodies` kept, or any body; without a kept address and without --source every
    reader is asked. Exit code 1 when none can read it.
    """
    from pipeline.http.kept_bodies import read_kept
    from pipeline.sources import SOURCES
    from pipeline.sources.body_readers import KINDS, read_body
    from pipeline.stages.collect import honest

    if kind is not None and kind in SOURCES and kind not in KINDS:
        kind = SOURCES[kind].prefix or kind  # as the settings call it
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"--source: {kind} is not one of {', '.join(KINDS)}")
    kept = read_kept(file, setting.now)
    readings = [one._replace(batch=honest(one.batch)) for one in read_body(kept, setting.config, kind or "")]
    if as_json:
        click.echo(_as_json(file, kept, readings))
    else:
        _print(file, kept, readings)
    sys.exit(0 if any(reading.batch.outcome in ("ok", "empty", "not_modified") for reading in readings) else 1)


def _print(file: Path, kept: KeptBody, readings: list[BodyReading]) -> None:
    came = [f"{len(kept.body)} bytes", f"status {kept.status}" if kept.status else "", kept.url]
    click.echo(f"{file}: {', '.join(part for part in came if part)}; fetched {iso(kept.fetched_at)}")
    for reader, batch in readings:
        numbers = Counter(type(row).__name__ for row in batch.rows)
        rows = ", ".join(f"{number} {name}" for name, number in numbers.items()) or "no rows"
        detail = f"; {batch.detail}" if batch.detail else ""
        click.echo(printable(f"{reader}: {batch.outcome}: {rows}, {len(batch.rejected)} refused{detail}"))
        for row in batch.rows[:SHOWN]:
            click.echo(f"  {printable(_line(row))}")
        if len(batch.rows) > SHOWN:
            click.echo(f"  and {len(batch.rows) - SHOWN} more rows; --json shows all")
        for refused in batch.rejected[:SHOWN]:
            click.echo(printable(f"  refused: {refused.where}: {refused.reason}"))


def _line(row: Record) -> str:
    """Return a record in one line: when, and the fields that are set; texts are cut."""
    fields = {name: value for name, value in structs.asdict(row).items() if value not in ("", None, (), False)}
    when = next((fields.pop(name) for name in TIMES if isinstance(fields.get(name), datetime)), None)
    fields.pop("collected", None)
    words = " ".join(f"{name}={_short(value)}" for name, value in fields.items())
    return f"{iso(when) if when else 'time not known'} {words}"


def _short(value: object) -> str:
    text = iso(value) if isinstance(value, datetime) else " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _as_json(file: Path, kept: KeptBody, readings: list[BodyReading]) -> str:
    return json.dumps(
        {
            "file": str(file),
            "source": kept.source,
            "url": kept.url,
            "status": kept.status or None,
            "fetched_at": iso(kept.fetched_at),
            "readers": [
                {
                    "reader": reader,
                    "outcome": batch.outcome,
                    "detail": batch.detail,
                    "rows": [{"record": type(row).__name__, **structs.asdict(row)} for row in batch.rows],
                    "refused": [structs.asdict(refused) for refused in batch.rejected],
                }
                for reader, batch in readings
            ],
        },
        default=lambda value: iso(value) if isinstance(value, datetime) else str(value),
        indent=1,
    )
