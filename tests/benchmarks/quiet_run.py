"""One quiet run on a copy of the demo's database, without network: the run behind the flame graph in docs/speed.md."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from pipeline.__main__ import main
from tests.conftest import ROOT

SILENT = "statuspage = false\nhacker_news = false\ndownstatus = false\nnews_desks = false\ngoogle_news = false\n"


def quiet_run() -> None:
    """Run once; needs the demo's database (make demo)."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "out" / "demo" / "groundswell.db", Path(folder) / "groundswell.db")
        (Path(folder) / "groundswell.toml").write_text(f'watch = ["claude", "chatgpt", "gemini"]\n[sources]\n{SILENT}')
        os.chdir(folder)
        sys.argv = ["groundswell", "run", "--quiet", "--now", "2026-03-05T00:20:00Z"]
        main()


if __name__ == "__main__":
    quiet_run()
