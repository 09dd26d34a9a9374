"""What is wrong with a setting, in the words of the file: its key, what was expected, and the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, NamedTuple, get_args, get_type_hints

from pipeline.config.renamed import ALERT_KEYS, ROUTE_KEYS
from pipeline.config.settings import Config, Secrets
from pipeline.core.catalogue import Service

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
_MISTYPED = 0.8  # a key as like a known one of the same table is a slip of the pen, whatever other tables have
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
    path = [str(part) for part in item["loc"]]
    if kind == "unexpected_keyword_argument":
        return secret_reason(key) or f"unknown key{_place_of_key(path[-1], known_keys(settings, path[:-1]))}"
    if kind in ("tuple_type", "dataclass_type") and (table := _table_at(settings, path)) is not None:
        if table.is_list and isinstance(item["input"], dict):
            return f"must be a list of tables: write [[{key}]]"
        if not table.is_list and isinstance(item["input"], list):
            return f"must be one table: write [{key}]"
    if kind == "literal_error":
        expected = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        given = str(item["input"])
        return f"{given[:80]!r} is not one of {expected}{nearest(given, expected.split(', '))}"
    if kind == "enum":
        expected = str(context["expected"]).replace("'", "")
        return f"{str(item['input'])[:80]!r} is not one of {expected}"
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind]} {next(iter(context.values()))}"
    return _EXPECTED.get(kind) or item["msg"].removeprefix("Value error, ")


def known_keys(settings: type, above: Sequence[str]) -> list[str]:
    """Return the keys of the table that a path of keys leads to; none where it leads nowhere."""
    table = _table_at(settings, above)
    return [] if table is None else _keys(table.settings)


class _Table(NamedTuple):
    """What a table of the file is made of, and whether it is one of a list, as [[alerts.routes]]."""

    settings: type
    is_list: bool = False


def _keys(settings: type) -> list[str]:
    names = [field.name for field in fields(settings)]
    return [name for name in names if name not in _NOT_TABLES] + ["services"] if settings is Config else names


def _table_at(settings: type, path: Sequence[str]) -> _Table | None:
    """Return the table that a path of keys and of places in lists leads to, None where it leads to none."""
    table = _Table(settings)
    for part in (part for part in path if not part.isdigit()):
        inner = _inner_tables(table.settings).get(part)
        if inner is None:
            return None
        table = inner
    return table


def _inner_tables(settings: type) -> dict[str, _Table]:
    """Return the tables in a table, by key."""
    found: dict[str, _Table] = {}
    for name, kind in get_type_hints(settings).items():
        inner = [part for part in (kind, *get_args(kind)) if isinstance(part, type) and is_dataclass(part)]
        if inner and name not in _NOT_TABLES:
            found[name] = _Table(inner[0], is_list=inner[0] is not kind)
    return found


def _place_of_key(key: str, known: Sequence[str]) -> str:
    """Return what an unknown key may mean: a key of this table that is like it, or the table that has such a key."""
    slip = difflib.get_close_matches(key[:80].lower(), known, n=1, cutoff=_MISTYPED)
    places = dict(_places(key)) if not slip else {}
    if not places:
        return nearest(key, known)
    headers = " or ".join(places)
    return f"; write {headers}" if any(places.values()) else f"; it belongs {headers}"


def _places(key: str) -> Iterator[tuple[str, bool]]:
    """Yield where a key may stand; True with the header itself, where the key is a table's."""
    former = {"alerts": [old.old for old in ALERT_KEYS], "alerts.routes": [old.old for old in ROUTE_KEYS]}
    for name, table in _all_tables("", _Table(Config)):
        header = f"[[{name}]]" if table.is_list else f"[{name}]"
        if name.rpartition(".")[2] == key:
            yield header, True
        elif key in (*_keys(table.settings), *former.get(name, ())) and key not in _inner_tables(table.settings):
            yield f"in {header}" if name else "at the top of the file, above every [table]", False


def _all_tables(name: str, table: _Table) -> Iterator[tuple[str, _Table]]:
    """Yield each table of a configuration with its name; the settings at its top have an empty one."""
    yield name, table
    inner = _inner_tables(table.settings) | ({} if name else {"services.<id>": _Table(Service)})
    for key, each in inner.items():
        yield from _all_tables(f"{name}.{key}".removeprefix("."), each)
