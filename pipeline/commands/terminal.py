"""How answers look: aligned tables, colours on a terminal. What is piped or has NO_COLOR gets plain text."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import click

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # but for tab and end of line
_COLOURED = re.compile(r"(\x1b\[\d+m)(.*)(\x1b\[0m)", re.DOTALL)  # what `colored` returns
COLOURS = {
    "ok": "green",
    "well": "green",
    "covered": "green",
    "warn": "yellow",
    "note": "cyan",
    "fail": "red",
    "failed": "red",
    "open": "red",
    "silent": "yellow",
    "waiting": "yellow",
    "none": "bright_black",
    "low": "bright_black",
    "moderate": "yellow",
    "high": "red",
    "critical": "bright_red",
    "possible": "yellow",
    "likely": "red",
    "confirmed": "bright_red",
}


def printable(text: str) -> str:
    """Return a text of others, of one line or more, in which nothing steers a terminal or turns a line around."""
    return _STEERING.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return a text of others in one line, so that it cannot pass for a line of ours either."""
    return printable(" ".join(text.split("\n")))


def colored(text: str, key: str = "") -> str:
    """Return a text in the colour of its meaning (or of `key`); click takes colours off where there is no terminal."""
    colour = COLOURS.get(key or text)
    return click.style(text, fg=colour) if colour else text


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their headers in aligned columns; nothing where there are no rows. A cell is one line."""
    from tabulate import tabulate

    listed = [[_cell(text) for text in row] for row in rows]
    if listed:
        click.echo(tabulate(listed, list(headers), tablefmt="plain", disable_numparse=True))


def _cell(text: str) -> str:
    """Return a cell in one line without control characters, but for the colour of the whole."""
    coloured = _COLOURED.fullmatch(text)
    if coloured is not None:
        return f"{coloured[1]}{_cell(coloured[2])}{coloured[3]}"
    return one_line(text)


def minute_text(moment: str | None) -> str:
    """Return a stored time to the minute, `2026-03-02 11:40`; `-` where there is none."""
    return f"{moment[:10]} {moment[11:16]}" if moment else "-"


@contextmanager
def elapsed_time(what: str) -> Iterator[None]:
    """Show on a terminal what is being done and for how long, where it takes over two seconds."""
    if not sys.stderr.isatty():
        yield
        return
    from tqdm import tqdm

    done = threading.Event()
    with tqdm(total=None, leave=False, desc=what, bar_format="{desc}  {elapsed}", delay=2) as bar:

        def show() -> None:
            while not done.wait(0.5):
                bar.update()

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
