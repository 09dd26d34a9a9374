"""`groundswell backfill`: archives through tag, count and detect, to Parquet and, where asked, into the database."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pipeline.commands.common import PARTIAL, Setting, common, open_store, run_lock
from pipeline.config.paths import MODELS
from pipeline.core.errors import ConfigError, StoreError
from pipeline.core.times import iso, utc


@click.command("backfill")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--posts",
    multiple=True,
    metavar="URL",
    help="A file, folder or pattern of posts: NDJSON (.zst too), CSV, Parquet; any fsspec URL.",
)
@click.option("--counts", multiple=True, metavar="URL", help="The same of complaint counts.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@click.option(
    "--scheduler", default="", help="Of --engine dask: tcp://…; without it workers of this machine are started."
)
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="How many to start.")
@click.option("--memory", default="2GB", show_default=True, help="The limit of each worker that is started.")
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
    into_db: bool,
) -> None:
    """Read archives into OUT as Parquet tables by service and month. What is finished is not done again.

    Exit 3 when a part could not be read: the others are kept, and the next run goes on from there.
    """
    try:
        from pipeline.scale.engines import Engine, Local, OnDask
        from pipeline.scale.inputs import parts_of
        from pipeline.scale.tasks import gather
        from pipeline.scale.transfer import load_tables
    except ImportError as error:
        raise ConfigError(f"backfill needs {error.name}: pip install 'groundswell[scale]'") from error
    if not posts and not counts:
        raise ConfigError("backfill: nothing to read; --posts or --counts names archives")
    if scheduler and engine != "dask":
        raise ConfigError("--scheduler: only for --engine dask")
    job = _job(setting, out, bool(posts))
    mark = f"1 {iso(job.now)} {job.salt_mark}"
    parts = [*parts_of("posts", posts, f"{mark} {job.model}"), *parts_of("counts", counts, mark)]
    salt = setting.config.secrets.author_salt
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
        reads, judged = _run(chosen, parts, job)
        failed = [one["error"] for one in (*reads, *judged) if "error" in one]
        for line in failed:
            click.echo(f"groundswell: backfill: {line}", err=True)
        new = sum("before" not in one and "error" not in one for one in reads)
        click.echo(
            f"{len(parts)} parts, {new} read now, {sum(r.get('rows', 0) for r in reads)} rows, "
            f"{sum(r.get('refused', 0) for r in reads)} refused"
        )
        if failed:
            click.echo("what was read is kept; run it again when the rest can be read, or without it", err=True)
            sys.exit(PARTIAL)
        rows: dict[str, int] = {}
        for one in judged:
            for table, many in one["rows"].items():
                rows[table] = rows.get(table, 0) + many
        click.echo("; ".join(f"{table} {many}" for table, many in sorted(rows.items())) or "nothing about any service")
        if into_db:
            with run_lock(setting.db), open_store(setting) as store:
                told = load_tables(out, store, gather(reads))
            click.echo(f"{setting.db}: {sum(told.values())} rows new")


def _job(setting: Setting, out: Path, with_posts: bool) -> Any:
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


def _begun(out: Path, now: datetime) -> datetime:
    path = out / "_begun.json"
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


def _run(engine: Any, parts: Any, job: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from tqdm import tqdm

    with tqdm(total=1, disable=None, desc="backfill", unit="task") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = engine.run(parts, job, progress)
        return found
