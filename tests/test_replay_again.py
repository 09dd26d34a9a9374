"""A replay of the same records, in another order or again, ends with the same rows."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
import zstandard

from tests.conftest import SCENARIO, SPAN, Day, replay, replay_in_a_process
from tests.replays import dump


def test_offering_every_record_again_changes_nothing(day: Day, tmp_path: Path) -> None:
    folder, _ = day
    copy = tmp_path / "a.db"
    shutil.copy(folder / "a.db", copy)
    before = dump(copy)
    last = sqlite3.connect(copy).execute("SELECT max(id) FROM runs").fetchone()[0]
    mixed = cut_and_shuffled(tmp_path / "mixed")
    code, _ = replay(mixed, copy, *SPAN)
    assert code == 0
    after = dump(copy)
    assert {t for t in before if before[t] != after[t]} == set()
    again = (
        sqlite3.connect(copy)
        .execute("SELECT stage, sum(seen), sum(new) FROM runs WHERE id > ? GROUP BY stage", (last,))
        .fetchall()
    )
    assert {stage for stage, _, _ in again} == {"collect", "tag", "detect", "explain", "alert"}
    assert all(seen > 0 and new == 0 for _, seen, new in again), again
    assert not list(tmp_path.glob("*-mail/*.eml"))


@pytest.mark.slow
def test_two_fresh_replays_are_equal(day: Day, tmp_path: Path) -> None:
    folder, result = day
    _, other = replay_in_a_process(cut_and_shuffled(tmp_path / "mixed"), tmp_path / "b.db", *SPAN)
    assert other == result
    one, two = dump(folder / "a.db"), dump(tmp_path / "b.db")
    assert {t for t in one if one[t] != two[t]} == set()
    for a, b in zip(sorted((folder / "a-mail").glob("*")), sorted((tmp_path / "b-mail").glob("*")), strict=True):
        assert a.read_bytes() == b.read_bytes()


def cut_and_shuffled(folder: Path) -> Path:
    """Return the scenario with every file cut in two and its rows in another order."""
    rng = random.Random(5)
    shutil.copytree(SCENARIO, folder, ignore=shutil.ignore_patterns("generator"))
    raw = (
        zstandard.ZstdDecompressor()
        .stream_reader((folder / "posts.ndjson.zst").open("rb"))
        .read()
        .splitlines(keepends=True)
    )
    rng.shuffle(raw)
    (folder / "posts.ndjson.zst").unlink()
    (folder / "posts-1.ndjson").write_bytes(b"".join(raw[:3000]))
    (folder / "posts-2.ndjson.zst").write_bytes(zstandard.ZstdCompressor().compress(b"".join(raw[3000:])))
    for name in ("complaints", "charts"):
        head, *rows = (folder / f"{name}.csv").read_text().splitlines()
        rng.shuffle(rows)
        for number, part in enumerate((rows[: len(rows) // 3], rows[len(rows) // 3 :]), 1):
            (folder / f"{name}-{number}.csv").write_text("\n".join([head, *part]) + "\n")
        (folder / f"{name}.csv").unlink()
    for path in list((folder / "news").glob("*.xml")):
        text = path.read_text(encoding="utf-8")
        before, *items = text.split("<item>")
        items = [item.split("</item>")[0] for item in items]
        rng.shuffle(items)
        for number, part in enumerate((items[::2], items[1::2]), 1):
            body = before + "".join(f"<item>{item}</item>" for item in part) + "</channel></rss>"
            path.with_name(f"{path.stem}-{number}.xml").write_text(body, encoding="utf-8")
        path.unlink()
    page = json.loads((folder / "status" / "claude.json").read_text())
    rng.shuffle(page["incidents"])
    for number, part in enumerate((page["incidents"][:10], page["incidents"][10:]), 1):
        (folder / "status" / f"part-{number}.json").write_text(json.dumps({**page, "incidents": part}))
    (folder / "status" / "claude.json").unlink()
    return folder
