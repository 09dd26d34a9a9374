"""Compiled templates, kept in the user's cache: compiling them costs a run more than filling them in."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from pipeline.core.kept import is_ours, keep

DIGEST = 32  # bytes of the SHA-256 in front


class TemplateCache(jinja2.BytecodeCache):
    """Keeps templates as jinja2 compiled them, by their name and source, in a folder that nobody else can write to."""

    def __init__(self, folder: Path, options: str) -> None:
        """`options` names everything else that what is compiled depends on."""
        self._folder, self._options = folder, options

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what is kept of a template; nothing where that is missing, changed, or of another source."""
        if not is_ours(self._folder):
            return
        with suppress(OSError):
            stored = self._path(bucket).read_bytes()
            if hashlib.sha256(stored[DIGEST:]).digest() == stored[:DIGEST]:
                bucket.load_bytecode(io.BytesIO(stored[DIGEST:]))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, where the folder can be written to."""
        if not is_ours(self._folder):
            return
        body = io.BytesIO()
        bucket.write_bytecode(body)
        keep(self._path(bucket), hashlib.sha256(body.getvalue()).digest() + body.getvalue())

    def _path(self, bucket: Bucket) -> Path:
        name = hashlib.sha256(f"{self._options} {bucket.key}".encode()).hexdigest()[:16]
        return self._folder / f"template-{name}.code"
