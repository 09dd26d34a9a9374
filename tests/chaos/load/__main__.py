"""`python -m tests.chaos.load [PART …]`: what much of everything costs, as a table; 1 when something did not hold.

Parts: drip, routes, archive, storm.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.chaos.load.archive import archive
from tests.chaos.load.drip import KINDS, drip
from tests.chaos.load.measured import HEAD, Result
from tests.chaos.load.routes import routes
from tests.chaos.load.storm import storm


def _made(folder: Path) -> Path:
    """Make a folder: a failure that lasts is told once in a database, so each kind has its own."""
    folder.mkdir()
    return folder


PARTS: Mapping[str, Callable[[Path], Iterable[Result]]] = {
    "drip": lambda folder: (drip(_made(folder / str(number)), kind) for number, kind in enumerate(KINDS)),
    "routes": routes,
    "archive": archive,
    "storm": storm,
}


def main(names: Sequence[str]) -> int:
    """Run parts, print a row for each command, then what did not hold; return how many things did not."""
    print(HEAD)
    wrong: list[str] = []
    for name in names or PARTS:
        with tempfile.TemporaryDirectory(prefix=f"load-{name}-") as folder:
            for result in PARTS[name](Path(folder)):
                print(result, flush=True)
                wrong += [f"{result.what}: {problem}" for problem in result.wrong]
    print("\n".join(wrong) or "all held")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
