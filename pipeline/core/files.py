"""Files written whole or not at all: in their folder, synced, then moved into place. No link in the way is followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from pipeline.core.errors import StoreError

OWN, PUBLIC = 0o600, 0o644  # who may read it besides its user; the umask takes away more


def write_atomically(
    path: Path, content: str | bytes, *, sync: bool = True, shared: bool = False, mode: int = PUBLIC
) -> None:
    """Write a file, text as UTF-8, and its folder where it lacks. Raises StoreError in one line.

    `sync`: it is on the disk before it takes its place. `shared`: other processes may write the same file now.
    `mode`: OWN for what holds words of people.
    """
    with replacing(path, sync=sync, shared=shared, mode=mode) as fresh:
        fresh.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, *, sync: bool = True, shared: bool = False, mode: int = PUBLIC) -> Iterator[BinaryIO]:
    """Give a fresh file, which takes the place of `path` when the block ends well and is removed otherwise.

    Its `name` is its path. Raises StoreError where the block, or the move, raised OSError.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new" if shared else f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _created(fresh, mode) as file:
            try:
                yield file
                file.flush()
                if sync:
                    os.fsync(file.fileno())
                fresh.replace(path)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error


def must_be_writable(folder: Path) -> None:
    """Try whether a folder, or the nearest one there is above it, takes a file; leaves none. Raises StoreError."""
    whole = folder.absolute()
    nearest = next(path for path in (whole, *whole.parents) if os.path.lexists(path))
    try:
        with TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        above = "" if nearest == whole else f": {nearest}"
        raise StoreError(f"{folder}: cannot be written{above}: {error.strerror or error}") from error


def _created(fresh: Path, mode: int) -> BinaryIO:
    """Return a new file for writing. What lies there, of a run that was killed or a link of anybody, is removed."""
    fresh.unlink(missing_ok=True)
    return open(fresh, "xb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, mode))


def move_into_place(fresh: Path, path: Path, *, sync: bool = True) -> None:
    """Move a file that was written in full over another; raises OSError."""
    if sync:
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
    fresh.replace(path)
