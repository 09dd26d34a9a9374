"""A bug about one service, one source or one post stops nothing else, and is reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from detectors.contract import SeriesName
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.state import SeasonalState
from pipeline.config.paths import DASHBOARDS, MODELS
from pipeline.core.catalogue import Component, Service
from pipeline.core.errors import StoreError
from pipeline.core.records import Batch, ComplaintCount, Run
from pipeline.core.vocabulary import RunOutcome
from pipeline.notify.channels.file import FileChannel
from pipeline.stages.detect.stage import run_detect
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.explain.stage import run_explain
from pipeline.stages.publish.stage import run_publish
from pipeline.stages.tag import run_tag
from pipeline.store import Store
from pipeline.store.isolation import Isolation
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from pipeline.text.models.kinds import RULES, NewsModel
from pipeline.text.models.outage import OutageModel, load
from pipeline.text.names import NameMatch
from pipeline.text.services import ServiceMatcher
from tests.copies import replace
from tests.stored_rows import NOW, a_post
from tests.test_damage import damage
from tests.world import ALARM, CATALOGUE, MATCHER, World, at


class Faulty(Service):
    """A service that the code has a bug about."""

    @property
    def page(self) -> str:
        raise IndexError("a bug")


class Unreadable(tuple[Component, ...]):
    """Parts of a service that the code has a bug about."""

    def __iter__(self) -> Iterator[Component]:
        raise IndexError("a bug")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Netflix and GitHub fail at 11:00; of Netflix, which comes last, the code has a bug."""
    store = Store(tmp_path / "groundswell.db", views=DASHBOARDS / "views.sql")
    world = World(store, ("github", "netflix"))
    store.put_catalogue(world.config.catalogue, world.config.watched)
    for name in ("netflix", "github"):
        world.bins(name, "11:00", 6, 80, 60)
    return world


def make_faulty(world: World, *names: str) -> None:
    made = {name: Faulty(**{**asdict(CATALOGUE[name]), "status_page": "", "components": ()}) for name in names}
    world.config = replace(world.config, catalogue=CATALOGUE | made)


def explain(world: World, clock: str) -> Run:
    alerting = AlertingContext(since=at("08:00"), channels=("file",))
    return run_explain(
        world.store, world.config, MATCHER, lambda: NewsModel(RULES, ""), alerting, at(clock), alarm=ALARM
    )


@pytest.mark.parametrize("faulty", ["github", "netflix"])
def test_a_bug_about_one_service_leaves_the_incidents_of_others(world: World, faulty: str) -> None:
    make_faulty(world, faulty)
    run = explain(world, "11:31")
    (other,) = {"github", "netflix"} - {faulty}
    assert [incident.service for incident in world.all().values()] == [other]
    assert (run.outcome, f"{faulty} (IndexError)" in run.error) == (RunOutcome.ERROR, True)
    assert "a bug" in run.error
    make_faulty(world)
    world.bins(other, "11:30", 1, 80, 60)
    assert explain(world, "11:40").outcome == RunOutcome.OK
    assert sorted(incident.service for incident in world.all().values()) == ["github", "netflix"], "it is made up for"


def test_a_bug_about_one_service_leaves_the_pages_of_others(world: World, tmp_path: Path) -> None:
    explain(world, "11:31")
    faulty = replace(CATALOGUE["github"], components=Unreadable(CATALOGUE["github"].components))
    config = replace(world.config, catalogue=CATALOGUE | {"github": faulty})
    run = run_publish(world.store, config, tmp_path / "report", at("11:35"), simulated=False)
    assert (run.outcome, "github (IndexError)" in run.error) == (RunOutcome.ERROR, True)
    pages = {path.name for path in (tmp_path / "report").glob("*.html")}
    assert {"index.html", "service-netflix.html"} <= pages
    assert [name for name in pages if name.startswith("incident-netflix")]


@pytest.mark.parametrize("name", ["../../up", "a/b", "con", "..", "x" * 400])
def test_a_service_of_any_name_has_pages_in_the_folder_and_stops_no_other(
    world: World, tmp_path: Path, name: str
) -> None:
    part = Component(id="../part", name="part")
    odd = Service(id=name, name=name, kind="other", components=(part,))
    config = replace(world.config, catalogue=CATALOGUE | {name: odd}, watch=("github", name))
    world.config = config
    world.store.put_catalogue(config.catalogue, config.watched)
    explain(world, "11:31")
    before = {path for path in tmp_path.parent.rglob("*") if path.is_file()}
    folder = tmp_path / "deep" / "er" / "report"
    run = run_publish(world.store, config, folder, at("11:35"), simulated=False)
    assert (run.outcome, run.error) == (RunOutcome.OK, "")
    written = {path for path in tmp_path.parent.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(folder) for path in written if "groundswell.db" not in path.name)
    services = [path.name for path in folder.glob("service-*.html")]
    assert (len(services), "service-github.html" in services) == (3, True)


