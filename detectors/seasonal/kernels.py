"""Which of the two equal kernels scores the next bins."""

from __future__ import annotations

from collections.abc import Callable

from detectors.seasonal import kernel_numpy
from detectors.seasonal.kernel_state import KernelInput, KernelOutput, KernelState, Params

Kernel = Callable[[KernelInput, Params, KernelState, KernelOutput], int]
# below this many counts the compiled kernel's import costs more than it saves
WORTH_COMPILING = 100_000


class KernelSelector:
    """Chooses NumPy's kernel until a call is worth compiling for, and the compiled one from then on."""

    def __init__(self, worth_compiling: int = WORTH_COMPILING) -> None:
        """`worth_compiling` is the number of counts in one call from which the compiled kernel is loaded."""
        self._worth_compiling = worth_compiling
        self._compiled: Kernel | None = None
        self._unavailable = False

    def use_compiled(self) -> bool:
        """Load the compiled kernel for all calls to come; return False where it cannot be had."""
        if self._compiled is None and not self._unavailable:
            try:
                from detectors.seasonal import kernel_numba
            except (ImportError, RuntimeError):
                # numba is absent or has nowhere to keep what it compiled: slower, and the same figures
                self._unavailable = True
            else:
                self._compiled = kernel_numba.scan
        return self._compiled is not None

    def choose(self, counts: int) -> Kernel:
        """Return the kernel for a call with so many counts."""
        if counts >= self._worth_compiling:
            self.use_compiled()
        return self._compiled or kernel_numpy.scan


KERNELS = KernelSelector()  # of this process: what one detector loaded serves the others
