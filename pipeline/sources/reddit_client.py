"""praw on our session: refusals and what is left of the allowance read by us, exceptions translated."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pipeline.core.errors import Reason, SourceError
from pipeline.core.version import version
from pipeline.http.retry import failure_of
from pipeline.http.session import SourceSession
from pipeline.http.transport import Response
from pipeline.sources.parsing import from_epoch, plain

if TYPE_CHECKING:
    import praw

CUT = 900  # a listing shorter than this ended by itself
KNOWN_IN_A_ROW = 10  # older than wanted, one after the other: a single back-dated item must not end the reading


class Item(NamedTuple):
    """An object of a listing or a file, and its place there; for a line that is none, what is wrong with it."""

    place: str
    value: object


class Walk(NamedTuple):
    """What was read of a listing: the oldest time seen, and whether it was read as far as wanted."""

    items: list[Item]
    oldest: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class Access:
    """An application's key; `base` points praw elsewhere than Reddit, for a local stand-in."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    base: str = ""


class Allowance:
    """What Reddit says is left of our hundred requests a minute: read here, so that no client library sleeps on it."""

    def __init__(self) -> None:
        """Until Reddit says otherwise, all is left."""
        self.left, self.reset = 100.0, 0.0

    def read(self, response: Response) -> None:
        """Take what an answer's headers say, and take them away: what cannot be read changes nothing."""
        limits = {key: response.headers.pop(f"x-ratelimit-{key}", "") for key in ("remaining", "used", "reset")}
        if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", limits["remaining"]) and re.fullmatch(
            r"\d{1,6}(\.\d{1,6})?", limits["reset"]
        ):
            self.left, self.reset = float(limits["remaining"]), float(limits["reset"])


def open_client(access: Access, session: SourceSession, allowance: Allowance) -> praw.Reddit:
    """Return a client of its own on a session: praw is not for sharing between threads."""
    import praw

    _watch(session, allowance)
    # what goes wrong is reported once, by us: its log would fill a cron job's mails
    logging.getLogger("prawcore").addHandler(logging.NullHandler())
    where = {"oauth_url": access.base, "reddit_url": access.base} if access.base else {}
    # everything by keyword, so that a praw.ini in the working folder changes nothing
    return praw.Reddit(
        client_id=access.client_id,
        client_secret=access.client_secret,
        username=None,
        password=None,
        refresh_token=None,
        user_agent=f"linux:groundswell:{version()} (outage detection)",
        check_for_updates=False,
        requestor_kwargs={"timeout": 15, "session": session.transport},
        **where,
    )


def _watch(session: SourceSession, allowance: Allowance) -> None:
    """Have refusals and what is left of the allowance read by us, before the client library sees an answer."""

    def refuse(response: Response) -> None:
        allowance.read(response)
        if response.status_code in (403, 429) or (response.status_code == 503 and "Retry-After" in response.headers):
            session.check_response(response)
        if "html" in response.headers.get("Content-Type", ""):
            raise SourceError("answered with a web page", reason=Reason.REFUSED)

    session.transport.inspect = refuse


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """Turn whatever praw and prawcore raise into a SourceError."""
    import praw.exceptions
    import prawcore

    try:
        yield
    except SourceError:
        raise
    except (prawcore.PrawcoreException, praw.exceptions.PRAWException, LookupError, ValueError, TypeError) as error:
        inner = getattr(error, "original_exception", None)
        if isinstance(inner, SourceError):
            raise inner from error
        status = getattr(getattr(error, "response", None), "status_code", None)
        words, reason = f"{type(error).__name__}: {plain(error, 160)}", Reason.UNREADABLE
        # prawcore fails on a 401 without the header it expects with a bare KeyError
        if status == 401 or error.args == (401,) or isinstance(error, prawcore.OAuthException | prawcore.InvalidToken):
            words, reason = "its key is not accepted; see https://www.reddit.com/prefs/apps", Reason.KEY
        elif isinstance(error, prawcore.NotFound | prawcore.Redirect):
            words, reason = "one of its communities does not exist", Reason.STATUS
        elif isinstance(error, prawcore.BadJSON | prawcore.UnavailableForLegalReasons):
            reason = Reason.REFUSED
        elif isinstance(inner, OSError):
            reason = failure_of(inner).reason
        raise SourceError(words, source=name, reason=reason, status=status) from error


def walk(kind: str, listing: Iterable[object], since: datetime, now: datetime) -> Walk:
    """Read a listing, newest first, back to a moment; `kind` names its items in what is refused.

    Items a day older than wanted are left out: back-dated ones move nothing.
    """
    items: list[Item] = []
    oldest, count, older = now, 0, 0
    for number, thing in enumerate(listing):
        fields = fields_of(thing)
        count = number + 1
        try:
            created = from_epoch(fields.get("created_utc"))
        except ValueError:
            items.append(Item(f"{kind} {number}", fields))  # refused alone, with the others
            continue
        older = older + 1 if created < since else 0
        if older >= KNOWN_IN_A_ROW:
            return Walk(items, oldest, True)
        if created >= since - timedelta(days=1):
            items.append(Item(f"{kind} {number}", fields))
        if not older:
            oldest = min(oldest, created)
    return Walk(items, oldest, older > 0 or count < CUT)


def fields_of(thing: object) -> dict[str, object]:
    """Return what a listing gave of a submission or comment, its author and community as names."""
    # an attribute the listing lacks would be asked of Reddit, one request each
    fields = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
    fields["author"] = "" if fields.get("author") is None else str(fields["author"])
    fields["subreddit"] = str(fields.get("subreddit", ""))
    return fields
