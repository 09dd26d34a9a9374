"""What is kept in the user's cache or in a replay's memory, and what a run does not load."""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import jinja2
import numpy as np
import pytest

from detectors.seasonal.detector import SeasonalNB
from pipeline.core.errors import StoreError
from pipeline.core.kept import digest_of, kept_file
from pipeline.core.records import Batch, ComplaintCount, Post
from pipeline.core.times import utc
from pipeline.detection.held_states import DetectorStates
from pipeline.render.template_cache import TemplateCache
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.text.models.arrays import ArrayFile, ArraysError, Model, mapped, packed, unpacked
from pipeline.text.models.cache import kept_arrays
from tests.conftest import ROOT

ARRAYS = {"a": np.arange(6, dtype=np.float64).reshape(2, 3), "b": np.array([1, 2, 3], np.uint8)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"packed")
    return path


def kept(source: Path, made: list[bytes]) -> ArrayFile:
    def work_out(path: Path) -> Model:
        made.append(path.read_bytes())
        return Model({"of": path.read_text()}, ARRAYS)

    return kept_arrays("test-1", source, work_out, source.parent / "cache")


def test_what_was_worked_out_is_read_from_the_cache_until_its_source_changes(source: Path) -> None:
    made: list[bytes] = []
    for _ in range(2):
        found = kept(source, made)
        assert (found.doubles("a", 2, 3) == ARRAYS["a"]).all()
        assert found.text("of") == "packed"
    assert made == [b"packed"]
    source.write_bytes(b"PACKED")
    assert kept(source, made).text("of") == "PACKED"
    assert made == [b"packed", b"PACKED"]


@pytest.mark.parametrize("how", ["cut", "changed", "no digest", "empty"])
def test_a_damaged_file_of_the_cache_is_made_again(source: Path, how: str) -> None:
    made: list[bytes] = []
    kept(source, made)
    (path,) = (source.parent / "cache").glob("*.safetensors")
    body = path.read_bytes()
    if how == "no digest":
        path.with_name(f"{path.name}.sha256").unlink()
    else:
        path.write_bytes({"cut": body[:-4], "changed": body[:-1] + b"x", "empty": b""}[how])
    assert (kept(source, made).doubles("a", 2, 3) == ARRAYS["a"]).all()
    assert len(made) == 2
    assert path.read_bytes() == body
    kept(source, made)
    assert len(made) == 2


def test_without_a_folder_to_write_to_it_is_worked_out_each_time(source: Path) -> None:
    (source.parent / "cache").write_text("a file stands here")
    made: list[bytes] = []
    for _ in range(2):
        assert (kept(source, made).doubles("a", 2, 3) == ARRAYS["a"]).all()
    assert len(made) == 2
    assert kept_file("x.json", source, lambda: b"made", source.parent / "cache") == b"made"


def test_a_digest_is_that_of_the_content_as_it_is_now(source: Path) -> None:
    folder = source.parent / "cache"
    first = digest_of(source, folder)
    assert digest_of(source, folder) == first
    before = source.stat()
    source.write_bytes(b"another"[: before.st_size])
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))  # size and time are those of before
    assert digest_of(source, folder) != first


def test_arrays_are_read_back_as_they_were_and_any_cut_is_refused() -> None:
    body = np.frombuffer(packed({"k": "v"}, ARRAYS), np.uint8)
    whole = unpacked(body)
    assert whole.texts == {"k": "v"}
    assert all((whole.arrays[name] == array).all() for name, array in ARRAYS.items())
    for length in range(len(body)):
        with pytest.raises(ArraysError):
            unpacked(body[:length])
    for wrong in (b"\0" * 64, b"\xff" * 64, (4).to_bytes(8, "little") + b"null", (2).to_bytes(8, "little") + b"[]"):
        with pytest.raises(ArraysError):
            unpacked(np.frombuffer(wrong, np.uint8))
    with pytest.raises(ArraysError):
        whole.doubles("b", 3)
    with pytest.raises(ArraysError):
        whole.doubles("a", 3, 2)
    with pytest.raises(ArraysError):
        whole.doubles("none", 1)


