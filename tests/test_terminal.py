"""How commands behave for the person at the terminal: tables, colours, completion, questions that end, init."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.store import Store
from tests.conftest import ROOT, Groundswell

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"


SLOW = """
import time
from pipeline.commands.terminal import elapsed_time
with elapsed_time("export"):
    time.sleep(4)
"""


def on_a_terminal(folder: Path, *args: str, **more: str) -> str:
    """Run a command whose standard output is a terminal; return what it shows."""
    main, other = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **more}
    process = subprocess.Popen([sys.executable, "-m", "pipeline", *args], cwd=folder, stdout=other, env=environment)
    os.close(other)
    shown = b""
    while select.select([main], [], [], 60)[0]:
        try:
            shown += os.read(main, 65536)
        except OSError:
            break
    process.wait(60)
    os.close(main)
    return shown.decode()


@pytest.mark.slow
def test_colours_are_for_a_terminal_and_not_where_no_color_is_set(groundswell: Groundswell, tmp_path: Path) -> None:
    coloured = on_a_terminal(tmp_path, "service", "show", "claude")
    assert "\x1b[32mcovered" in coloured
    assert "\x1b[" not in on_a_terminal(tmp_path, "service", "show", "claude", NO_COLOR="any")
    assert "\x1b[" not in on_a_terminal(tmp_path, "--no-color", "service", "show", "claude")
    assert "\x1b[" not in groundswell("service", "show", "claude").stdout


@pytest.mark.slow
def test_what_takes_over_two_seconds_shows_how_long_it_has_taken(tmp_path: Path) -> None:
    main, other = pty.openpty()
    termios.tcsetwinsize(other, (24, 80))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", SLOW], stderr=other, env=environment, check=True)
    os.close(other)
    assert b"export  00:0" in os.read(main, 65536)
    os.close(main)
    piped = subprocess.run([sys.executable, "-c", SLOW], capture_output=True, env=environment, check=True)
    assert piped.stderr == b""


def test_services_stand_in_aligned_columns(groundswell: Groundswell) -> None:
    header, *rows = groundswell("service", "list").stdout.splitlines()
    column = header.index("watched")
    assert {alert_row[column : column + 3].strip() for alert_row in rows} == {"yes"}


@pytest.mark.slow
def test_an_answer_is_a_table_on_a_terminal_and_csv_in_a_pipe(groundswell: Groundswell, tmp_path: Path) -> None:
    Store(tmp_path / "groundswell.db").conn.close()
    question = f"select 'a' || char(27) || '[31m' as name, '{'x' * 70}' as long, null as missing, 2 as many"
    shown = on_a_terminal(tmp_path, "sql", question).splitlines()
    assert [line.split() for line in shown] == [["name", "long", "missing", "many"], ["a", "[31m", "x" * 59 + "…", "2"]]
    assert shown[0].index("many") == shown[1].index("2")
    assert groundswell("sql", question).stdout.splitlines()[1] == f"a\x1b[31m,{'x' * 70},,2"
    assert on_a_terminal(tmp_path, "sql", "select 1 as one where 0") == ""


def test_a_question_ends_after_its_timeout(groundswell: Groundswell, tmp_path: Path) -> None:
    Store(tmp_path / "groundswell.db").conn.close()
    done = groundswell("sql", ENDLESS, "--timeout", "1s")
    assert (done.returncode, done.stderr) == (1, "groundswell: the query was stopped after 1 s (--timeout)\n")


@pytest.mark.slow
@pytest.mark.parametrize("parquet", [False, True])
def test_ctrl_c_ends_a_question(groundswell: Groundswell, tmp_path: Path, parquet: bool) -> None:
    Store(tmp_path / "groundswell.db", views=DASHBOARDS / "views.sql").conn.close()
    where, question = [], ENDLESS
    if parquet:
        pytest.importorskip("duckdb", reason="pip install -e '.[scale]'")
        (tmp_path / "tables").mkdir()
        assert groundswell("export", "tables").returncode == 0
        where, question = ["--parquet", "tables"], "select count(*) from range(10000000) a, range(1000000) b"
        question += " where a.range * b.range % 7 = 3"
    # a shell starts what runs in its background with the signal ignored, and that is inherited
    process = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "pipeline", "sql", *where, question],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    errors = "still running"
    try:
        for _ in range(20):  # while modules load on a busy machine, one may be lost
            time.sleep(5)
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                _, errors = process.communicate(timeout=2)
                break
    finally:
        process.kill()
    assert (process.returncode, "Traceback" in errors) == (1, False)
    assert errors.strip().endswith("groundswell: stopped")


@pytest.mark.slow
def test_completion_knows_commands_and_services(groundswell_process: Groundswell, tmp_path: Path) -> None:
    installed = groundswell_process("completion", "bash", "--install", env={"HOME": str(tmp_path)})
    assert installed.returncode == 0, installed.stderr
    assert "_GROUNDSWELL_COMPLETE" in (tmp_path / ".local/share/bash-completion/completions/groundswell").read_text()

    def completed(words: str, place: int) -> list[str]:
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(place), "_GROUNDSWELL_COMPLETE": "bash_complete"}
        command = "import sys; sys.argv[0] = 'groundswell'; from pipeline.__main__ import main; main()"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **asked}
        done = subprocess.run(
            [sys.executable, "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("groundswell che", 1) == ["check-config"]
    assert completed("groundswell why clau", 2) == ["claude"]
    assert completed("groundswell init --watch claude,git", 3) == ["claude,github", "claude,gitlab"]


def test_init_gives_a_line_for_cron_that_sh_and_cron_read_alike(groundswell: Groundswell, tmp_path: Path) -> None:
    folder = tmp_path / "on call 50%"
    folder.mkdir()
    line = groundswell("init", "--watch", "claude", cwd=folder).stdout.splitlines()[1].partition(": ")[2]
    assert line.startswith("*/5 * * * * cd ")
    assert "%" not in line.replace(r"\%", ""), "cron takes it for the end of the line"
    shown = line.split(maxsplit=5)[5].replace(r"\%", "%").partition(" && ")[0] + " && pwd"
    assert subprocess.run(["sh", "-c", shown], capture_output=True, text=True).stdout == f"{folder}\n"
    assert line.endswith(" run --quiet --fail-on stage")


def test_init_asks_for_the_server_and_tries_it(groundswell: Groundswell, tmp_path: Path) -> None:
    answers = "claude\nme@example.org\n127.0.0.1\nnone\n9\n\n"
    done = groundswell("init", keys=answers)
    assert done.returncode == 3, done.stderr
    assert "127.0.0.1:9: cannot be reached" in done.stderr
    text = (tmp_path / "groundswell.toml").read_text()
    assert 'host = "127.0.0.1"\nport = 9\nsecurity = "none"\n' in text


def test_a_silence_preview_counts_a_message_once_by_however_many_channels_it_went(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    from tests.copies import replace
    from tests.sending import alert_row, queue_alerts

    with Store(tmp_path / "groundswell.db") as store:
        first = replace(alert_row("one", "11:00"), incident="claude-1", service="claude")
        queue_alerts(store, first, replace(first, message_id="<two@x>", channel="email"))
    done = groundswell("silence", "preview", "claude", "--now", "2026-03-02T12:00:00Z")
    assert done.stdout.splitlines()[-1].startswith("1 of 1 message since ")
