"""One run at a time on one database, by whatever name it is called."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from pipeline.commands.common import LOCKED, run_lock
from pipeline.core.errors import ConfigError
from pipeline.store import Store


def _hold(path: Path, together: Barrier) -> None:
    together.wait()
    with run_lock(path):
        time.sleep(2)


def test_of_eight_runs_by_link_and_by_name_one_runs(tmp_path: Path) -> None:
    Store(tmp_path / "groundswell.db").conn.close()
    (tmp_path / "link.db").symlink_to("groundswell.db")
    (tmp_path / "folder").symlink_to(".")
    names = ["groundswell.db", "link.db", "folder/groundswell.db", "folder/link.db"] * 2
    spawn = multiprocessing.get_context("fork")
    together = spawn.Barrier(len(names))
    runs = [spawn.Process(target=_hold, args=(tmp_path / name, together)) for name in names]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(str(run.exitcode) for run in runs) == ["0"] + [str(LOCKED)] * 7


def test_a_database_with_two_names_is_not_written(tmp_path: Path) -> None:
    Store(tmp_path / "groundswell.db").conn.close()
    (tmp_path / "other.db").hardlink_to(tmp_path / "groundswell.db")
    with pytest.raises(ConfigError, match="hard link"), run_lock(tmp_path / "other.db"):
        pass
