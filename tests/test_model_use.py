"""Models within the commands: training on few labels, labels that people give, and tags of stored posts."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from pipeline.config.paths import LABELS, MODELS
from pipeline.core.times import utc
from pipeline.text.models import checks, training
from pipeline.text.models import outage as classifier
from tests.conftest import SCENARIO, Day, Groundswell, replay
from tests.labelled_texts import labelled
from tests.world import MATCHER


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of a few labels, for trainings that take seconds."""
    folder = tmp_path / "labels"
    folder.mkdir()
    rows = labelled()
    rows = rows[:: len(rows) // 240]
    with (folder / "posts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    shutil.copy(LABELS / "headlines.csv", folder)
    return folder


@pytest.mark.slow
def test_training_keeps_the_old_model_unless_the_new_is_better(
    groundswell: Groundswell, small: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(MODELS, tmp_path / "model")
    before = (out / checks.FIRST).read_bytes()
    done = groundswell("train", "--labels", str(small), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "the old model is kept" in done.stdout
    assert (out / checks.FIRST).read_bytes() == before
    assert "held back" in done.stdout
    forced = groundswell("train", "--labels", str(small), "--out", str(out), "--force")
    assert "the new model is written" in forced.stdout
    assert (out / checks.FIRST).read_bytes() != before
    assert classifier.load(out).note == ""


def test_what_a_person_says_of_a_post_is_stored_and_trained_on(
    groundswell: Groundswell, small: Path, tmp_path: Path
) -> None:
    db = tmp_path / "g.db"
    posts = tmp_path / "posts.ndjson"
    said = ["Claude maybe acting up?", "Claude hmm", "claude login weird today or not"]
    posts.write_text(
        "".join(
            json.dumps(
                {
                    "id": f"p{i}",
                    "title": text,
                    "selftext": "",
                    "subreddit": "ClaudeAI",
                    "author": f"a{i}",
                    "created_utc": 1772450000 + i,
                    "name": f"t3_p{i}",
                    "permalink": f"/r/ClaudeAI/p{i}",
                }
            )
            + "\n"
            for i, text in enumerate(said)
        )
    )
    now = ("--db", str(db), "--now", "2026-03-02T12:00:00Z")
    done = groundswell("import", "posts", str(posts), *now)
    assert done.returncode == 0, done.stderr
    assert groundswell("tag", *now).returncode == 0
    asked = groundswell("label", "--limit", "3", *now, keys="o\nn\nq\n")
    assert asked.returncode == 0, asked.stderr
    assert "2 stored" in asked.stdout
    again = groundswell("label", *now, keys="s\n")
    assert "1/1" in again.stdout, "what was labelled is not asked again"
    out = tmp_path / "model"
    trained = groundswell("train", "--labels", str(small), "--out", str(out), *now)
    rows = training.read_labels(small, MATCHER)
    assert int(trained.stdout.split(" texts to learn")[0].split()[-1]) > sum(not row.is_holdout for row in rows)


def test_tags_are_the_same_whatever_is_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from pipeline.core.records import Batch, Post
    from pipeline.stages import tag
    from pipeline.store import Store
    from pipeline.store.observations import save_batch

    at = utc("2026-03-02T11:40:00Z")
    texts = [row["text"] for row in labelled()[::20]]
    posts = tuple(
        Post(
            source="s",
            native_id=f"p{i}",
            kind="post",
            community="ClaudeAI",
            author_key=f"a{i}",
            author_created=None,
            created=at + timedelta(seconds=i),
            collected=at,
            title=text,
        )
        for i, text in enumerate([*texts, *texts[:9]])
    )
    model = classifier.load(MODELS)
    read = []
    for name, chunk, files in (("whole", 5_000, 1), ("chunks", 7, 1), ("files", 5_000, 10)):
        monkeypatch.setattr(tag, "CHUNK", chunk)
        with Store(tmp_path / f"{name}.db") as store:
            for number in range(files):  # each offered and read apart
                save_batch(store, Batch(source="s", rows=posts[number::files]), at)
                tag.run_tag(store, MATCHER, model, at, since=at)
            read.append([tuple(row) for row in store.rows("SELECT * FROM post_tags ORDER BY native_id, service")])
    assert len(read[0]) >= len(posts)
    assert read[0] == read[1] == read[2]


@pytest.mark.slow
def test_replays_that_begin_at_other_times_give_the_same_tags(day: Day, tmp_path: Path) -> None:
    from pipeline.store import Store

    code, _ = replay(SCENARIO, tmp_path / "later.db", "2026-03-02T11:30:00Z", "2026-03-02T12:00:00Z")
    assert code == 0
    tags = []
    for path in (day[0] / "a.db", tmp_path / "later.db"):
        with Store(path) as store:
            rows = store.rows("SELECT * FROM post_tags ORDER BY source, native_id, service")
            tags.append({(row["source"], row["native_id"], row["service"]): tuple(row) for row in rows})
    common = tags[0].keys() & tags[1].keys()
    assert len(common) > 100
    assert all(tags[0][key] == tags[1][key] for key in common)
    only_later = {key[:2] for key in tags[1].keys() - tags[0].keys()}
    assert only_later.isdisjoint({key[:2] for key in common}), "a post is about the same services in both"


def test_reading_again_with_another_model_changes_no_vote(tmp_path: Path) -> None:
    from datetime import timedelta

    from pipeline.core.records import Batch, Post
    from pipeline.stages.tag import run_tag
    from pipeline.store import Store
    from pipeline.store.observations import save_batch
    from tests.copies import replace

    at = utc("2026-03-02T11:40:00Z")
    texts = (
        "Claude is down, nothing loads",
        "claude login fails with 500",
        "Claude won't answer at all, anyone else?",
        "Claude is dead here",
    )
    posts = tuple(
        Post(
            source="s",
            native_id=f"p{i}",
            kind="post",
            community="ClaudeAI",
            author_key=f"a{i}",
            author_created=at - timedelta(days=3 if i > 1 else 900, hours=i),
            created=at + timedelta(minutes=i),
            collected=at,
            title=text,
        )
        for i, text in enumerate(texts)
    )
    model = classifier.load(MODELS)
    with Store(tmp_path / "g.db") as store:
        save_batch(store, Batch(source="s", rows=posts), at)
        run_tag(store, MATCHER, model, at, since=at)
        first = [tuple(row) for row in store.rows("SELECT native_id, weight, reason FROM votes ORDER BY native_id")]
        assert [weight for _, weight, _ in first] == [1, 1, 0, 1]
        run_tag(store, MATCHER, replace(model, id="another"), at, since=at)
        assert [
            tuple(row) for row in store.rows("SELECT native_id, weight, reason FROM votes ORDER BY native_id")
        ] == first
        save_batch(store, Batch(source="s", rows=(replace(posts[0], deleted=True),)), at)
        run_tag(store, MATCHER, replace(model, id="another"), at, since=at)
        judged = store.rows("SELECT weight, reason FROM votes WHERE native_id = 'p0'")
        assert [tuple(row) for row in judged] == [(0.0, "deleted")], "a post taken back is a vote taken back"
