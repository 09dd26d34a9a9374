"""Settings and services, validated by pydantic.

A run whose configuration was validated before does not import this module (`pipeline.config.kept_settings`).
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.config.validation_words import reasons
from pipeline.core.errors import ConfigError

T = TypeVar("T")
_adapters: dict[type, TypeAdapter[Any]] = {}  # making one takes longer than validating by it


def validated(settings: type[T], table: object, where: str, prefix: str = "") -> T:
    """Return a table as one of the classes of settings.

    Raises ConfigError with `where: key: reason` for each thing that is wrong; `prefix` is the key of the table itself.
    """
    if settings not in _adapters:
        _adapters[settings] = TypeAdapter(settings)
    try:
        made: T = _adapters[settings].validate_python(table)
    except ValidationError as error:
        raise ConfigError(f"{where}: " + "; ".join(reasons(error, settings, prefix))) from error
    return made
