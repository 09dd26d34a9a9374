"""Typed reading of JSON answers: every entry of a list is checked on its own, a bad one is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from pipeline.core.errors import SourceError
from pipeline.core.records import RejectedRow
from pipeline.core.times import utc
from pipeline.sources.parsing import from_epoch, plain, read_json, reject
from pipeline.sources.status.reader import Answer, PageContext
from pipeline.text.time_texts import read_time

LONGEST_ID = 300
MOST_PARTS = 300  # of one incident


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is no text")
    return plain(value)


def _identity(value: object) -> str:
    text = _text(value)
    if not text:
        raise ValueError("is no id")
    return text


def _moment(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("is no time")
    return time_of(value)


def time_of(text: str) -> datetime:
    """Read a time: RFC 3339, else any form that names its zone; raises ValueError where it means no one moment."""
    try:
        return utc(text)
    except ValueError:
        found = read_time(text)
        if found is None:
            raise
        return found


def _epoch(value: object) -> datetime | None:
    return None if value is None or value == "" else from_epoch(value)


def _epoch_ms(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("time is not a number of milliseconds")
    return from_epoch(value / 1000)


def _listed(value: object) -> object:
    return () if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
Identity = Annotated[str, BeforeValidator(_identity)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
EpochMoment = Annotated[datetime | None, BeforeValidator(_epoch)]
EpochMilliseconds = Annotated[datetime | None, BeforeValidator(_epoch_ms)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]
Entries = Annotated[tuple[object, ...], BeforeValidator(_listed)]


class Entry(BaseModel):
    """Base of the entries of an answer: only the fields that are read, whatever else is there."""

    # the schema of a platform is built with its first answer: a run meets few of them
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Named(Entry):
    """A part, a product or a place that is called by name under `name` or `title`; empty where it has neither."""

    name: Text = ""
    title: Text = ""

    @property
    def label(self) -> str:
        """Return what it is called."""
        return self.name or self.title


E = TypeVar("E", bound=BaseModel)


@lru_cache(maxsize=4)
def parsed(body: bytes) -> object:
    """Return the value of a JSON body; None where it is none. What is returned is shared and not to be changed."""
    try:
        return read_json(body, "")
    except SourceError:
        return None


def has_entry(value: object, *keys: str) -> bool:
    """Return whether a list has an object with all of these keys among its first: a bad one may stand before it."""
    entries = value[:20] if isinstance(value, list) else []
    return any(isinstance(entry, dict) and entry.keys() >= set(keys) for entry in entries)


def member(value: object, *keys: str) -> object:
    """Return what lies in a JSON value under nested keys; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def is_empty_list(answer: Answer, path_end: str) -> bool:
    """Return whether an answer is an empty list from an address that ends like this.

    Nothing in an empty list tells whose it is.
    """
    return parsed(answer.body) == [] and answer.url.partition("?")[0].endswith(path_end)


def why(error: ValueError) -> str:
    """Return in a few words why an entry was refused."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"
    return str(error)


def each(model: type[E], entries: Iterable[object], where: str) -> Iterator[E | RejectedRow]:
    """Yield every entry of a list, or why it is refused."""
    for number, entry in enumerate(entries):
        try:
            yield model.model_validate(entry)
        except ValidationError as error:
            yield reject(f"{where} {number}", why(error), entry)


def accepted(entries: Iterable[E | RejectedRow]) -> list[E]:
    """Return the entries that were not refused."""
    return [entry for entry in entries if not isinstance(entry, RejectedRow)]


def labels(entries: Iterable[object]) -> tuple[str, ...]:
    """Return what the parts of a list are called, each once; what has no name is left out."""
    named = accepted(each(Named, entries, "part"))
    return tuple(dict.fromkeys(plain(entry.label, 120) for entry in named if entry.label))[:MOST_PARTS]


def listed(value: object) -> list[object]:
    """Return a JSON value that is a list; an empty one where it is anything else."""
    return value if isinstance(value, list) else []


def value_of(answer: Answer, context: PageContext, recognises: Callable[[Answer], bool]) -> object:
    """Return the value of a JSON answer.

    Raises SourceError when it is none, `blocked` when it is a web page, and when a reader does not recognise it.
    """
    value = read_json(answer.body, context.source)
    if not recognises(answer):
        raise SourceError("not of the form that was expected", source=context.source, head=answer.body[:200])
    return value


def jsonp_body(body: bytes) -> bytes:
    """Return the JSON inside a call of a function, as pages hand it to scripts; the body itself where it is no call."""
    start, end = body.find(b"("), body.rfind(b")")
    head = body[:start].strip() if start >= 0 else b""
    if end > start >= 0 and head and head.replace(b"_", b"").replace(b".", b"").isalnum():
        return body[start + 1 : end]
    return body
