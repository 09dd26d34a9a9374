"""The report's pages over real rows: charts, services that still learn, and times without observation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.series import SeriesKey
from pipeline.core.times import Span, iso
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.verdicts import Judgement, save_judgement
from tests.stored_rows import VerdictRow, as_columns
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


def page_of(pages: Path) -> str:
    return next(pages.glob("incident-*.html")).read_text(encoding="utf-8")


def panel(page: str, title: str) -> str:
    """Return the drawing of the panel whose description begins with a title."""
    return re.search(rf'aria-label="{title}[^"]*">(.*?)</svg>', page, re.DOTALL)[1]  # type: ignore[index]


def test_a_chart_shows_the_counts_beside_what_is_usual_with_its_holes(pages: Path) -> None:
    drawn = panel(page_of(pages), "complaints")
    paths = dict(re.findall(r'<path class="(\w+)" d="([^"]*)"', drawn))
    assert paths["observed"].count("M") == paths["band"].count("M") == 2, (
        "nobody counted for ten minutes: a gap, not a zero"
    )
    heights = {float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", paths["band"])}
    expected = {float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", paths["expected"])}
    floor, top = max(heights), min(heights)
    assert len(heights) == 2, "from 0 to 15, the upper limit, all the while"
    (line,) = expected
    assert (floor - line) / (floor - top) == pytest.approx(5 / 15, abs=0.02)


def test_counts_impact_notices_and_the_table_share_one_time_axis(pages: Path) -> None:
    page = page_of(pages)
    first, span = at("09:00"), (at("12:05") - at("09:00")).total_seconds()

    def place(clock: str) -> float:
        return 100 * (at(clock) - first).total_seconds() / span

    (notice,) = re.findall(r'class="mark notice" style="left:([\d.]+)%"', page)
    assert float(notice) == pytest.approx(place("11:20"), abs=0.1)
    strips = re.findall(r'<b class="i-(\w+)" style="left:([\d.]+)%', page)
    assert min(float(left) for _, left in strips) == pytest.approx(place("11:00"), abs=0.1)
    xs = [float(x) / 10 for x, _ in re.findall(r"([\d.]+) ([\d.]+)", panel(page, "complaints")) if float(x) > 0]
    assert min(xs) == pytest.approx(place("10:00") + 100 * 150 / span, abs=0.1), "the middle of the first bin"
    rows = re.findall(r'<tr data-at="([\d.]+)"><td>([^<]*)</td><td>([^<]*)</td>', page)
    assert [cells for _, *cells in rows if cells[0] == "2 Mar 11:00"] == [["2 Mar 11:00", "80"]]
    assert [cells[1] for _, *cells in rows if cells[0] == "2 Mar 11:35"] == ["gap"]


def test_an_incident_page_begins_with_one_sentence_and_lists_who_said_what_when(pages: Path) -> None:
    page = page_of(pages)
    (sentence,) = re.findall(r'<p class="lead">(.*?)</p>', page)
    assert sentence.startswith("GitHub: it has been failing since 11:00 UTC on 2 March (1 h 5 min so far)")
    assert "at the peak 80 complaints in 5 min against 5 normally" in sentence
    sides = re.findall(r'<div class="(reports|provider|news|alert)"><span class="when">([\d:]+)</span>', page)
    assert ("reports", "11:00") in sides
    assert ("provider", "11:20") in sides
    assert [at for _, at in sides] == sorted(at for _, at in sides)
    assert 'href="https://www.githubstatus.com"' in page


def test_a_learning_service_says_what_it_can_see(pages: Path) -> None:
    text = (pages / "index.html").read_text()
    assert "learning: 0 of 14 days; can see only outages above 15 complaints in 5 min" in text


def test_parts_are_drawn_and_listed_by_who_said_it(tmp_path: Path) -> None:
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
    page = page_of(tmp_path / "report")
    ((works,), (failed,)) = (
        re.findall(rf'<b class="{css}" style="left:[\d.]+%;width:([\d.]+)%', page)
        for css in ("people works", "official affected")
    )
    assert float(failed) / float(works) == pytest.approx(10 / 30, abs=0.01), "to 11:20, and still"
    assert "users say it works from 2026-03-02 11:05 UTC" in page
    assert "fails 11:10 – 11:20" in page
    assert "works 11:05 – still" in page


def test_a_service_of_which_no_bin_is_known_claims_no_limit(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        key = SeriesKey(service="github", channel="complaints", source="x", bin_s=300)
        row = VerdictRow(str(key), iso(at("11:00")), 4.0, None, None, None, None, 0, 0, "d")
        judgement = Judgement(
            subject="q",
            keys=[key],
            verdicts=[as_columns([row])],
            states={},
            redo_from=None,
            now=at("11:05"),
            collected=None,
        )
        save_judgement(store, judgement)
        world.read("10:00", "11:05")
        run_publish(store, world.config, tmp_path / "report", at("11:10"), simulated=False)
    assert "can see only" not in (tmp_path / "report" / "index.html").read_text()


def test_the_first_page_says_how_fresh_each_source_is(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        read_at = (("10:00", "10:06"), ("10:05", "10:12"), ("10:10", "10:25"))
        for start, read in read_at:
            row = ComplaintCount(
                service="github",
                source="mine",
                region="",
                indicator="",
                start=at(start),
                interval_s=300,
                total=4,
                baseline=None,
                window="interval",
                collected=at(read),
            )
            save_batch(store, Batch(source="mine", rows=(row,), coverage=(Span(at(start), at(read)),)), at(read))
        run_publish(store, world.config, tmp_path / "report", at("12:05"), simulated=False)
    text = (tmp_path / "report" / "index.html").read_text()
    (row,) = re.findall(r"<tr><td class=.wide. data-l=.source.>mine</td>.*?</tr>", text)
    # the first is what began the source; 2 and 10 minutes after their intervals' ends
    assert re.findall(r">([^<]*)</td>", row)[1:] == ["2.0 / 10.0 / 10.0", "2", "", ""]


def test_of_very_many_parts_some_are_drawn_and_the_chart_says_how_many_are_not(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github",))
        world.bins("github", "11:00", 6, 80, 60)
        world.explain("11:31")
        with store.transaction() as conn:
            conn.executemany(
                "INSERT INTO incident_components VALUES ('github-20260302T1100Z',?,'votes','affected',?,NULL,'')",
                [(f"part-{n:02}", iso(at("11:05"))) for n in range(40)],
            )
        run_publish(store, world.config, tmp_path / "report", at("11:35"), simulated=False)
    page = page_of(tmp_path / "report")
    assert len(re.findall('<b class="people affected"', page)) == 16
    assert "24 more are in the table below" in page
    assert len(re.findall(r'<td class="wide" data-l="part">', page)) == 40
    (listed,) = re.findall(r'data-l="parts">([^<]*)<', (tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert listed == "part-00, part-01, part-02 and 37 more"
