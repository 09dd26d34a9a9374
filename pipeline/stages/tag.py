"""Tag: read every new post once, say what it is about, and decide whether it counts as somebody's report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.config.paths import PLACES
from pipeline.core.records import Post, Run, Tag
from pipeline.core.reports import Vote
from pipeline.core.vocabulary import PostKind
from pipeline.detection.report_counting import WINDOW, ReportCounter
from pipeline.store import Store
from pipeline.store.failures import damaged
from pipeline.store.isolation import Isolation
from pipeline.store.observations import count_posts, untagged_posts
from pipeline.store.reports import earlier_accounts, earlier_votes, save_tags
from pipeline.store.runs import record_run
from pipeline.text.extract import ExtractionRequest, extract
from pipeline.text.models.outage import OutageModel
from pipeline.text.normalize import text_fingerprint
from pipeline.text.reactions import has_words
from pipeline.text.services import ServiceMatcher

REREAD = timedelta(days=2)
CHUNK = 4_000  # posts that are read together: no more than texts whose forms are remembered


def run_tag(
    store: Store,
    matcher: ServiceMatcher,
    model: OutageModel,
    now: datetime,
    *,
    since: datetime,
    read: PostReader | None = None,
) -> Run:
    """Tag what is untagged; `since` only says how many posts were there to be looked at, `read` is `tagged` if None.

    Raises StoreError on a damaged database.
    """
    isolation = Isolation(store)
    new, before = 0, frozenset[tuple[str, str]]()
    while posts := untagged_posts(store, model.id, now - REREAD, CHUNK):
        offered = frozenset((post.source, post.native_id) for post in posts)
        if offered & before:
            raise damaged(store.path, "posts that were read are offered as unread: an index is wrong")
        before = offered
        readings = _read(posts, matcher, model, isolation, read or tagged)
        _tag(store, posts, readings, model.id)
        new += len(posts)
    seen = max(new, count_posts(store, since, now))
    error = isolation.error or model.note
    run = Run(stage="tag", subject="posts", started=now, outcome=isolation.outcome, seen=seen, new=new, error=error)
    record_run(store, run)
    return run


def _tag(store: Store, posts: Sequence[Post], readings: Iterable[TaggedPost], model: str) -> None:
    counter = ReportCounter()
    again = {(post.source, post.native_id) for post in posts}
    span = posts[0].created - WINDOW, posts[-1].created + WINDOW
    counter.restore(earlier_votes(store, *span, again))
    counter.restore_accounts(earlier_accounts(store, *span, again))
    tags: list[Tag] = []
    votes: list[Vote] = []
    for post, tag, fingerprint in readings:
        tags.append(tag)
        weight, reason = counter.count(tag.service, post, fingerprint, tag.p_outage)
        votes.append(
            Vote(
                source=post.source,
                native_id=post.native_id,
                service=tag.service,
                created=post.created,
                weight=weight,
                reason=reason,
                author_key=post.author_key,
                fingerprint=fingerprint,
            )
        )
    save_tags(store, posts, tags, votes, model)


def _read(
    posts: Sequence[Post], matcher: ServiceMatcher, model: OutageModel, isolation: Isolation, read: PostReader
) -> list[TaggedPost]:
    """Return the posts with every service that each is about; a post that fails unexpectedly is about none."""
    try:
        return list(read(posts, matcher, model))
    except Exception:  # noqa: BLE001 - which post it was is found by reading each alone
        found: list[TaggedPost] = []
        for post in posts:
            with isolation.of(f"the post {post.native_id} of {post.source}"):
                found += tagged([post], matcher, model)
        return found


class TaggedPost(NamedTuple):
    """A post, what it says of a service, and the digest of its wording."""

    post: Post
    tag: Tag
    fingerprint: str


PostReader = Callable[[Sequence[Post], ServiceMatcher, OutageModel], Iterable[TaggedPost]]
"""Reads posts: returns each with every service that it is about, in order, as `tagged` does."""


def tagged(posts: Sequence[Post], matcher: ServiceMatcher, model: OutageModel) -> Iterator[TaggedPost]:
    """Yield each post with every service that it is about, in order.

    The title of a comment is its story's: it may tell what the comment is about, and is no part of what it says.
    """
    requests: list[tuple[Post, ExtractionRequest]] = []
    for post in posts:
        titled = f"{post.title}\n{post.text}".strip()
        text = post.text if post.kind == PostKind.COMMENT else titled
        about = matcher.about(text, post.community)
        if text is not titled and not about:
            about = {service: [] for service in matcher.about(post.title, post.community)}
        for service, matches in about.items():
            requests.append((post, ExtractionRequest(text=text, service=service, matches=matches, posted=post.created)))
    extractions = extract([request for _, request in requests], matcher, model, PLACES)
    for (post, request), r in zip(requests, extractions, strict=True):
        tag = Tag(
            source=post.source,
            native_id=post.native_id,
            service=r.service,
            p_outage=r.p_outage if has_words(request.text) else 0.0,
            components=r.components,
            symptom=r.symptom,
            region=r.region,
            language=r.language,
            anger=r.anger,
            exonerates=r.working_components,
            model=model.id,
            codes=r.codes,
            began=r.began,
        )
        yield TaggedPost(post, tag, text_fingerprint(request.text))
