"""Which sources cover a service, and which do not and why; what the documentation says of each source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.records import SilentSource

if TYPE_CHECKING:
    from pipeline.sources import SourceSpec
    from pipeline.sources.spec import ReadPlan

HEAD = ("source", "what it brings", "key", "reads", "settled after")


class ServiceCoverage(NamedTuple):
    """One kind of source and a service: whether it covers it, what it looks for or why it does not."""

    source: str
    covered: bool
    how: str


def source_coverage(
    config: Config, config_path: Path | None, service: Service, specs: Mapping[str, SourceSpec]
) -> list[ServiceCoverage]:
    """Return for every kind of source whether it covers the service: what a run would build covers it, no more."""
    plan = _plan(config, config_path, specs)
    return [ServiceCoverage(spec.label, *spec.covers(plan, service)) for spec in specs.values()]


def as_read(rows: Iterable[ServiceCoverage], service: str, file_services: Collection[str]) -> list[ServiceCoverage]:
    """Return the coverage of a service by what the files of counts held when they were read.

    `file_services` are the services of their rows; empty where none was read yet.
    """
    from pipeline.sources.counts_file import SPEC

    label = SPEC.label
    found = []
    for row in rows:
        if row.source != label or not row.covered or service in file_services:
            found.append(row)
        elif file_services:
            found.append(ServiceCoverage(label, covered=False, how=f"{row.how}: no row of it was read"))
        else:
            found.append(row._replace(how=f"{row.how}, if it has rows of it"))
    return found


def coverage_of_all(
    config: Config, config_path: Path | None, specs: Mapping[str, SourceSpec]
) -> Iterator[tuple[Service, list[ServiceCoverage]]]:
    """Yield each service of the catalogue, by id, with what `source_coverage` says of it."""
    plan, kinds = _plan(config, config_path, specs), tuple(specs.values())  # each look-up imports its module
    for _, service in sorted(config.catalogue.items()):
        yield service, [ServiceCoverage(spec.label, *spec.covers(plan, service)) for spec in kinds]


def still_configured(
    config: Config, config_path: Path | None, silent: Sequence[SilentSource], specs: Mapping[str, SourceSpec]
) -> list[SilentSource]:
    """Return those of the silent sources that a run would still read."""
    built = _built(config, config_path, specs) if silent else frozenset()
    return [item for item in silent if item.source in built]


def _plan(config: Config, config_path: Path | None, specs: Mapping[str, SourceSpec]) -> ReadPlan:
    from pipeline.sources.spec import read_plan

    return read_plan(config, _built(config, config_path, specs))


def _built(config: Config, config_path: Path | None, specs: Mapping[str, SourceSpec]) -> frozenset[str]:
    """Return the names of the sources that a run would build."""
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources

    return frozenset(source.name for source in build_sources(config, HttpClient(), config_path, specs=specs))


def sources_table(specs: Iterable[SourceSpec]) -> list[str]:
    """Return the lines of the Markdown table of sources, as docs/sources.md shows it."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(spec.docs for spec in specs)]
    return ["| " + " | ".join(row) + " |" for row in rows]
