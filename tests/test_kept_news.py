"""News that a replay keeps in memory are those of the database, whatever is written in between."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
from msgspec import structs

from pipeline.core.records import Batch, NewsItem
from pipeline.core.times import utc
from pipeline.stages.explain.news import fold_news
from pipeline.store import Store
from pipeline.store.observations import news_items, save_batch
from pipeline.text.models.kinds import NewsModel
from pipeline.text.services import ServiceMatcher

NOW = utc("2026-03-02T10:00:00Z")
DAY = timedelta(days=1)


def item(number: int, step: int) -> NewsItem:
    published = NOW + number * DAY / 2
    return NewsItem(
        source="feeds",
        native_id=str(number),
        outlet=f"outlet {number % 3}",
        published=published,
        collected=published,
        title=f"story {number // 2} of many",
        summary=f"written in step {step}",
        url="",
    )


def test_they_are_those_of_the_database_after_items_come_and_are_rewritten(tmp_path: Path) -> None:
    dice = np.random.default_rng(4)
    matcher, model = ServiceMatcher({}), NewsModel("rules", "")
    with Store(tmp_path / "kept.db") as kept, Store(tmp_path / "x.db") as plain, kept.kept.keeping():
        for step in range(40):
            now = NOW + step * DAY / 2
            fresh = [item(step, step), item(int(dice.integers(0, step + 1)), step)] if step % 3 == 0 else []
            undated = [structs.replace(row, published=None) for row in fresh[:1] if step % 2]
            for store in (kept, plain):
                save_batch(store, Batch(source="feeds", rows=(*undated, *fresh)), now)
            found, expected = (fold_news(store, matcher, lambda: model, now) for store in (kept, plain))
            assert found == expected
            assert len(found) > 0
            for since, until in ((now - 2 * DAY, now), (now, now), (NOW, now - DAY)):
                assert news_items(kept, since, until) == news_items(plain, since, until)
