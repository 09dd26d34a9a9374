"""Shared by all tests: no way out but loopback, where things lie, and the small recorded day."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store import Store
from tests.command_line import call_main, clean_environment

if TYPE_CHECKING:
    from pipeline.text.models.encoder import Encoder
    from pipeline.text.models.training import Labelled
    from tests.world import World

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "data" / "scenarios" / "2026-03-02-claude"
_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: object) -> None:
    if self.family == socket.AF_UNIX or (
        isinstance(address, tuple) and str(address[0]).startswith(("127.", "::1", "localhost"))
    ):
        return _connect(self, address)
    raise OSError(f"tests reach loopback only, not {address!r}")


socket.socket.connect = _loopback_only  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """Other people's real data, where EVAL_DATA points."""
    where = os.environ.get("EVAL_DATA")
    if not where:
        pytest.skip("EVAL_DATA is not set: real data are read where it points")
    return Path(where).resolve()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database of its own, empty."""
    with Store(tmp_path / "groundswell.db") as opened:
        yield opened


@pytest.fixture
def world(store: Store) -> World:
    """Six services whose status pages, counts, reports and news a test writes; some tests have a world of their own."""
    from tests.world import World

    return World(store, ("github", "netflix", "claude", "huggingface", "vercel", "heroku"))


@pytest.fixture(scope="session")
def labels() -> list[Labelled]:
    """The labelled posts, as the models are trained on them."""
    from pipeline.config.paths import LABELS
    from pipeline.text.models.training import read_labels
    from tests.world import MATCHER

    return read_labels(LABELS, MATCHER)


@pytest.fixture
def sentence_encoder() -> Encoder:
    """The installed encoder of sentences, whose weights are checked."""
    from pipeline.text.models.encoder import find_encoder

    found, why = find_encoder()
    assert found is not None, why
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1 and localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(cert),
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        ],
        check=True,
        capture_output=True,
    )
    return key, cert


Day = tuple[Path, dict[str, Any]]
SPAN = ("2026-03-02T09:00:00Z", "2026-03-02T13:45:00Z")


def replay(folder: Path, db: Path, begin: str, until: str, *more: str) -> tuple[int, dict[str, Any]]:
    """Replay a recording into a database by the command; return the exit code and the result."""
    args = ("backtest", str(folder), "--json", "--db", str(db), "--from", begin, "--until", until, *more)
    done = call_main(args, ROOT, {})
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def replay_in_a_process(folder: Path, db: Path, begin: str, until: str) -> tuple[int, dict[str, Any]]:
    """Do what `replay` does in a process of its own, whose sets and dicts have another order of hashes."""
    args = ["backtest", str(folder), "--json", "--db", str(db), "--from", begin, "--until", until]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *args], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The main hours of the recorded day: a folder with a.db and a-mail, and the result; made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "day"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "result.json").exists():
            code, result = replay(SCENARIO, folder / "a.db", *SPAN)
            assert code == 0
            (folder / "result.json").write_text(json.dumps(result))
    return folder, json.loads((folder / "result.json").read_text())


Groundswell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def groundswell(tmp_path: Path) -> Groundswell:
    """Call the command line in this process, in a folder of its own, with none of our environment."""

    def call(
        *args: str, cwd: Path | None = None, env: dict[str, str] | None = None, keys: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return call_main(args, cwd or tmp_path, env or {}, keys)

    return call


@pytest.fixture
def groundswell_process(tmp_path: Path) -> Groundswell:
    """Run the command line as a process of its own, where the process is what is tested; else as `groundswell`."""

    def run(
        *args: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        timeout: int = 280,
        keys: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *args],
            cwd=cwd or tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout,
            input=keys,
            env=clean_environment({"PYTHONPATH": str(ROOT), **(env or {})}),
        )

    return run
