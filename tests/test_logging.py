"""What the program logs: silent by default, decisions with -v, and the traceback of a bug kept in --log-file."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.__main__ import cli
from pipeline.commands.log_options import configure_logging
from pipeline.config.paths import ROOT
from pipeline.core.errors import ConfigError
from pipeline.core.records import Batch
from pipeline.core.version import version
from pipeline.http.session import user_agent
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from tests.test_story import at


class Broken:
    """A source with a bug."""

    name = "broken"

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        empty: dict[str, Batch] = {}
        return empty["nothing"]


@pytest.fixture(autouse=True)
def _configured_anew() -> None:
    configure_logging(0, None)


def test_a_bug_in_a_source_is_one_line_for_people_and_keeps_its_traceback_in_the_log_file(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(0, tmp_path / "run.log")
    run, _ = run_collect(store, Broken(), at("12:00"))
    assert run.outcome == "error"
    assert "KeyError" in run.error
    assert capsys.readouterr().err == "", "the command prints the line"
    log = (tmp_path / "run.log").read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in log
    assert 'return empty["nothing"]' in log
    assert log.startswith("20")


def test_the_traceback_is_shown_with_v(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(1, None)
    run_collect(store, Broken(), at("12:00"))
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [(0, ["warning"]), (1, ["info", "warning", "error"]), (2, ["debug", "info", "warning", "error"])],
)
def test_each_v_shows_more(verbosity: int, shown: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(verbosity, None)
    logger = logging.getLogger("pipeline.somewhere")
    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)("a line at %s", level)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[-1] for line in lines] == shown


def test_the_logs_of_libraries_are_never_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configure_logging(2, tmp_path / "run.log")
    logging.getLogger("urllib3.connectionpool").debug("GET /hook/secret")
    assert "secret" not in capsys.readouterr().err + (tmp_path / "run.log").read_text(encoding="utf-8")


def test_a_log_file_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--log-file: .*cannot be written"):
        configure_logging(0, tmp_path / "missing" / "run.log")


@pytest.mark.parametrize("words", [["run"], ["import", "counts"], ["silence", "add"], ["backtest"]])
def test_every_command_takes_the_two_options(words: list[str]) -> None:
    help_of = CliRunner().invoke(cli, [*words, "--help"], obj=None).output
    assert "--log-file" in help_of
    assert "--verbose" in help_of


OPENS = """
import sys
opened = []
sys.addaudithook(lambda event, args: event == "open" and str(args[0]).endswith("run.log") and opened.append(args[0]))
sys.argv = ["groundswell", *sys.argv[1:]]
from pipeline.__main__ import main
try:
    main()
finally:
    print("opened", len(opened))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["status", "-v", "--log-file", "run.log"],
        ["status", "--log-file", "run.log", "-v"],
        ["silence", "-v", "--log-file", "run.log", "list"],
        ["silence", "--log-file", "run.log", "list", "-v"],
    ],
    ids=" ".join,
)
def test_the_log_file_is_opened_once_a_command_wherever_the_options_stand(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENS, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.endswith("opened 1\n"), done
    assert (tmp_path / "run.log").exists()


def test_the_version_is_told_once() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output.strip() == f"groundswell, version {version()}"
    assert user_agent() == f"groundswell/{version()} (outage detection)"
    assert user_agent("ops@example.org") == f"groundswell/{version()} (outage detection; ops@example.org)"
