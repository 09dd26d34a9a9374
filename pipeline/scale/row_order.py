"""Rows of Arrow tables in the order of a key. Most are in order already, which costs less to see than to sort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def key_steps(table: pa.Table, by: Sequence[str]) -> npt.NDArray[np.int8]:
    """Return of each row but the first whether its key is above (1), equal to (0) or below (-1) that of the row before.

    The key is made of columns without nulls; texts are compared by code points, as Arrow sorts them.
    """
    steps = np.zeros(max(table.num_rows - 1, 0), dtype=np.int8)
    for name in by:
        column = table[name].combine_chunks()
        before, after = column.slice(0, len(steps)), column.slice(1)
        if not pc.all(pc.equal(before, after)).as_py():
            above = _as_integers(pc.greater(after, before)) - _as_integers(pc.less(after, before))
            steps = np.where(steps == 0, above, steps)
    return steps


def in_order(table: pa.Table, by: Sequence[str]) -> pa.Table:
    """Return a table in ascending order of columns; rows of one key stay as they were."""
    if (key_steps(table, by) >= 0).all():
        return table
    return table.sort_by([(name, "ascending") for name in by])


def once(table: pa.Table, by: Sequence[str]) -> pa.Table:
    """Return rows in the order of columns, each key once: the first of those that two archives hold."""
    ordered = in_order(table, by)
    is_new = key_steps(ordered, by) != 0
    return ordered if is_new.all() else ordered.filter(pa.array(np.concatenate(([True], is_new))))


def _as_integers(mask: pa.BooleanArray) -> npt.NDArray[np.int8]:
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=np.int8)
