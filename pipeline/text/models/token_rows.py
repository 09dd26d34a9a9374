"""Rows of numbers that depend on single tokens alone, kept for as many tokens as there is room.

Which tokens come is known ahead for all groups of texts of a call: where room is short, the tokens that come again last
or never make way, and among these the ones that were met least (Belady 1966).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int32).max

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


class TokenRows:
    """Tables with a row for each kept token; row 0 is of no token, and zero."""

    def __init__(
        self, vocabulary: int, widths: Sequence[int], room: int, work_out: Callable[[Places], Sequence[Floats]]
    ) -> None:
        """Take how wide each table is, for how many tokens there is room, and what makes rows of distinct tokens."""
        self._widths, self._work_out = widths, work_out
        self._row_of = np.zeros(vocabulary, np.int64)
        self._met = np.zeros(vocabulary, np.int64)
        self._next = np.full(vocabulary, NEVER, np.int32)  # the group in which a token comes next
        self._empty_tables(room)

    def _empty_tables(self, room: int) -> None:
        self.tables = [np.zeros((room + 1, width), np.float32) for width in self._widths]
        self._token_at = np.full(room + 1, -1, np.int64)
        self._filled = 1
        self._row_of[:] = 0

    def foresee(self, groups: Sequence[Places]) -> list[NDArray[np.int32]]:
        """Take the distinct tokens of each group that will be asked for; return for each when it comes again."""
        tokens = np.concatenate(groups)
        group = np.repeat(np.arange(len(groups), dtype=np.int32), [len(each) for each in groups])
        order = np.lexsort((group, tokens))
        again = np.full(len(tokens), NEVER, np.int32)
        same = tokens[order[1:]] == tokens[order[:-1]]
        again[order[:-1][same]] = group[order[1:][same]]
        self._next[:] = NEVER
        self._next[tokens[::-1]] = group[::-1]
        return np.split(again, np.cumsum([len(each) for each in groups])[:-1])

    def rows(self, tokens: Places, again: NDArray[np.int32]) -> Places:
        """Return the rows of a group's distinct tokens, which come again in the groups `again`."""
        self._met[tokens] += 1
        self._next[tokens] = -1  # none of them makes way
        new = tokens[self._row_of[tokens] == 0]
        if len(tokens) >= len(self._token_at):  # one text of more tokens than there is room for
            self._empty_tables(len(tokens))
            new = tokens
        if len(new):
            places = self._free(len(new))
            for table, rows in zip(self.tables, self._work_out(new), strict=True):
                table[places] = rows
            self._row_of[new] = places
            self._token_at[places] = new
        self._next[tokens] = again
        return self._row_of[tokens]

    def _free(self, count: int) -> Places:
        """Return `count` rows that may be overwritten."""
        fresh = np.arange(self._filled, min(self._filled + count, len(self._token_at)))
        self._filled += len(fresh)
        if len(fresh) == count:
            return fresh
        kept = self._token_at[1 : self._filled]
        held = np.flatnonzero(kept >= 0)
        order = np.lexsort((self._met[kept[held]], -self._next[kept[held]].astype(np.int64)))
        places = held[order[: count - len(fresh)]] + 1
        self._row_of[self._token_at[places]] = 0
        self._token_at[places] = -1
        return np.concatenate([fresh, places])
