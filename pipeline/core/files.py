"""Files written whole or not at all: beside their place, synced, then moved there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import StoreError


def write_atomically(path: Path, content: str | bytes, *, sync: bool = True, shared: bool = False) -> None:
    """Write a file, text as UTF-8, and its folder where it lacks. Raises StoreError in one line.

    `sync`: it is on the disk before it takes its place. `shared`: other processes may write the same file now.
    """
    with replacing(path, sync=sync, shared=shared) as fresh:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, *, sync: bool = True, shared: bool = False) -> Iterator[Path]:
    """Give the path of a fresh file, which takes the place of `path` when the block ends well and is removed otherwise.

    Raises StoreError where the block, or the move, raised OSError.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new" if shared else f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield fresh
            move_into_place(fresh, path, sync=sync)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def move_into_place(fresh: Path, path: Path, *, sync: bool = True) -> None:
    """Move a file that was written in full over another; raises OSError."""
    if sync:
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
    fresh.replace(path)
