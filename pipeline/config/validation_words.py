"""What is wrong with a setting, in the words of the file: its key, what was expected, and the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, get_args, get_type_hints

from pipeline.config.settings import Config, Secrets

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# settings that are secrets under another name, by the end of their key
_SECRET_KEYS = {
    "password": "smtp_password",
    "mail.pass": "smtp_password",
    "webhook": "webhook_url",
    "salt": "author_salt",
    "heartbeat": "heartbeat_url",
    "apprise": "apprise_urls",
}
_NOT_TABLES = ("secrets", "catalogue")  # of Config, but no tables of the file
_EXPECTED = {
    "tuple_type": 'must be a list, as ["a", "b"]',
    "list_type": 'must be a list, as ["a", "b"]',
    "dict_type": "must be a table",
    "dataclass_type": "must be a table",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "missing": "is missing",
    "missing_argument": "is missing",
}
_BOUNDS = {
    "greater_than_equal": "at least",
    "less_than_equal": "at most",
    "greater_than": "above",
    "less_than": "below",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest known name, empty where none is near."""
    close = difflib.get_close_matches(name[:80].lower(), list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def reasons(error: ValidationError, settings: type, prefix: str = "") -> Iterator[str]:
    """Yield `key: reason` for each thing that is wrong; `settings` is the dataclass of what was read."""
    for item in error.errors():
        key = ".".join(str(part) for part in ((prefix, *item["loc"]) if prefix else item["loc"]))
        yield f"{key}: {_reason(item, key, settings)}"


def secret_reason(key: str) -> str:
    """Return which variable holds what was written as a setting; empty where the key names no secret."""
    last = key.rpartition(".")[2]
    known = {**{name: name for name in Secrets.names()}, **_SECRET_KEYS}
    name = known.get(key) or known.get(last)
    if name is None:
        return ""
    variable = f"GROUNDSWELL_{name.upper()}"
    return (
        f"a secret is not read from this file: take it out and set {variable} in the environment,"
        f" or {variable}_FILE to a file that holds it"
    )


def _reason(item: ErrorDetails, key: str, settings: type) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "unexpected_keyword_argument":
        *above, last = (str(part) for part in item["loc"])
        return secret_reason(key) or f"unknown key{nearest(last, known_keys(settings, above))}"
    if kind == "literal_error":
        expected = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        given = str(item["input"])
        return f"{given[:80]!r} is not one of {expected}{nearest(given, expected.split(', '))}"
    if kind == "enum":
        expected = str(context["expected"]).replace("'", "")
        return f"{str(item['input'])[:80]!r} is not one of {expected}"
    if kind == "string_pattern_mismatch":
        return f"{str(item['input'])[:80]!r} is not of the form {context['pattern']}"
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind]} {next(iter(context.values()))}"
    return _EXPECTED.get(kind) or item["msg"].removeprefix("Value error, ")


def known_keys(settings: type, above: Sequence[str]) -> list[str]:
    """Return the keys of the table that a path of keys leads to; none where it leads nowhere."""
    table = settings
    for part in (part for part in above if not part.isdigit()):
        kind = get_type_hints(table).get(part)
        inner = [found for found in (kind, *get_args(kind)) if isinstance(found, type) and is_dataclass(found)]
        if not inner:
            return []
        table = inner[0]
    names = [field.name for field in fields(table)]
    return [name for name in names if name not in _NOT_TABLES] + ["services"] if table is Config else names
