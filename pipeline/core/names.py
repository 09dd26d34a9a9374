"""Which names of services, regions and indicators are usable as part of a series' key."""

from __future__ import annotations

import re

LONGEST_NAME = 60  # characters
SERVICE_ID = re.compile(r"[a-z0-9_]{1,40}")
SEPARATORS = "/|"  # of a series' key, and of the name of its column in detectors' states of version 0.1


def usable_name(text: str, *, empty: bool = False) -> bool:
    """Return whether a name may stand in a series' key: short, printable, without separators. `empty`: none is fine."""
    if not text:
        return empty
    return len(text) <= LONGEST_NAME and text.isprintable() and not any(mark in text for mark in SEPARATORS)
