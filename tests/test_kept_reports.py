"""Reports that a replay keeps in memory are those of the database, whatever is written in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.records import Batch, Post
from pipeline.core.reports import Report, Vote
from pipeline.core.times import utc
from pipeline.core.vocabulary import VoteReason
from pipeline.store import Store
from pipeline.store.detector_input import mentions
from pipeline.store.observations import save_batch
from pipeline.store.reports import earlier_accounts, earlier_votes, reports, save_tags
from pipeline.store.retention import forget
from tests.copies import replace
from tests.stored_rows import a_tag

NOW = utc("2026-03-02T10:00:00Z")


def post(number: int, text: str) -> Post:
    return Post(
        source="reddit",
        native_id=f"p{number}",
        kind="post",
        community="test",
        author_key=f"a{number}",
        author_created=NOW - timedelta(days=number) if number % 3 else None,
        created=NOW + timedelta(minutes=number),
        collected=NOW + timedelta(minutes=number),
        title="",
        text=text,
        url="",
    )


def vote(of: Post, weight: float) -> Vote:
    reason = next(iter(VoteReason))
    return Vote(of.source, of.native_id, "github", of.created, weight, reason, of.author_key, "x")


def save(store: Store, posts: list[Post], weight: float = 1.0, *, earlier: list[Vote] | None = None) -> None:
    save_batch(store, Batch(source="reddit", rows=tuple(posts)), NOW)
    save_tags(
        store,
        posts,
        [a_tag(one, "github") for one in posts],
        [*(earlier or []), *(vote(one, weight) for one in posts)],
        "m",
    )


def read(store: Store, minutes: int, since: datetime = NOW) -> list[Report]:
    return reports(store, "github", since, NOW + timedelta(minutes=minutes))


def saved_steps(seed: int, *stores: Store) -> Iterator[tuple[int, list[int]]]:
    """Save posts into each store in 24 steps, two of them late; give the step and the numbers of the late ones."""
    dice = np.random.default_rng(seed)
    for step in range(24):
        late = dice.integers(0, step + 1, 2).tolist()
        posts = [post(number, f"down {step}") for number in dict.fromkeys([*late, step, 24 + step])]
        earlier = [vote(post(late[0] // 2, ""), 0.5)] if step % 3 == 0 else []
        for store in stores:
            save(store, posts, weight=float(step % 2), earlier=earlier)
        yield step, late


def test_they_are_those_of_the_database_after_posts_come_late_are_edited_and_votes_change(tmp_path: Path) -> None:
    with Store(tmp_path / "kept.db") as kept, Store(tmp_path / "x.db") as plain, kept.kept.keeping():
        for step, _ in saved_steps(2, kept, plain):
            since = NOW + timedelta(minutes=12 if 8 < step < 16 else 0)
            assert read(kept, step, since) == read(plain, step, since)
            assert read(kept, step + 1, since) == read(plain, step + 1, since)
            assert read(kept, step // 2, since) == read(plain, step // 2, since)


def test_a_post_of_a_fraction_of_a_second_that_comes_again_is_there_once(tmp_path: Path) -> None:
    one = replace(post(1, "down"), created=NOW + timedelta(minutes=1, milliseconds=700))
    with Store(tmp_path / "kept.db") as kept, Store(tmp_path / "x.db") as plain, kept.kept.keeping():
        for _ in range(2):
            for store in (kept, plain):
                save(store, [one])
            answers = [
                (
                    read(store, 5),
                    mentions(store, "reddit", NOW, NOW + timedelta(minutes=5)),
                    earlier_votes(store, NOW, NOW + timedelta(minutes=5), ()),
                    earlier_accounts(store, NOW, NOW + timedelta(minutes=5), ()),
                )
                for store in (kept, plain)
            ]
            assert answers[0] == answers[1]
            assert [len(rows) for rows in answers[0]] == [1, 1, 1, 1]


def test_what_new_posts_are_counted_by_is_that_of_the_database_though_posts_come_late(tmp_path: Path) -> None:
    with Store(tmp_path / "kept.db") as kept, Store(tmp_path / "x.db") as plain, kept.kept.keeping():
        for step, late in saved_steps(3, kept, plain):
            for first, last in ((0, step), (step // 2, 2 * step), (late[0], step + 1), (0, step // 2)):
                span = NOW + timedelta(minutes=first), NOW + timedelta(minutes=last)
                again = {("reddit", f"p{late[1]}")}
                assert earlier_votes(kept, *span, again) == earlier_votes(plain, *span, again)
                assert earlier_accounts(kept, *span, again) == earlier_accounts(plain, *span, again)
                assert mentions(kept, "reddit", *span) == mentions(plain, "reddit", *span)


def test_an_earlier_post_that_counts_now_is_read_again(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save(store, [post(1, "down")], weight=0.0)
        assert [report.weight for report in read(store, 10)] == [0.0]
        save(store, [post(5, "down")], earlier=[vote(post(1, "down"), 0.5)])
        assert [report.weight for report in read(store, 10)] == [0.5, 1.0]


@pytest.mark.parametrize("how", ["deleted", "forgotten"])
def test_words_that_were_taken_back_are_not_kept(tmp_path: Path, how: str) -> None:
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save(store, [post(1, "down"), post(5, "down")])
        assert [report.text for report in read(store, 10)] == ["down", "down"]
        if how == "forgotten":
            forget(store, "reddit", ["p1"])
        else:
            gone = replace(post(1, ""), deleted=True)
            save_batch(store, Batch(source="reddit", rows=(gone,)), NOW)
        assert [report.text for report in read(store, 10)] == ["", "down"]


def test_the_list_that_is_given_may_be_changed(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save(store, [post(1, "down")])
        read(store, 10).clear()
        assert len(read(store, 10)) == 1
