"""A credential that no log, no error and no print shows."""

from __future__ import annotations


class SecretStr:
    """Text that shows as asterisks wherever it is printed; `get_secret_value` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """The value is the credential in the clear."""
        self._value = value

    def get_secret_value(self) -> str:
        """Return the credential in the clear."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Two are equal where they hold the same credential."""
        return isinstance(other, SecretStr) and self._value == other._value

    def __hash__(self) -> int:
        """Equal ones have the same hash."""
        return hash((SecretStr, self._value))

    def __repr__(self) -> str:
        """Return asterisks: as many whatever is hidden."""
        return "SecretStr('**********')" if self._value else "SecretStr('')"

    def __str__(self) -> str:
        """Return asterisks, nothing for an empty one."""
        return "**********" if self._value else ""
