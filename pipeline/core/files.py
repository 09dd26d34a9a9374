"""Files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.core.errors import StoreError


def write_atomically(path: Path, text: str) -> None:
    """Write a file beside its place, sync it, and move it there. Raises StoreError in one line."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
