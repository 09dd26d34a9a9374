"""What posts say in the markup that Mastodon, Hacker News and Reddit really write; bodies of our own in their shape."""

from __future__ import annotations

import json
from typing import Any

from pipeline.config.load import load_catalogue
from pipeline.core.records import Post
from pipeline.core.times import utc
from pipeline.sources import hacker_news, mastodon, reddit_posts
from pipeline.text.normalize import normalize
from pipeline.text.services import ServiceMatcher

NOW = utc("2026-11-27T12:00:00Z")
MATCHER = ServiceMatcher(load_catalogue())


def _status(content: str, *, acct: str = "ada", server: str = "one.example", number: int = 1) -> dict[str, Any]:
    return {
        "id": str(number),
        "uri": f"https://{server}/users/{acct.partition('@')[0]}/statuses/{number}",
        "created_at": "2026-11-27T11:00:00.000Z",
        "content": content,
        "account": {"acct": acct, "bot": False},
    }


def _posts(*statuses: dict[str, Any]) -> list[Post]:
    batch = mastodon.parse_statuses(json.dumps(statuses).encode(), source="m", fetched_at=NOW)
    assert not batch.rejected
    return [row for row in batch.rows if isinstance(row, Post)]


def _named(text: str) -> set[str]:
    return {match.service for match in MATCHER.name_matches(normalize(text)) if match.sure}


def test_a_hashtag_and_an_account_of_mastodon_are_one_word_though_their_names_are_in_spans() -> None:
    (post,) = _posts(
        _status(
            '<p>No login since noon <a href="https://one.example/tags/claudedown" class="mention hashtag" rel="tag">#'
            '<span>claudedown</span></a></p><p>cc <span class="h-card" translate="no"><a'
            ' href="https://two.example/@spotify" class="u-url mention">@<span>spotify</span></a></span></p>'
        )
    )
    assert post.text == "No login since noon #claudedown\ncc @spotify"
    assert _named(post.text) == {"claude", "spotify"}


def test_a_link_of_mastodon_is_whole_and_the_one_to_a_quoted_post_is_no_word_of_the_author() -> None:
    link = (
        '<a href="https://status.example/incidents/abcdef" rel="nofollow noopener"><span class="invisible">https://'
        '</span><span class="ellipsis">status.example/inc</span><span class="invisible">idents/abcdef</span></a>'
    )
    quoted = (
        '<p class="quote-inline">RE: <a href="x"><span class="invisible">https://</span>two.example/@github/9</a></p>'
    )
    old = '<span class="quote-inline"><br/><br/>RE: <a href="x">https://two.example/@github/9</a></span>'
    posts = _posts(
        _status(f"<p>see {link}</p>"), _status(f"{quoted}<p>Here too</p>", number=2), _status(f"Here{old}", number=3)
    )
    assert [post.text for post in posts] == ["see https://status.example/incidents/abcdef", "Here too", "Here"]


def test_an_author_of_mastodon_is_one_on_every_instance_and_a_namesake_elsewhere_is_another() -> None:
    own = _status("a", acct="ada", server="one.example", number=1)
    seen_elsewhere = _status("b", acct="ada@one.example", server="one.example", number=2)
    namesake = _status("c", acct="ada", server="two.example", number=3)
    first, second, third = (post.author_key for post in _posts(own, seen_elsewhere, namesake))
    assert first == second != third


def test_paragraphs_of_hacker_news_are_lines_and_what_is_marked_stays_within_its_word() -> None:
    hit = {
        "objectID": "7",
        "author": "ada",
        "created_at_i": int(NOW.timestamp()) - 60,
        "comment_text": "&gt; Is it only me?<p>No: <i>every</i> call to the A&amp;B <code>api</code>s fails."
        "<pre><code>503\n</code></pre>",
    }
    batch = hacker_news.parse_hits(json.dumps({"hits": [hit]}).encode(), source="h", fetched_at=NOW)
    (post,) = (row for row in batch.rows if isinstance(row, Post))
    assert post.text == "> Is it only me?\nNo: every call to the A&B apis fails.\n503"


def test_entities_in_which_reddit_writes_three_signs_are_read_whether_asked_raw_or_not() -> None:
    when = int(NOW.timestamp()) - 60
    escaped = {
        "id": "a",
        "created_utc": when,
        "title": "AT&amp;T outage?",
        "selftext": "&amp;#x200B;\n\nsignal &lt; 1 bar",
    }
    raw = {"id": "b", "created_utc": when, "title": "AT&T outage?", "selftext": "&#x200B;\n\nsignal < 1 bar"}
    batch = reddit_posts.parse_listing(
        json.dumps({"data": {"children": [{"data": item} for item in (escaped, raw)]}}).encode(),
        source="reddit",
        fetched_at=NOW,
    )
    first, second = (row for row in batch.rows if isinstance(row, Post))
    assert (first.title, first.text) == (second.title, second.text)
    assert (first.title, first.text.strip("\u200b\n")) == ("AT&T outage?", "signal < 1 bar")
    assert MATCHER.name_matches(normalize(first.title))[0].service == "att"
