"""What is wrong with the table of the detector: its name, its parameters, their bounds and their order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from pipeline.config.settings import DetectorChoice
from pipeline.config.validation_words import nearest

_POSITIVE = ("alarm", "strong", "periods", "min_sigma", "window_hours")  # besides the half-lives
_YEAR_HOURS = 366 * 24


def detector_reasons(choice: DetectorChoice) -> Iterator[str]:
    """Yield `key: reason` for each thing that is wrong with a choice of detector and its parameters."""
    from detectors.registry import DETECTORS  # it imports numpy: only where a detector is checked or made

    if choice.name not in DETECTORS:
        close = nearest(choice.name, DETECTORS)
        yield f"detector.name: {choice.name[:80]!r} is not one of {', '.join(DETECTORS)}{close}"
        return
    made: Any = DETECTORS[choice.name]
    defaults = {field.name: field.default for field in fields(made) if isinstance(field.default, int | float)}
    wrong = [f"detector.params.{key}: {reason}" for key, reason in _parameter_reasons(choice, defaults)]
    yield from wrong
    params = {key: value for key, value in choice.params.items() if not isinstance(value, str)}
    alarm, strong = (params.get(key, defaults[key]) for key in ("alarm", "strong"))
    if not wrong and strong < alarm:
        default = "" if "strong" in params else " (the default)"
        yield f"detector.params.strong: {strong:g}{default} must not be below alarm, {alarm:g}"


def _parameter_reasons(choice: DetectorChoice, defaults: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    for key, value in choice.params.items():
        if key not in defaults:
            yield key, f"{choice.name} has no such parameter{nearest(key, defaults)}"
        elif isinstance(value, str):
            yield key, "must be a number"
        elif not math.isfinite(value):
            yield key, "must be finite"
        elif isinstance(defaults[key], int) and value != int(value):
            yield key, "must be a whole number"
        elif key == "quantile" and not 0 < value < 1:
            yield key, "must lie between 0 and 1"
        elif (key in _POSITIVE or key.endswith("_half_life")) and value <= 0:
            yield key, "must be above 0"
        elif key == "window_hours" and value > _YEAR_HOURS:
            yield key, f"must be at most {_YEAR_HOURS}, a year"
        elif value < 0:
            yield key, "must be at least 0"
