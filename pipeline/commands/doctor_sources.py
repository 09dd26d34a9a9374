"""What `groundswell doctor` finds out about services, keys and sources; sources are asked, nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.commands.clock_guard import clock_findings, wrong_before
from pipeline.commands.common import Setting
from pipeline.commands.findings import Finding, Level
from pipeline.config.settings import Config
from pipeline.core.errors import ConfigError, Reason, SourceError, StoreError
from pipeline.core.quantities import quantity
from pipeline.core.records import Batch, source_kind

if TYPE_CHECKING:
    from pipeline.sources import SourceSpec


def service_findings(setting: Setting, specs: Mapping[str, SourceSpec]) -> Iterator[Finding]:
    """Say of each service named in `watch` which kinds of sources cover it and which do not."""
    from pipeline.reports.source_coverage import as_read, coverage_of_all

    file_services, named = _services_of_count_files(setting), frozenset(setting.config.watch)
    for service, rows_of_specs in coverage_of_all(setting.config, setting.config_path, specs):
        if service.id not in named:
            continue
        rows = as_read(rows_of_specs, service.id, file_services)
        covering = [row.source for row in rows if row.covered]
        missing = [row.source for row in rows if not row.covered]
        words = f"covered by {', '.join(covering) or 'nothing'}; not by {', '.join(missing) or 'none that exists'}"
        level = Level.OK if covering else Level.WARN
        yield Finding(level, f"service {service.id}", words, f"groundswell service show {service.id} says why not")


def _services_of_count_files(setting: Setting) -> frozenset[str]:
    """Return the services that files of counts had rows of; none from a database that cannot be read."""
    from pipeline.commands.common import open_store_to_read
    from pipeline.store.levels import services_of_count_files

    if not (setting.db.is_file() and setting.db.stat().st_size):
        return frozenset()
    try:
        with open_store_to_read(setting) as store:
            return services_of_count_files(store)
    except StoreError:
        return frozenset()  # the finding about the database says so


def key_findings(config: Config, specs: Mapping[str, SourceSpec]) -> Iterator[Finding]:
    """Say which sources lack a key, and where one is to be had; never what a key is."""
    from pipeline.sources import switched_on

    for spec in specs.values():
        missing = spec.missing_secrets(config)
        if not spec.secrets:
            continue
        if not switched_on(config, spec.kind):
            yield Finding(Level.NOTE, spec.kind, "switched off")
        elif len(missing) == len(spec.secrets):
            words = f"no key, not read (optional): set {' and '.join(missing)}, from {spec.where_to_get_a_key}"
            yield Finding(Level.NOTE, spec.kind, words)
        elif missing:
            yield Finding(Level.WARN, spec.kind, f"half a key: {' and '.join(missing)} is not set", spec.remedy)


def source_findings(setting: Setting, only: tuple[str, ...], specs: Mapping[str, SourceSpec]) -> Iterator[Finding]:
    """Ask each source for its last minutes and keep nothing; compare the clocks of those that answer."""
    from tqdm import tqdm

    from pipeline.http.server_clocks import ServerClocks
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources
    from pipeline.stages.collect import fetch_all, honest

    seconds = min(15.0, setting.config.sources.deadline.total_seconds())
    clocks = (
        ServerClocks(setting.clock, setting.now, wrong_before=bool(wrong_before(setting)))
        if setting.clock is not None
        else None
    )
    client = HttpClient(
        allow=setting.config.sources.allow_hosts,
        deadline=seconds,
        contact=setting.config.sources.contact,
        clocks=clocks,
    )
    sources = build_sources(setting.config, client, setting.config_path, only, specs=specs)
    if only and not sources:
        raise ConfigError(f"--source: nothing configured is called {', '.join(only)}")
    since = setting.now - timedelta(minutes=30)
    asked = fetch_all(sources, [(since, {})] * len(sources), setting.now, deadline=seconds)
    answers = dict(tqdm(asked, total=len(sources), disable=None, desc="sources", leave=False))
    yield from clock_findings(setting, clocks)
    unreached = sum(isinstance(a, SourceError) and a.reason is Reason.UNREACHABLE for a in answers.values())
    if unreached > 1 and unreached == len(sources):
        yield Finding(
            Level.WARN,
            "network",
            f"none of {quantity(len(sources), 'source')} can be reached",
            "is there a network, and a name server?",
        )
        return
    remedies = {spec.name_prefix: spec.remedy for spec in specs.values()}
    for number, source in enumerate(sources):
        answer = answers[number]
        remedy = remedies.get(source_kind(source.name), "")
        answer = honest(answer) if isinstance(answer, Batch) else answer
        if isinstance(answer, Batch) and answer.outcome != "error":
            refused = (
                f", {quantity(len(answer.rejected), 'row')} refused: {answer.rejected[0].reason}"
                if answer.rejected
                else ""
            )
            words = f"answers, {quantity(len(answer.rows), 'row')}{refused}" + (
                f"; {answer.detail}" if answer.detail else ""
            )
            yield Finding(Level.WARN if answer.rejected else Level.OK, source.name, words)
        else:
            words = answer.detail if isinstance(answer, Batch) else answer.message
            yield Finding(Level.WARN, source.name, f"{answer.outcome}: {words}", remedy)
