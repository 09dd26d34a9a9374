"""The page of a failure that services share has what its members' pages have: news and posts of all of them."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.paths import DASHBOARDS
from pipeline.core.vocabulary import Transition
from pipeline.render.mail import plain_text
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.world import CATALOGUE, World, at

MEMBERS = {
    "heroku": "cannot deploy anything since this morning",
    "huggingface": "every download of a model ends in an error",
    "vercel": "our preview pages do not load at all",
}


def test_a_shared_failures_page_has_the_news_and_the_posts_of_its_members(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("aws", *MEMBERS))
        store.put_catalogue(CATALOGUE, world.config.watched)
        for name, text in MEMBERS.items():
            world.bins(name, "11:00", 12, 900 if name == "vercel" else 400, 60)
            world.people(name, "11:05", [text])
        world.news("11:20", "Vercel outage: sites down for thousands")
        world.explain("12:01")
        run_publish(store, world.config, tmp_path / "report", at("12:05"), simulated=False)
        (group,) = (i for i in world.all().values() if i.is_group)
        page = (tmp_path / "report" / f"incident-{group.id}.html").read_text()
        first = (tmp_path / "report" / "index.html").read_text()
        messages = [a for a in alerts_of(store, group.id) if a.transition is Transition.OPENED]
    assert "Vercel outage: sites down for thousands" in page
    assert [text for text in MEMBERS.values() if text not in page] == []
    assert f'<td data-l="what">several services, {group.state_in_words}</td>' in first
    peak = "at the peak 900 complaints about Vercel in 5 min against 5 normally."
    assert peak in page
    assert messages
    assert all(peak in plain_text(message, "UTC").splitlines()[0] for message in messages)
