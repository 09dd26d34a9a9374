"""What a source says of itself is all that doctor, service show, check-config and the documentation know of it.

WRITE_TABLES=1 writes the table in docs/sources.md.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.commands.common import Setting
from pipeline.commands.doctor_sources import key_findings, source_findings
from pipeline.config.load import load_config
from pipeline.config.settings import Config, Secrets
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch
from pipeline.http.session import HttpClient
from pipeline.reports.source_coverage import source_coverage, sources_table
from pipeline.sources import _PLACES, SOURCES, build_sources, configured_kinds
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec
from tests.conftest import ROOT
from tests.copies import replace
from tests.upstreams import NOW, config_for

MARK = ("<!-- sources: made from the sources' own SPEC by tests/test_source_specs.py -->", "<!-- end of sources -->")


class CarrierPigeons:
    """A source nobody has."""

    name = "pigeons:loft"

    def fetch(self, since: datetime, now: datetime, state: object) -> Batch:
        raise SourceError("no pigeon came back", source=self.name, reason=Reason.REFUSED)


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[CarrierPigeons]:
    return [CarrierPigeons()]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    return Coverage("pigeons:loft" in plan.built, f"letters about {service.name}")


PIGEONS = SourceSpec(
    kind="pigeons",
    label="carrier pigeons",
    build=_build,
    covers=_covers,
    remedy="feed the pigeons",
    docs=DocsRow("carrier pigeons (`pigeons`)", "letters", "a whistle", "one a day", "at dusk"),
    secrets=("pigeon_whistle", "pigeon_grain"),
    where_to_get_a_key="a pigeon fancier",
)
WITH_PIGEONS = {**SOURCES, PIGEONS.kind: PIGEONS}


@pytest.fixture
def config() -> Config:
    """Return a configuration that reads one other source, which nobody answers."""
    config = config_for("statuspage", "http://127.0.0.1:9")
    off = {"hacker_news": False, "google_news": False, "downstatus": False, "statuspage": False}
    return replace(config, sources=replace(config.sources, **off))


def test_a_source_is_one_record_and_appears_wherever_sources_are_listed(config: Config) -> None:
    assert build_sources(config, HttpClient(), None, ["pigeons"], specs=WITH_PIGEONS)[0].name == "pigeons:loft"
    (key,) = [f for f in key_findings(config, WITH_PIGEONS) if f.what == "pigeons"]
    assert key.words == (
        "no key, not read (optional): "
        "set GROUNDSWELL_PIGEON_WHISTLE and GROUNDSWELL_PIGEON_GRAIN, from a pigeon fancier"
    )
    setting = Setting(config=config, config_path=None, db=Path("none.db"), now=NOW)
    (clock, asked) = source_findings(setting, ("pigeons",), WITH_PIGEONS)
    assert clock.words == "not compared with that of any server"
    assert (asked.what, asked.words, asked.remedy) == (
        "pigeons:loft",
        "blocked: no pigeon came back",
        "feed the pigeons",
    )
    (covered,) = [
        row
        for row in source_coverage(config, None, config.catalogue["claude"], WITH_PIGEONS)
        if row.source == "carrier pigeons"
    ]
    assert (covered.covered, covered.how) == (True, "letters about Claude")
    assert sources_table(WITH_PIGEONS.values())[-1] == (
        "| carrier pigeons (`pigeons`) | letters | a whistle | one a day | at dusk |"
    )


def test_a_kind_is_found_under_its_name_and_builds_nothing_without_what_switches_it_on() -> None:
    off = {"counts": (), "charts": (), "mastodon": (), "feeds": (), "news_desks": False, "statuspage": False}
    off |= {"hacker_news": False, "google_news": False, "downstatus": False}
    plain = config_for("statuspage", "http://127.0.0.1:9")
    config = replace(plain, sources=replace(plain.sources, **off), secrets=Secrets(), watch=("claude",))
    assert configured_kinds(config) == []
    for kind, spec in SOURCES.items():
        assert spec.kind == kind
        assert spec.build(config, HttpClient(allow=(), deadline=1.0), None) == []
        assert set(_PLACES[kind].secrets) <= set(spec.secrets)
    assert configured_kinds(load_config(None, {})) == ["statuspage", "feed", "google_news", "downstatus", "hacker_news"]


def test_half_a_key_is_worth_a_warning_and_none_is_not(config: Config) -> None:
    half = replace(PIGEONS, secrets=("smtp_password", "pigeon_grain"))
    secrets = replace(config.secrets, smtp_password="x")
    (finding,) = key_findings(replace(config, secrets=secrets), {"pigeons": half})
    assert (finding.level, finding.words) == ("warn", "half a key: GROUNDSWELL_PIGEON_GRAIN is not set")
    off = replace(config, sources=replace(config.sources, reddit=False))
    assert [f.words for f in key_findings(off, {"reddit": SOURCES["reddit"]})] == ["switched off"]


def test_no_reader_of_the_sources_names_one() -> None:
    for place in (
        "commands/doctor.py",
        "commands/doctor_sources.py",
        "commands/service.py",
        "commands/check_config.py",
        "reports/source_coverage.py",
    ):
        text = (ROOT / "pipeline" / place).read_text(encoding="utf-8").lower()
        # "feed" and "counts" are words of the language, too
        named = [kind for kind in SOURCES if kind not in ("feed", "counts") and kind in text]
        assert not named, f"{place} names {', '.join(named)}"


def test_the_table_of_sources_in_the_docs_is_the_one_made_here() -> None:
    path = ROOT / "docs" / "sources.md"
    text = path.read_text(encoding="utf-8")
    made = "\n".join(sources_table(SOURCES.values()))
    begin, end = text.index(MARK[0]) + len(MARK[0]), text.index(MARK[1])
    if os.environ.get("WRITE_TABLES"):
        text = f"{text[:begin]}\n{made}\n{text[end:]}"
        path.write_text(text, encoding="utf-8")
        begin, end = text.index(MARK[0]) + len(MARK[0]), text.index(MARK[1])
    assert text[begin:end].strip() == made
