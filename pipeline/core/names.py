"""Which names of services, regions and indicators are usable as part of a series' key."""

from __future__ import annotations

import re
from hashlib import sha256

LONGEST_NAME = 60  # characters
LONGEST_STEM = 80  # characters of a name that stand in a file name as they are
SERVICE_ID = re.compile(r"[a-z0-9_]{1,40}")
SEPARATORS = "/|"  # of a series' key, and of the name of its column in detectors' states of version 0.1


def usable_name(text: str, *, empty: bool = False) -> bool:
    """Return whether a name may stand in a series' key: short, printable, without separators. `empty`: none is fine."""
    if not text:
        return empty
    return len(text) <= LONGEST_NAME and text.isprintable() and not any(mark in text for mark in SEPARATORS)


def file_stem(name: str) -> str:
    """Return what stands for a name in the name of a file: letters, digits, `_` and `-`, at most 89 characters.

    A name that is made of those stays as it is; any other is followed by a digest, so that two are never one file.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:LONGEST_STEM]
    return plain if plain == name else f"{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
