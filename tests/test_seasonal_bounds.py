"""Upper bounds of the seasonal detector: the smallest whole count whose likelihood ratio is the one needed."""

from __future__ import annotations

import numpy as np

from detectors.contract import Floats
from detectors.seasonal.parameters import SeasonalParameters
from detectors.seasonal.tails import upper_bound


def ratios(x: Floats, mu: Floats, size: Floats, clump: Floats) -> Floats:
    """Return the likelihood ratio of a count against its expectation, for a negative binomial of clumps."""
    r = size * clump
    found: Floats = (x * np.log(x / mu) - (x + r) * np.log((x + r) / (mu + r))) / clump
    return found


def test_the_bound_is_the_smallest_count_that_passes_the_gates_and_has_the_ratio() -> None:
    dice, shape, detector = np.random.default_rng(5), (500, 20), SeasonalParameters()
    mu = 10 ** dice.uniform(-6, 4, shape)
    size, clump = 10 ** dice.uniform(-1, 5, shape), 1 + 10 ** dice.uniform(-3, 1, shape)
    needed = dice.uniform(2, 60, shape)
    bound = upper_bound(mu, size, clump, needed, detector)
    gates = np.maximum(detector.min_count * (1 + detector.repeats * (clump - 1)), detector.min_ratio * mu)
    assert (bound >= gates - 1e-6).all()
    assert (ratios(bound, mu, size, clump) >= needed - 1e-4).all()
    one_less = bound - 1
    fails_a_gate = one_less < gates
    lacks = ratios(np.maximum(one_less, mu), mu, size, clump) < needed + 1e-4
    assert (fails_a_gate | lacks).all()
    assert fails_a_gate.any(), "a gate decides somewhere"
    assert not fails_a_gate.all(), "and the ratio elsewhere"


def test_a_bin_without_an_expectation_has_no_bound_and_leaves_the_others_theirs() -> None:
    size, clump, needed = (np.full((2, 1), value) for value in (10.0, 1.5, 12.0))
    with_gap = upper_bound(np.array([[np.nan], [7.0]]), size, clump, needed, SeasonalParameters())
    alone = upper_bound(np.array([[7.0]]), size[:1], clump[:1], needed[:1], SeasonalParameters())
    assert np.isnan(with_gap[0, 0])
    assert with_gap[1, 0] == alone[0, 0] > 7
