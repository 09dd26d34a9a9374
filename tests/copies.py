"""Changed copies of records, whichever way a record is made."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from msgspec import Struct, structs

T = TypeVar("T")


def replace(record: T, /, **changes: object) -> T:
    """Return a copy of a struct or of a dataclass with other values in some fields."""
    change = structs.replace if isinstance(record, Struct) else dataclasses.replace
    return change(record, **changes)
