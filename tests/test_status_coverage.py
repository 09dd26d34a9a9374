"""Which service's status page is read, on which platform, and how far that is verified: the tables of the docs.

WRITE_TABLES=1 writes them into docs/status-pages.md.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue, load_config
from pipeline.core.catalogue import Service
from pipeline.sources.status.platforms import BY_NAME, READERS
from pipeline.sources.status.reader import Reader, Verification
from tests.conftest import ROOT

DOCS = ROOT / "docs" / "status-pages.md"
GOAL = 52  # services whose page is read by a reader held against a recorded body or a public client
CATALOGUE = load_catalogue()
PAGES = [service for service in CATALOGUE.values() if service.status_page]


def reader_for(service: Service) -> Reader | None:
    return BY_NAME.get(service.status_format)


def verified() -> Counter[Verification]:
    """Return how many services' pages are read, by what their reader was held against."""
    found = [reader_for(service) for service in PAGES]
    return Counter(Verification.NONE if reader is None else reader.verification for reader in found)


def pages_table() -> str:
    lines = ["| service | status page | platform | read at | only for | held against |", "| --- " * 6 + "|"]
    for service in PAGES:
        reader = reader_for(service)
        where = ", ".join(service.status_data[:1] or (reader.paths[:1] if reader else ()))
        lines.append(
            f"| {service.name} | {service.status_page} | {reader.platform if reader else '-'} | {where or 'not read'} |"
            f" {', '.join(service.status_components)} | {reader.verification if reader else 'no form is known'} |"
        )
    counts = verified()
    read = counts[Verification.RECORDED] + counts[Verification.CLIENT]
    total = (
        f"Of {len(PAGES)} services with a page {read} are read: {counts[Verification.RECORDED]} by a reader held"
        f" against recorded bodies, {counts[Verification.CLIENT]} by one written after public clients."
    )
    return "\n".join([*lines, "", total])


def readers_table() -> str:
    lines = ["| `status_format` | platform | held against | what that was |", "| --- " * 4 + "|"]
    lines += [f"| `{r.name}` | {r.platform} | {r.verification} | {r.origin.replace('|', '/')} |" for r in READERS]
    return "\n".join(lines)


def coverage_table() -> str:
    lines = ["| service | status page | DownStatus | subreddits | app charts |", "| --- " * 5 + "|"]
    for s in CATALOGUE.values():
        reader = reader_for(s) if s.status_page else None
        lines.append(
            f"| {s.name} | {reader.platform if reader else ''} | {s.downstatus} | {', '.join(s.communities)} |"
            f" {', '.join(s.app_names)} |"
        )
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("mark", "made"), [("status pages", pages_table), ("readers", readers_table), ("coverage", coverage_table)]
)
def test_the_tables_in_the_docs_are_the_ones_made_here(mark: str, made: Callable[[], str]) -> None:
    begin, end = f"<!-- {mark}: made by tests/test_status_coverage.py -->", f"<!-- end of {mark} -->"
    text = DOCS.read_text(encoding="utf-8")
    first, last = text.index(begin) + len(begin), text.index(end)
    if os.environ.get("WRITE_TABLES"):
        text = f"{text[:first]}\n{made()}\n{text[last:]}"
        DOCS.write_text(text, encoding="utf-8")
        last = text.index(end)
    assert text[first:last].strip() == made()


def test_the_pages_of_most_services_are_read() -> None:
    counts = verified()
    assert len(PAGES) >= 69
    assert counts[Verification.RECORDED] + counts[Verification.CLIENT] >= GOAL


def test_every_form_the_catalogue_names_is_one_that_is_read() -> None:
    assert {s.status_format for s in PAGES} <= {"auto", "none", *BY_NAME}


def test_another_page_than_the_catalogues_is_looked_at_even_where_no_form_is_known(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text(
        '[services.signal]\nstatus_page = "https://status.example.org"\n'
        '[services.gitlab]\nstatus_page = "https://status.example.net"\n[services.okta]\nstatus_format = "none"\n'
    )
    catalogue = load_config(path, {}).catalogue
    assert catalogue["signal"].status_format == "auto"
    assert (catalogue["gitlab"].status_format, catalogue["gitlab"].status_data) == ("status_io", ())
    assert catalogue["okta"].status_format == "none"
