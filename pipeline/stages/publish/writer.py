"""Files of the report, written only where what they are made of has changed; each is whole at every moment."""

from __future__ import annotations

import logging
import re
from os import SEEK_END
from pathlib import Path

from pipeline.core.files import write_atomically

logger = logging.getLogger(__name__)
HEAD = 2048  # bytes of a page that hold its digest
TAIL = 64  # bytes in which it ends
_DIGEST = re.compile(rb'<meta name="facts" content="([0-9a-f]+|gone)">')


class ReportWriter:
    """Writes into one folder and counts what it wrote; a file that is as it should be is not touched."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with its first file."""
        self.folder = folder
        self.written = 0

    def page(self, file: str, digest: str, text: str) -> None:
        """Write a page unless the one that lies there was made from the same facts."""
        if self.digest_of(file) != digest:
            self._write(file, text.encode("utf-8", "replace"))

    def data(self, file: str, text: str) -> None:
        """Write a file without a digest unless it lies there word for word."""
        content = text.encode("utf-8", "replace")
        path = self.folder / file
        try:
            same = path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
        except OSError:
            same = False
        if not same:
            self._write(file, content)

    def remove(self, file: str) -> None:
        """Remove a file where it is there; one that cannot be removed is told in the log."""
        try:
            (self.folder / file).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", file, error)

    def digest_of(self, file: str) -> str:
        """Return the digest that a page carries; empty where there is none, or the page lacks or is cut short."""
        try:
            with (self.folder / file).open("rb") as page:
                found = _DIGEST.search(page.read(HEAD))
                page.seek(max(0, page.seek(0, SEEK_END) - TAIL))
                if not page.read().rstrip().endswith(b"</html>"):
                    return ""
        except OSError:
            return ""
        return found[1].decode() if found else ""

    def _write(self, file: str, content: bytes) -> None:
        # what a loss of power cuts short is not what it should be, and is written again by the next run
        write_atomically(self.folder / file, content, sync=False)
        self.written += 1
