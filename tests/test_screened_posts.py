"""Posts of archives that name no service are passed over unread: none of another is, and all are checked alike."""

from __future__ import annotations

import json
import random

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, Post
from pipeline.core.times import utc
from pipeline.core.vocabulary import PostKind
from pipeline.sources.author_keys import MissingSalt
from pipeline.sources.json_lines import LineChunk, value_of
from pipeline.sources.parsing import TITLE_CAP
from pipeline.sources.reddit_posts import PostReader, batch_of_lines, to_batch, to_post
from pipeline.sources.screened_posts import ScreenedPosts, screen
from pipeline.text.mention_prefilter import MentionPrefilter
from pipeline.text.models import training
from pipeline.text.normalize import CAP, normalize
from pipeline.text.services import ServiceMatcher

CATALOGUE = load_catalogue()
MATCHER, PREFILTER = ServiceMatcher(CATALOGUE), MentionPrefilter(CATALOGUE)
NOW = utc("2026-03-05T00:00:00Z")
READER = PostReader(source="reddit", fetched_at=NOW, salt=b"s")
NAMED = [
    "claude is down",
    "down: Claude",
    "CLAUDE",
    "_claude_ is down",
    "my\nclaude\nis down",
    "ＣＬＡＵＤＥ is down",
    "cla\u200bude is down",
    "cla\0ude is down",
    "netfl\u00adix is out",
    "ſpotify is down",
    "chatgpt\ud800x is down",
    "&#99;laude is down",
    "AT&amp;T is down",
    "it’s Netflix’s servers",
    "#claudedown",
    "@claudeai is broken",
    "я не могу войти в клод",
    "クロードが落ちた",
    "클로드가 안 돼요",
    "steam, twitch and spotify are dead",
    f"{'so ' * 2000}"[: CAP - 8] + " chatgptlike",  # cut where the name ends
    "Ω" * 200 + " claude",
]
UNNAMED = ["nothing works today", "the servers of my own are down", "reclaudent 1claude2", "été à la plage — “oui”", ""]
ODD = [None, 5, 0, True, False, [], ["claude is down"], {"a": "netflix is down"}]
SECONDS = [
    1769999999,
    1769999999.5,
    "1769999999",
    " 1769999999 ",
    "1_769_999_999",
    "soon",
    "nan",
    None,
    True,
    False,
    float("inf"),
    float("nan"),
    0,
    -1,
    10**30,
    4102444800,
    NOW.timestamp() + 299.5,
    NOW.timestamp() + 300,
    NOW.timestamp() + 300.5,
    NOW.timestamp() + 301,
]
FIELDS: dict[str, list[object]] = {
    "id": ["t1_c", "t3_d", "d e", "é", "x" * 60, 7, "", " ", None, [1]],
    "name": ["t1_a", "t3_b", "", None, "c"],
    "created_utc": SECONDS,
    "edited": SECONDS,
    "author_created_utc": SECONDS,
    "title": [*NAMED, *UNNAMED, *ODD, "s" * 499 + " claude", "so" * (TITLE_CAP // 2 - 4) + " chatgptlike"],
    "selftext": [*NAMED, *UNNAMED, *ODD, "[deleted]"],
    "body": [*NAMED, *UNNAMED, *ODD],
    "subreddit": ["test", "ClaudeAI", " claudeai ", "Claude\0AI", "İ", *ODD],
    "author": ["someone", "AutoModerator", "[deleted]", *ODD],
    "removed_by_category": [None, "moderator"],
    "distinguished": [None, "moderator", ""],
    "stickied": [True, False, 1],
    "permalink": ["/r/a/b", "b", 5, None],
    "parent_id": ["t3_a", "", 5, None],
    "_meta": [None, {"was_deleted_later": True}],
}
BROKEN = [
    b"not JSON\n",
    b"\n",
    b" \r\n",
    b'{"id": "a", "created_utc": 1769999999, "author": "\xff"}\n',
    b'{"id": "b", "created_utc": 1769999999, "unknown": {"\xc3": 1}}\n',
    b'{"id": "c", "created_utc": 1769999999, "unknown": "\\ud800"}\n',
    b'{"id": "d", "created_utc": 1769999999, "unknown": "\\q"}\n',
    b'{"id": "m", "created_utc": 1769999999, "\\ud800": 1}\n',
    b'{"id": "e", "created_utc": 1769999999, "unknown": [NaN]}\n',
    b'{"id": "f", "created_utc": 1769999999} {"id": "g", "created_utc": 1769999999}\n',
    b'{"id": "h", "created_utc":\n',
    b"1769999999}\n",
    b'{"id": "i", "id": "j", "created_utc": 1, "created_utc": 1769999999}\n',
    '\ufeff{"id": "k", "created_utc": 1769999999}\n'.encode(),
    '{"id": "l", "created_utc": 1769999999, "title": "Ω", "unknown": "é"}\n'.encode(),
]
PLAIN = {"id": "p", "title": "", "author": "u", "subreddit": "test", "created_utc": 1769999999}


def as_line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def screened_values(*values: object) -> ScreenedPosts:
    """Screen objects as lines."""
    return screen(LineChunk(1, [as_line(value) for value in values]), str, READER, PREFILTER)


def odd_values() -> list[object]:
    """Return objects with one odd field each, of a post and of a comment, with a name and without, and no objects."""
    texts = ({"selftext": "hello"}, {"body": "hello"}, {"selftext": "claude is down"}, {"body": "netflix is down"})
    values: list[object] = [*BROKEN, "no object", None, 5, []]
    for text in texts:
        for field, odd in FIELDS.items():
            values += [{**PLAIN, "id": f"p{len(values) + n}", **text, field: value} for n, value in enumerate(odd)]
    return values


def about(post: Post) -> bool:
    """Return whether the tag stage would find a service in a post."""
    titled = f"{post.title}\n{post.text}".strip()
    text = post.text if post.kind == PostKind.COMMENT else titled
    return bool(MATCHER.about(text, post.community) or MATCHER.about(post.title, post.community))


def read_as_json(lines: list[bytes]) -> Batch:
    """Read lines as whole objects, whatever they hold."""
    read = [(number, value_of(line)) for number, line in enumerate(lines, start=1) if not line.isspace()]
    return to_batch(read, str, source="reddit", fetched_at=NOW, salt=b"s")


def test_an_archive_is_read_as_whole_objects_are() -> None:
    values = [*odd_values(), b'{"id": "p", "created_utc": 1770000000, "other": "\xff"}\n', b" \n"]
    lines = [value if isinstance(value, bytes) else as_line(value) for value in values]
    assert batch_of_lines(LineChunk(1, lines), str, READER) == (whole := read_as_json(lines))
    assert len(whole.rows) > 100
    assert len(whole.rejected) > 20


def test_of_screened_posts_none_about_a_service_is_missing_and_all_are_checked_as_before() -> None:
    values = odd_values()
    dice = random.Random(3)
    # pieces of one object too: what is wrong with a piece may not hide behind what is wrong with another
    for chunk in (values, *([value] for value in values), *(dice.choices(values, k=20) for _ in range(20))):
        lines = [value if isinstance(value, bytes) else as_line(value) for value in chunk]
        batch = read_as_json(lines)
        screened = screen(LineChunk(1, lines), str, READER, PREFILTER)
        posts = [row for row in batch.rows if isinstance(row, Post)]
        assert list(screened.posts) == [post for post in posts if post in screened.posts]
        assert [post for post in posts if about(post) and post not in screened.posts] == []
        assert len(screened.posts) + screened.others == len(posts)
        assert screened.rejected == batch.rejected
        assert screened.first == min((post.created for post in posts), default=None)
        assert screened.last == max((post.created for post in posts), default=None)


def test_a_later_post_with_the_same_id_that_names_nothing_takes_the_place_of_one_that_does() -> None:
    item = {"id": "a", "title": "", "author": "u", "subreddit": "test", "created_utc": 1769999999}
    values = [{**item, "selftext": "claude is down"}, {**item, "selftext": "hello", "created_utc": 1770000000}]
    screened = screened_values(*values)
    assert (screened.posts, screened.others) == ((), 1)
    assert screened.first == screened.last == utc("2026-02-02T02:40:00Z")


def test_posts_without_a_name_are_passed_over() -> None:
    item = {"id": "a", "title": "", "author": "u", "subreddit": "test", "created_utc": 1769999999}
    values = [{**item, "id": f"p{n}", "selftext": text} for n, text in enumerate(UNNAMED)]
    assert screened_values(*values).others == len(UNNAMED)


def test_nothing_is_screened_without_a_salt() -> None:
    reader = PostReader(source="reddit", fetched_at=NOW, salt=MissingSalt())
    with pytest.raises(SourceError, match="salt of authors' names is missing"):
        screen(LineChunk(1, [as_line(PLAIN)]), str, reader, PREFILTER)


def test_every_text_that_names_a_service_may_name_one_and_most_others_may_not() -> None:
    texts = [row.text for row in training.read_labels(LABELS, MATCHER)]
    texts += [variant for text in texts[::7] for variant in (text.upper(), f"{text[:30]}\0{text[30:]}", f"é{text}")]
    named = {place for place, text in enumerate(texts) if MATCHER.name_matches(normalize(text))}
    assert len(named) > 1000
    found = PREFILTER.candidates(texts)
    assert named <= found
    others = [place for place in range(len(texts)) if place not in named and "\0" not in texts[place]]
    assert len(others) > 1000
    assert sum(place not in found for place in others) > 0.8 * len(others)


def test_texts_side_by_side_are_found_each() -> None:
    texts = ["netflix", "claude", "ü", "spotify", "ü github", "nothing", "claude"]
    assert PREFILTER.candidates(texts) == {0, 1, 3, 4, 6}
    assert PREFILTER.candidates([]) == set()


def test_where_the_catalogue_is_empty_nothing_is_named() -> None:
    assert MentionPrefilter({}).candidates(["claude is down", "café"]) == set()
    assert not MentionPrefilter({}).is_home("ClaudeAI")


def test_a_key_that_is_not_read_refuses_no_object() -> None:
    item = {**PLAIN, "\ud800": 1}
    assert to_post(item, source="x", fetched_at=utc("2026-03-02T00:00:00Z"), salt=b"salt").native_id == "t3_p"
