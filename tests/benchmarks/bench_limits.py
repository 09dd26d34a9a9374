"""What the machine allows: the speed of memory copies and of disk syncs. It runs first: others are compared with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

SIZE = 256 << 20


def test_what_memory_allows(benchmark: Any) -> None:
    benchmark.group = "256 MB copied, the least that moving so much takes"
    benchmark.extra_info.update(way="memory", of="memory", limit="bandwidth", moved=SIZE)
    here, there = np.zeros(SIZE, dtype=np.uint8), np.ones(SIZE, dtype=np.uint8)
    benchmark(lambda: np.copyto(there, here))


def test_what_the_disk_allows(benchmark: Any, tmp_path: Path) -> None:
    benchmark.group = "one fsync of 4 KB, the least a durable run waits for"
    benchmark.extra_info.update(way="fsync", of="fsync", limit="fsync")
    with (tmp_path / "x").open("wb") as file:

        def work() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        benchmark(work)
