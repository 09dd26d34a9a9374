"""The command line called in this process: what `python -m pipeline` does, without the seconds its imports take."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TextIO
from unittest.mock import patch

import click
from click.testing import CliRunner

from pipeline.__main__ import main
from pipeline.commands.log_options import PROGRAM


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without variables of this program, and with some more."""
    return {**{key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")}, **more}


def call_main(
    args: tuple[str, ...], cwd: Path, env: Mapping[str, str], keys: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Call `main` in a folder, with an environment and typed keys; return what a process of it would.

    An exception that `main` lets through is a traceback on standard error and code 1, as in a process.
    """
    command = ["groundswell", *args]
    with (
        chdir(cwd),
        patch.dict(os.environ, clean_environment(env), clear=True),
        patch.object(sys, "argv", command),
        _loggers_kept(),
        CliRunner().isolation(input=keys) as (out, err, _),
        _warnings_printed(),
    ):
        try:
            code = _code_of_main()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return subprocess.CompletedProcess(command, code, out.getvalue().decode(), err.getvalue().decode())


def _code_of_main() -> int:
    try:
        main()
    except SystemExit as stop:
        if isinstance(stop.code, str):
            click.echo(stop.code, err=True)
            return 1
        return stop.code or 0
    except Exception:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _loggers_kept() -> Iterator[None]:
    """Give the program's loggers back the handlers and levels that the command replaces."""
    loggers = [logging.getLogger(name) for name in PROGRAM]
    before = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    for logger in loggers:
        logger.handlers = []
    try:
        yield
    finally:
        for logger, handlers, level in before:
            for handler in logger.handlers:
                handler.close()
            logger.handlers = handlers
            logger.setLevel(level)


@contextmanager
def _warnings_printed() -> Iterator[None]:
    """Print warnings on standard error under the interpreter's own filters, as a process does."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.resetwarnings()
        for ignored in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", ignored)
        warnings.showwarning = show
        yield
