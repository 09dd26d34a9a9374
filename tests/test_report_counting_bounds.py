"""Each bound of report counting, held just below and just above it, and the words it stores."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.core.records import Post
from pipeline.core.series import Mention
from pipeline.core.times import utc
from pipeline.core.vocabulary import PostKind, VoteReason
from pipeline.detection import report_counting
from pipeline.detection.report_counting import ReportCounter as Counter
from tests.copies import replace

AT = utc("2026-03-02T12:00:00Z")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEARS = timedelta(days=900)


def post(author: str, at: datetime = AT, *, age: timedelta | None = None, **more: object) -> Post:
    """Return a post; the account is as old as `age` when it writes, or of unknown age."""
    usual = Post(
        source="reddit",
        native_id=author,
        kind="post",
        community="",
        author_key=author,
        author_created=None if age is None else at - age,
        created=at,
        collected=at,
    )
    return replace(usual, **more)  # type: ignore[arg-type]


def judged(*posts: Post, texts: Sequence[str] = (), p_outage: float = 0.9) -> list[tuple[float, str]]:
    """Return weight and reason of each post about one service; texts differ unless given."""
    counter = Counter()
    texts = texts or [f"text {number}" for number in range(len(posts))]
    return [counter.count("svc", one, text, p_outage) for one, text in zip(posts, texts, strict=True)]


COUNTED = (1.0, VoteReason.COUNTED)
HALF = (0.0, VoteReason.HALF)


@pytest.mark.parametrize(("p", "expected"), [(0.49, (0.0, VoteReason.NOT_ABOUT_OUTAGE)), (0.5, COUNTED)])
def test_a_post_is_about_an_outage_from_a_probability_of_a_half(p: float, expected: tuple[float, str]) -> None:
    assert judged(post("ann"), p_outage=p) == [expected]


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), (0.0, VoteReason.YOUNG_ACCOUNT)),
        (DAY - SECOND, (0.0, VoteReason.YOUNG_ACCOUNT)),
        (DAY, HALF),
        (7 * DAY - SECOND, HALF),
        (7 * DAY, COUNTED),
        (None, COUNTED),
    ],
)
def test_an_account_counts_for_nothing_under_a_day_and_for_half_under_a_week(
    age: timedelta | None, expected: tuple[float, str]
) -> None:
    assert judged(post("ann", age=age)) == [expected]


@pytest.mark.parametrize(
    ("after", "expected"), [(None, COUNTED), (15 * MINUTE, COUNTED), (15 * MINUTE + SECOND, HALF), (DAY, HALF)]
)
def test_a_post_edited_more_than_a_quarter_of_an_hour_later_counts_for_half(
    after: timedelta | None, expected: tuple[float, str]
) -> None:
    assert judged(post("ann", edited=None if after is None else AT + after)) == [expected]


@pytest.mark.parametrize(
    ("after", "counts"), [(timedelta(0), False), (6 * HOUR - SECOND, False), (6 * HOUR, True), (-6 * HOUR, True)]
)
def test_an_author_counts_once_in_six_hours(after: timedelta, counts: bool) -> None:
    expected = COUNTED if counts else (0.0, VoteReason.SAME_AUTHOR)
    assert judged(post("ann"), post("ann", AT + after))[1] == expected


@pytest.mark.parametrize(("after", "counts"), [(6 * HOUR - SECOND, False), (6 * HOUR, True)])
def test_a_text_counts_once_in_six_hours(after: timedelta, counts: bool) -> None:
    expected = COUNTED if counts else (0.0, VoteReason.SAME_TEXT)
    assert judged(post("ann"), post("bob", AT + after), texts=["same", "same"])[1] == expected


@pytest.mark.parametrize(("after", "counts"), [(6 * HOUR - SECOND, False), (6 * HOUR, True)])
def test_accounts_made_in_the_same_minute_are_held_against_each_other_for_six_hours(
    after: timedelta, counts: bool
) -> None:
    made = utc("2020-01-01T10:00:00Z")
    first = post("ann", author_created=made)
    second = post("bob", AT + after, author_created=made + 59 * SECOND)
    assert judged(first, second)[1] == (COUNTED if counts else (0.0, VoteReason.SAME_MINUTE_ACCOUNT))
    apart = post("bob", AT + after, author_created=made + 60 * SECOND)
    assert judged(first, apart)[1] == COUNTED


@pytest.mark.parametrize("kind", [PostKind.BOT, PostKind.NOTICE])
def test_what_bots_and_moderators_post_is_no_report_and_stands_in_no_users_way(kind: PostKind) -> None:
    posts = post("mod", kind=kind), post("ann", AT + MINUTE)
    assert judged(*posts, texts=["same", "same"]) == [(0.0, VoteReason.NOT_A_USER), COUNTED]


MIDNIGHT = AT.replace(hour=0)


def toot(author: str, joined: datetime, at: datetime = AT) -> Post:
    """Return a post of Mastodon, which gives only the day an account was made on."""
    return post(author, at, source="mastodon", author_created=joined)


@pytest.mark.parametrize(
    ("days", "reason"),
    [(8, VoteReason.SAME_DAY_ACCOUNT), (89, VoteReason.SAME_DAY_ACCOUNT), (90, VoteReason.COUNTED), (1200, "counted")],
)
def test_people_who_joined_on_one_day_are_many_once_that_day_is_long_ago(days: int, reason: str) -> None:
    joined = MIDNIGHT - days * DAY
    people = [toot(f"u{n}", joined, AT + n * SECOND) for n in range(12)]
    assert [verdict[1] for verdict in judged(*people)] == [VoteReason.COUNTED, *[reason] * 11]
    assert sum(weight for weight, _ in judged(*people)) == (12 if reason == VoteReason.COUNTED else 1)
    # a source that gives the time means midnight by it
    reasons = [verdict[1] for verdict in judged(*(replace(one, source="reddit") for one in people))]
    assert reasons == [VoteReason.COUNTED, *[VoteReason.SAME_MINUTE_ACCOUNT] * 11]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1, (0.0, VoteReason.YOUNG_ACCOUNT)), (2, HALF), (7, HALF), (8, COUNTED)],
)
def test_an_account_of_which_only_the_day_is_known_may_be_as_young_as_the_end_of_that_day(
    days: int, expected: tuple[float, str]
) -> None:
    assert judged(toot("ann", MIDNIGHT - days * DAY)) == [expected]


@pytest.mark.parametrize(("whole", "paired"), [(0, False), (1, False), (2, True), (5, True)])
def test_two_halves_count_as_one_when_two_whole_reports_came_before(whole: int, paired: bool) -> None:
    before = [post(f"old{n}", age=YEARS + n * DAY) for n in range(whole)]
    young = [post("y0", age=3 * DAY), post("y1", AT + MINUTE, age=4 * DAY)]
    last = judged(*before, *young)[-2:]
    assert last == [HALF, (1.0, VoteReason.COUNTED_AS_PAIR) if paired else HALF]


@pytest.mark.parametrize(("between", "paired"), [(0, False), (1, False), (2, True)])
def test_a_second_pair_needs_two_more_whole_reports(between: int, paired: bool) -> None:
    first = [post("o0", age=YEARS), post("o1", age=YEARS + DAY), post("y0", age=2 * DAY), post("y1", age=3 * DAY)]
    more = [post(f"m{n}", age=YEARS + (n + 2) * DAY) for n in range(between)]
    second = [post("y2", age=4 * DAY), post("y3", age=5 * DAY)]
    verdicts = judged(*first, *more, *second)
    assert verdicts[3] == (1.0, VoteReason.COUNTED_AS_PAIR)
    assert verdicts[-1] == ((1.0, VoteReason.COUNTED_AS_PAIR) if paired else HALF)


@pytest.mark.parametrize(("after", "paired"), [(6 * HOUR - SECOND, True), (6 * HOUR, False)])
def test_a_half_waits_six_hours_for_another(after: timedelta, paired: bool) -> None:
    whole = [post("o0", age=YEARS), post("o1", age=YEARS + DAY)]
    verdicts = judged(*whole, post("y0", age=3 * DAY), post("y1", AT + after, age=4 * DAY))
    assert verdicts[-1] == ((1.0, VoteReason.COUNTED_AS_PAIR) if paired else HALF)


@pytest.mark.parametrize(("after", "kept"), [(6 * HOUR, True), (6 * HOUR + SECOND, False)])
def test_what_is_older_than_six_hours_is_forgotten(after: timedelta, kept: bool) -> None:
    counter = Counter()
    counter.count("svc", post("ann", age=3 * DAY), "text", 0.9)
    counter.forget(AT + after)
    assert [bool(memory) for memory in (counter.authors, counter.texts, counter.halves, counter.accounts)] == [kept] * 4


@pytest.mark.parametrize(
    ("after", "counted", "text", "listed"),
    [
        (6 * HOUR - SECOND, False, "same", False),
        (6 * HOUR, False, "same", True),
        (MINUTE, True, "same", True),  # what counts as a report is no copy
        (MINUTE, False, "", True),  # nothing is known of a text that was not kept
    ],
)
def test_a_copy_within_six_hours_is_left_out_of_the_talk(
    after: timedelta, counted: bool, text: str, listed: bool
) -> None:
    mentions = [Mention("svc", AT, False, text), Mention("svc", AT + after, counted, text)]
    rows = report_counting.without_copies(mentions, AT)
    assert [row[1] for row in rows] == [AT, AT + after] if listed else [AT]


def test_mentions_before_the_span_only_tell_which_texts_are_copies() -> None:
    mentions = [Mention("svc", AT - SECOND, False, "same"), Mention("svc", AT, False, "same")]
    assert report_counting.without_copies(mentions, AT) == []
    assert len(report_counting.without_copies(mentions, AT - SECOND)) == 1


def _every_reason() -> dict[str, VoteReason]:
    """Return the reasons the counter gives, each made to occur once, and the member each should be."""
    made = utc("2020-01-01T10:00:00Z")
    lately = utc("2026-02-20T00:00:00Z")
    old = [post("o0", age=YEARS), post("o1", age=YEARS + DAY)]
    cases = {
        VoteReason.COUNTED: judged(post("ann")),
        VoteReason.COUNTED_AS_PAIR: judged(*old, post("y0", age=3 * DAY), post("y1", age=4 * DAY)),
        VoteReason.HALF: judged(post("ann", age=3 * DAY)),
        VoteReason.NOT_ABOUT_OUTAGE: judged(post("ann"), p_outage=0.1),
        VoteReason.DELETED: judged(post("ann", deleted=True)),
        VoteReason.NO_AUTHOR: judged(post("")),
        VoteReason.NOT_A_USER: judged(post("ann", kind=PostKind.BOT)),
        VoteReason.SAME_MINUTE_ACCOUNT: judged(post("a", author_created=made), post("b", author_created=made)),
        VoteReason.SAME_DAY_ACCOUNT: judged(toot("a", lately), toot("b", lately)),
        VoteReason.YOUNG_ACCOUNT: judged(post("ann", age=HOUR)),
        VoteReason.SAME_AUTHOR: judged(post("ann"), post("ann")),
        VoteReason.SAME_TEXT: judged(post("ann"), post("bob"), texts=["same", "same"]),
    }
    return {verdicts[-1][1]: member for member, verdicts in cases.items()}


def test_every_vote_reason_is_one_the_counter_writes_and_the_other_way_round() -> None:
    written = _every_reason()
    assert {str(reason): member for reason, member in written.items()} == {
        member.value: member for member in VoteReason if member is not VoteReason.UNKNOWN
    }


def test_the_counter_has_no_reason_beyond_those_made_to_occur() -> None:
    (count,) = (
        node
        for node in ast.walk(ast.parse(Path(report_counting.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == Counter.count.__name__
    )
    returns = [node for node in ast.walk(count) if isinstance(node, ast.Return)]
    assert len(returns) == len(_every_reason())


@pytest.mark.parametrize("reason", list(VoteReason))
def test_a_stored_reason_is_read_back_as_its_member(reason: VoteReason) -> None:
    assert VoteReason(reason.value) is reason
    assert VoteReason("a reason of another version") is VoteReason.UNKNOWN
