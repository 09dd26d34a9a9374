"""The readers of status pages that answer JSON in a form of their own."""

from __future__ import annotations

from pipeline.sources.status.reader import Reader

API_READERS: tuple[Reader, ...] = ()
