"""Every detector by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from detectors.contract import Detector


class _Registry(Mapping[str, Callable[..., Detector]]):
    """Detectors by name, each imported when it is asked for: a run uses one, and pays for what it imports each time."""

    def __init__(self, modules: Mapping[str, tuple[str, str]]) -> None:
        """Take of each name the module and the class in it."""
        self._modules = modules

    def __getitem__(self, name: str) -> Callable[..., Detector]:
        module, detector = self._modules[name]
        found: Callable[..., Detector] = getattr(import_module(module), detector)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


DETECTORS = _Registry(
    {
        "seasonal_nb": ("detectors.seasonal.detector", "SeasonalNB"),
        "ears": ("detectors.rolling.ears", "Ears"),
        "farrington": ("detectors.rolling.farrington", "Farrington"),
        "robust_z": ("detectors.rolling.robust_z", "RobustZ"),
        "same_time_ratio": ("detectors.rolling.same_time_ratio", "SameTimeRatio"),
        "stl": ("detectors.rolling.stl", "Stl"),
    }
)
