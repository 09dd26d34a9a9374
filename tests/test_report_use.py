"""The report as a person uses it, in a real browser: finding a service, reading a chart, a phone, paper, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Report
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from tests.copies import replace
from tests.sending import send_due
from tests.test_browser import browser
from tests.world import World, at

pytestmark = pytest.mark.slow
__all__ = ["browser"]  # the fixture


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of an outage of GitHub that is over, and of a failure that services share and that lasts."""
    folder = tmp_path_factory.mktemp("use")
    with Store(folder / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("github", "netflix", "heroku", "huggingface", "vercel"))
        store.put_catalogue(world.config.catalogue, world.config.watched)
        world.config = replace(world.config, report=Report(public_url="https://status.example.org"))
        world.news("10:30", "Regulator fines GitHub over data")
        world.read("09:00", "12:00")
        world.bins("github", "11:00", 6, 80, 60)
        world.explain("11:31")
        send_due(world, "11:33")
        world.page("github", "A", "11:40", "investigating", "major")
        world.explain("11:41")
        world.bins("github", "11:30", 18, 4, 0.5)
        world.page("github", "A", "11:55", "resolved", "major")
        for minute, name in enumerate(("huggingface", "vercel", "heroku")):
            world.page(name, name, f"13:0{minute}", "investigating", "major")
        world.explain("13:05")
        send_due(world, "13:05")
        world.explain("14:00")
        run_publish(store, world.config, folder / "report", at("14:00"), simulated=False)
    return folder / "report"


@pytest.fixture(params=[(1200, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    width, scheme = request.param
    opened = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
    problems: list[str] = []
    opened.on("pageerror", lambda e: problems.append(str(e)))
    opened.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    yield opened
    opened.close()
    assert problems == []


def pages(report: Path) -> list[Path]:
    found = sorted(report.glob("*.html"))
    assert len(found) > 8
    return found


def test_axe_finds_nothing_on_any_page_and_none_scrolls_sideways(page: Any, report: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[browser]'").Axe()
    for path in pages(report):
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path.name
        found = axe.run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found] == [], path.name


def test_a_service_is_found_by_its_name_and_by_how_it_stands(page: Any, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    tiles = page.locator("[data-name]")
    everything = tiles.count()
    page.get_by_role("searchbox", name="Search services").fill("git")
    assert [t.inner_text() for t in page.locator("[data-name]:visible h3").all()] == ["GitHub"]
    assert page.get_by_role("status").inner_text() == f"1 of {everything} services"
    page.get_by_role("searchbox").fill("")
    page.get_by_label("trouble now").check()
    failing = page.locator("[data-name]:visible").count()
    assert 0 < failing < everything
    assert page.locator("h1").inner_text().startswith(f"{failing} of {everything} services have trouble now")
    page.get_by_label("all", exact=True).check()
    assert page.locator("[data-name]:visible").count() == everything


def test_values_of_a_chart_are_read_with_keys_and_with_the_pointer(page: Any, report: Path) -> None:
    page.goto(next(report.glob("incident-github-*.html")).as_uri())
    slider, output = page.get_by_role("slider", name="Time in the chart"), page.locator("output")
    slider.focus()
    page.keyboard.press("Home")
    first = output.inner_text()
    assert re.match(r"2 Mar 09:0\d: ", first)
    for _ in range(400):
        page.keyboard.press("ArrowRight")
        if output.inner_text().startswith("2 Mar 11:00"):
            break
    assert output.inner_text() == "2 Mar 11:00: 80 complaints, 5 expected, 15 upper limit"
    assert slider.get_attribute("aria-valuetext") == output.inner_text()
    box = page.locator(".plots").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 60)
    assert output.inner_text() not in (first, "2 Mar 11:00: 80 complaints, 5 expected, 15 upper limit")


def test_the_way_from_the_first_page_to_the_provider_and_back(page: Any, report: Path) -> None:
    page.goto((report / "index.html").as_uri())
    page.get_by_role("link", name="GitHub", exact=True).first.click()
    assert "Availability by month" in page.inner_text("main")
    page.locator("table.cards a").first.click()
    assert page.inner_text(".lead").startswith("GitHub: incident of 55 min on 2 March 2026")
    links = {a.get_attribute("href") for a in page.locator("a").all()}
    assert {"https://www.githubstatus.com", "service-github.xml", "index.html"} <= links
    assert any(link.startswith("https://status.example.org/incident-github-") for link in links), "the permalink"
    page.get_by_role("link", name="All services").click()
    assert Path(page.url).name == "index.html"


def test_a_shared_failure_has_a_page_as_full_as_any(page: Any, report: Path) -> None:
    page.goto(next(report.glob("incident-*-shared.html")).as_uri())
    text = page.inner_text("main")
    assert "services (" in page.inner_text(".lead")
    for name in ("Hugging Face", "Vercel", "Heroku"):
        assert page.get_by_role("link", name=name, exact=True).count() == 1
        assert f"{name} fails, impact" in text
    page.get_by_role("link", name="Vercel", exact=True).click()
    assert "Part of a failure that several services share" in page.inner_text("header")


def test_everything_is_readable_without_the_script_and_on_paper(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / "index.html").as_uri())
    assert not page.locator("#find").is_visible(), "what would do nothing is not shown"
    assert page.locator("[data-name]:visible").count() == len(list(report.glob("service-*.html")))
    page.goto(next(report.glob("incident-github-*.html")).as_uri())
    page.get_by_text("Values as a table").click()
    assert page.locator("tr[data-at]:visible").count() > 20
    page.emulate_media(media="print")
    assert not page.locator("nav").first.is_visible()
    assert page.locator(".lead").is_visible()
    context.close()
