"""The examples for cron and containers, run by sh with a stand-in of the command: secrets, absent files, exit codes."""

from __future__ import annotations

import configparser
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

STAND_IN = '#!/bin/sh\necho "$@ password=$GROUNDSWELL_SMTP_PASSWORD" >> calls\nexit ${CODE:-0}\n'


def place(folder: Path) -> Path:
    command = folder / ".venv" / "bin" / "groundswell"
    command.parent.mkdir(parents=True)
    command.write_text(STAND_IN)
    command.chmod(0o755)
    return command


def cron_lines(folder: Path) -> list[str]:
    lines = (ROOT / "examples" / "groundswell.cron").read_text().splitlines()
    jobs = [line.split(maxsplit=5)[5] for line in lines if line and not line.startswith("#")]
    return [job.replace("/srv/groundswell", str(folder)) for job in jobs]


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (75, 0), (3, 1), (1, 1)])
def test_cron_runs_with_and_without_an_environment_file(tmp_path: Path, code: int, ends: int) -> None:
    place(tmp_path)
    run, purge = cron_lines(tmp_path)
    assert "%" not in run + purge, "cron takes it for the end of the line"
    environment = {"PATH": os.environ["PATH"], "CODE": str(code)}
    for secret in ("", "hunter two"):
        if secret:
            (tmp_path / "groundswell.env").write_text(f'GROUNDSWELL_SMTP_PASSWORD="{secret}"\n')
        done = subprocess.run(["sh", "-c", run], cwd="/", env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (ends, "")
    subprocess.run(["sh", "-c", purge], cwd="/", env=environment, check=code == 0)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [
        "run --quiet --fail-on stage password=",
        "run --quiet --fail-on stage password=hunter two",
        "purge password=hunter two",
    ]


def test_the_unit_calls_what_cron_calls_in_the_same_folder() -> None:
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "examples" / "groundswell.service")
    service = unit["Service"]
    assert service["EnvironmentFile"].startswith("-"), "it may be absent"
    assert service["SuccessExitStatus"] == "75"
    folder = service["WorkingDirectory"]
    assert service["ReadWritePaths"] == folder
    run = cron_lines(Path(folder))[0]
    assert f"cd {folder} " in run
    assert service["ExecStart"].removeprefix(f"{folder}/") in run
    assert {"NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "SystemCallFilter"} <= set(service)


def test_the_container_runs_again_and_again_and_stops_when_asked(tmp_path: Path) -> None:
    command = place(tmp_path)
    environment = {"PATH": f"{command.parent}:{os.environ['PATH']}", "GROUNDSWELL_EVERY": "0.2"}
    entry = str(ROOT / "examples" / "container-entrypoint.sh")
    process = subprocess.Popen(["sh", entry], cwd=tmp_path, env=environment)
    for _ in range(100):
        time.sleep(0.1)
        if (tmp_path / "calls").exists() and len((tmp_path / "calls").read_text().splitlines()) > 2:
            break
    assert (tmp_path / ".last-run").exists(), "the health check looks at it"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    wrong = subprocess.run(["sh", entry], cwd=tmp_path, env={**environment, "CODE": "2"}, timeout=20)
    assert wrong.returncode == 2
    subprocess.run(["sh", entry, "init", "--watch", "claude"], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "calls").read_text().splitlines()[-1] == "init --watch claude password="