def test_names_that_differ_in_a_character_that_no_file_has_are_two_files(world: World, tmp_path: Path) -> None:
    names = ("a/b", "a_b", "a|b")
    extra = {name: Service(id=name, name=name) for name in names}
    config = replace(world.config, catalogue=CATALOGUE | extra, watch=names)
    world.store.put_catalogue(config.catalogue, config.watched)
    run_publish(world.store, config, tmp_path / "report", at("11:35"), simulated=False)
    assert len(list((tmp_path / "report").glob("service-a*.html"))) == 3


@pytest.mark.parametrize("name", ["../../up", "a/b", "con", "..", "x" * 400, "é\n"])
def test_a_mail_about_a_service_of_any_name_is_a_file_in_the_folder(world: World, tmp_path: Path, name: str) -> None:
    explain(world, "11:31")
    alert = replace(alerts_of(world.store)[0], service=name)
    folder = tmp_path / "deep" / "er" / "mail"
    FileChannel(folder, sender="a@example.org", to=("b@example.org",), zone="UTC").send(alert)
    (mail,) = folder.iterdir()
    assert mail.suffix == ".eml"
    assert sorted(path.name for path in (tmp_path / "deep" / "er").iterdir()) == ["mail"]


class FaultyMatcher(ServiceMatcher):
    """A matcher with a bug about one word."""

    def about(self, text: str, community: str = "") -> Mapping[str, list[NameMatch]]:
        if "poison" in text:
            raise RecursionError(text)
        return super().about(text, community)


def test_a_post_that_cannot_be_read_is_left_out_and_offered_once(store: Store) -> None:
    texts = ["github is down for me", "github is down, poison", "github is down, push fails"]
    save_batch(store, Batch(source="reddit", rows=tuple(a_post(n, text) for n, text in enumerate(texts))), NOW)
    model: OutageModel = load(MODELS)
    run = run_tag(store, FaultyMatcher(CATALOGUE), model, NOW, since=NOW - timedelta(hours=1))
    assert (run.outcome, run.new) == (RunOutcome.ERROR, 3)
    assert "the post t3_1 of reddit (RecursionError)" in run.error
    assert "poison" not in run.error, "what a post says is in no message of ours"
    assert {row[0] for row in store.rows("SELECT native_id FROM post_tags")} == {"t3_0", "t3_2"}
    assert run_tag(store, FaultyMatcher(CATALOGUE), model, NOW, since=NOW).outcome == RunOutcome.OK


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FaultyDetector(SeasonalNB):
    """A detector with a bug about hours."""

    def begin(self, bin_s: int, series: Sequence[SeriesName], *, talk: bool) -> SeasonalState:
        if bin_s == 3600:
            raise ZeroDivisionError
        return SeasonalNB.begin(self, bin_s, series, talk=talk)


def test_a_bug_about_the_counts_of_one_source_leaves_those_of_others(store: Store) -> None:
    for source, width in (("a", 3600), ("b", 900)):
        rows = tuple(
            ComplaintCount(
                service="github",
                source=source,
                region="",
                indicator="",
                start=NOW - timedelta(seconds=width * (n + 1)),
                interval_s=width,
                total=4,
                collected=NOW,
            )
            for n in range(48)
        )
        save_batch(store, Batch(source=source, rows=rows), NOW)
    run = run_detect(store, FaultyDetector(), (), NOW)
    assert (run.outcome, "(ZeroDivisionError)" in run.error) == (RunOutcome.ERROR, True)
    judged = {row[0] for row in store.rows("SELECT DISTINCT s.source FROM verdicts v JOIN series s USING (series)")}
    assert judged == {"b"}


def test_a_damaged_database_is_no_bug_about_one_service(world: World) -> None:
    world.store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    isolation = Isolation(world.store)
    with isolation.of("github"):
        raise KeyError("x")
    assert isolation.outcome == RunOutcome.ERROR
    damage(Path(world.store.path), 3)
    with pytest.raises(StoreError, match="groundswell repair"), Isolation(world.store).of("github"):
        raise KeyError("x")
