"""An unexpected error about one service, source or post stays with it: the rest of the run goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import PipelineError
from pipeline.core.vocabulary import RunOutcome
from pipeline.store import Store
from pipeline.store.damage import raise_for_damage
from pipeline.store.failures import is_from_database

logger = logging.getLogger(__name__)
NAMED = 3  # more subjects are counted


class Isolation:
    """Takes the unexpected errors of one stage's run, each about one subject; `error` says which there were."""

    def __init__(self, store: Store) -> None:
        """`store` is looked at for damage once an error occurred: that is the fault of no single subject."""
        self._store = store
        self._kinds: dict[str, str] = {}  # the name of the error of each subject

    @contextmanager
    def of(self, subject: str) -> Iterator[None]:
        """Run the block; an unexpected error in it is logged with its traceback and noted, not raised.

        Expected errors and those of the database go through; so does StoreError where the database is damaged.
        """
        try:
            yield
        except PipelineError:
            raise
        except Exception as error:
            if is_from_database(error):
                raise
            if not self._kinds:
                raise_for_damage(Path(self._store.path), error)
            logger.exception("%s: a bug", subject)
            self._kinds[subject] = type(error).__name__

    @property
    def failed(self) -> Set[str]:
        """Return the subjects that failed."""
        return self._kinds.keys()

    @property
    def error(self) -> str:
        """Return which subjects failed, in one line for a person; empty where none did."""
        if not self._kinds:
            return ""
        named = [f"{subject} ({kind})" for subject, kind in list(self._kinds.items())[:NAMED]]
        more = f" and {len(self._kinds) - NAMED} more" if len(self._kinds) > NAMED else ""
        return f"left out because of a bug, please report it: {', '.join(named)}{more}; -v shows where"

    @property
    def outcome(self) -> RunOutcome:
        """Return the outcome of the stage's run."""
        return RunOutcome.ERROR if self._kinds else RunOutcome.OK
