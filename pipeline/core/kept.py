"""What is worked out of a file once and kept in a folder of the user's cache, by the file's state and content.

All of it can be worked out again at any time. Where the folder cannot be written, it is, each time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import StoreError
from pipeline.core.files import OWN, write_atomically

logger = logging.getLogger(__name__)
MOST_OF_A_KIND = 100  # files that `kept_bytes` keeps: with each change of what they are made of there is one more
_DIGEST_BYTES = 32  # of the SHA-256 in front of what `kept_bytes` keeps


def digest_of(path: Path, folder: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raises OSError.

    It is computed once for each state of the file, known by its size, its inode and the time of its last change, which
    no program can set.
    """
    found = path.stat()
    state = [found.st_size, found.st_ino, found.st_dev, found.st_ctime_ns]
    name = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    note = folder / "digests" / f"{name}.json"
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        known = json.loads(note.read_bytes())
        if known["state"] == state and isinstance(known["sha256"], str):
            return str(known["sha256"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    keep(note, json.dumps({"state": state, "sha256": digest}).encode())
    return digest


def kept_file(name: str, source: Path, make: Callable[[], bytes], folder: Path) -> Path | bytes:
    """Return the file of the cache with what `make` returns of a source, or the content where it cannot be kept.

    A folder that others can write into is not used.

    `name` says what is made and changes with `make`; its suffix is the file's. Raises what `make` raises, and OSError
    where the source cannot be read.
    """
    stem, _, suffix = name.rpartition(".")
    if not is_ours(folder):
        return make()
    path = folder / f"{stem}-{digest_of(source, folder)[:16]}.{suffix}"
    wanted = path.with_name(f"{path.name}.sha256")
    try:
        if wanted.read_text(encoding="ascii") == digest_of(path, folder):
            return path
        logger.warning("%s is not what was written there; it is made again", path)
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        logger.info("%s cannot be read; it is made again: %s", path, error)
    content = make()
    done = keep(path, content) and keep(wanted, hashlib.sha256(content).hexdigest().encode())
    return path if done else content


def kept_bytes(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what a file of the cache holds, or what `make` returns, which is then kept there, readable by us alone.

    The file's name must change with everything that what is made depends on. Raises what `make` raises.
    """
    if not is_ours(path.parent):
        return make()
    with suppress(OSError):
        stored = path.read_bytes()
        digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() == digest:
            return content
        logger.warning("%s is not what was written there; it is made again", path)
    content = make()
    if keep(path, hashlib.sha256(content).digest() + content):
        _remove_older(path)
    return content


def _remove_older(path: Path) -> None:
    """Remove the files of the kind of one that was written, `kind-digest.suffix`, but for the newest."""
    with suppress(OSError):
        kind = path.name.rpartition("-")[0]
        newest_first = sorted(path.parent.glob(f"{kind}-*"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
        for old in newest_first[MOST_OF_A_KIND:]:
            old.unlink(missing_ok=True)


def kept_toml(content: bytes, folder: Path) -> dict[str, object]:
    """Return the tables of a TOML file, kept as JSON, which is read in a thirtieth of the time.

    Raises UnicodeDecodeError and tomllib.TOMLDecodeError.
    """
    path = folder / f"toml-{hashlib.sha256(content).hexdigest()[:32]}.json"
    try:
        found: dict[str, object] = json.loads(kept_bytes(path, lambda: json.dumps(parsed_toml(content)).encode()))
    except TypeError:  # JSON has no dates
        return parsed_toml(content)
    return found


def parsed_toml(content: bytes) -> dict[str, object]:
    """Return the tables of a TOML file, whatever its lines end with.

    Raises UnicodeDecodeError, tomllib.TOMLDecodeError, other kinds of ValueError, and RecursionError.
    """
    import tomllib

    return tomllib.loads(content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))


def is_ours(folder: Path) -> bool:
    """Return whether nobody else can have written into a folder of the cache; one that is not there yet is ours."""
    if not folder.is_absolute():  # no home is known
        return False
    try:
        found = folder.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def keep(path: Path, content: bytes) -> bool:
    """Write a file of the cache; return whether that could be done."""
    if not path.is_absolute():
        return False
    try:
        write_atomically(path, content, sync=False, shared=True, mode=OWN)
    except StoreError as error:
        logger.info("not kept: %s", error)
        return False
    return True
