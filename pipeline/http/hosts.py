"""How many sources may ask one host at a time, and when a silent host is left alone (a circuit breaker)."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict

from pipeline.core.errors import Reason, SourceError

logger = logging.getLogger(__name__)

PER_HOST = 2
MAX_TIMEOUTS_PER_HOST = 3  # sessions in a row that ran out at a host before it is left alone for the rest of the run


class HostLimits:
    """The places at each host, and how many sessions in a row ran out there. Safe from any thread."""

    def __init__(self) -> None:
        """Every host starts with all its places free."""
        self._places: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(PER_HOST))
        self._timeouts: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def acquire_host(self, host: str, timeout: float | None) -> bool:
        """Take a place at a host; return False when none came free within `timeout` seconds (None: wait without end).

        Raises SourceError when too many sessions in a row ran out there, also where that happened during the wait.
        """
        place = self._open_place(host)
        if not place.acquire(timeout=timeout):
            return False
        try:
            self._open_place(host)
        except SourceError:
            place.release()
            raise
        return True

    def release_host(self, host: str) -> None:
        """Give a place back."""
        with self._lock:
            place = self._places[host]
        place.release()

    def record_host_outcome(self, host: str, *, answered: bool) -> None:
        """Count a session that ran out at a host, or forget the earlier ones because it answered in time."""
        with self._lock:
            self._timeouts[host] = 0 if answered else self._timeouts[host] + 1
            opened = self._timeouts[host] == MAX_TIMEOUTS_PER_HOST
        if opened:
            logger.info("%s let %d sessions run out; left alone for the rest of the run", host, MAX_TIMEOUTS_PER_HOST)

    def _open_place(self, host: str) -> threading.Semaphore:
        with self._lock:
            if self._timeouts[host] >= MAX_TIMEOUTS_PER_HOST:
                raise SourceError(
                    f"{host} let {MAX_TIMEOUTS_PER_HOST} sources wait in vain; not asked again in this run",
                    reason=Reason.TIMEOUT,
                )
            return self._places[host]
