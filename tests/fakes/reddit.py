"""Reddit: token, listings of at most a hundred a page and a thousand in all, search, /api/info, rate headers."""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.fakes.base import Fake, Reply, Request, as_json

KEY = ("reddit-id", "reddit-secret")


class Reddit(Fake):
    """Serves recorded submissions and comments to whoever holds the key."""

    left, reset = 995.0, 300

    def reply(self, request: Request) -> Reply:
        if request.path == "/api/v1/access_token":
            wanted = "Basic " + base64.b64encode(":".join(KEY).encode()).decode()
            if request.headers.get("authorization") != wanted or b"grant_type=client_credentials" not in request.body:
                return as_json({"message": "Unauthorized", "error": 401}, 401)
            return as_json({"access_token": "tok", "token_type": "bearer", "expires_in": 86400, "scope": "*"})
        if request.headers.get("authorization") != "bearer tok":
            return as_json({}, 401, WWW_Authenticate='Bearer realm="reddit", error="invalid_token"')
        rate = {"x_ratelimit_remaining": str(self.left), "x_ratelimit_used": "5", "x_ratelimit_reset": str(self.reset)}
        posts = self.recording.posts(self.now)
        if request.path.startswith("/api/info"):
            names = request.one("id").split(",")[:100]
            return as_json(_listing([p for p in posts if _name(p) in names], None), **rate)
        match = re.fullmatch(r"/r/([\w+]+)/(new|comments|search)/?", request.path)
        if not match:
            return as_json({"message": "Not Found", "error": 404}, 404)
        communities = {name.lower() for name in match[1].split("+")}
        comments = match[2] == "comments"
        found = [
            p
            for p in posts
            if _name(p).startswith("t1_") == comments and str(p.get("subreddit")).lower() in communities
        ]
        if match[2] == "search":
            words = re.findall(r"[a-z']{3,}", request.one("q").lower())
            found = [p for p in found if any(w in f"{p.get('title')} {p.get('selftext')}".lower() for w in words)]
        found = found[:1000]
        names = [_name(p) for p in found]
        after = request.one("after")
        begin = names.index(after) + 1 if after in names else 0
        page = found[begin : begin + min(100, int(request.one("limit", "25")))]
        return as_json(_listing(page, _name(page[-1]) if page and begin + len(page) < len(found) else None), **rate)


def _name(post: dict[str, Any]) -> str:
    return str(post.get("name") or ("t1_" if "body" in post else "t3_") + str(post["id"]))


def _listing(posts: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
    children = [{"kind": _name(p)[:2], "data": {**p, "name": _name(p)}} for p in posts]
    return {
        "kind": "Listing",
        "data": {"after": after, "before": None, "dist": len(children), "modhash": None, "children": children},
    }
