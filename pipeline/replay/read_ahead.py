"""Posts of a replay read some hundred at a time, before their steps: what is read of a text hangs on that text alone.

One text at a time costs three times as much as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pipeline.core.records import Post
from pipeline.replay.recorded_source import RecordedSource
from pipeline.stages.tag import PostReader, TaggedPost, tagged
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher

AHEAD = 500  # posts that are read together with the first one that is not read yet


class _Content(NamedTuple):
    """All of a post that its reading hangs on."""

    source: str
    native_id: str
    kind: str
    community: str
    created: datetime
    title: str
    text: str


class ReadAhead:
    """Reads posts as `tagged` does, and with them those that the sources will offer next."""

    def __init__(
        self, sources: Sequence[RecordedSource], until: datetime, *, ahead: int = AHEAD, read: PostReader = tagged
    ) -> None:
        """Of sources of posts; `until` is the last step, `ahead` how many posts are read together, by `read`."""
        self._ahead, self._tagged = ahead, read
        rows = [row for source in sources if source.kind == "posts" for row in source.rows(None, until)]
        self._posts = [post for _, post in sorted(rows, key=lambda row: row[0]) if isinstance(post, Post)]
        self._places = {_content(post): place for place, post in enumerate(self._posts)}
        self._readings: dict[_Content, list[TaggedPost]] = {}
        self._earlier: dict[_Content, list[TaggedPost]] = {}  # those of the pass before

    def __call__(self, posts: Sequence[Post], matcher: ServiceMatcher, model: OutageModel) -> Iterator[TaggedPost]:
        """Yield each post with every service that it is about, in order; the model is the same at each call."""
        contents = [_content(post) for post in posts]
        readings = {
            content: known
            for content in contents
            if (known := self._readings.get(content, self._earlier.get(content))) is not None
        }
        if unread := [post for post, content in zip(posts, contents, strict=True) if content not in readings]:
            self._read(unread, matcher, model)
            readings = self._readings | readings
        for post, content in zip(posts, contents, strict=True):
            for reading in readings[content]:
                yield reading._replace(post=post)

    def _read(self, posts: Sequence[Post], matcher: ServiceMatcher, model: OutageModel) -> None:
        """Read posts, and those that follow the last of them."""
        known = [self._places[content] for post in posts if (content := _content(post)) in self._places]
        begin = max(known, default=len(self._posts)) + 1
        batch = {_content(post): post for post in (*posts, *self._posts[begin : begin + self._ahead])}
        readings: dict[_Content, list[TaggedPost]] = {content: [] for content in batch}
        for reading in self._tagged(list(batch.values()), matcher, model):
            readings[_content(reading.post)].append(reading)
        self._earlier, self._readings = self._readings, readings


def _content(post: Post) -> _Content:
    return _Content(post.source, post.native_id, post.kind, post.community, post.created, post.title, post.text)
