"""What commands share: the three options, opening the database, the lock, printing failures."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from pipeline.commands.terminal import one_line
from pipeline.config.load import load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.config.setting_values import parse_duration
from pipeline.config.settings import Config
from pipeline.core.errors import ConfigError, PipelineError
from pipeline.core.quantities import quantity
from pipeline.core.records import Run
from pipeline.core.times import utc

if TYPE_CHECKING:
    from pipeline.store import Store

P = ParamSpec("P")
R = TypeVar("R")
LOCKED = 75
PARTIAL = 3
NO_CHANNEL = "none: alerts.channels is empty and no route has one, so no message is ever sent"
MOST_BACK = timedelta(days=9000)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Setting:
    """The common options, read. `clock` is this machine's; None where `now` was given or made up."""

    config: Config
    config_path: Path | None
    db: Path
    now: datetime
    clock: Callable[[], datetime] | None = None


def common(command: Callable[Concatenate[Setting, P], R]) -> Callable[..., R]:
    """Add --config, --db and --now, and pass them on as one Setting."""

    @click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        help="Configuration file.  [default: groundswell.toml, if present]",
    )
    @click.option("--db", type=click.Path(path_type=Path), default=Path("groundswell.db"), show_default=True)
    @click.option("--now", "moment", help="Run as if it were this time (ISO 8601 with a zone).")
    @functools.wraps(command)
    def wrapped(config_path: Path | None, db: Path, moment: str | None, *rest: P.args, **options: P.kwargs) -> R:
        path = config_path or (Path("groundswell.toml") if Path("groundswell.toml").exists() else None)
        system_clock: Callable[[], datetime] = click.get_current_context().obj
        try:
            now = utc(moment) if moment else system_clock()
        except ValueError as error:
            raise ConfigError(f"--now: {error}") from error
        clock = None if moment else system_clock
        setting = Setting(config=load_config(path), config_path=path, db=db, now=now, clock=clock)
        try:
            return command(setting, *rest, **options)
        except (PipelineError, click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from pipeline.store.damage import raise_for_damage

            raise_for_damage(db, error)
            raise

    return wrapped


def parse_time(value: str | None, option: str) -> datetime | None:
    """Read a time of an option, ISO or a date (its first moment in UTC); raises ConfigError naming the option."""
    if value and _DATE.fullmatch(value):
        value += "T00:00:00Z"
    try:
        return utc(value) if value else None
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error


def parse_since(value: str, now: datetime, option: str = "--since") -> datetime:
    """Read how far back an option goes: a time, a date, a span before `now`; raises ConfigError naming the option."""
    if value[:4].isdigit() and value[4:5] == "-":
        moment = parse_time(value, option)
        assert moment is not None
        return moment
    try:
        return now - min(parse_duration(value), MOST_BACK)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}, or as a date, 2026-03-02") from error


def open_store(setting: Setting, *, durable: bool = True) -> Store:
    """Open the database for writing, with the views and the catalogue up to date."""
    from pipeline.store import Store
    from pipeline.store.local_time import put_local_time

    store = Store(setting.db, views=DASHBOARDS / "views.sql", durable=durable)
    _print_backup(store)
    store.put_catalogue(setting.config.catalogue, setting.config.watched)
    put_local_time(store, setting.config.display_timezone)
    return store


def salted(setting: Setting, store: Store) -> Setting:
    """Return the setting with the salt under which this database keeps authors' names: before posts are stored.

    Where it is missing that is printed, and posts are refused; the rest goes on.
    """
    from pipeline.sources.author_keys import MISSING, SaltError, kept_salt

    try:
        salt = kept_salt(store, setting.config.secrets.author_salt)
    except SaltError as error:
        click.echo(f"groundswell: {error}", err=True)
        salt = MISSING
    secrets = replace(setting.config.secrets, author_salt=salt)
    return replace(setting, config=replace(setting.config, secrets=secrets))


def open_existing_store(setting: Setting) -> Store:
    """Open the database as it is; raises StoreError when there is none."""
    from pipeline.store import Store, must_exist

    must_exist(setting.db)
    store = Store(setting.db, views=DASHBOARDS / "views.sql")
    _print_backup(store)
    return store


def open_store_to_read(setting: Setting) -> Store:
    """Open the database without changing it; raises StoreError when there is none, and for one of an older version."""
    from pipeline.store import Store

    return Store(setting.db, views=DASHBOARDS / "views.sql", readonly=True)


def _print_backup(store: Store) -> None:
    """Print where the old database is kept, once it was brought up to date."""
    if store.backup is not None:
        click.echo(
            f"groundswell: {store.path} was brought up to date; the old database is kept for a month as {store.backup}",
            err=True,
        )


def lock_path(db: Path) -> Path:
    """Return the lock file of a database: next to the file itself, by whatever link it is named.

    Raises ConfigError where the file has a second name: each would have a lock and a write-ahead log of its own.
    """
    real = Path(os.path.realpath(db))
    if real.is_file() and real.stat().st_nlink > 1:
        raise ConfigError(f"{db}: has another name (a hard link), and writing by two names damages it; remove one")
    return Path(f"{real if db.is_symlink() else db}.lock")


@contextmanager
def run_lock(db: Path) -> Iterator[None]:
    """Hold the lock of a database; leaves with exit code 75 when another run holds it."""
    from filelock import FileLock, Timeout

    path = lock_path(db)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        click.echo(f"groundswell: another run holds {path}", err=True)
        sys.exit(LOCKED)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def failure_line(run: Run) -> str:
    """Return what a failed run reports, in one line; of rows that were refused, how many."""
    if run.outcome in ("error", "blocked"):
        words = f"{run.stage}: {f'{run.subject}: ' if run.stage == 'collect' else ''}{run.error}"
    else:
        words = f"{run.stage}: {run.subject}: {quantity(run.rejected, 'row')} refused; see the table quarantine"
    return one_line(words)


def print_failures(runs: Iterable[Run]) -> int:
    """Print one line for each run that failed; return the exit code they ask for."""
    lines = [failure_line(run) for run in runs if run.outcome in ("error", "blocked") or run.rejected]
    for line in lines:
        click.echo(f"groundswell: {line}", err=True)
    return PARTIAL if lines else 0


def escape_csv_formula(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, and no reader of CSV for the end of a row.

    Python's writer leaves a lone carriage return without quotes: what follows it would begin a row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if re.match(r"[=+\-@\t\n＝＋－＠]", text) else text
