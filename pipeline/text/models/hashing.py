"""MurmurHash3 (Austin Appleby, 32 bits, seed 0) of many tokens at once, as scikit-learn's HashingVectorizer uses it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]


def _rotated(values: Words, bits: int) -> Words:
    return (values << np.uint32(bits)) | (values >> np.uint32(32 - bits))


def _mixed(block: Words) -> Words:
    return _rotated(block * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)


def slots(tokens: Sequence[str], size: int) -> NDArray[np.int64]:
    """Return the slot of each token among `size`, (tokens,): the hash as a signed number, its sign left out.

    No token may hold a line feed.
    """
    line = np.frombuffer("".join(f"{token}\n" for token in tokens).encode("utf-8", "surrogatepass"), np.uint8)
    ends = np.flatnonzero(line == ord("\n"))
    starts = np.append(0, ends + 1)[:-1]
    lengths = ends - starts
    hashes = np.empty(len(tokens), np.uint32)
    for length in set(lengths.tolist()):  # np.unique would import masked arrays
        which = np.flatnonzero(lengths == length)
        raw = line[starts[which][:, None] + np.arange(length)]
        blocks = -(-length // 4)
        padded = np.zeros((len(which), 4 * blocks), np.uint8)
        padded[:, :length] = raw
        words = padded.view("<u4").astype(np.uint32)
        h = np.zeros(len(which), np.uint32)
        for block in range(length // 4):
            h = _rotated(h ^ _mixed(words[:, block]), 13) * np.uint32(5) + np.uint32(0xE6546B64)
        if length % 4:
            h ^= _mixed(words[:, -1])
        h ^= np.uint32(length)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        hashes[which] = h ^ (h >> np.uint32(16))
    return np.abs(hashes.view(np.int32).astype(np.int64)) % size
