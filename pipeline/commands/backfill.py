"""`groundswell backfill`: archives through tag, count and detect, to Parquet and, where asked, into the database."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.common import PARTIAL, Setting, common, open_store, run_lock, salted
from pipeline.commands.ctrl_c import ended_by_ctrl_c
from pipeline.config.paths import MODELS
from pipeline.core.catalogue import service_ids
from pipeline.core.errors import ConfigError, StoreError
from pipeline.core.quantities import quantity
from pipeline.core.times import iso, utc

if TYPE_CHECKING:
    from pipeline.scale.engines import BackfillResult, Engine
    from pipeline.scale.inputs import Part
    from pipeline.scale.summaries import PartSummary
    from pipeline.scale.tasks import Job


@click.command("backfill")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--posts",
    multiple=True,
    metavar="URL",
    help="Posts: a file, folder, pattern or fsspec URL of NDJSON (also .zst), CSV or Parquet. Repeatable.",
)
@click.option("--counts", multiple=True, metavar="URL", help="Complaint counts, given in the same ways. Repeatable.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option(
    "--scheduler", default="", help="With --engine dask: tcp://…; without it, workers are started on this machine."
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Number of workers to start."
)
@click.option("--memory", default="2GB", show_default=True, help="Memory limit of each worker.")
@click.option("--new", is_flag=True, help="Accept counts of services that are not in the catalogue, under their names.")
@click.option("--into-db", is_flag=True, help="Copy the finished tables into --db as well.")
@common
def backfill_command(
    setting: Setting,
    out: Path,
    posts: tuple[str, ...],
    counts: tuple[str, ...],
    engine: str,
    scheduler: str,
    workers: int,
    memory: str,
    new: bool,
    into_db: bool,
) -> None:
    """Read archives into OUT as Parquet tables by service and month. What is finished is not done again.

    A row of counts of a service that the catalogue lacks is refused with the nearest names, unless --new takes it.
    Exit 3 when a part could not be read or a row was refused: the others are kept, and the next run goes on from there.
    """
    from pipeline.scale.engines import Local, OnDask
    from pipeline.scale.inputs import parts_of
    from pipeline.scale.summaries import gather
    from pipeline.scale.tasks import hold_salt
    from pipeline.scale.transfer import load_tables
    from pipeline.sources import author_salt

    if not posts and not counts:
        raise ConfigError("backfill: nothing to read; --posts or --counts names archives")
    if scheduler and engine != "dask":
        raise ConfigError("--scheduler: only for --engine dask")
    setting = _salted(setting) if posts else setting
    job = replace(_job(setting, out, bool(posts)), new_services=new)
    mark = f"1 {iso(job.now)} {job.salt_mark}"
    parts = [
        *parts_of("posts", posts, f"{mark} {job.model}"),
        *parts_of("counts", counts, f"{mark} {_names_mark(job)}"),
    ]
    salt = setting.config.secrets.author_salt
    hold_salt(author_salt(setting.config))
    chosen: Engine = (
        Local()
        if engine == "local"
        else OnDask(
            scheduler,
            workers=workers,
            memory=memory,
            salt=salt.get_secret_value() if salt else "",
            tell=lambda line: click.echo(line, err=True),
        )
    )
    with run_lock(out / "backfill"):
        with ended_by_ctrl_c() if engine == "dask" else nullcontext():
            result = _run(chosen, parts, job)
        failed = [error for error in (*(p.error for p in result.parts), *(b.error for b in result.buckets)) if error]
        read_now = [one for one in result.parts if not one.done_before and not one.error]
        for line in [*failed, *_refusals(read_now)]:
            click.echo(f"groundswell: backfill: {line}", err=True)
        refused = sum(one.refused for one in result.parts)
        repeated = sum(one.repeated for one in result.parts)
        click.echo(
            f"{quantity(len(parts), 'part')}, {len(read_now)} read now, "
            f"{quantity(sum(one.rows for one in result.parts), 'row')}, "
            f"{refused} refused" + (f", {repeated} repeated" if repeated else "")
        )
        if failed:
            click.echo(
                "what was read is kept: put the files named above right, or leave them out of the command, and run it "
                "again; only the rest is read then",
                err=True,
            )
            sys.exit(PARTIAL)
        rows: Counter[str] = Counter()
        for bucket in result.buckets:
            rows.update(bucket.rows)
        click.echo("; ".join(f"{table} {many}" for table, many in sorted(rows.items())) or "nothing about any service")
        if into_db:
            with run_lock(setting.db), open_store(setting) as store:
                loaded = load_tables(out, store, gather(result.parts).reach)
            click.echo(f"{setting.db}: {quantity(sum(loaded.values()), 'row')} new")
        if refused:
            sys.exit(PARTIAL)


def _salted(setting: Setting) -> Setting:
    """Return the setting with the salt of the database that what is read may be loaded into."""
    from pipeline.sources.author_keys import salt_beside

    if setting.db.exists():
        with run_lock(setting.db), open_store(setting) as store:
            return salted(setting, store)
    own = setting.config.secrets
    secrets = replace(own, author_salt=own.author_salt or salt_beside(setting.db))
    return replace(setting, config=replace(setting.config, secrets=secrets))


def _refusals(read_now: Sequence[PartSummary]) -> list[str]:
    """Return a line for each of the first refused rows, and one that counts the others."""
    from pipeline.scale.summaries import MOST_NAMED

    named = [line for part in read_now for line in part.refusals][:MOST_NAMED]
    more = sum(part.refused for part in read_now) - len(named)
    return [*named, f"{more} more rows refused"] if more else named


def _job(setting: Setting, out: Path, with_posts: bool) -> Job:
    """Return what all tasks know.

    The time of collection is that of the first run into OUT, so that a later one adds to it.
    """
    from pipeline.detection.factory import make_detector
    from pipeline.scale.tasks import Job, salt_mark
    from pipeline.sources import author_salt
    from pipeline.text.models.outage import load

    return Job(
        root=str(out.resolve()),
        now=_begun(out, setting.now),
        catalogue=setting.config.catalogue,
        detector=make_detector(setting.config),
        model=load(MODELS).id if with_posts else "",
        salt_mark=salt_mark(author_salt(setting.config)),
    )


def _names_mark(job: Job) -> str:
    """Return what changes when other services of a file of counts would be taken: it is read again then."""
    known = json.dumps(sorted(service_ids(job.catalogue).items()))
    return f"{'new ' if job.new_services else ''}{hashlib.sha256(known.encode()).hexdigest()[:12]}"


def _begun(out: Path, now: datetime) -> datetime:
    from pipeline.scale.inputs import BEGUN

    path = out / BEGUN
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return utc(json.loads(path.read_text(encoding="utf-8"))["now"])
        path.write_text(json.dumps({"now": iso(now)}), encoding="utf-8")
    except (ValueError, KeyError) as error:
        raise StoreError(f"{path}: is not what backfill wrote; choose another folder, or remove it") from error
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error.strerror}") from error
    return now


def _run(engine: Engine, parts: Sequence[Part], job: Job) -> BackfillResult:
    from tqdm import tqdm

    with tqdm(total=1, disable=None, desc="backfill", unit="task") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return engine.run(parts, job, progress)
