"""Settings and services, validated by pydantic.

A run whose configuration was validated before does not import this module (`pipeline.config.kept_settings`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from pipeline.config.validation_words import reasons
from pipeline.core.errors import SettingsError

T = TypeVar("T")
_validators: dict[type, SchemaValidator] = {}  # making one takes longer than validating by it
_STRICT_TYPES = ("bool", "int", "float")


def validated(settings: type[T], table: object, path: Path, prefix: str = "") -> T:
    """Return a table as one of the classes of settings. Text and numbers are not taken for one another.

    Raises SettingsError with `file: key: reason` for each thing that is wrong; `prefix` is the key of the table itself.
    """
    if settings not in _validators:
        _validators[settings] = SchemaValidator(_with_strict_types(TypeAdapter(settings).core_schema))
    try:
        made: T = _validators[settings].validate_python(table)
    except ValidationError as error:
        raise SettingsError(path, list(reasons(error, settings, prefix))) from error
    return made


def _with_strict_types(schema: Any) -> Any:
    """Return a schema of pydantic-core in which "587" is no number and "no" is not false.

    pydantic's own strict mode would also refuse TOML's lists where a tuple is meant.
    """
    if isinstance(schema, dict):
        strict = {"strict": True} if schema.get("type") in _STRICT_TYPES else {}
        return {key: _with_strict_types(value) for key, value in schema.items()} | strict
    if isinstance(schema, list):
        return [_with_strict_types(item) for item in schema]
    return schema
