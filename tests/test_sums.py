"""Weighted sums of rows, and the logistic function: the same to the last bit as SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit

from pipeline.text.models.linear import probability
from pipeline.text.models.sums import FEW, weighted_sums


@pytest.mark.parametrize("count", [0, 1, 40, FEW, FEW + 1])
def test_weighted_sums_are_those_of_a_sparse_product_to_the_last_bit(count: int) -> None:
    random = np.random.default_rng(count)
    rows = random.normal(size=(50, 33)).astype(np.float32)
    at, weights = random.integers(0, 50, count), random.normal(size=count).astype(np.float32)
    ends = np.sort(np.r_[0, random.integers(0, count + 1, 6), count])
    expected = csr_array((weights, at, ends), shape=(7, 50)) @ rows
    assert np.array_equal(weighted_sums(weights, at, ends, rows), expected)


def test_a_text_without_places_sums_to_zeros() -> None:
    sums = weighted_sums(
        np.ones(2, np.float32), np.array([1, 0]), np.array([0, 0, 2, 2]), np.array([[1, 2], [10, 20]], np.float32)
    )
    assert sums.tolist() == [[0, 0], [11, 22], [0, 0]]


def test_probabilities_are_scipys_to_the_last_bit() -> None:
    random = np.random.default_rng(3)
    log_odds = [*random.normal(0, 8, 20_000).tolist(), 0.0, -0.0, 800.0, -800.0, -709.9, 1e308, -1e308]
    assert [probability(value) for value in log_odds] == expit(log_odds).tolist()
