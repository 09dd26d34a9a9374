"""Where rows come from: one upstream kind a file, with pure `parse_…` functions, a class with `fetch`, and a `SPEC`.

A source that needs a key it does not have builds nothing: the product works without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config.settings import Config
from pipeline.core.records import source_kind
from pipeline.sources.spec import Source, SourceSpec, author_salt

if TYPE_CHECKING:
    from pipeline.http.session import HttpClient

__all__ = ["SOURCES", "Source", "SourceSpec", "author_salt", "build_sources", "configured_kinds", "switched_on"]


class _Place(NamedTuple):
    """Where the SPEC of a kind is, the settings of `sources` that switch it on, and the secrets that it needs."""

    module: str
    switches: tuple[str, ...]
    secrets: tuple[str, ...] = ()


_PLACES = {
    "statuspage": _Place("pipeline.sources.status.spec", ("statuspage",)),
    "feed": _Place("pipeline.sources.feed", ("feeds", "news_desks")),
    "google_news": _Place("pipeline.sources.google_news", ("google_news",)),
    "counts": _Place("pipeline.sources.counts_file", ("counts",)),
    "downstatus": _Place("pipeline.sources.downstatus", ("downstatus",)),
    "downdetector": _Place("pipeline.sources.downdetector", ("downdetector",), ("downdetector_client_id",)),
    "hacker_news": _Place("pipeline.sources.hacker_news", ("hacker_news",)),
    "reddit": _Place("pipeline.sources.reddit", ("reddit",), ("reddit_client_id",)),
    "mastodon": _Place("pipeline.sources.mastodon", ("mastodon",)),
    "bluesky": _Place("pipeline.sources.bluesky", ("bluesky",), ("bluesky_password",)),
    "charts": _Place("pipeline.sources.charts", ("charts",)),
}


class _Specs(Mapping[str, SourceSpec]):
    """The kinds of sources by name, each imported when it is asked for: a run pays for those it reads."""

    def __getitem__(self, kind: str) -> SourceSpec:
        """Return the SPEC of a kind. Raises KeyError on an unknown one."""
        spec: SourceSpec = importlib.import_module(_PLACES[kind].module).SPEC
        return spec

    def __contains__(self, kind: object) -> bool:
        """Return whether there is such a kind."""
        return kind in _PLACES

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the kinds."""
        return iter(_PLACES)

    def __len__(self) -> int:
        """Return how many kinds there are."""
        return len(_PLACES)


SOURCES: Mapping[str, SourceSpec] = _Specs()


def switched_on(config: Config, kind: str) -> bool:
    """Return whether the settings switch a kind of source on, with its key or without; one that has none always is."""
    return kind not in _PLACES or any(getattr(config.sources, name) for name in _PLACES[kind].switches)


def configured_kinds(config: Config) -> list[str]:
    """Return the kinds of sources that are switched on and have their key."""
    return [
        kind
        for kind, place in _PLACES.items()
        if switched_on(config, kind) and all(getattr(config.secrets, name) is not None for name in place.secrets)
    ]


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
    off = _PLACES.keys() - configured_kinds(config)
    chosen = [specs[kind] for kind in specs if kind not in off]
    built = [source for spec in chosen for source in spec.build(config, client, config_path)]
    return [s for s in built if not only or s.name in only or source_kind(s.name) in only]
