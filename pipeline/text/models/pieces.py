"""A tokenizer's vocabulary cut down to what a few texts can hold: the whole of it takes 0.2 s to load.

A unigram model (Kudo 2018) chooses among the pieces that are substrings of the normalized text, so that all others may
be missing. What else stays are the special pieces, and those of the lowest and the highest score: the scores of
unknown characters and of special pieces are reckoned from these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.text.models.arrays import ArrayFile, Model

BEGIN = 2  # characters by which pieces are found
NORMAL = 1  # the type of a piece that is not special
_PIECE, _SELF_TEST = 1, 4  # fields of ModelProto (sentencepiece_model.proto)
_TEXT, _SCORE, _TYPE = 1, 2, 3  # fields of SentencePiece
_VARINT, _BYTES, _FOUR_BYTES = 0, 2, 5  # wire types of protocol buffers


class PartOfVocabulary(NamedTuple):
    """A model for sentencepiece, and the id in the whole vocabulary of each of its pieces."""

    model: bytes
    ids: tuple[int, ...]


class Vocabulary:
    """All pieces of a unigram model of sentencepiece, mapped: those that begin as a text does somewhere are read."""

    def __init__(self, stored: ArrayFile) -> None:
        """Take what `worked_out` returns; raises ArraysError of anything else."""
        self._longest = int(stored.text("longest"))
        self._always = frozenset(map(int, stored.text("always").split()))
        self._begins = stored.whole_numbers("begins", -1)  # of each piece, in order
        count = len(self._begins)
        self._starts = stored.whole_numbers("starts", count + 1)  # where its text starts in `_texts`
        self._ids = stored.whole_numbers("ids", count)
        self._texts = stored.whole_numbers("texts", -1)
        self._at = stored.whole_numbers("at", count)  # by id: its place in that order
        self._scores, self._types = stored.floats("scores", count), stored.whole_numbers("types", count)  # by id
        self._rest = stored.whole_numbers("rest", -1)

    def part_for(self, normalized: Iterable[str]) -> PartOfVocabulary:
        """Return what suffices for some texts as sentencepiece normalizes them; their tokens are the same by it."""
        substrings = {
            text[start : start + length]
            for text in normalized
            for start in range(len(text))
            for length in range(1, min(self._longest, len(text) - start) + 1)
        }
        begins = np.array(sorted({_begin(some) for some in substrings if len(some) <= BEGIN}), np.int64)
        found = set(self._always)
        firsts, lasts = (np.searchsorted(self._begins, begins, side) for side in ("left", "right"))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            pieces = zip(self._ids[first:last].tolist(), self._between(first, last), strict=True)
            found |= {number for number, piece in pieces if piece in substrings}
        ids = tuple(sorted(found))
        return PartOfVocabulary(b"".join([*map(self._field, ids), self._rest.tobytes()]), ids)

    def _between(self, first: int, last: int) -> list[str]:
        """Return the texts of the pieces from a place of the order up to another."""
        texts = self._texts[self._starts[first] : self._starts[last]].tobytes().decode()
        return texts.split("\0")[:-1]

    def _field(self, number: int) -> bytes:
        """Return the piece of an id as a field of the model."""
        at = int(self._at[number])
        text = self._between(at, at + 1)[0].encode()
        score, kind = self._scores[number : number + 1].astype("<f4").tobytes(), int(self._types[number])
        content = b"".join(
            [
                _key(_TEXT, _BYTES) + _varint(len(text)) + text,
                _key(_SCORE, _FOUR_BYTES) + score,
                _key(_TYPE, _VARINT) + _varint(kind),
            ]
        )
        return _key(_PIECE, _BYTES) + _varint(len(content)) + content


def worked_out(path: Path) -> Model:
    """Return a model file of sentencepiece as it is kept. Raises OSError, and ValueError on no such file."""
    pieces, scores, types, rest = [], [], [], []
    for number, whole, content in _fields(path.read_bytes()):
        if number == _PIECE:
            found = {inner: value for inner, _, value in _fields(content)}
            pieces.append(found[_TEXT].decode())
            scores.append(np.frombuffer(found[_SCORE], "<f4")[0])
            types.append(found[_TYPE][0] if _TYPE in found else NORMAL)
        elif number != _SELF_TEST:  # its examples need the whole vocabulary
            rest.append(whole)
    order = sorted(range(len(pieces)), key=lambda number: _begin(pieces[number]))
    texts = [f"{pieces[number]}\0".encode() for number in order]
    special = [number for number, kind in enumerate(types) if kind != NORMAL]
    normal = sorted((number for number, kind in enumerate(types) if kind == NORMAL), key=lambda number: scores[number])
    return Model(
        {
            "longest": str(max(map(len, pieces))),
            "always": " ".join(map(str, [*special, normal[0], normal[-1]])),
        },
        {
            "begins": np.array([_begin(pieces[number]) for number in order], np.int64),
            "starts": np.cumsum([0, *map(len, texts)]).astype(np.int32),
            "ids": np.array(order, np.int32),
            "at": np.argsort(order).astype(np.int32),
            "texts": np.frombuffer(b"".join(texts), np.uint8),
            "scores": np.array(scores, np.float32),
            "types": np.array(types, np.uint8),
            "rest": np.frombuffer(b"".join(rest), np.uint8),
        },
    )


def _begin(text: str) -> int:
    """Return a number for the first `BEGIN` characters of a text that is not empty."""
    return ord(text[0]) << 32 | (ord(text[1]) + 1 if len(text) > 1 else 0)


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the number of each field of a protocol buffer, the field as it stands, and its content."""
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == _BYTES:
            length, at = _read_varint(message, at)
        elif kind == _FOUR_BYTES:
            length = 4
        elif kind == _VARINT:
            length = _read_varint(message, at)[1] - at
        else:
            raise ValueError(f"a field of type {kind} in a model of sentencepiece")
        yield key >> 3, message[start : at + length], message[at : at + length]
        at += length


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place after it."""
    number = shift = 0
    while message[at] & 128:
        number |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return number | message[at] << shift, at + 1


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)
