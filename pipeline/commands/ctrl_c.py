"""How Ctrl-C ends a command: in one line, with exit code 1, also where foreign code does not look at signals."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

PATIENCE = 2.0
_said = threading.Event()


def say_stopped() -> None:
    """Say that the command was stopped."""
    click.echo("groundswell: stopped", err=True)
    _said.set()


@contextmanager
def ended_after_ctrl_c() -> Iterator[None]:
    """End the process `PATIENCE` seconds after Ctrl-C in the block, if it has not ended by itself until then.

    Python raises KeyboardInterrupt only between its own instructions. A look-up of a name, a long statement of
    SQLite or a solver may hold the main thread for minutes, so a thread waits for the byte that Python's C handler
    writes. To end there is what a kill does: nothing that was stored is lost, and the next command goes on. After the
    block, too, the process is expected to end.
    """
    if not _in_main_thread():
        yield
        return
    _said.clear()
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_end_when_told, args=(told,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(tell)  # a byte that was written is read all the same


def _end_when_told(told: int) -> None:
    while byte := os.read(told, 1):
        if byte[0] == signal.SIGINT:
            time.sleep(PATIENCE)
            _end()
    os.close(told)


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """End the process at once at Ctrl-C in the block, where clean-up by a library takes long and prints tracebacks."""
    # it is ignored in the background of a shell
    if not _in_main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: _end())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _in_main_thread() -> bool:
    """Return whether signals concern this thread."""
    return threading.current_thread() is threading.main_thread()


def _end() -> NoReturn:
    try:
        if not _said.is_set():
            click.echo(err=True)  # what a terminal shows for the key, or a bar of progress, stands in this line
            say_stopped()
    finally:  # whoever read the errors may have been stopped, too
        os._exit(1)
