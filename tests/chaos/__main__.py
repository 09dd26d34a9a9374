"""`python -m tests.chaos MOST`: faults at up to MOST places of every pair of call and fault, as a table.

`python -m tests.chaos planted`: what the rig says of mistakes that are planted into the program.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos.faults import Fault, faults_of
from tests.chaos.planted import mistakes
from tests.chaos.rig import Rig, Verdict, build_shim

WORKERS = os.cpu_count() or 1


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Give a rig with its mail server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "taken.log"
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.sink", str(log), str(port)], env={**os.environ, "LD_PRELOAD": ""}
    )
    try:
        while not log.exists():
            time.sleep(0.1)
        yield Rig(folder, port, log)
    finally:
        sink.terminate()
        sink.wait()


class Worker:
    """What each process of the pool keeps: a rig of its own."""

    rig: Rig
    stack: ExitStack

    @classmethod
    def begin(cls, place: str) -> None:
        """Build the rig; it ends with the process."""
        folder = Path(place) / str(os.getpid())
        folder.mkdir()
        cls.stack = ExitStack()
        cls.rig = cls.stack.enter_context(rig(folder))

    @classmethod
    def calls(cls) -> dict[str, int]:
        """Return how many calls of each kind the run makes."""
        return cls.rig.calls

    @classmethod
    def strike(cls, fault: Fault) -> Verdict:
        """Try one fault."""
        return cls.rig.strike(fault)


def everywhere(folder: Path, most: int) -> int:
    """Strike everywhere, print a table by pair, return how many faults did not hold."""
    by_pair: dict[tuple[str, str], list[Verdict]] = {}
    with multiprocessing.get_context("fork").Pool(WORKERS, Worker.begin, (str(folder),)) as pool:
        calls = pool.apply(Worker.calls)
        faults = faults_of(calls, most)
        for number, verdict in enumerate(pool.imap_unordered(Worker.strike, faults), start=1):
            by_pair.setdefault(verdict.fault.pair, []).append(verdict)
            if verdict.problem:
                print(f"{verdict.fault}: {verdict.problem}", flush=True)
            if number % 100 == 0:
                print(f"{number} of {len(faults)}", file=sys.stderr, flush=True)
    print("| call | fault | struck | died | failed in one line | went on | sent again | did not hold |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (call, name), verdicts in sorted(by_pair.items()):
        struck = [v for v in verdicts if v.struck]
        ends = [sum(v.ended == end for v in struck) for end in ("died", "one line", "well")]
        again, wrong = sum(v.again for v in verdicts), sum(bool(v.problem) for v in verdicts)
        print(f"| {call} | {name} | {len(struck)} | {ends[0]} | {ends[1]} | {ends[2]} | {again} | {wrong} |")
    verdicts = [v for of_pair in by_pair.values() for v in of_pair]
    wrong = sum(bool(v.problem) for v in verdicts)
    print(f"{sum(v.struck for v in verdicts)} faults over {len(by_pair)} pairs; {wrong} did not hold")
    print("calls of the run: " + ", ".join(f"{call} {n}" for call, n in calls.items()))
    return wrong


def planted(folder: Path) -> int:
    """Plant each mistake, print what the rig says, return how many it does not see."""
    unseen = 0
    with rig(folder) as tested:
        for name, mistake in mistakes(tested.calls).items():
            problems = (tested.strike(fault, mistake.plant).problem for fault in mistake.faults)
            seen = next((problem for problem in problems if mistake.seen_as in problem), None)
            unseen += seen is None
            print(f"{name}: {'NOT SEEN' if seen is None else f'seen: {seen.strip()}'}", flush=True)
    print(f"{unseen} planted mistakes were not seen")
    return unseen


def main() -> int:
    """Run in this process, which has the shim."""
    with tempfile.TemporaryDirectory(prefix="rig-") as place:
        if "planted" in sys.argv:
            return planted(Path(place))
        return everywhere(Path(place), int(sys.argv[1]) if len(sys.argv) > 1 else 40)


if __name__ == "__main__":
    if "chaos" not in os.environ.get("LD_PRELOAD", ""):
        try:
            with tempfile.TemporaryDirectory(prefix="chaos-") as built:
                library = build_shim(Path(built))
                env = {**os.environ, "LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
                sys.exit(subprocess.run([sys.executable, "-m", "tests.chaos", *sys.argv[1:]], env=env).returncode)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            print(f"chaos: skipped, the shim cannot be built: {error}", file=sys.stderr)
            sys.exit(0)
    sys.exit(min(1, main()))
