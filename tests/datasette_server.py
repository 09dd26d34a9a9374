"""Datasette as `make serve` starts it, over one database."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline.config.paths import DASHBOARDS
from tests.ports import free_port


class Served(NamedTuple):
    """Where it answers, and its process."""

    base: str
    pid: int


@contextmanager
def datasette(db: Path, *options: str) -> Iterator[Served]:
    """Start it, wait until it answers, and stop it."""
    port = free_port()
    given = ["--metadata", str(DASHBOARDS / "metadata.yml"), "--plugins-dir", str(DASHBOARDS / "plugins"), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "datasette", "serve", str(db), "--port", str(port), *given],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{base}/-/versions.json", timeout=1).read()
            break
        except OSError:
            time.sleep(0.1)
    yield Served(base, process.pid)
    process.kill()
    process.wait()
