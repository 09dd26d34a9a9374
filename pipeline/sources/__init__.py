"""Where rows come from: one upstream kind a file, with pure `parse_…` functions, a class with `fetch`, and a `SPEC`.

A source that needs a key it does not have builds nothing: the product works without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.config.load import Config
from pipeline.core.records import source_kind
from pipeline.http.session import HttpClient
from pipeline.sources import (
    bluesky,
    charts,
    counts_file,
    downdetector,
    downstatus,
    feed,
    google_news,
    hacker_news,
    mastodon,
    reddit,
)
from pipeline.sources.spec import Source, SourceSpec, author_salt
from pipeline.sources.status import source as status_page

__all__ = ["SOURCES", "Source", "SourceSpec", "author_salt", "build_sources"]

SOURCES: dict[str, SourceSpec] = {
    spec.kind: spec
    for spec in (
        status_page.SPEC,
        feed.SPEC,
        google_news.SPEC,
        counts_file.SPEC,
        downstatus.SPEC,
        downdetector.SPEC,
        hacker_news.SPEC,
        reddit.SPEC,
        mastodon.SPEC,
        bluesky.SPEC,
        charts.SPEC,
    )
}


def build_sources(
    config: Config,
    client: HttpClient,
    config_path: Path | None,
    only: Sequence[str] = (),
    *,
    specs: Mapping[str, SourceSpec] = SOURCES,
) -> list[Source]:
    """Return every configured source, or those whose name or kind (the part before the colon) is in `only`.

    `config_path` is the file that relative paths of the configuration are near to.
    """
    built = [source for spec in specs.values() for source in spec.build(config, client, config_path)]
    return [s for s in built if not only or s.name in only or source_kind(s.name) in only]
