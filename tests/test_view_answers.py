"""Every analysts' view against an independent recomputation in pandas, on a small database and on the recorded day."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import DASHBOARDS
from pipeline.core.times import utc
from pipeline.reports.reliability import put_availability
from pipeline.store import Store
from pipeline.store.local_time import put_local_time
from tests.conftest import Day
from tests.recomputed_views import RECOMPUTED, Tables, difference
from tests.recomputed_views.world import PUBLISHED, WATCHED, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """Groups, provinces, kinds, gaps, a notice that nobody was told of, a service that is no longer watched."""
    folder = tmp_path_factory.mktemp("views")
    write_world(folder / "groundswell.db", folder / "report")
    tables = Tables(folder / "groundswell.db", PUBLISHED)
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def recorded(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The recorded day as a run stores it."""
    folder, _ = day
    path = tmp_path_factory.mktemp("recorded") / "groundswell.db"
    shutil.copy(folder / "a.db", path)
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        put_local_time(store, "America/New_York")
        put_availability(store, load_catalogue(), utc("2026-03-02T13:45:00Z"))
    tables = Tables(path, "2026-03-02T13:45:00Z")
    yield tables
    tables.close()


def test_every_view_has_a_recomputation() -> None:
    with Store(Path(":memory:"), views=DASHBOARDS / "views.sql") as store:
        views = {row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert set(RECOMPUTED) == views


@pytest.mark.parametrize("view", sorted(RECOMPUTED))
def test_a_view_is_what_pandas_makes_of_the_tables(world: Tables, view: str) -> None:
    found = world(view)
    assert len(found) > 0
    assert not difference(found, RECOMPUTED[view](world))


@pytest.mark.slow
@pytest.mark.parametrize("view", sorted(RECOMPUTED))
def test_a_view_of_the_recorded_day_is_what_pandas_makes_of_the_tables(recorded: Tables, view: str) -> None:
    assert not difference(recorded(view), RECOMPUTED[view](recorded))


def test_provinces_and_kinds_are_added_up_where_nobody_counted_the_whole(world: Tables) -> None:
    hours = world("complaints_by_hour").set_index(["service", "hour"])["complaints"].to_dict()
    six = world("complaints_by_hour")["hour"].min()
    assert hours["github", six] == 10, "what was counted as a whole is not added to"
    assert hours["netflix", six] == 5 + 6, "two provinces; a kind of complaint is a part of one of them"
    assert hours["heroku", six] == 7 + 1, "two kinds; a region is a part of one of them"
    gaps = world("gaps")
    missing = gaps[gaps["kind"] == "no counts"].groupby("service")["minutes"].sum().to_dict()
    assert missing == {"github": 120.0, "netflix": 120.0, "heroku": 120.0}, "half of two hours, and the third hour"


def test_a_shared_failure_is_graded_once_and_a_service_once_watched_keeps_what_it_missed(world: Tables) -> None:
    graded = world("how_good_are_we").groupby("service")["verdict"].agg(list).to_dict()
    assert graded == {
        "github": ["wrong", "missed"],  # no longer watched
        "netflix": ["missed"],
        **{name: ["right"] for name in ("aws", "heroku", "huggingface", "vercel")},
    }


def test_a_notice_bears_its_worst_impact(world: Tables) -> None:
    impacts = world("lead_by_notice").set_index("incident_id")["impact"].to_dict()
    assert (impacts["A"], impacts["N"]) == ("major", "critical"), "minor and major come later in the alphabet"


def test_a_service_that_left_the_catalogue_is_no_longer_watched(store: Store) -> None:
    catalogue = load_catalogue()
    store.put_catalogue(catalogue, WATCHED)
    store.put_catalogue({name: one for name, one in catalogue.items() if name != "github"}, WATCHED)
    watched = {row[0] for row in store.rows("SELECT id FROM services WHERE watched = 1")}
    assert watched == set(WATCHED) - {"github"}


@pytest.mark.slow
def test_what_was_searched_is_found_by_its_parts(day: Day) -> None:
    folder, _ = day
    with Store(folder / "a.db") as store:
        for words, part in (("ログイン", "ログイン"), ("loadi*", "loadi")):
            found = store.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH ?", (words,))[0][0]
            held = store.rows(
                "SELECT count(*) FROM posts WHERE instr(lower(text), ?) OR instr(lower(title), ?)", (part, part)
            )[0][0]
            assert found == held > 0, words
