"""`-v` and `--log-file` of every command: what the program decides, and the tracebacks of its bugs.

Without them warnings go to standard error and errors are the one line that the command prints: cron stays silent
when all is well. Only this program's loggers are shown: those of HTTP libraries write addresses that hold keys.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import click

from pipeline.commands.terminal import printable
from pipeline.core.errors import ConfigError

PROGRAM = ("pipeline", "detectors")
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)  # by how often -v is given

VERBOSITY, LOG_FILE = "groundswell.verbosity", "groundswell.log_file"  # keys of click's meta


class _StderrHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


class _PlainFormatter(logging.Formatter):
    """Writes records, with what others wrote in them, so that nothing steers the terminal that shows them."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def _not_printed_by_command(record: logging.LogRecord) -> bool:
    """Leave out errors: the command itself prints them, in one line without the traceback."""
    return record.levelno < logging.ERROR


def configure_logging(verbosity: int, log_file: Path | None) -> None:
    """Send the program's log to standard error and, at DEBUG, to a file; replaces what was configured before.

    `verbosity` 0: warnings; 1: decisions (INFO) and tracebacks; 2: all. Raises ConfigError when the file cannot be
    written.
    """
    stderr = _StderrHandler(LEVELS[min(verbosity, len(LEVELS) - 1)])
    stderr.setFormatter(_PlainFormatter("groundswell: %(message)s" if not verbosity else "%(name)s: %(message)s"))
    if not verbosity:
        stderr.addFilter(_not_printed_by_command)
    handlers: list[logging.Handler] = [stderr]
    if log_file is not None:
        try:
            file = logging.FileHandler(log_file, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--log-file: {log_file}: cannot be written: {error.strerror}") from error
        form = _PlainFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        form.converter = time.gmtime
        file.setFormatter(form)
        handlers.append(file)
    for name in PROGRAM:
        logger = logging.getLogger(name)
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
        for handler in handlers:
            logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if log_file is not None else stderr.level)


def _remember_verbosity(ctx: click.Context, option: click.Parameter, verbosity: int) -> None:
    if verbosity:
        ctx.find_root().meta[VERBOSITY] = verbosity


def _configure(ctx: click.Context, option: click.Parameter, log_file: Path | None) -> None:
    """Configure the log by both options, of the command or of a group above it: `-v` is eager, so read before."""
    given = ctx.find_root().meta
    if log_file is not None:
        given[LOG_FILE] = log_file
    if not isinstance(ctx.command, click.Group):
        configure_logging(given.get(VERBOSITY, 0), given.get(LOG_FILE))


def add_log_options(command: click.Command) -> None:
    """Give a command, and each command below it, `-v` and `--log-file`."""
    if any(option.name == "verbosity" for option in command.params):
        return
    command.params += [
        click.Option(
            ["-v", "--verbose", "verbosity"],
            count=True,
            is_eager=True,
            expose_value=False,
            callback=_remember_verbosity,
            help="Log decisions and tracebacks to standard error; -vv logs everything.",
        ),
        click.Option(
            ["--log-file"],
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            callback=_configure,
            help="Append the whole log to this file.",
        ),
    ]
    if isinstance(command, click.Group):
        for below in command.commands.values():
            add_log_options(below)
