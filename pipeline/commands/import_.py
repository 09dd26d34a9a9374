"""`groundswell import …`: history from files. Stores and learns; never alerts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import click
from msgspec import structs

from pipeline.commands.common import PARTIAL, Setting, common, open_store, run_lock, salted
from pipeline.commands.counts_argument import CountsFile, counts_file, readable_file
from pipeline.commands.refusals import RefusalLines
from pipeline.commands.service_argument import complete_services
from pipeline.commands.terminal import one_line
from pipeline.core.catalogue import resolve_service
from pipeline.core.errors import ConfigError, SourceError, StoreError
from pipeline.core.quantities import quantity
from pipeline.core.records import KIND, Batch, Post, Run
from pipeline.core.times import Span
from pipeline.sources.named_services import ServiceIds


@click.group("import")
def import_command() -> None:
    """Import history from a file; importing it again changes nothing."""


@import_command.command("counts")
@click.option(
    "--service",
    "service_name",
    shell_complete=complete_services,
    help="Service of all counts in the file (id, name or alias).",
)
@click.option("--new", is_flag=True, help="Accept services that are not in the catalogue, under the names in the file.")
@counts_file
@common
def counts(setting: Setting, file: CountsFile, service_name: str | None, new: bool) -> None:
    """Complaint counts from CSV, JSON or NDJSON: service,start_utc[,interval_s],total[,baseline][,region][,indicator].

    A service may be called by its id, its name or an alias. A row of a service that the catalogue lacks is refused.
    """
    from pipeline.sources.count_columns import parse_count_columns
    from pipeline.sources.counts import parse_counts
    from pipeline.sources.delimited import read_capped
    from pipeline.sources.parsing import plain

    resolve = ServiceIds(setting.config.catalogue, new=new)
    body, source = read_capped(file.path), f"counts:{plain(file.path.name, 200)}"
    options = structs.replace(file.options, service=resolve.named(service_name) if service_name else "")
    batch = parse_count_columns(body, source=source, fetched_at=setting.now, options=options, resolve=resolve)
    if batch is None:
        batch = parse_counts(
            body, source=source, fetched_at=setting.now, name=str(file.path), options=options, resolve=resolve
        )
    batch = structs.replace(batch, state={**batch.state, KIND: file.options.kind})
    if not batch.size and not batch.rejected:
        raise SourceError("no usable row", source=str(file.path))
    if batch.detail:
        click.echo(f"groundswell: {file.path}: {batch.detail}", err=True)
    if resolve.added:
        names = ", ".join(sorted(resolve.added))
        click.echo(f"groundswell: new: {names}; watched with a [services.<id>] table in groundswell.toml", err=True)
    _store(setting, [batch])


@import_command.command("posts")
@click.argument("file", type=click.Path(path_type=Path), callback=readable_file)
@common
def posts(setting: Setting, file: Path) -> None:
    """Posts from a Reddit archive (.zst or NDJSON, one object a line), or from CSV.

    Its columns: id,created_utc,text[,title,author,community,url].

    An archive is taken to be whole from its first post to its last: what it does not hold was not said.
    """
    from pipeline.sources import author_salt
    from pipeline.sources.archive import parse_posts_csv, read_archive
    from pipeline.sources.delimited import read_capped

    with run_lock(setting.db), open_store(setting) as store:
        salt = author_salt(salted(setting, store).config)

    def batches() -> Iterator[Batch]:
        if file.suffix.lower() == ".csv":
            yield parse_posts_csv(read_capped(file), source="file", fetched_at=setting.now, salt=salt, name=str(file))
            return
        first = last = None
        for batch in read_archive(file, source="reddit", fetched_at=setting.now, salt=salt):
            times = [row.created for row in batch.rows if isinstance(row, Post)]
            first = min([*times, *([first] if first else [])], default=None)
            last = max([*times, *([last] if last else [])], default=None)
            yield batch
        if first and last:
            yield Batch(
                source="reddit", rows=(), outcome="empty", coverage=(Span(first, last + timedelta(seconds=60)),)
            )

    _store(setting, batches())


@import_command.command("incidents")
@click.argument("file", type=click.Path(path_type=Path), callback=readable_file)
@click.option(
    "--service",
    "service_id",
    required=True,
    shell_complete=complete_services,
    help="Service whose status page the archive is of (id, name or alias).",
)
@common
def incidents(setting: Setting, file: Path, service_id: str) -> None:
    """A provider's past incidents from CSV, or from an archive that others keep (.jsonl, or .json of many providers).

    Columns: id,name,impact,started_at[,created_at][,monitoring_at][,resolved_at][,components][,cause].
    """
    from pipeline.sources.delimited import read_capped
    from pipeline.sources.incident_lines import parse_incident_lines
    from pipeline.sources.incident_list import parse_incident_list
    from pipeline.sources.parsing import plain
    from pipeline.sources.status.reader import PageContext
    from pipeline.sources.status_archive import parse_incident_archive

    service = resolve_service(setting.config.catalogue, service_id)
    if not service.status_page:
        raise ConfigError(f"--service: {service.id} has no status_page in the catalogue")
    body, name, suffix = read_capped(file), str(file), file.suffix.lower()
    context = PageContext(page=service.page, source=f"incidents:{plain(file.name, 200)}", fetched_at=setting.now)
    if suffix in (".jsonl", ".ndjson"):
        batch = parse_incident_lines(body, context=context, name=name)
    elif suffix == ".json":
        batch = parse_incident_list(body, service=service, context=context, name=name)
    else:
        batch = parse_incident_archive(
            body, page=service.page, source=context.source, fetched_at=setting.now, name=name
        )
    _store(setting, [batch])


@import_command.command("trends")
@click.argument("file", type=click.Path(path_type=Path), callback=readable_file)
@common
def trends(setting: Setting, file: Path) -> None:
    """Google Trends' export of trending searches: when many began to ask whether a service is down.

    Its columns: Trends,Search volume,Started[,Ended][,Trend breakdown]. Kept in `outside_verdicts`, never counted.
    """
    from pipeline.sources.delimited import read_capped
    from pipeline.sources.trending import parse_trending
    from pipeline.text.services import ServiceMatcher

    batch = parse_trending(
        read_capped(file),
        source="google_trends",
        fetched_at=setting.now,
        names=ServiceMatcher(setting.config.catalogue),
        name=str(file),
    )
    _store(setting, [batch])


@import_command.command("scenario")
@click.argument("folder", type=click.Path(path_type=Path))
@common
def scenario(setting: Setting, folder: Path) -> None:
    """All that a recorded folder holds, as history."""
    from pipeline.replay.scenario import read_scenario
    from pipeline.replay.scenario_sources import load_recorded
    from pipeline.store.runs import mark_simulated

    recorded = read_scenario(folder)
    sources, problems = load_recorded(recorded, setting.config.catalogue)
    if recorded.simulated:
        click.echo(f"groundswell: {folder}: is simulated; reports and messages will say so from now on", err=True)
    for line in problems:
        click.echo(f"groundswell: {one_line(line)}", err=True)
    now = min(setting.now, recorded.end)
    batches = [source.fetch(recorded.start, now, {}) for source in sources]
    if recorded.simulated:
        with run_lock(setting.db), open_store(setting) as store:
            mark_simulated(store, recorded.note)
    _store(setting, [structs.replace(batch, state={}) for batch in batches], failed=bool(problems))


def _store(setting: Setting, batches: Iterable[Batch], *, failed: bool = False) -> None:
    """Store batches as they come; what was stored stays when a later one cannot be read."""
    from tqdm import tqdm

    from pipeline.store.observations import save_batch
    from pipeline.store.runs import record_run

    seen = new = repeated = 0
    refused = RefusalLines()
    error_lines: list[str] = []
    with run_lock(setting.db), open_store(setting) as store:
        try:
            for batch in tqdm(batches, disable=None, desc="import", unit=" batches", leave=False):
                added = save_batch(store, batch, setting.now)
                seen, new, repeated = seen + batch.size, new + added, repeated + batch.repeated
                refused.add(batch.rejected)
                record_run(
                    store,
                    Run(
                        stage="import",
                        subject=batch.source,
                        started=setting.now,
                        outcome=batch.outcome,
                        seen=batch.size,
                        new=added,
                        rejected=len(batch.rejected),
                        covered=batch.covered,
                    ),
                )
        except (SourceError, StoreError) as error:
            error_lines, failed = [str(error)], True
    for line in [*refused.lines(), *error_lines]:
        click.echo(f"groundswell: {one_line(line)}", err=True)
    if refused.unnamed:
        click.echo(f"groundswell: {quantity(refused.unnamed, 'more row')} refused; see the table quarantine", err=True)
    click.echo(
        f"{quantity(seen, 'row')} seen, {new} new, {refused.total} refused"
        + (f", {repeated} repeated" if repeated else "")
    )
    sys.exit(PARTIAL if refused.total or failed else 0)
