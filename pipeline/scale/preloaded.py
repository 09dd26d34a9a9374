"""What workers of this machine share: imported and loaded once, by the process that they are forked from."""

from __future__ import annotations

import contextlib
import importlib

from pipeline.config.load import load_catalogue
from pipeline.scale.tasks import load_readers

for name in ("numba", "scipy.special", "distributed.nanny", "distributed.worker"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
with contextlib.suppress(Exception):  # what cannot be loaded is said by the worker that needs it
    load_readers(load_catalogue())
