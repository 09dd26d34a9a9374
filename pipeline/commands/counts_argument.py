"""The file and the options of the commands that read counts, the same for each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from detectors.count_kinds import CountKind
from pipeline.config.setting_values import parse_duration
from pipeline.core.errors import ConfigError, StoreError
from pipeline.sources.count_intervals import LEAST, MOST
from pipeline.sources.count_rows import CountsOptions


@dataclass(frozen=True, slots=True)
class CountsFile:
    """A file of counts that a command is to read, and how."""

    path: Path
    options: CountsOptions


def readable_file(context: click.Context, option: click.Parameter, file: Path) -> Path:
    """Refuse a file that cannot be read before anything else is looked at."""
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from error


def counts_file(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add FILE and the options that say how it is read, and pass them on as one CountsFile."""

    @click.argument("file", type=click.Path(path_type=Path), callback=readable_file)
    @click.option(
        "--interval", help="Length of each count's interval, such as 15min, when the file does not say; 1min to 1d."
    )
    @click.option("--bin", "width", help="Add counts up into wider bins, such as 15min or 1h; 1min to 1d.")
    @click.option("--time-column", default="", help="Name of the column of times, when it is not recognised.")
    @click.option("--value-column", default="", help="Name of the column of counts, when it is not recognised.")
    @click.option("--time-format", default="", help="Format of times for strptime, such as '%d-%m-%Y %H:%M'.")
    @click.option("--time-zone", default="", help="Time zone of times without one, such as Europe/Berlin or UTC.")
    @click.option(
        "--kind",
        type=click.Choice([kind.value for kind in CountKind]),
        default=CountKind.REPORTS.value,
        show_default=True,
        help="What is counted: people who report problems, all mentions, or measurements by machines.",
    )
    @click.option(
        "--one-row-per-event",
        is_flag=True,
        help="Each row is one event, such as a ticket: count the rows in bins of --bin.",
    )
    @functools.wraps(command)
    def wrapped(
        file: Path,
        interval: str | None,
        width: str | None,
        time_zone: str,
        one_row_per_event: bool,
        value_column: str,
        **rest: Any,
    ) -> Any:
        if one_row_per_event and value_column:
            raise ConfigError("--one-row-per-event counts rows: there is no --value-column then")
        options = CountsOptions(
            time_column=rest.pop("time_column"),
            value_column=value_column,
            time_format=rest.pop("time_format"),
            time_zone=_zone(time_zone),
            interval_s=_seconds(interval, "--interval"),
            bin_s=_seconds(width, "--bin"),
            one_row_per_event=one_row_per_event,
            kind=CountKind(rest.pop("kind")),
        )
        return command(file=CountsFile(file, options), **rest)

    return wrapped


def _seconds(text: str | None, option: str) -> int | None:
    """Return the seconds of a duration, or of a bare number of seconds; raises ConfigError out of a minute to a day."""
    if text is None:
        return None
    try:
        seconds = int(text) if text.isascii() and text.isdigit() else int(parse_duration(text).total_seconds())
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error
    if not LEAST <= seconds <= MOST:
        raise ConfigError(f"{option}: {text} is not from 1min to 1d")
    return seconds


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"--time-zone: {name!r} is not a time zone; write it as Europe/Berlin or UTC") from error
