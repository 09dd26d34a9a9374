"""`kernel.run` in two forms: as it stands, and its source compiled by numba and cached beside it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats
from detectors.seasonal import baseline, clocks, kernel, layout, plateau
from detectors.seasonal.layout import BinTimes, KernelInput, KernelOutput, KernelParams, Rows

# below this many counts, of all calls, the import of numba costs more than it saves
WORTH_LOADING = 20_000
# below this many, of calls that have enough to load it, compiling costs more than it saves: for the first call ever
WORTH_COMPILING = 250_000
# of the files that make the code, as they are when it is imported: an upgrade below a running process changes them
_FILES = (__file__, *(str(module.__file__) for module in (layout, clocks, baseline, plateau, kernel)))
DIGEST = f"{zlib.crc32(b''.join(Path(file).read_bytes() for file in _FILES)):08x}"
KEPT_IN = Path(str(kernel.__file__)).parent / "__pycache__"  # where numba keeps what it compiles, if it may write there
_KEPT = f"*.run_{DIGEST}-*.nbi"
_UNSIGNED = ("depth", "channel_width", "day_slots")  # parameters that places in a row are made of

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
CellNumbers = npt.NDArray[np.uint16]  # never below 0, which the compiler then need not ask


class TimeArrays(NamedTuple):
    """Times of bins as arrays: `BinTimes` has what the fields mean."""

    days: Numbers
    slots: Numbers
    near: Numbers
    shares: Floats
    learned_day_slots: CellNumbers
    learned_week_slots: CellNumbers
    blocks: Numbers
    changes: Numbers


class ScanBins(NamedTuple):
    """Bins as arrays: `KernelInput` has what the fields mean."""

    times: TimeArrays
    counts: Floats
    other: Floats


class ScanFigures(NamedTuple):
    """Figures of bins as arrays: `KernelOutput` has what the fields mean."""

    expected: Floats
    score: Floats
    slot_params: Floats
    best_windows: Floats
    reshaped: Floats


Kernel = Callable[[Floats, KernelParams, npt.NDArray[np.int64], ScanBins, ScanFigures], int]


def run_plain(
    rows: Floats, params: KernelParams, windows: npt.NDArray[np.int64], bins: ScanBins, output: ScanFigures
) -> int:
    """Judge bins in plain Python, on views and lists, whose elements cost less than those of arrays."""
    counts = bins.counts.tolist()
    listed = KernelInput(
        times=BinTimes(*(values.tolist() for values in bins.times)),
        counts=counts,
        other=counts if bins.other is bins.counts else bins.other.tolist(),
    )
    views = KernelOutput(
        expected=_lines(output.expected),
        score=_lines(output.score),
        slot_params=[_lines(turn) for turn in output.slot_params],
        best_windows=_lines(output.best_windows),
        reshaped=_lines(output.reshaped[None, :])[0],
    )
    return kernel.run(_lines(rows), params, windows.tolist(), listed, views)


def _lines(table: Floats) -> Rows:
    """Return the lines of a table as views, whose elements are read and written as Python's own floats."""
    return cast("Rows", [memoryview(line) for line in table])


class _CompiledKernel(NamedTuple):
    """`kernel.run` to be compiled when first called; `is_kept`: what numba made of it earlier lies on disk."""

    run: Kernel
    is_kept: bool


def _compile() -> _CompiledKernel:
    """Return `kernel.run` compiled, with every function that it calls; its first call ever takes ten seconds.

    numba looks at the date of a function's own file only. The names have the digest of all files that make the code,
    so that nothing compiled from others is found. What each bin calls is made part of its caller: handing over the
    parameters, which are many, would cost as much as the work. References to arrays are not counted, as nothing is
    allocated: counting would take half of the time. What places in a row are made of has no sign: each place would be
    asked whether it is counted from the end.
    """
    import numba

    jit = numba.njit(cache=True, error_model="numpy", nogil=True, forceinline=True, _nrt=False)  # type: ignore[call-overload]
    parts = (clocks, baseline, plateau, kernel)
    namespace = {name: value for part in parts for name, value in vars(part).items()}
    places = {part.__name__ for part in parts}
    functions = {name: value for name, value in namespace.items() if isinstance(value, FunctionType)}
    own = {name: function for name, function in functions.items() if function.__module__ in places}
    for name, function in own.items():
        namespace[name] = jit(FunctionType(function.__code__.replace(co_qualname=f"{name}_{DIGEST}"), namespace, name))
    run = namespace["run"]

    def run_compiled(
        rows: Floats, params: KernelParams, windows: npt.NDArray[np.int64], bins: ScanBins, output: ScanFigures
    ) -> int:
        unsigned: dict[str, Any] = {name: np.uint16(getattr(params, name)) for name in _UNSIGNED}
        return cast("int", run(rows, params._replace(**unsigned), windows, bins, output))

    return _CompiledKernel(run_compiled, any(Path(run.stats.cache_path).glob(_KEPT)))


def _may_be_kept() -> bool:
    """Return whether compiled code may lie on disk, as far as can be seen without importing numba.

    Where it cannot be written beside the code, numba keeps it in a folder of the user's, which numba alone knows.
    """
    return any(KEPT_IN.glob(_KEPT)) or not os.access(KEPT_IN.parent, os.W_OK)


class KernelSelector:
    """Chooses plain Python until the calls are worth loading the compiled form for, and that from then on.

    What was never compiled on this machine takes ten seconds of numba once: it waits for more counts.
    """

    def __init__(self, worth_loading: int = WORTH_LOADING, worth_compiling: int = WORTH_COMPILING) -> None:
        """After `worth_loading` counts, of all calls, it looks for what was compiled before.

        What never was is compiled after `worth_compiling`, of calls with at least `worth_loading` each.
        """
        self._worth_loading, self._worth_compiling = worth_loading, worth_compiling
        self._judged = self._judged_at_once = 0  # counts: of all calls, and of those that were large enough to load
        self._compiled: _CompiledKernel | None = None
        self._may_be_kept: bool | None = None  # None: not looked for yet
        self._in_use = self._unavailable = False

    def use_compiled(self) -> bool:
        """Use the compiled form for all calls to come; return False where it cannot be had."""
        self._in_use = self._load() is not None
        return self._in_use

    def choose(self, counts: int) -> Kernel:
        """Return the kernel for a call with so many counts."""
        if not counts:  # arrays without a place are of another layout, which would be compiled anew
            return run_plain
        if not self._in_use and not self._unavailable:
            self._judged += counts
            self._judged_at_once += counts if counts >= self._worth_loading else 0
            may_compile = self._judged_at_once >= self._worth_compiling
            if may_compile or (self._judged >= self._worth_loading and self._looks_kept()):
                compiled = self._load()
                self._in_use = compiled is not None and (compiled.is_kept or may_compile)
        return self._compiled.run if self._in_use and self._compiled is not None else run_plain

    def _looks_kept(self) -> bool:
        if self._may_be_kept is None:
            self._may_be_kept = _may_be_kept()
        return self._may_be_kept

    def _load(self) -> _CompiledKernel | None:
        if self._compiled is None and not self._unavailable:
            try:
                self._compiled = _compile()
            except (ImportError, RuntimeError, KeyError):
                # numba is absent, lacks an option or has nowhere to keep what it compiled: slower, and the same figures
                self._unavailable = True
        return self._compiled


KERNELS = KernelSelector()  # of this process: what one detector loaded serves the others
