"""From a bare text to a counted report: how often it is counted for the right service, and for no other.

A post counts for a service that is read in it with a probability of `REPORT` and more. A report that is counted for the
wrong service, or a post that is none and is counted, is false; a report that is not counted for its service is missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.config.paths import PLACES
from pipeline.text.extract import REPORT, ExtractionRequest, extract
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher

FEWEST = 30  # posts of a kind that a line is printed for


class JudgedPost(NamedTuple):
    """A post of others: the id of the service that it is about, and whether it reports an outage of it."""

    text: str
    service: str
    outage: bool
    language: str
    source: str


class Counted(NamedTuple):
    """A post, the services named in it, and those it is counted for."""

    post: JudgedPost
    named: frozenset[str]
    counted: frozenset[str]


class EndToEnd(NamedTuple):
    """Figures over posts: reports counted for their service, counted falsely, and missed."""

    right: int
    false: int
    missed: int

    @property
    def f1(self) -> float:
        """Return the F1 score; 0 where nothing was counted rightly."""
        return 2 * self.right / (2 * self.right + self.false + self.missed) if self.right else 0.0


def count_posts(posts: Sequence[JudgedPost], matcher: ServiceMatcher, model: OutageModel) -> list[Counted]:
    """Return what each post is counted for, read as the pipeline reads a post of no community."""
    requests: list[ExtractionRequest] = []
    owners: list[int] = []
    for place, post in enumerate(posts):
        for service, matches in matcher.about(post.text).items():
            requests.append(ExtractionRequest(text=post.text, service=service, matches=matches))
            owners.append(place)
    named: list[set[str]] = [set() for _ in posts]
    counted: list[set[str]] = [set() for _ in posts]
    for place, extraction in zip(owners, extract(requests, matcher, model, PLACES), strict=True):
        named[place].add(extraction.service)
        if extraction.p_outage >= REPORT:
            counted[place].add(extraction.service)
    return [Counted(p, frozenset(n), frozenset(c)) for p, n, c in zip(posts, named, counted, strict=True)]


def end_to_end(posts: Sequence[Counted]) -> EndToEnd:
    """Return the figures over posts."""
    right = sum(each.post.outage and each.post.service in each.counted for each in posts)
    wrong = sum(bool(each.counted - {each.post.service} if each.post.outage else each.counted) for each in posts)
    return EndToEnd(right, wrong, sum(each.post.outage for each in posts) - right)


def report(posts: Sequence[JudgedPost], matcher: ServiceMatcher, model: OutageModel) -> Iterator[str]:
    """Yield a line for all posts, for those that name a service, and for each language and source of many posts."""
    counted = count_posts(posts, matcher, model)
    groups = {"all": counted, "in which a service is named": [each for each in counted if each.named]}
    for language in sorted({post.language for post in posts}):
        groups[f"language {language}"] = [each for each in counted if each.post.language == language]
    for source in sorted({post.source for post in posts}):
        groups[f"source {source}"] = [each for each in counted if each.post.source == source]
    yield f"{'end to end, from the bare text':<44} {'n':>5} {'right':>6} {'false':>6} {'missed':>7} {'F1':>6}"
    for name, chosen in groups.items():
        if len(chosen) >= FEWEST:
            right, false, missed = figures = end_to_end(chosen)
            yield f"  {name:<42} {len(chosen):>5} {right:>6} {false:>6} {missed:>7} {figures.f1:>6.3f}"
