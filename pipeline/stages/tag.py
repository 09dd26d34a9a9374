"""Tag: read every new post once, say what it is about, and decide whether it counts as somebody's report."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.model import Post, Run, Tag
from pipeline.store import Store
from pipeline.store.collected import count_posts, untagged_posts
from pipeline.store.runs import record_run
from pipeline.store.story import Vote, earlier_votes, save_tags
from pipeline.text.classifier import OutageModel
from pipeline.text.reading import language_of
from pipeline.text.services import ServiceMatcher
from pipeline.text.symptoms import anger, parts_named, symptom
from pipeline.text.votes import WINDOW, Ballot, shape_of

REREAD = timedelta(days=2)
CHUNK = 5_000


def run_tag(store: Store, matcher: ServiceMatcher, model: OutageModel, now: datetime, *, since: datetime) -> Run:
    """Tag what is untagged; `since` only says how many posts were there to be looked at."""
    new = 0
    while posts := untagged_posts(store, model.id, now - REREAD, CHUNK):
        _tag(store, matcher, model, posts)
        new += len(posts)
    seen = max(new, count_posts(store, since, now))
    run = Run(stage="tag", subject="posts", started=now, outcome="ok", seen=seen, new=new, error=model.note)
    record_run(store, run)
    return run


def _tag(store: Store, matcher: ServiceMatcher, model: OutageModel, posts: list[Post]) -> None:
    found = []
    for post in posts:
        text = f"{post.title}\n{post.text}".strip()
        for service, hits in matcher.about(text, post.community).items():
            found.append((post, text, service, hits))
    scores = model.scores([matcher.masked(text, service) for _, text, service, _ in found])
    tags: list[Tag] = []
    votes: list[Vote] = []
    ballot = Ballot()
    if posts:
        ballot.recall(earlier_votes(store, posts[0].created - WINDOW, posts[-1].created + WINDOW))
    languages = [language_of(text) for _, text, _, _ in found]
    for (post, text, service, hits), p, language in zip(found, scores, languages, strict=True):
        named = [(hit.start, hit.end, hit.component) for hit in hits]
        failing, working = parts_named(text, matcher.catalogue[service], named)
        tags.append(Tag(
            source=post.source, native_id=post.native_id, service=service, p_outage=p, components=tuple(failing),
            symptom=symptom(text) if p >= 0.5 else "", region="", language=language, anger=anger(text),
            exonerates=tuple(working), model=model.id,
        ))  # fmt: skip
        shape = shape_of(text)
        weight, reason = ballot.judge(service, post.author_key, shape, post.created, p)
        votes.append((post.source, post.native_id, service, post.created, weight, reason, post.author_key, shape))
    save_tags(store, posts, tags, votes, model.id)
