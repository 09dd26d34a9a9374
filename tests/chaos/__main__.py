"""`python -m tests.chaos [MOST] [planted]`: faults at up to MOST places of every pair of call and fault, as a table."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.rig import Rig, build_shim


def run(folder: Path, most: int, *, planted: bool = False) -> int:
    """Strike everywhere, print a table, return how many faults did not hold.

    `planted`: kills at syncs of a program that marks messages before it sends them.
    """
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
        rig = Rig(folder, port, log, planted=planted)
        tried: Counter[tuple[str, str]] = Counter()
        struck: Counter[tuple[str, str]] = Counter()
        failed = []
        for fault in rig.faults(most):
            if planted and (fault.call, fault.kind) != ("fdatasync", "kill"):
                continue
            verdict = rig.strike(fault)
            pair = fault.call, fault.kind + (" lasting" if fault.lasting else "")
            tried[pair] += 1
            struck[pair] += verdict.struck
            if verdict.problem:
                failed.append(verdict)
                print(f"{fault}: {verdict.problem}", flush=True)
        for pair, count in sorted(tried.items()):
            print(f"{pair[0]:<10} {pair[1]:<15} {struck[pair]:>5} of {count}")
        print(f"{sum(struck.values())} faults over {len(tried)} pairs; {len(failed)} did not hold; calls {rig.calls}")
        return len(failed)
    finally:
        sink.terminate()
        sink.wait()


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
    with tempfile.TemporaryDirectory(prefix="rig-") as place:
        most = int(sys.argv[1]) if len(sys.argv) > 1 else 40
        sys.exit(min(1, run(Path(place), most, planted="planted" in sys.argv)))
