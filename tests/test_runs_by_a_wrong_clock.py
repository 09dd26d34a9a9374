"""Runs by a clock that servers prove wrong, one after the other: nothing is stored or sent, and nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.commands.common import Setting, open_store
from pipeline.commands.run import run_command
from pipeline.commands.stage import run_in, run_stages
from pipeline.config.load import load_config
from pipeline.core.errors import ClockError
from pipeline.core.records import Run
from pipeline.core.times import iso
from pipeline.stages.failure_log import report_failures
from pipeline.store import Store
from tests.conftest import Groundswell
from tests.fakes.base import Fake
from tests.fakes.recording import Recording
from tests.test_chaos_outside import BEGIN, SETTINGS, Place
from tests.test_clock import STEPS, in_the_future
from tests.upstreams import serving

STEP = timedelta(minutes=15)
HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


class Installation(Place):
    """A file of counts with an outage that began at 11:00, and servers that all know the time."""

    def __init__(self, folder: Path, servers: list[Fake]) -> None:
        super().__init__(folder)
        self.servers, self.now = servers, BEGIN - timedelta(hours=3)
        self.database = folder / "groundswell.db"
        allowed = [str(server.server_address[0]) for server in servers]
        addresses = [server.url for server in servers]
        (folder / "groundswell.toml").write_text(f"{SETTINGS}mastodon = {addresses}\nallow_hosts = {allowed}\n")

    def setting(self, ahead: timedelta = timedelta(0)) -> Setting:
        """Return the setting of a run by a clock that is so far ahead."""
        path, clock = self.folder / "groundswell.toml", self.now + ahead
        return Setting(load_config(path), path, self.database, clock, lambda: clock)

    def run(self, *, ahead: timedelta = timedelta(0), outage_until: datetime | None = None) -> list[Run]:
        """Let a quarter of an hour pass, and run."""
        self.now += STEP
        self.count(self.now, outage_until)
        for server in self.servers:
            server.now, server.date = self.now, format_datetime(self.now, usegmt=True)
        setting = self.setting(ahead)
        with open_store(setting) as store:
            return run_in(setting, store)

    def rows(self) -> list[str]:
        """Return all that is stored, but for the note of the clock."""
        with closing(sqlite3.connect(self.database)) as conn:
            return [line for line in conn.iterdump() if """"stage_memory" VALUES('clock','wrong',""" not in line]

    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.mails()]


@contextmanager
def serving_at(hosts: Sequence[str]) -> Iterator[list[Fake]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serving("mastodon", recording=Recording(), host=host)) for host in hosts]


@pytest.fixture(scope="module")
def alerted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """An installation that has sent the message of the outage, and the time of its last run."""
    folder = tmp_path_factory.mktemp("alerted")
    with serving_at(HOSTS) as servers:
        place = Installation(folder, servers)
        while not place.mails():
            assert place.now < BEGIN + timedelta(hours=1)
            place.run()
    return folder, place.now


@pytest.fixture
def place(tmp_path: Path, alerted: tuple[Path, datetime]) -> Iterator[Installation]:
    folder, now = alerted
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with serving_at(HOSTS) as servers:
        place = Installation(tmp_path, servers)
        place.now = now
        yield place


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_three_runs_by_a_clock_that_servers_prove_wrong_store_and_send_nothing(
    place: Installation, step: timedelta
) -> None:
    mails, rows = place.mails(), place.rows()
    for _ in range(3):
        with pytest.raises(ClockError, match=r"that of 3 servers \(.*\); set it; nothing was stored or sent"):
            place.run(ahead=step)
    assert (place.mails(), place.rows()) == (mails, rows)
    assert all(run.outcome != "error" for run in place.run())
    with Store(place.database) as store:
        assert in_the_future(store, place.now) == []
        (incident,) = store.rows("SELECT onset, active FROM incidents")
        ((newest,),) = store.rows("SELECT max(start) FROM complaint_counts")
    assert (incident["active"], incident["onset"][:13], newest) == (1, iso(BEGIN)[:13], iso(place.now - STEP))


def test_a_clock_that_was_proven_wrong_stays_so_when_only_one_of_the_servers_answers(place: Installation) -> None:
    with pytest.raises(ClockError):
        place.run(ahead=timedelta(days=1))
    rows = place.rows()
    for server in place.servers[1:]:
        server.date = "now"  # says nothing
    place.servers = place.servers[:1]
    with pytest.raises(ClockError, match=r"1 day ahead of that of 1 server \(127\.0\.0\.1\); set it"):
        place.run(ahead=timedelta(days=1))
    assert place.rows() == rows
    assert all(run.outcome != "error" for run in place.run())


def test_after_three_runs_by_a_clock_ahead_the_outage_is_over_once_and_the_hour_without_runs_is_reported(
    place: Installation,
) -> None:
    for _ in range(3):
        with pytest.raises(ClockError):
            place.run(ahead=timedelta(days=1))
    place.run()
    over = place.now
    for _ in range(11):
        place.run(outage_until=over)
    assert sum("over" in subject for subject in place.subjects()) == 1
    assert sum(subject.startswith("Runs were missed") for subject in place.subjects()) == 1, "one hour, not a day"
    assert all(BEGIN <= written <= place.now for _, written in place.mails())


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=-1)], ids=str)
def test_two_runs_by_a_wrong_clock_are_no_missed_runs(place: Installation, step: timedelta) -> None:
    for _ in range(2):
        with pytest.raises(ClockError):
            place.run(ahead=step)
    for _ in range(3):
        place.run()
    assert not any("missed" in subject for subject in place.subjects())


def test_a_run_ends_in_one_line_with_1_and_status_and_doctor_show_it_until_the_clock_is_right(
    place: Installation, groundswell: Groundswell, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ClockError) as stopped:
        place.run(ahead=timedelta(days=1))
    clock = place.now + timedelta(days=1)
    words = (
        f"the clock of this machine says {iso(clock)}, 1 day ahead of that of 3 servers (127.0.0.1, 127.0.0.2,"
        " 127.0.0.3); set it; nothing was stored or sent"
    )
    assert sorted(str(stopped.value)) == sorted(words), "the servers come in the order in which they answered"
    status = groundswell("status", "--now", iso(place.now))
    assert status.returncode == 3
    assert f"clock    by the last collect: {stopped.value}" in status.stdout
    doctor = groundswell("doctor", "--offline")
    assert f"by the last collect: {stopped.value}" in doctor.stdout
    with pytest.raises(ClockError, match="by the last collect; run it again once the clock is right"):
        run_stages(place.setting(timedelta(days=1)), ["alert"])
    place.run()
    run_stages(place.setting(), ["alert"])
    status = groundswell("status", "--now", iso(place.now))
    assert (status.returncode, "clock " in status.stdout) == (0, False)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=1)], ids=str)
def test_doctor_compares_the_clock_with_those_of_the_sources(
    place: Installation, groundswell: Groundswell, ahead: timedelta
) -> None:
    place.run()
    for server in place.servers:
        # the commands are called by this machine's clock
        server.date = format_datetime(datetime.now().astimezone() - ahead) if ahead else None
    done = groundswell("doctor", "--source", "mastodon")
    if ahead:
        assert done.returncode == 1
        assert "1 day ahead of that of 3 servers" in done.stdout
        assert "a run would store and send nothing" in done.stdout
    else:
        assert "agrees with that of 3 servers" in done.stdout
    assert "not compared" in groundswell("doctor", "--source", "mastodon", "--now", iso(place.now)).stdout


@pytest.mark.parametrize("hosts", [["127.0.0.1"], ["127.0.0.1"] * 3], ids=["one source", "three sources of one host"])
def test_one_server_alone_only_makes_a_warning_once(
    tmp_path: Path, hosts: list[str], caplog: pytest.LogCaptureFixture, groundswell: Groundswell
) -> None:
    with serving_at(hosts) as servers:
        place = Installation(tmp_path, servers)
        place.run(ahead=timedelta(hours=2))
        place.run(ahead=timedelta(hours=2))
        doubts = [record.getMessage() for record in caplog.records if "is it right?" in record.getMessage()]
        assert len(doubts) == 1
        assert "2 hours ahead of that of 1 server (127.0.0.1); is it right?" in doubts[0]
        with Store(place.database) as store:
            ((runs,),) = store.rows("SELECT count(DISTINCT started) FROM runs")
        assert runs == 2, "they went on"
        assert f"by the last collect: {doubts[0][:40]}" in groundswell("status").stdout


def test_what_a_run_by_a_clock_ahead_noted_is_undone_and_reported_each_time(tmp_path: Path) -> None:
    with serving_at(["127.0.0.1"]) as servers:
        place = Installation(tmp_path, servers)
        reported = []
        for ahead in [timedelta(days=1), *[timedelta(0)] * 3] * 2:
            runs = place.run(ahead=ahead)
            with Store(place.database) as store:
                report = report_failures(store, runs, place.now + ahead)
            reported.append([run.error[:23] for run in report.began if run.stage == "clock"])
    assert reported == 2 * [[], ["the last run was dated "], [], []]


def test_a_run_at_a_given_time_is_not_compared(place: Installation, groundswell: Groundswell) -> None:
    place.run()
    later = iso(place.now + timedelta(days=1))
    assert groundswell("collect", "--now", later).returncode == 0


def test_a_run_by_a_wrong_clock_is_not_reported_as_alive(place: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    place.run()
    monkeypatch.setenv("GROUNDSWELL_HEARTBEAT_URL", f"{place.servers[0].url}/alive")
    for ahead in (timedelta(days=1), timedelta(0)):
        clock = place.now + ahead
        options = ["--config", str(place.folder / "groundswell.toml"), "--db", str(place.database)]
        with pytest.raises(ClockError if ahead else SystemExit):
            run_command.main(options, obj=lambda clock=clock: clock, standalone_mode=False)
        assert any(request.path == "/alive" for request in place.servers[0].requests) is not bool(ahead)
