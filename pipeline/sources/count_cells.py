"""The rows of a file of counts as cells by column: delimited text in any dialect, JSON, NDJSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipeline.core.errors import SourceError
from pipeline.sources.delimited import CsvLine, as_utf8, csv_lines, dialect
from pipeline.sources.parsing import plain

_TWICE = "\0twice"


class CellRow(NamedTuple):
    """A row of a file: its line, its cells by column, what is wrong with it (empty: nothing), how it stood there."""

    line: int
    cells: Mapping[str, str]
    problem: str
    head: str


class CellTable(NamedTuple):
    """A file's columns in small letters, its rows, and the separator of its cells (empty for JSON)."""

    columns: tuple[str, ...]
    rows: Iterator[CellRow]
    separator: str


def read_cells(body: bytes, name: str, known: frozenset[str]) -> CellTable:
    """Read a file's rows; `known` are the columns that will be read, by which the separator is found.

    Raises SourceError when it is no JSON although it begins as such, or when a known column comes twice.
    """
    text = as_utf8(body)
    if text.lstrip()[:1] in (b"[", b"{"):
        rows = list(_json_rows(text, name, known))
        return CellTable(tuple(dict.fromkeys(column for row in rows for column in row.cells)), iter(rows), "")
    separator, skipped = dialect(text, known)
    lines = csv_lines(text, separator)
    for _ in range(skipped):
        next(lines, None)
    first, header, _ = next(lines, CsvLine(1, [], ""))
    columns = tuple(cell.strip().lower() for cell in header)
    twice = [column for column, times in Counter(columns).items() if times > 1 and column in known]
    if twice:
        raise SourceError(f"a column comes twice: {twice[0]}", source=f"{name}:{first}")
    lines = csv_lines(text, separator, width=len(columns))
    for _ in range(skipped + 1):
        next(lines, None)
    return CellTable(columns, _csv_rows(lines, columns, separator), separator)


def _csv_rows(lines: Iterator[CsvLine], columns: tuple[str, ...], separator: str) -> Iterator[CellRow]:
    wanted = len(columns)
    for number, cells, problem in lines:
        many = len(cells)
        if many != wanted and not problem and (many < wanted or any(cell.strip() for cell in cells[wanted:])):
            problem = f"{many} cells where the header has {wanted}"
        yield CellRow(number, dict(zip(columns, map(str.strip, cells), strict=False)), problem, separator.join(cells))


def _json_rows(body: bytes, name: str, known: frozenset[str]) -> Iterator[CellRow]:
    """Yield the objects of a JSON or NDJSON file; a line that is none is a problem of its own."""
    try:
        whole_file = _loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] == b"[" or b"\n" not in body.strip():
            raise SourceError(f"not valid JSON: {plain(error, 120)}", source=name) from error
        for number, raw in enumerate(body.splitlines(), 1):
            if raw.strip():
                try:
                    yield _json_row(number, _loads(raw), known)
                except (ValueError, RecursionError) as problem:
                    head = raw[:200].decode("utf-8", "replace")
                    yield CellRow(number, {}, f"not JSON: {plain(problem, 120)}", head)
        return
    if isinstance(whole_file, dict):
        held = [value for value in whole_file.values() if isinstance(value, list) and value]
        whole_file = held[0] if len(held) == 1 else [whole_file]
    for number, item in enumerate(whole_file if isinstance(whole_file, list) else [whole_file], 1):
        yield _json_row(number, item, known)


def _loads(text: bytes) -> object:
    """Parse JSON with fractions as they are written: a count is not rounded on the way in."""
    return json.loads(text, object_pairs_hook=_once, parse_float=str, parse_int=str)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    lowered = {name.strip().lower(): value for name, value in pairs}
    return lowered if len(lowered) == len(pairs) else {_TWICE: True}


def _json_row(number: int, item: object, known: frozenset[str]) -> CellRow:
    if not isinstance(item, dict):
        return CellRow(number, {}, "not an object", plain(item, 200))
    if _TWICE in item:
        return CellRow(number, {}, "a key comes twice", plain(item, 200))
    cells = {key: "" if value is None else str(value).strip() for key, value in item.items()}
    nested = next((key for key in cells if key in known and isinstance(item[key], bool | list | dict)), None)
    return CellRow(number, cells, f"{nested} is neither a number nor a word" if nested else "", plain(item, 200))
