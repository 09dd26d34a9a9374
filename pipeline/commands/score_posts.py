"""`groundswell score-posts FILE`: read anyone's posts; what each is about and whether it reports an outage, as CSV."""

from __future__ import annotations

import csv
import io
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL, Setting, common, escape_csv_formula
from pipeline.config.paths import MODELS, PLACES
from pipeline.core.errors import SourceError, StoreError

COLUMNS = ("id", "p_outage", "outage", "service", "component", "symptom", "language")
CHUNK = 4_000
LONGEST = 200_000  # of a row that is read; what is longer is cut, as extraction stops far before


@click.command("score-posts")
@click.argument("file", type=click.Path(path_type=Path))
@common
def score_posts_command(setting: Setting, file: Path) -> None:
    """Classify a CSV of posts: id,text[,title][,service]. Prints the same rows in the same order; uses no database."""
    from tqdm import tqdm

    from pipeline.text.extract import PostText, read_posts
    from pipeline.text.models import outage as classifier
    from pipeline.text.services import ServiceMatcher

    chunks = _chunks(file)
    first = next(chunks)  # a file that cannot be read is said before seconds are spent on the models
    model = classifier.load(MODELS)
    if model.note:
        click.echo(f"groundswell: {model.note}", err=True)
    matcher = ServiceMatcher(setting.config.catalogue)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    bad = 0
    for rows in tqdm(itertools.chain([first], chunks), disable=None, desc="posts", unit=f" × {CHUNK} posts"):
        good = [PostText(text, service) for _, text, service, problem in rows if not problem]
        extractions = iter(read_posts(good, matcher, model, PLACES))
        for row, _, _, problem in rows:
            if problem:
                bad += 1
                click.echo(f"groundswell: {file}: {problem}", err=True)
                out.writerow([_cell(row), "", "", "", "", "", ""])
                continue
            extraction = next(extractions)
            out.writerow(
                [
                    _cell(row),
                    f"{extraction.p_outage:.4f}",
                    int(extraction.outage),
                    _cell(extraction.service),
                    ";".join(extraction.components),
                    extraction.symptom,
                    extraction.language,
                ]
            )
    sys.exit(PARTIAL if bad else 0)


def _cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, without what no file can hold."""
    return escape_csv_formula(text.encode("utf-8", "replace").decode("utf-8").replace("\x00", ""))


_Row = tuple[str, str, str, str]


def _chunks(file: Path) -> Iterator[list[_Row]]:
    """Yield rows as (id, text, service, problem), some at a time. Raises SourceError, StoreError."""
    csv.field_size_limit(2**31 - 1)
    try:
        body = file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from error
    # a NUL or a byte that is not UTF-8 spoils a character and no row
    text = body.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b" ").decode("utf-8", "replace")
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip().lower() for cell in next(reader, [])]
    if "id" not in header or not {"text", "title"} & set(header):
        raise SourceError("needs the columns id, text", source=f"{file}:1")
    rows: list[_Row] = []
    for cells in reader:
        if not cells:
            continue

        def cell(name: str, cells: list[str] = cells) -> str:
            at = header.index(name) if name in header else len(cells)
            return cells[at][:LONGEST] if at < len(cells) else ""

        joined = "\n".join(part for part in (cell("title"), cell("text")) if part.strip())
        problem = ""
        if len(cells) != len(header):
            problem = f"line {reader.line_num}: {len(cells)} cells where the header has {len(header)}"
        elif not joined.strip():
            problem = f"line {reader.line_num}: no text"
        rows.append((cell("id"), joined, cell("service").strip(), problem))
        if len(rows) >= CHUNK:
            yield rows
            rows = []
    yield rows
