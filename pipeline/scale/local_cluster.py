"""Dask workers of this machine, started at once and left alone while they work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import LocalCluster

FORKED = sys.platform == "linux"
SETTINGS = {
    # tasks take seconds: to look at them every 10 to 100 ms took a twentieth of the time of all processes
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
}


def local_cluster(workers: int, memory: str, salt: str) -> LocalCluster:
    """Start workers of one thread each with a limit of memory; `salt` is handed to them by their environment.

    On Linux they are forked from the process that `start_preloading` starts, and share its memory.
    """
    import dask
    from distributed import LocalCluster

    dask.config.set(SETTINGS | ({"distributed.worker.multiprocessing-method": "forkserver"} if FORKED else {}))
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=memory,
        dashboard_address="127.0.0.1:0",
        env={"OMP_NUM_THREADS": "1"} | ({"GROUNDSWELL_AUTHOR_SALT": salt} if salt else {}),
    )


def start_preloading() -> None:
    """Start the process that workers are forked from, where they are; it imports while this one does.

    Ctrl-C, of which a terminal tells all processes, is blocked in it and in the workers: they end with this one.
    """
    if not FORKED:
        return
    from multiprocessing import forkserver, resource_tracker

    # it removes what a kill left, and says so
    os.putenv("PYTHONWARNINGS", ",".join([*sys.warnoptions, "ignore:resource_tracker:UserWarning"]))
    resource_tracker.ensure_running()  # here, since it would unblock Ctrl-C below
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.scale.preloaded"])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
