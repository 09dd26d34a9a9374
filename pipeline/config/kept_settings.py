"""Validated settings, kept in the user's cache: a run whose configuration is known need not validate it again.

What is kept holds no credential: those come from the environment each time. An address with a password in it is kept
as it stands in the configuration, readable by its user alone. Settings are found by a digest of the files they were
made of and of this program's own part in them, so that those of another content or version are never taken for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import detectors.count_kinds
import pipeline.core.catalogue
import pipeline.core.names
from detectors.count_kinds import CountKind
from pipeline.config.paths import CACHE
from pipeline.config.settings import Alerts, Config, DetectorChoice, Keep, Mail, Report, Route, Secrets, Sources
from pipeline.core.catalogue import Component, Service
from pipeline.core.kept import kept_bytes


class ReadConfig(NamedTuple):
    """What a file of the configuration says: the settings, and which former names it uses, as `old -> new`.

    The catalogue of `config` has the services that the file adds or changes.
    """

    config: Config
    former: tuple[str, ...] = ()


_MAKERS: Mapping[str, Callable[..., object]] = {
    made.__name__: made
    for made in (
        *(Config, Mail, Alerts, Route, Sources, DetectorChoice, Keep, Secrets, Report, Service, Component),
        *(ReadConfig, CountKind),
    )
}


def kept_config(files: tuple[bytes, ...], make: Callable[[], ReadConfig]) -> ReadConfig:
    """Return what `make` returns for the contents of some files. Raises what `make` raises."""
    found = _unpacked(json.loads(kept_bytes(_path("settings", files), lambda: _packed(make()))))
    assert isinstance(found, ReadConfig)
    return found


def kept_catalogue(content: bytes, make: Callable[[], dict[str, Service]]) -> dict[str, Service]:
    """Return what `make` returns for the content of the catalogue. Raises what `make` raises."""
    found = _unpacked(json.loads(kept_bytes(_path("catalogue", (content,)), lambda: _packed(make()))))
    assert isinstance(found, dict)
    return found


def _path(kind: str, files: tuple[bytes, ...]) -> Path:
    return CACHE / f"{kind}-{_digest((_program(), *files))[:32]}.json"


@cache
def _program() -> bytes:
    """Return the digest of the modules that say what settings and services are, and what is refused."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    others = [Path(m.__file__ or "") for m in (detectors.count_kinds, pipeline.core.catalogue, pipeline.core.names)]
    return _digest(tuple(path.read_bytes() for path in (*modules, *others))).encode()


def _digest(parts: tuple[bytes, ...]) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _packed(value: object) -> bytes:
    return json.dumps(_plain(value), separators=(",", ":")).encode()


def _plain(value: object) -> object:
    """Return a value in JSON: what JSON cannot hold is a list of its type and its content."""
    if isinstance(value, StrEnum):
        return [type(value).__name__, str(value)]
    if isinstance(value, ReadConfig):
        return ["ReadConfig", {"config": _plain(value.config), "former": _plain(value.former)}]
    if is_dataclass(value):
        given = {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name) != _default(f)}
        return [type(value).__name__, {name: _plain(content) for name, content in given.items()}]
    if isinstance(value, timedelta):
        return ["timedelta", [value.days, value.seconds, value.microseconds]]
    if isinstance(value, tuple):
        return ["tuple", [_plain(item) for item in value]]
    if isinstance(value, dict):
        return ["dict", {name: _plain(content) for name, content in value.items()}]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a setting of type {type(value).__name__} cannot be kept")


def _unpacked(value: object) -> object:
    """Return what `_plain` made this of."""
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "tuple":
        return tuple(map(_unpacked, content))
    if kind == "timedelta":
        return timedelta(*content)
    if isinstance(content, str):
        return _MAKERS[kind](content)
    items = {name: _unpacked(item) for name, item in content.items()}
    return items if kind == "dict" else _MAKERS[kind](**items)


def _default(field: Field[object]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default
