"""Where the tasks run: one after the other here, or as one lazy graph on Dask.

Both run the same tasks on the same parts, so that what they publish is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipeline.core.errors import ConfigError, StoreError
from pipeline.scale.inputs import Part
from pipeline.scale.local_cluster import local_cluster, start_preloading
from pipeline.scale.summaries import BucketSummary, PartSummary, gather
from pipeline.scale.tasks import BUCKETS, Job, judge_bucket, read_part

if TYPE_CHECKING:
    from distributed import Client

Progress = Callable[[int, int], None]


class BackfillResult(NamedTuple):
    """What every part and every bucket came to, in their order."""

    parts: list[PartSummary]
    buckets: list[BucketSummary]


class Engine(Protocol):
    """A way to run a backfill."""

    def run(self, parts: Sequence[Part], job: Job, progress: Progress) -> BackfillResult:
        """Run every task. Raises StoreError when the engine itself is gone."""
        ...


class Local:
    """One process, without Dask."""

    def run(self, parts: Sequence[Part], job: Job, progress: Progress) -> BackfillResult:
        """Run every task in turn."""
        total = len(parts) + BUCKETS
        reads = []
        for number, part in enumerate(parts):
            reads.append(read_part(part, job))
            progress(number + 1, total)
        first_pass = gather(reads)
        judged = []
        for bucket in range(BUCKETS):
            judged.append(judge_bucket(bucket, first_pass, job))
            progress(len(parts) + bucket + 1, total)
        return BackfillResult(reads, judged)


class OnDask:
    """A Dask cluster: a scheduler's address, or workers of our own on this machine."""

    def __init__(
        self,
        scheduler: str = "",
        *,
        workers: int = 2,
        memory: str = "2GB",
        salt: str = "",
        tell: Callable[[str], None] = print,
    ) -> None:
        """`memory` is the limit of each worker; `salt` is handed to workers of our own by their environment."""
        self._scheduler, self._workers, self._memory, self._salt, self._tell = scheduler, workers, memory, salt, tell

    def run(self, parts: Sequence[Part], job: Job, progress: Progress) -> BackfillResult:
        """Connect, run every task, and disconnect. A worker that dies costs the tasks it was at."""
        with self.client() as client:
            return self.run_on(client, parts, job, progress)

    def run_on(self, client: Client, parts: Sequence[Part], job: Job, progress: Progress) -> BackfillResult:
        """Build the graph, compute it, and collect its results, which are small: tasks write their rows themselves."""
        from dask import delayed
        from distributed import as_completed
        from distributed.comm.core import CommClosedError

        where = self._scheduler or "the workers of this machine"
        shared_job = delayed(job)
        reads = [delayed(read_part, pure=False)(part, shared_job, dask_key_name=f"read-{part.key}") for part in parts]
        first_pass = delayed(gather)(reads)
        judged = [
            delayed(judge_bucket, pure=False)(n, first_pass, shared_job, dask_key_name=f"judge-{n}")
            for n in range(BUCKETS)
        ]
        try:
            futures = client.compute([*reads, *judged], retries=2)
            for number, _ in enumerate(as_completed(futures), start=1):
                progress(number, len(futures))
            results = [future.result(timeout=60) for future in futures]
        except ConfigError:
            raise
        except (OSError, CommClosedError, TimeoutError, RuntimeError, ValueError) as error:
            raise StoreError(f"{where}: {_words(error)}; what was finished is kept: run it again") from error
        except Exception as error:  # distributed's own kinds of cancelled and lost work share no base
            if type(error).__module__.split(".")[0] not in ("distributed", "asyncio", "concurrent"):
                raise
            raise StoreError(f"{where}: {_words(error)}; what was finished is kept: run it again") from error
        return BackfillResult(results[: len(parts)], results[len(parts) :])

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Connect to the scheduler, or start workers of our own for the while."""
        if not self._scheduler:
            start_preloading()
        import dask
        from distributed import Client

        # what breaks is told in one line at the end; the library's own loggers write tracebacks of their own meanwhile
        for name in list(logging.root.manager.loggerDict):
            if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        dask.config.set({"distributed.comm.timeouts.connect": "10s", "distributed.scheduler.allowed-failures": 3})
        if self._scheduler:
            try:
                client = Client(self._scheduler, timeout=10)
            except (OSError, ValueError) as error:
                raise StoreError(f"{self._scheduler}: no scheduler answers there: {_words(error)}") from error
            cluster = None
        else:
            cluster = local_cluster(self._workers, self._memory, self._salt)
            client = Client(cluster)
        try:
            self._tell(f"dashboard  {client.dashboard_link}")
            yield client
        finally:
            client.close(timeout=5)
            if cluster is not None:
                cluster.close(timeout=20)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".rstrip(": ")
