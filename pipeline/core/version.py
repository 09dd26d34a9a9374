"""Which version of the program this is: given once, by the installed package."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """Return the installed version; `0` where the program runs from a folder that was never installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("groundswell")
    except PackageNotFoundError:
        return "0"
