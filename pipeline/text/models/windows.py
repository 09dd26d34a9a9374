"""Texts laid out on a line together, and the distinct windows of tokens in it, which are computed once each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIZES = (2, 3, 5)  # of the windows, in tokens
LEFT = (0, 1, 2)  # how many tokens before its own a window begins
MARGIN = 4  # places of no token around each text, as far as the widest run of windows reaches
WORD = 62  # bits of a number that several small ones are packed into
Places = NDArray[np.int64]
Ids = Sequence[int]


class TokenWindows(NamedTuple):
    """The distinct windows of one size: their tokens (windows, size), and at each place of a line which it is.

    Windows are numbered from one; 0 is at places of no token.
    """

    tokens: Places
    at: Places


class TextGroup(NamedTuple):
    """Texts that are computed together, one after the other on a line, MARGIN places of no token around each.

    Distinct tokens; of each token of all texts which of these it is, where it stands on the line and in its text; the
    line, in which tokens are numbered from one; where each text ends among all tokens, after a 0.
    """

    tokens: Places
    local: Places
    here: Places
    in_text: Places
    line: Places
    ends: Places


def lay_out(texts: Sequence[Ids], lengths: Places) -> TextGroup:
    starts = MARGIN + np.cumsum(lengths + MARGIN) - (lengths + MARGIN)
    ends = np.append(0, np.cumsum(lengths))
    in_text = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    here = np.repeat(starts, lengths) + in_text
    tokens, local = np.unique(np.concatenate([np.asarray(ids, np.int64) for ids in texts]), return_inverse=True)
    line = np.zeros(len(local) + MARGIN * (len(texts) + 1), np.int64)
    line[here] = local + 1
    return TextGroup(tokens, local, here, in_text, line, ends)


def distinct_windows(group: TextGroup) -> tuple[TokenWindows, ...]:
    """Return the windows of each of `SIZES` of a line, each at the token it belongs to."""
    line, here = group.line, group.here
    size = int(line.max()) + 1
    pairs, pair_at = np.unique(line[:-1] * size + line[1:], return_inverse=True)
    _, three_at = np.unique(pair_at[:-1] * size + line[2:], return_inverse=True)
    keys = (pair_at[here], three_at[here - 1], three_at[here - 2] * len(pairs) + pair_at[here + 1])
    windows = []
    for key, left, width in zip(keys, LEFT, SIZES, strict=True):
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        at = np.zeros(len(line), np.int64)
        at[here] = inverse + 1
        windows.append(TokenWindows(line[here[first][:, None] + np.arange(-left, width - left)], at))
    return tuple(windows)


def distinct_rows(rows: Places) -> tuple[Places, Places]:
    """Return the distinct ones among rows of small numbers from zero up, and for each row which of them it is."""
    bits = int(rows.max()).bit_length()
    key, used = rows[:, 0], bits
    for column in rows.T[1:]:
        if used + bits > WORD:
            key = np.unique(key, return_inverse=True)[1]
            used = len(rows).bit_length()
        key, used = (key << bits) | column, used + bits
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return rows[first], which


def grouped(lengths: Places, most: int) -> Iterator[int]:
    """Yield how many of a row of lengths are taken together: as many as add up to `most`, one at least."""
    count, total = 0, 0
    for length in lengths.tolist():
        if count and total + length > most:
            yield count
            count, total = 0, 0
        count, total = count + 1, total + length
    if count:
        yield count
