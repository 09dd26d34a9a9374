"""Hacker News (Algolia), Mastodon and Bluesky, each serving the recorded posts as its own."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

from pipeline.core.times import iso, utc
from tests.fakes.base import Fake, Reply, Request, as_json

_HASHTAG = re.compile(r"(?<!&)#(\w+)")
_LINKED = r'<a href="https://social.example/tags/\1" class="mention hashtag" rel="tag">#<span>\1</span></a>'
BLUESKY = ("someone.example", "app-password")


def _words(post: dict[str, Any]) -> str:
    return f"{post.get('title') or ''} {post.get('selftext') or post.get('body') or ''}".strip()


def _at(post: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(float(post["created_utc"]), tz=UTC)


class HackerNews(Fake):
    """`/api/v1/search_by_date`: a thousand at most, newest first; parameters it does not know change nothing.

    One that `circles` shows the newest ten again and again, whatever end of the span it is asked for.
    """

    circles = False

    def reply(self, request: Request) -> Reply:
        if request.path not in ("/api/v1/search_by_date", "/api/v1/search"):
            return as_json({"message": "not found", "status": 404}, 404)
        low, high = 0, 2**40
        for part in request.one("numericFilters").split(","):
            if match := re.fullmatch(r"created_at_i(<|>|<=|>=|=)(\d+)", part):
                value = int(match[2])
                low = max(low, value + (match[1] == ">")) if ">" in match[1] else low
                high = min(high, value + (match[1] == "<=")) if "<" in match[1] else high
        name = request.one("query").strip('"').lower()
        found = [
            p for p in self.recording.posts(self.now) if low <= _at(p).timestamp() < high and name in _words(p).lower()
        ]
        page = found[: min(1000, int(request.one("hitsPerPage", "20")))]
        if self.circles:
            page = [p for p in self.recording.posts(self.now) if name in _words(p).lower()][:10]
        hits = [self._hit(p) for p in page]
        return as_json(
            {"hits": hits, "nbHits": len(found), "page": 0, "nbPages": 1, "hitsPerPage": len(hits), "query": name}
        )

    def _hit(self, post: dict[str, Any]) -> dict[str, Any]:
        comment = "body" in post
        return {
            "objectID": str(int(re.sub(r"\W", "", str(post["id"])), 36)),
            "author": post.get("author"),
            "url": None,
            "points": None,
            "created_at": iso(_at(post)),
            "created_at_i": int(_at(post).timestamp()),
            "num_comments": None,
            "title": None if comment else post.get("title"),
            "story_text": None if comment else escape(post.get("selftext") or ""),
            "comment_text": escape(post["body"]) if comment else None,
            "parent_id": 1 if comment else None,
            "_tags": ["comment" if comment else "story"],
        }


class Mastodon(Fake):
    """Hashtag timelines, forty a page, paged by Link; `closed` shows guests an empty list, as since 4.5.

    One that `circles` calls every page its own next one.
    """

    closed = circles = False

    def reply(self, request: Request) -> Reply:
        if request.path == "/api/v2/instance":
            access = "disabled" if self.closed else "public"
            return as_json(
                {"configuration": {"timelines_access": {"hashtag_feeds": {"local": access, "remote": access}}}}
            )
        match = re.fullmatch(r"/api/v1/timelines/tag/(\w+)", request.path)
        if not match:
            return as_json({"error": "Record not found"}, 404)
        if self.closed:
            return as_json([])
        tags = {match[1].lower(), *(tag.lower() for tag in request.query.get("any[]", []))}
        words = {tag.removesuffix("down") for tag in tags}
        found = [p for p in self.recording.posts(self.now) if any(w in _words(p).lower() for w in words)]
        if before := request.one("max_id"):
            found = [p for p in found if self._id(p) < int(before)]
        page = found[: min(40, int(request.one("limit", "20")))]
        links = {}
        if page and len(found) > len(page):
            rest = "&".join(f"any[]={t}" for t in request.query.get("any[]", []))
            links["Link"] = (
                f'<{self.url}{request.path}?limit=40&{rest}&max_id={self._id(page[-1])}>; rel="next", '
                f'<{self.url}{request.path}?min_id={self._id(page[0])}>; rel="prev"'
            )
        if self.circles:
            asked = urlencode(request.query, doseq=True)
            links["Link"] = f'<{self.url}{request.path}?{asked}>; rel="next"'
        reset = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299", "X-RateLimit-Reset": iso(self.now)}
        body = json.dumps([self._status(p) for p in page]).encode()
        return Reply(body, headers={"Content-Type": "application/json", **links, **reset})

    def _id(self, post: dict[str, Any]) -> int:
        # ids grow with time, and two of the same second still differ
        return int(float(post["created_utc"]) * 1000) * 65536 + int(re.sub(r"\W", "", str(post["id"])), 36) % 65536

    def _status(self, post: dict[str, Any]) -> dict[str, Any]:
        number = str(self._id(post))
        return {
            "id": number,
            "created_at": _at(post).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "language": None,
            "edited_at": None,
            "uri": f"https://social.example/users/x/statuses/{number}",
            "url": None,
            "content": f"<p>{_HASHTAG.sub(_LINKED, escape(_words(post)))}</p>",
            "spoiler_text": "",
            "in_reply_to_id": None,
            "reblog": None,
            "visibility": "public",
            "tags": [],
            "account": {"acct": str(post.get("author")), "bot": False, "created_at": "2019-01-01T00:00:00.000Z"},
        }


class Bluesky(Fake):
    """createSession and searchPosts, a hundred a page with a cursor; 403 without a session.

    One that `circles` gives the same cursor with every page.
    """

    circles = False

    def reply(self, request: Request) -> Reply:
        if request.path == "/xrpc/com.atproto.server.createSession":
            try:
                given = json.loads(request.body)
            except ValueError:
                return as_json({"error": "InvalidRequest", "message": "not JSON"}, 400)
            if (given.get("identifier"), given.get("password")) != BLUESKY:
                return as_json({"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, 401)
            return as_json({"accessJwt": "jwt", "refreshJwt": "r", "handle": given["identifier"], "did": "did:plc:me"})
        if request.path != "/xrpc/app.bsky.feed.searchPosts":
            return as_json({"error": "MethodNotImplemented"}, 501)
        if request.headers.get("authorization") != "Bearer jwt":
            return as_json({"error": "AuthMissing", "message": "Authentication Required"}, 403)
        since, until = (
            utc(request.one("since", "2000-01-01T00:00:00Z")),
            utc(request.one("until", "2099-01-01T00:00:00Z")),
        )
        name = request.one("q").strip('"').lower()
        found = [p for p in self.recording.posts(self.now) if since <= _at(p) < until and name in _words(p).lower()]
        begin = int(request.one("cursor", "0"))
        page = found[begin : begin + min(100, int(request.one("limit", "25")))]
        more = {"cursor": str(begin + len(page))} if begin + len(page) < len(found) else {}
        if self.circles:
            more = {"cursor": "1"}
        return as_json({"posts": [self._post(p) for p in page], "hitsTotal": len(found), **more})

    def _post(self, post: dict[str, Any]) -> dict[str, Any]:
        key = re.sub(r"\W", "", str(post["id"]))
        record = {
            "$type": "app.bsky.feed.post",
            "text": _words(post)[:300],
            "createdAt": "1999-12-31T23:59:59Z",
            "langs": ["en"],
        }
        return {
            "uri": f"at://did:plc:x/app.bsky.feed.post/{key}",
            "cid": "bafy",
            "author": {"did": f"did:plc:{post.get('author')}", "handle": "x.example"},
            "record": record,
            "indexedAt": iso(_at(post)),
            "likeCount": 0,
        }