def test_an_empty_file_is_no_file_of_arrays(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(ArraysError):
        mapped(tmp_path / "x")


def test_a_quiet_run_loads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    (tmp_path / "groundswell.toml").write_text(
        'watch = ["claude"]\n[sources]\nstatuspage = false\nhacker_news = false\ndownstatus = false\n'
        "news_desks = false\ngoogle_news = false\n"
    )
    program = (
        "import sys\nfrom pipeline.__main__ import main\n"
        "sys.argv = ['groundswell', 'run', '--quiet', '--now', '2026-03-05T00:20:00Z']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "heavy = 'pandas scipy sklearn statsmodels praw feedparser numba dask pyarrow matplotlib re2 smtplib numpy'\n"
        "own = 'notify.channels stages.tag stages.detect.stage stages.explain.stage text.services sources.feed'\n"
        "own = ['detectors.contract', *('pipeline.' + name for name in own.split())]\n"
        "parts = {'numpy.ma', 'numpy.random', 'detectors.rolling.base'}\n"
        "print(sorted({*heavy.split(), 'requests', 'pydantic', 'tqdm', *parts, *own} & set(sys.modules)))"
    )

    def loaded() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip().splitlines()[-1]

    loaded()  # makes the database
    assert loaded() == "[]"
    now = utc("2026-03-05T00:20:00Z")
    post = Post(
        source="reddit",
        native_id="t3_a",
        kind="post",
        community="ClaudeAI",
        author_key="a",
        author_created=None,
        created=now - timedelta(minutes=2),
        collected=now,
        title="Claude is down for me, cannot log in",
    )
    with Store(tmp_path / "groundswell.db") as store:
        save_batch(store, Batch(source="reddit", rows=(post,)), now)
    found = set(literal_eval(loaded()))
    read = {"numpy", "re2", "detectors.contract", *(f"pipeline.{n}" for n in ("stages.tag", "text.services"))}
    stages = {"pipeline.stages.detect.stage", "pipeline.stages.explain.stage"}
    assert read <= found <= read | stages


@pytest.mark.parametrize("how", ["kept", "cut", "changed", "another source", "of others"])
def test_a_compiled_template_is_taken_from_the_cache_only_as_it_was_kept(tmp_path: Path, how: str) -> None:
    def rendered(text: str) -> str:
        environment = jinja2.Environment(
            loader=jinja2.DictLoader({"a": text}),
            bytecode_cache=TemplateCache(tmp_path / "cache", "1"),
            autoescape=True,
        )
        return environment.get_template("a").render(name="x")

    assert rendered("Hello {{ name }}") == "Hello x"
    (path,) = (tmp_path / "cache").iterdir()
    before = path.read_bytes()
    if how == "cut":
        path.write_bytes(before[:-9])
    if how == "changed":
        path.write_bytes(before[:-9] + bytes(9))
    if how == "of others":
        (tmp_path / "cache").chmod(0o777)
        path.write_bytes(b"none of ours")
    assert rendered("Bye {{ name }}" if how == "another source" else "Hello {{ name }}")[-1] == "x"
    if how == "of others":
        assert path.read_bytes() == b"none of ours", "it is neither read nor written"
    else:
        assert (path.read_bytes() == before) is (how != "another source")


def judged_by_steps(path: Path, *, in_memory: bool, failing: int = -1) -> list[list[tuple[object, ...]]]:
    """Judge four days of counts that come every six hours, one of them some hours late; return what is stored.

    The step `failing` is undone after it has judged, as a full disk does in a replay, and taken again.
    """

    def step_to(now: datetime, counted: list[ComplaintCount]) -> None:
        save_batch(store, Batch(source="x", rows=tuple(counted)), now)
        run_detect(store, SeasonalNB(), ["claude"], now, states)

    start = utc("2026-03-01T00:00:00Z")
    with Store(path, durable=False) as store:
        states = DetectorStates(store, in_memory=in_memory)
        for step in range(16):
            since = start + timedelta(hours=6 * step)
            late = [start + timedelta(hours=49)] if step == 9 else []
            counted = [
                ComplaintCount(
                    service=service,
                    source="x",
                    region="",
                    indicator="",
                    start=at,
                    interval_s=900,
                    total=40 if at in late else 5 + at.hour % 3,
                    collected=since + timedelta(hours=6),
                )
                for service in ("claude", "github", *(("slack",) if step > 4 else ()))
                for at in [*(since + timedelta(minutes=15 * n) for n in range(24)), *late]
            ]
            if step == failing:
                with suppress(StoreError), store.together():
                    step_to(since + timedelta(hours=6), counted)
                    raise StoreError("full")
            step_to(since + timedelta(hours=6), counted)
        if in_memory:
            assert not store.rows("SELECT 1 FROM detector_state")
            states.write(store)
        tables = ("verdicts", "detector_state", "detector_state_parts", "series")
        return [sorted(tuple(row) for row in store.rows(f"SELECT * FROM {table}")) for table in tables]


def test_states_held_in_memory_judge_and_end_as_those_that_are_stored_at_each_step(tmp_path: Path) -> None:
    stored = judged_by_steps(tmp_path / "stored.db", in_memory=False)
    assert judged_by_steps(tmp_path / "held.db", in_memory=True) == stored
    assert len(stored[0]) > 800
    assert [row[1] for row in stored[1]] == ["day", "now"]


@pytest.mark.parametrize("failing", [8, 7, 9], ids=["in a day", "up to midnight", "with a late count"])
def test_states_in_memory_that_are_past_a_step_that_was_undone_go_back_to_it(tmp_path: Path, failing: int) -> None:
    stored = judged_by_steps(tmp_path / "stored.db", in_memory=False)[0]
    failed = judged_by_steps(tmp_path / "failed.db", in_memory=True, failing=failing)[0]
    # learnt anew, a series that began later is judged from the first bin of its group
    known = {row[:2] for row in stored}
    assert {row[:2] for row in failed} >= known
    assert [row for row in failed if "slack" not in str(row[0])] == [r for r in stored if "slack" not in str(r[0])]


def test_a_folder_that_others_can_write_into_is_not_used(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    assert kept_file("made.bin", source, lambda: b"made", folder) == b"made"
    assert not list(folder.iterdir())
    folder.chmod(0o700)
    assert isinstance(kept_file("made.bin", source, lambda: b"made", folder), Path)


def test_nothing_is_kept_where_no_home_is_known(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert kept_file("made.bin", source, lambda: b"made", Path("~/.cache")) == b"made"
    assert not (tmp_path / "~").exists()
