"""Whether a file is, or was before it was damaged, a database of SQLite."""

from __future__ import annotations

import struct
from pathlib import Path

MAGIC = b"SQLite format 3\0"
PAGE = 4096  # bytes of a page; SQLite's default since 3.12
_FILE_HEADER = 100  # bytes of the first page before its own header
_NODE_HEADERS = {2: 12, 5: 12, 10: 8, 13: 8}  # bytes of a page's header by the kind of its node in a tree


def is_database_file(path: Path | str) -> bool:
    """Return whether a file begins as a database or holds a page of one; true where it is empty or is not there."""
    try:
        with Path(path).open("rb") as file:
            page = file.read(PAGE)
            if not page or page.startswith(MAGIC) or _is_node(page, _FILE_HEADER):
                return True
            while page := file.read(PAGE):
                if _is_node(page):
                    return True
    except OSError:
        return True
    return False


def _is_node(page: bytes, at: int = 0) -> bool:
    """Return whether a page has the header of a node of a tree, and all its cells lie where that says."""
    if len(page) < PAGE or page[at] not in _NODE_HEADERS:
        return False
    begin = at + _NODE_HEADERS[page[at]]
    cells, content = struct.unpack_from(">HH", page, at + 3)
    if not cells or not begin + 2 * cells <= content < PAGE:
        return False
    return all(content <= place < PAGE for place in struct.unpack_from(f">{cells}H", page, begin))
