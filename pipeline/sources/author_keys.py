"""The key under which authors' names are hashed: set by the operator, or random and kept next to the database.

Up to version 0.1 a database without a set key used one that everybody knew. Its keys are hashed again under the random
one, and so are new ones, so that an author keeps one key: key = HMAC(random, HMAC(known, source and name)).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from pipeline.core.errors import PipelineError, Reason, SourceError
from pipeline.core.files import OWN, write_atomically
from pipeline.core.secret import SecretStr
from pipeline.store import Store
from pipeline.store.author_keys import rekey_authors
from pipeline.store.runs import get_checkpoint, set_checkpoint

KNOWN = b"groundswell"  # the key of databases that had none
NOBODY = frozenset({"", "[deleted]", "None"})
MISSING = SecretStr("")  # stands for a salt that is not there
_BLOCK = 64  # bytes that SHA-256 reads at a time
_RANDOM = re.compile(r"random:([0-9a-f]{64})")
_STAGE, _KEY = "store", "author_salt"
_HELP = (
    "put it back from a copy, or set GROUNDSWELL_AUTHOR_SALT to a secret of your own: who wrote before then counts as"
    " somebody else"
)


class SaltError(PipelineError):
    """The salt of a database's authors cannot be used; the message says why, and what to do."""


class RandomSalt(bytes):
    """A salt made at random, under which the known key's hashes are hashed again."""


class MissingSalt(bytes):
    """Stands for a salt that is not there: no author's name may be hashed, and so no post stored."""


def author_key(author: str, source: str, salt: bytes) -> str:
    """Return the keyed hash under which an author is known here; empty for a deleted or absent one.

    Raises SourceError where the salt is missing.
    """
    return key_maker(source, salt)(author)


@lru_cache(16, typed=True)  # a random salt and a set one of the same bytes give other keys
def key_maker(source: str, salt: bytes) -> Callable[[str], str]:
    """Return what gives the authors of a source their keys: `author_key` of many names under one salt."""
    is_random = isinstance(salt, RandomSalt)
    named = _keyed_hash(KNOWN if is_random else salt, f"{source}\0".encode("utf-8", "replace"))
    again = _keyed_hash(salt, b"") if is_random else None

    def key_of(author: str) -> str:
        if isinstance(salt, MissingSalt):
            raise SourceError("the salt of authors' names is missing: no posts are collected", reason=Reason.KEY)
        if author in NOBODY:
            return ""
        key = named(author.encode("utf-8", "replace"))[:16]
        return key if again is None else again(key.encode())[:16]

    return key_of


def _keyed_hash(key: bytes, begin: bytes) -> Callable[[bytes], str]:
    """Return what gives the HMAC-SHA256 of texts with one beginning, in hexadecimal, in half the time of `hmac`."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + begin)
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def hexdigest(rest: bytes) -> str:
        of_text, of_both = inner.copy(), outer.copy()
        of_text.update(rest)
        of_both.update(of_text.digest())
        return of_both.hexdigest()

    return hexdigest


def rekeyed(key: str, salt: bytes) -> str:
    """Return the key of an author under a random salt, from the one under the known key; an empty one stays."""
    return hmac.digest(salt, key.encode(), "sha256").hex()[:16] if key else ""


def salt_of(text: SecretStr | None) -> bytes:
    """Return a salt as it is configured or kept: `random:` and 64 digits, or any text; the known key for None."""
    if text is None:
        return KNOWN
    value = text.get_secret_value()
    match = _RANDOM.fullmatch(value)
    if match:
        return RandomSalt(bytes.fromhex(match[1]))
    return value.encode() if value else MissingSalt()


def salt_path(db: Path | str) -> Path:
    """Return where the random salt of a database is kept: next to the file itself."""
    return Path(f"{os.path.realpath(db)}.salt")


def kept_salt(store: Store, configured: SecretStr | None) -> SecretStr:
    """Return the salt of a database: the configured one, else its random one, which the first call makes.

    The first call with a random salt gives every stored author a new key. Raises SaltError where the salt of this
    database is gone or another one lies in its place: it never starts anew by itself.
    """
    known = get_checkpoint(store, _STAGE, _KEY)
    if configured is not None:
        if known is None:
            with store.transaction() as conn:
                set_checkpoint(conn, _STAGE, _KEY, _fingerprint(configured))
        return configured
    path = salt_path(store.path)
    if known is not None and not path.exists():
        raise SaltError(f"{path}: the salt of authors' names is missing, no posts are collected; {_HELP}")
    text = salt_beside(Path(store.path))
    if known is None:
        salt = salt_of(text)
        with store.transaction() as conn:
            rekey_authors(conn, lambda key: rekeyed(key, salt))
            set_checkpoint(conn, _STAGE, _KEY, _fingerprint(text))
    elif known != _fingerprint(text):
        raise SaltError(f"{path}: is not the salt of this database's authors, no posts are collected; {_HELP}")
    return text


def salt_beside(db: Path) -> SecretStr:
    """Return the random salt that lies next to a database, which is made where there is none. Raises SaltError."""
    path = salt_path(db)
    if not path.exists():
        write_atomically(path, f"random:{secrets.token_hex(32)}", mode=OWN)
    return _read(path)


def note_salt(store: Store, db: Path) -> None:
    """Let a database that was saved from another go on with that one's random salt, where it no longer knows it."""
    path = salt_path(db)
    if path.exists() and get_checkpoint(store, _STAGE, _KEY) is None:
        with store.transaction() as conn:
            set_checkpoint(conn, _STAGE, _KEY, _fingerprint(_read(path)))


def salt_in_words(db: Path, configured: SecretStr | None) -> str:
    """Return which salt a database's authors are hashed under, for people; changes nothing."""
    path = salt_path(db)
    if configured is not None:
        return "GROUNDSWELL_AUTHOR_SALT" + (f"; {path} is not used" if path.exists() else "")
    return str(path) if path.exists() else f"{path}: none yet; the first run makes it"


def _read(path: Path) -> SecretStr:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SaltError(f"{path}: cannot be read: {getattr(error, 'strerror', '') or 'not a salt'}; {_HELP}") from error
    if not _RANDOM.fullmatch(text):
        raise SaltError(f"{path}: holds no salt; {_HELP}")
    return SecretStr(text)


def _fingerprint(text: SecretStr) -> str:
    """Return by what a salt is known again; nothing of a random one can be learned from it."""
    return hashlib.sha256(b"author salt\0" + text.get_secret_value().encode()).hexdigest()[:16]
