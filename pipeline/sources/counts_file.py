"""A file of counts that something else keeps writing, read again in every run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import structs

from detectors.count_kinds import CountKind
from pipeline.config.load import resolve_near
from pipeline.config.settings import Config
from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.errors import SourceError
from pipeline.core.records import KIND, Batch
from pipeline.core.times import Span
from pipeline.http.session import HttpClient
from pipeline.sources.count_intervals import SURE_ROWS
from pipeline.sources.count_rows import CountsOptions
from pipeline.sources.counts import read_counts, to_batch
from pipeline.sources.delimited import as_utf8, read_capped
from pipeline.sources.named_services import ServiceIds
from pipeline.sources.parsing import plain
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec, first_reason


class CountsFileSource:
    """A file that something else keeps writing."""

    def __init__(
        self,
        path: Path,
        name: str = "",
        *,
        catalogue: Catalogue | None = None,
        kind: CountKind = CountKind.REPORTS,
    ) -> None:
        """The source is named after the file unless a name is given; with a catalogue, it has its services only.

        `kind` is what the file counts.
        """
        self.name = name or f"counts:{plain(path.name, 200)}"
        self._path, self._catalogue, self._kind = path, catalogue, kind

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read the whole file; rows known already change nothing. Raises SourceError.

        A last line without its end is still being written and is left for the next time. What a count covers, where
        the file does not say, is settled by its first rows and does not change with later ones.
        """
        body = as_utf8(read_capped(self._path))
        if body.lstrip()[:1] != b"[" and not body.endswith((b"\n", b"\r")):
            body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
        settled = int(state["interval_s"]) if state.get("interval_s") else None
        table = read_counts(
            body,
            name=plain(self._path, 300),
            options=CountsOptions(interval_s=settled, in_run=True),
            now=now,
            resolve=ServiceIds(self._catalogue, in_run=True) if self._catalogue is not None else None,
            stored=True,
        )
        if 0 < table.inferred_rows < SURE_ROWS:
            raise SourceError("too few rows to tell what a count covers; add a column interval_s", source=self.name)
        if len(table.inferred_widths) > 1:
            raise SourceError("its series differ in what a count covers; add a column interval_s", source=self.name)
        batch = to_batch(table, source=self.name, fetched_at=now)
        return structs.replace(batch, coverage=(Span(since, now),), state={**batch.state, KIND: self._kind})


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[CountsFileSource]:
    paths = [resolve_near(config_path, name) for name in config.sources.counts]
    kinds = [config.sources.counts_kind.get(name, SPEC.counts) for name in config.sources.counts]
    shared = {path.name for path in paths if [p.name for p in paths].count(path.name) > 1}
    # two files of one name are two sources
    return [
        CountsFileSource(
            path,
            f"counts:{path.parent.name}-{path.name}" if path.name in shared else "",
            catalogue=config.catalogue,
            kind=kind,
        )
        for path, kind in zip(paths, kinds, strict=True)
    ]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    chosen = plan.config.sources.counts
    return first_reason(bool(chosen), ", ".join(chosen), "no file in sources.counts")


SPEC = SourceSpec(
    kind="counts",
    label="your counts",
    build=_build,
    covers=_covers,
    remedy="see that the file is there and has service,start_utc,interval_s,total",
    docs=DocsRow(
        "your counts (`counts`)",
        "CSV, JSON or NDJSON that something else writes",
        "none",
        "the file",
        "at once",
    ),
)
