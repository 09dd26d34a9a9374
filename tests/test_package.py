"""The wheel: unpacked anywhere it has its data, and the base install runs without what the extras bring."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS, SHIPPED_MODELS, trained_models
from pipeline.core.extras import EXTRA_OF, missing_extra
from pipeline.store import Store

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_EXTRAS = f"""
import sys
from importlib.machinery import PathFinder

class WithoutExtras(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {sorted(EXTRA_OF)!r} else super().find_spec(name, path, target)

sys.meta_path = [WithoutExtras if finder is PathFinder else finder for finder in sys.meta_path]
from pipeline.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling is not installed: pip install -e '.[dev]'")
    built = tmp_path_factory.mktemp("wheel")
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(wheel, cwd=ROOT, check=True, capture_output=True, timeout=280)
    (file,) = built.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(built / "site")
    return built / "site"


def run(folder: Path, site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "HOME": str(folder / "home")}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.slow
def test_an_installed_base_finds_its_data_from_any_folder(unpacked: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    assert run(folder, unpacked, "init", "--watch", "claude,github").returncode == 0
    (folder / "all.toml").write_text(run(folder, unpacked, "init", "--example").stdout)
    assert run(folder, unpacked, "check-config", "--config", "all.toml").returncode == 3, "its mail has no password"
    checked = run(folder, unpacked, "check-config")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "watch          claude, github (" in checked.stdout
    assert "text model     present\n" in checked.stdout
    assert "mails carry none: this needs matplotlib (the extra charts)" in checked.stdout
    (folder / "posts.csv").write_text("id,text\n1,Claude is down for me\n2,Claude wrote a poem\n")
    scored = run(folder, unpacked, "score-posts", "posts.csv")
    assert [line.split(",")[2:4] for line in scored.stdout.splitlines()[1:]] == [["1", "claude"], ["0", ""]]
    replay = ("--from", "2026-03-02T11:00Z", "--until", "2026-03-02T11:45Z", "--db", "r.db")
    scenario = unpacked / "pipeline" / "_assets" / "data" / "scenarios" / "2026-03-02-claude"
    assert not list(scenario.parent.glob("blind-*")), "only the benchmark reads them"
    replayed = run(folder, unpacked, "backtest", str(scenario), *replay)
    assert "2026-03-02 11:40 UTC  [simulated] Claude: possible outage" in replayed.stdout, replayed.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "library", "extra"),
    [
        (("train",), "scikit-learn", "train"),
        (("score-counts", "counts.csv", "--detector", "farrington"), "statsmodels", "evaluate"),
        (("export", "tables"), "pyarrow", "scale"),
    ],
)
def test_a_command_that_needs_an_extra_names_it_in_one_line(
    unpacked: Path, tmp_path: Path, args: tuple[str, ...], library: str, extra: str
) -> None:
    days = [f"2026-02-{day:02}T00:00:00Z,{day % 7 + 5}" for day in range(1, 29)]
    (tmp_path / "counts.csv").write_text("\n".join(["timestamp_utc,value", *days, ""]))
    with Store(tmp_path / "groundswell.db", views=DASHBOARDS / "views.sql"):
        pass
    done = run(tmp_path, unpacked, *args)
    assert done.returncode == 2
    needs = f"groundswell: needs {library} (the extra {extra}): pip install {library}, or"
    assert [line.startswith(needs) for line in done.stderr.splitlines()] == [True]
    home = tmp_path / "home"
    assert {path.name for path in home.iterdir()} <= {".cache"} if home.exists() else True, "nothing else was written"


def test_only_what_an_extra_brings_is_named(tmp_path: Path) -> None:
    assert missing_extra(ModuleNotFoundError("No module named 'dask'", name="dask.array")) is not None
    assert missing_extra(ModuleNotFoundError("No module named 'pipelin'", name="pipelin")) is None
    assert missing_extra(ImportError("without a name")) is None
    assert trained_models(tmp_path, is_installed=True) == tmp_path / "groundswell" / "model"
    assert trained_models(tmp_path, is_installed=False) == SHIPPED_MODELS
