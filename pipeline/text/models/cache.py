"""Arrays worked out of the packed files of other packages, kept unpacked in the user's cache and mapped from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.config.paths import CACHE
from pipeline.core.kept import kept_file
from pipeline.text.models.arrays import ArrayFile, Model, mapped, packed, unpacked


def kept_arrays(name: str, source: Path, work_out: Callable[[Path], Model], folder: Path = CACHE) -> ArrayFile:
    """Return what `work_out` makes of a file, mapped from the cache where it was worked out before.

    `name` says what is made, and changes with `work_out`. Raises what `work_out` raises, and OSError where the source
    cannot be read.
    """
    kept = kept_file(f"{name}.safetensors", source, lambda: packed(*work_out(source)), folder)
    return mapped(kept) if isinstance(kept, Path) else unpacked(np.frombuffer(kept, np.uint8))
