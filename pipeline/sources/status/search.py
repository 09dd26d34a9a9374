"""Finding the machine-readable form of a status page: likely addresses are asked until an answer is recognised."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.core.errors import Reason, SourceError
from pipeline.http.session import FetchResult, SourceSession
from pipeline.sources.parsing import is_page
from pipeline.sources.status.page_links import feed_links
from pipeline.sources.status.platforms import (
    AUTO,
    chosen_data,
    feed_paths,
    first_paths,
    further_paths,
    is_chosen,
    paths_of,
    reader_of,
)
from pipeline.sources.status.reader import Answer, Reader

logger = logging.getLogger(__name__)

MOST_REFUSED = 3  # addresses that a page refuses until it is left alone
MOST_REQUESTS = 8  # of a search, redirects and the answers read after it included
_NO_SUCH_ADDRESS = frozenset({400, 404, 405, 406, 410, 501})


class Found(NamedTuple):
    """An answer that a reader recognises, with what the HTTP client wants to know next time."""

    answer: Answer
    reader: Reader
    result: FetchResult


def answer_of(result: FetchResult) -> Answer:
    """Return what the HTTP client brought as an Answer; an unchanged one is empty."""
    kind = result.headers.get("content-type", "").lower()
    return Answer(body=result.body or b"", url=result.url, content_type=kind)


def host_and_port(url: str) -> str:
    """Return the host and port of an address; empty where it has none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def joined(base: str, path: str) -> str:
    """Return the address of a path at a page; a path that is an address itself stays as it is."""
    return path if "://" in path else f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base


def unreadable(answer: Answer, source: str) -> SourceError:
    """Return the error that says what an answer is that no reader recognises."""
    head = answer.body[:200]
    if not answer.body.strip():
        return SourceError("answered with nothing", source=source)
    if is_page(answer.body) or (answer.body.lstrip()[:1] == b"<" and "html" in answer.content_type):
        words = "answered with a web page instead of data"
        return SourceError(words, source=source, reason=Reason.REFUSED, head=head)
    return SourceError("answered in a form that no reader of status pages knows", source=source, head=head)


def _is_broken_json(body: bytes) -> bool:
    """Return whether a body begins as JSON does and is none."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return True
    return False


def may_lie_elsewhere(error: SourceError) -> bool:
    """Return whether another address of the same page may answer although this one failed so."""
    no_such = error.reason is Reason.STATUS and error.status in _NO_SUCH_ADDRESS
    return error.reason is Reason.UNREADABLE or no_such or is_refused_there(error)


def is_refused_there(error: SourceError) -> bool:
    """Return whether an address alone may be forbidden: a page may shut its API to programs and leave its feed open."""
    return error.status in (401, 403) and error.retry_after is None


def is_address(text: str) -> bool:
    """Return whether a text is an address that can be asked: http or https, a host, a port that is one."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        return False


def _is_api(address: str) -> bool:
    return "/api/" in address


def search(session: SourceSession, source: str, base: str, status_format: str, data: Sequence[str]) -> Found:
    """Ask likely addresses of a page until a reader recognises an answer; raises SourceError when none does.

    `data` are the addresses the catalogue names, `status_format` the form that is tried before others. What a page
    leads to when it has moved is searched as well. Where an address is refused, the page's feeds come next and no other
    of its API. A failure that would be the same at any address ends the search.
    """
    first = (*chosen_data(status_format, data), *paths_of(status_format), *first_paths(status_format))
    todo = [joined(base, path) for path in first]
    further = [joined(base, path) for path in further_paths(status_format)]
    asked: set[str] = set()
    problem: SourceError | None = None
    seen_page, refused = False, 0
    while todo or further:
        if session.transport.asked >= MOST_REQUESTS - 1:
            break
        address = todo.pop(0) if todo else further.pop(0)
        if address in asked or (seen_page and address.rstrip("/") == base.rstrip("/")):
            continue
        asked.add(address)
        try:
            result = session.fetch(address)
        except SourceError as error:
            if problem is not None and session.transport.asked >= MOST_REQUESTS:
                break
            if not may_lie_elsewhere(error):
                raise
            problem = problem or error
            if is_refused_there(error):
                refused += 1
                if refused >= MOST_REFUSED:
                    break
                others = (joined(base, path) for path in feed_paths(status_format))
                todo = [*others, *(left for left in todo if not _is_api(left) or not _is_api(address))]
            continue
        answer = answer_of(result)
        reader = reader_of(answer)
        if reader is not None and is_chosen(reader, status_format):
            logger.info("%s: %s is read as %s (%s)", source, answer.url, reader.platform, reader.name)
            return Found(answer, reader, result)
        problem = problem or unreadable(answer, source)
        if _is_broken_json(answer.body):
            # the form is there: what is wrong with it now would be wrong elsewhere too
            raise unreadable(answer, source)
        if host_and_port(answer.url) not in (host_and_port(address), host_and_port(base)):
            # the page has moved: whatever is known of the old address is tried at the new one
            base = "{0.scheme}://{0.netloc}".format(urlsplit(answer.url))
            todo = [joined(base, path) for path in (*paths_of(status_format), first_paths(status_format)[0])]
            further = [joined(base, path) for path in further_paths(status_format)]
        if is_page(answer.body) and not seen_page:
            seen_page = True
            todo = [*feed_links(answer.body, answer.url), *todo]
            if status_format == AUTO:
                todo = [*(joined(base, path) for path in paths_of(AUTO, answer.body)), *todo]
    raise problem or SourceError("no address to ask", source=source)
