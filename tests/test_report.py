"""The report's pages over real rows: charts, services that still learn, and times without observation."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ComplaintCount, Span
from pipeline.core.series import SeriesKey, VerdictRow
from pipeline.core.times import iso
from pipeline.render.svg import LEFT, RIGHT, WIDTH
from pipeline.stages.publish import run_publish
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.verdicts import Judgement, save_judgement
from tests.world import World, at


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Write the report of an outage seen 11:00-11:30, with a hole from 11:30 to 11:40, and a notice at 11:20."""
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        store.put_catalogue(world.config.catalogue, world.config.watched)
        world.news("10:30", "Regulator fines GitHub over data")
        count = ComplaintCount(
            service="github",
            source="x",
            region="",
            indicator="",
            start=at("10:00"),
            interval_s=300,
            total=4,
            collected=at("10:05"),
        )
        save_batch(store, Batch(source="x", rows=(count,), coverage=(Span(at("10:00"), at("12:00")),)), at("12:00"))
        world.bins("github", "10:00", 12, 4, 0.5)
        world.bins("github", "11:00", 6, 80, 60)
        world.explain("11:31")
        world.page("github", "A", "11:20", "investigating", "major")
        world.bins("github", "11:40", 4, 5, 0.5)
        world.explain("12:01")
        run_publish(store, world.config, tmp_path / "report", at("12:05"), simulated=False)
    return tmp_path / "report"


def drawing(page: Path, label: str) -> ET.Element:
    found = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page.read_text(), re.DOTALL)]
    return next(svg for svg in found if label in svg.attrib["aria-label"])


def marked(svg: ET.Element, css: str) -> list[ET.Element]:
    return [e for e in svg.iter() if e.attrib.get("class") == css]


def test_a_chart_shows_the_counts_beside_what_is_usual_with_its_holes(pages: Path) -> None:
    svg = drawing(pages / "incident-github-20260302T1100Z.html", "complaints")
    assert len(marked(svg, "observed")) == len(marked(svg, "band")) == 2, (
        "nobody counted for ten minutes: a gap, not a zero"
    )
    heights = {float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", marked(svg, "band")[0].attrib["d"])}
    assert len(heights) == 2, "from 0 to 15, the most that is usual, all the while"
    expected = float(re.findall(r"([\d.]+) ([\d.]+)", marked(svg, "expected")[0].attrib["d"])[0][1])
    floor, top = max(heights), min(heights)
    assert (floor - expected) / (floor - top) == pytest.approx(5 / 15, abs=0.02)


def test_a_chart_marks_phases_notices_and_news_at_their_times(pages: Path) -> None:
    svg = drawing(pages / "incident-github-20260302T1100Z.html", "complaints")
    span = (at("12:00") - at("08:00")).total_seconds()

    def x(clock: str) -> float:
        return LEFT + (at(clock) - at("08:00")).total_seconds() / span * (WIDTH - LEFT - RIGHT)

    (official,) = marked(svg, "mark official")
    assert float(official.attrib["x1"]) == pytest.approx(x("11:20"), abs=0.2)
    strips = [e for e in svg.iter() if e.attrib.get("class", "").startswith("phase ")]
    assert min(float(e.attrib["x"]) for e in strips) == pytest.approx(x("11:00"), abs=0.2)
    assert all(e.findtext("title", "").split(",")[0] in ("onset", "worsening", "peak", "easing") for e in strips)
    assert len(marked(svg, "mark update")) == 1


def test_a_learning_service_says_what_it_can_see(pages: Path) -> None:
    text = (pages / "index.html").read_text()
    assert "learning: 0 of 14 days; can see only outages above 15 complaints in 5 min" in text


def test_parts_are_drawn_by_who_said_it(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        world.bins("github", "11:00", 6, 80, 60)
        world.explain("11:31")
        with store.transaction() as conn:
            rows = [("api", "votes", "works", "11:05", None), ("api", "official", "affected", "11:10", "11:20")]
            conn.executemany(
                "INSERT INTO incident_components VALUES ('github-20260302T1100Z',?,?,?,?,?,'')",
                [(c, by, s, iso(at(a)), iso(at(b)) if b else None) for c, by, s, a, b in rows],
            )
        run_publish(store, world.config, tmp_path / "report", at("11:35"), simulated=False)
    svg = drawing(tmp_path / "report" / "incident-github-20260302T1100Z.html", "parts over time")
    (works,), (failed,) = marked(svg, "votes works"), marked(svg, "official affected")
    assert float(failed.attrib["width"]) / float(works.attrib["width"]) == pytest.approx(10 / 30, abs=0.01), (
        "to 11:20, and still"
    )
    assert float(works.attrib["y"]) < float(failed.attrib["y"])
    assert "people say it works from 11:05" in works.findtext("title", "")


def test_a_service_of_which_no_bin_is_known_claims_no_limit(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        key = SeriesKey(service="github", channel="complaints", source="x", bin_s=300)
        row = VerdictRow(str(key), iso(at("11:00")), 4.0, None, None, None, None, 0, 0, "d")
        judgement = Judgement(
            subject="q", keys=[key], verdicts=[row], states={}, redo_from=None, now=at("11:05"), collected=None
        )
        save_judgement(store, judgement)
        world.read("10:00", "11:05")
        run_publish(store, world.config, tmp_path / "report", at("11:10"), simulated=False)
    assert "can see only" not in (tmp_path / "report" / "index.html").read_text()
