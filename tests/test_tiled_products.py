"""Matrix products by tiles: a row's product is the same to the last bit wherever the row stands."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.text.models import tiles
from pipeline.text.models.tiles import kinds_of_places, kinds_of_rows, places_of, single_thread, tiled_product
from tests.conftest import ROOT

# two kinds in turns of six, as OpenBLAS for AVX2 has, and three of which one is rare
KINDS = (np.arange(48) // 6 % 2, np.array([0] * 30 + [1] * 17 + [2]))


def numbers(rows: int, columns: int, dtype: str = "f") -> NDArray[np.floating]:
    return np.random.default_rng(rows).standard_normal((rows, columns)).astype(dtype)


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize(("inner", "columns"), [(512, 768), (256, 1280), (256, 256), (512, 3)])
def test_a_row_has_the_same_product_alone_and_at_every_place(inner: int, columns: int, dtype: str) -> None:
    rows, weights = numbers(101, inner, dtype), numbers(inner, columns, dtype)
    with single_thread():
        together = tiled_product(rows, weights)
        backwards = tiled_product(rows[::-1], weights)[::-1]
        alone = np.vstack([tiled_product(rows[n : n + 1], weights) for n in range(len(rows))])
    assert (together == alone).all()
    assert (together == backwards).all()
    np.testing.assert_allclose(together, rows.astype("d") @ weights.astype("d"), atol=2e-4)


@pytest.mark.parametrize("processor", ["Haswell", "Sandybridge"])
def test_so_it_is_with_the_products_of_other_processors(processor: str) -> None:
    """OpenBLAS takes the products of the named one where this one can run them, and else its own."""
    check = "from tests import test_tiled_products as t; t.test_a_row_has_the_same_product_alone_and_at_every_place"
    subprocess.run(
        [sys.executable, "-c", f"{check}(512, 768, 'f')"],
        check=True,
        env={**os.environ, "OPENBLAS_CORETYPE": processor},
        cwd=ROOT,
    )


def test_places_of_one_kind_give_equal_rows_equal_products() -> None:
    kinds = kinds_of_places(256, 512, "f", 48)
    product = _product_of_equal_rows(256, 512)
    for kind in range(int(kinds.max()) + 1):
        alike = product[kinds == kind]
        assert (alike == alike[0]).all()


def _product_of_equal_rows(inner: int, columns: int) -> NDArray[np.floating]:
    with single_thread():
        product: NDArray[np.floating] = np.matmul(np.tile(numbers(1, inner), (48, 1)), numbers(inner, columns))
    return product


@pytest.mark.parametrize("kinds", KINDS)
def test_where_places_differ_a_rows_own_bits_choose_the_kind(kinds: NDArray[np.int64]) -> None:
    rows = numbers(500, 7)
    of_rows = kinds_of_rows(rows, kinds)
    assert set(of_rows.tolist()) == set(kinds.tolist())
    assert (kinds_of_rows(rows[::-1].copy(), kinds)[::-1] == of_rows).all(), "whatever the order"
    places = places_of(of_rows, kinds)
    assert len(set(places.tolist())) == len(rows), "each has a place of its own"
    assert (kinds[places % len(kinds)] == of_rows).all()
    first = [n for n in range(len(rows)) if of_rows[n] == 0][: int((kinds == 0).sum())]
    assert sorted(places[first].tolist()) == np.flatnonzero(kinds == 0).tolist(), "a tile is filled before the next"


@pytest.mark.parametrize("kinds", KINDS)
def test_rows_put_at_their_kind_of_place_come_back_in_their_order(
    monkeypatch: pytest.MonkeyPatch, kinds: NDArray[np.int64]
) -> None:
    monkeypatch.setattr(tiles, "kinds_of_places", lambda *_: kinds)
    rows, weights = numbers(130, 32), numbers(32, 20)
    with single_thread():
        np.testing.assert_allclose(tiled_product(rows, weights), rows @ weights, atol=1e-4)
        assert tiled_product(rows[:0], weights).shape == (0, 20)
