"""Status pages as a kind of source: which services have one, how each is read, and what is said where one is not."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import ConfigError
from pipeline.http.session import HttpClient
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec, first_reason, unnamed
from pipeline.sources.status.platforms import ATOM, AUTO, BY_NAME, NOT_READ
from pipeline.sources.status.source import StatusPageSource

NAMED_PARTS = 5  # of a shared page, in messages for people


def _data_addresses(service: Service, base: str) -> list[str]:
    """Return where the machine-readable form is; with a base for all pages, the same paths there."""
    if not base:
        return list(service.status_data)
    return [urlsplit(path).path if "://" in path else path for path in service.status_data]


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[StatusPageSource]:
    if not config.sources.statuspage:
        return []
    base = config.sources.statuspage_base.rstrip("/")
    chosen = [config.catalogue[service] for service in config.watched]
    return [
        StatusPageSource(s, f"{base}/{s.id}" if base else s.status_page, client, data=_data_addresses(s, base))
        for s in chosen
        if s.status_page and _known_format(s) != NOT_READ
    ]


def _known_format(service: Service) -> str:
    """Return a service's status_format; raises ConfigError with the nearest names when there is no such format."""
    known = ("", AUTO, NOT_READ, ATOM, *BY_NAME)
    if service.status_format not in known:
        near = get_close_matches(service.status_format, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; one of {', '.join(known[1:])}"
        raise ConfigError(f"services.{service.id}.status_format: {service.status_format!r} is not known{hint}")
    return service.status_format


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    return first_reason(
        f"status:{service.id}" in plan.built,
        f"{service.status_page}{_only_for(service)}",
        "" if service.status_page else "the catalogue knows no status page of it",
        "" if service.status_format != NOT_READ else 'the catalogue says status_format = "none"',
        unnamed(plan, service),
    )


def _only_for(service: Service) -> str:
    """Return which parts of a page count for a service, in words; empty where all do."""
    first, others = service.status_components[:NAMED_PARTS], service.status_components[NAMED_PARTS:]
    more = f" and {len(others)} more" if others else ""
    return f", only what names {', '.join(first)}{more}, or no part" if first else ""


SPEC = SourceSpec(
    kind="statuspage",
    prefix="status",
    label="status page",
    build=_build,
    covers=_covers,
    remedy='see whether the page opens in a browser; services.<id>.status_format = "atom" reads its feed instead',
    docs=DocsRow(
        "status pages (`statuspage`)",
        "every update of a provider's incidents with both its times; the page's form is found by what it answers, or"
        ' set by `status_format` (`"atom"`: its feed rather than its API); `status_components` chooses parts or'
        " regions",
        "none",
        "what the page lists, often the latest 50 incidents; unchanged: nothing",
        "at once",
    ),
)
