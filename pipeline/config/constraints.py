"""What a setting must satisfy, written in its type; pydantic is imported only where something is validated.

pydantic asks what stands in an `Annotated` type for its schema (`__get_pydantic_core_schema__`). Its own `Field` and
validators would cost every run the import, 0.15 s, although a run reads settings that were validated before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Before:
    """What is written in the file passes through a function first, which raises ValueError on what it refuses."""

    convert: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type behind the function."""
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(self.convert, handler(source))


@dataclass(frozen=True, slots=True)
class After:
    """A function checks the value of the right type, raises ValueError on what it refuses, and returns the rest."""

    check: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type before the function."""
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self.check, handler(source))


class Limits:
    """Bounds of a number (`ge`, `gt`, `le`, `lt`), as pydantic-core names them."""

    def __init__(self, **limits: float) -> None:
        """Each is a key of pydantic-core's schema of the type."""
        self._limits = limits

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type with the limits."""
        schema: Any = {**handler(source), **self._limits}
        return schema  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Around:
    """A function gets what is written and what validates it: `check(written, validate)`; ValueError is a refusal."""

    check: Callable[[Any, Callable[[object], Any]], object]

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type inside the function."""
        from pydantic_core.core_schema import no_info_wrap_validator_function

        return no_info_wrap_validator_function(self.check, handler(source))
