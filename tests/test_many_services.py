"""Thousands of services in one configuration: what is read once stays so, and no source asks thousands of questions."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config.load import load_config
from pipeline.config.settings import Config
from pipeline.http.session import HttpClient
from pipeline.sources import SOURCES, build_sources
from pipeline.sources.hacker_news import SLICES_OF_EVERYTHING, HackerNewsSource
from pipeline.sources.mastodon import hashtags
from pipeline.sources.spec import MOST_SEARCHES, read_plan
from pipeline.store import Store
from pipeline.store.runs import cover, heard
from tests.fakes.recording import Recording
from tests.fakes.social import HackerNews

MANY = 2_000


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a configuration with MANY services of its own, each watched, and as many routes as a large company has."""
    path = tmp_path_factory.mktemp("many") / "groundswell.toml"
    watch = ", ".join(f'"Own {number}"' for number in range(MANY))
    services = "".join(f'[services.own_{number}]\nname = "Own {number}"\n' for number in range(MANY))
    routes = "".join(
        f'[[alerts.routes]]\nname = "r{number}"\nto = ["r{number}@example.org"]\nservices = ["Own {number}"]\n'
        for number in range(200)
    )
    mail = '[mail]\nto = ["me@example.org"]\n[sources]\nmastodon = ["https://m.example"]\n'
    path.write_text(f"watch = [{watch}]\n{mail}{routes}{services}")
    return path


@pytest.fixture(scope="module")
def config(settings: Path) -> Config:
    env = {"GROUNDSWELL_BLUESKY_IDENTIFIER": "me.example", "GROUNDSWELL_BLUESKY_PASSWORD": "x"}
    return load_config(settings, env)


def test_a_configuration_of_thousands_of_services_is_read_in_a_moment(settings: Path) -> None:
    begin = time.process_time()
    config = load_config(settings, {})
    assert time.process_time() - begin < 2, "names are compared with names, each with each"
    assert config.watch[-1] == f"own_{MANY - 1}"
    assert config.alerts.routes[-1].services == ("own_199",)


def test_of_thousands_of_services_the_first_are_searched_for_and_the_others_are_said_not_to_be(config: Config) -> None:
    built = build_sources(config, HttpClient(), None)
    names = frozenset(source.name for source in built)
    assert sum(name.startswith("google_news:") for name in names) == MOST_SEARCHES
    plan = read_plan(config, names)
    assert len(hashtags(config)) == MOST_SEARCHES + 1
    for kind in ("google_news", "bluesky"):
        first, last = (SOURCES[kind].covers(plan, config.catalogue[f"own_{n}"]) for n in (0, MANY - 1))
        assert first.covered
        assert (last.covered, last.how) == (False, f"only the first {MOST_SEARCHES} in watch are searched for")
    assert SOURCES["hacker_news"].covers(plan, config.catalogue[f"own_{MANY - 1}"]).how == "all that is posted"


def test_one_search_of_all_that_is_posted_stands_for_thousands() -> None:
    recording = Recording()
    recording.posts_made = [
        {
            "id": f"a{n}",
            "author": "me",
            "title": f"Own {n} is down",
            "created_utc": recording.start.timestamp() - 60 - n,
        }
        for n in range(2_500)
    ]
    fake = HackerNews(recording)
    fake.start()
    try:
        names = [f"Own {number}" for number in range(MANY)]
        client = HttpClient(allow=["127.0.0.1"], deadline=20)
        source = HackerNewsSource(names, client, salt=b"x", base=fake.url)
        batch = source.fetch(recording.start - timedelta(hours=1), recording.start, {})
        assert len(batch.rows) == 2_500
        assert [request.one("query") for request in fake.requests] == ["", "", ""]
        assert len(fake.requests) <= SLICES_OF_EVERYTHING
        assert batch.coverage[0][0] == recording.start - timedelta(hours=1)
        fake.requests.clear()
        few = HackerNewsSource(names[:2], client, salt=b"x", base=fake.url)
        few.fetch(recording.start - timedelta(hours=1), recording.start, {})
        assert {request.one("query") for request in fake.requests} == {'"Own 0"', '"Own 1"'}
    finally:
        fake.close()


def test_when_a_stream_was_read_is_found_by_its_key_among_thousands_of_sources(tmp_path: Path) -> None:
    since = Recording().start
    with Store(tmp_path / "x.db") as store:
        with store.transaction() as conn:
            for number, name in enumerate(("mastodon", "mastodon:one", "mastodon:two", "mastodon;x", "mastodonx", "m")):
                cover(conn, name, (since + timedelta(hours=2 * number), since + timedelta(hours=2 * number + 1)))
        statements: list[str] = []
        store.conn.set_trace_callback(statements.append)
        spans = heard(store, "mastodon")
        store.conn.set_trace_callback(None)
        plan = " ".join(row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert [span[0] for span in spans] == [since + timedelta(hours=2 * number) for number in range(3)]
    assert "SCAN" not in plan, plan
