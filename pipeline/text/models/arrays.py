"""Named arrays in one file, in the form of safetensors: a JSON header, then the bytes of each array, mapped when read.

Nothing is unpacked, copied or run: what no computation touches is never read from the disk.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct, field, structs
from numpy.typing import NDArray

Array = NDArray[np.generic]
METADATA = "__metadata__"
LARGEST_HEADER = 1 << 20  # bytes
LENGTH = 8  # bytes of the header's length, which stands before it
TYPES: Mapping[str, np.dtype[np.generic]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
}
NAMES = {kind: name for name, kind in TYPES.items()}


class Model(NamedTuple):
    """What is stored of a model: texts and arrays by name."""

    texts: Mapping[str, str]
    arrays: Mapping[str, Array]


class ArraysError(ValueError):
    """A file that is cut short or no such file; the message says what is wrong with it."""


class ArrayFile(Struct, frozen=True):
    """What a file holds: texts by name, and arrays, which cannot be written to. A name it lacks is an ArraysError."""

    texts: Mapping[str, str]
    arrays: Mapping[str, Array]
    path: Path | None = None  # of a mapped file
    starts: Mapping[str, int] = field(default_factory=dict)  # bytes before each array in it

    def text(self, name: str) -> str:
        """Return a text; raises ArraysError where it is missing."""
        if name not in self.texts:
            raise ArraysError(f"lacks {name}")
        return self.texts[name]

    def doubles(self, name: str, *shape: int) -> NDArray[np.float64]:
        """Return an array of doubles of a shape, -1 in it for any length; raises ArraysError on another."""
        array = self._array(name, shape)
        if array.dtype != np.float64:
            raise ArraysError(f"{name} is of another type than expected")
        return array.view(np.float64)

    def floats(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return an array of single precision of a shape, -1 in it for any length; raises ArraysError on another."""
        array = self._array(name, shape)
        if array.dtype != np.float32:
            raise ArraysError(f"{name} is of another type than expected")
        return array.view(np.float32)

    def whole_numbers(self, name: str, *shape: int) -> NDArray[np.integer]:
        """Return an array of whole numbers of a shape, -1 in it for any length; raises ArraysError on another."""
        array = self._array(name, shape)
        if not np.issubdtype(array.dtype, np.integer):
            raise ArraysError(f"{name} is of another type than expected")
        return array.view(array.dtype.type)

    def rows(self, name: str, places: NDArray[np.int64]) -> Array:
        """Return a copy of some rows of a matrix, read one by one: a touch of the map brings in their neighbours too.

        Raises ArraysError where it is missing, OSError where the file cannot be read any more.
        """
        array = self._array(name, (-1, -1))
        if self.path is None:
            return array[places]
        found = np.empty((len(places), array.shape[1]), array.dtype)
        width = array.shape[1] * array.itemsize
        with self.path.open("rb", buffering=0) as file:
            for place, row in zip(places.tolist(), found, strict=True):
                file.seek(self.starts[name] + place * width)
                if file.readinto(row.data.cast("B")) != width:
                    raise ArraysError("is cut short")
        return found

    def _array(self, name: str, shape: tuple[int, ...]) -> Array:
        if name not in self.arrays:
            raise ArraysError(f"lacks {name}")
        array = self.arrays[name]
        if array.ndim != len(shape) or any(
            wanted not in (-1, has) for wanted, has in zip(shape, array.shape, strict=True)
        ):
            raise ArraysError(f"{name} has another shape than expected")
        return array


def packed(texts: Mapping[str, str], arrays: Mapping[str, Array]) -> bytes:
    """Return the content of a file: the same texts and arrays give the same bytes. Raises KeyError on other types."""
    ready = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in arrays.items()}
    # wide types first, so that each array lies at a multiple of its items' size
    order = sorted(ready, key=lambda name: (-ready[name].itemsize, name))
    header: dict[str, object] = {METADATA: dict(sorted(texts.items()))}
    at = 0
    for name in order:
        array = ready[name]
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    head = json.dumps(header, separators=(",", ":")).encode()
    head = head.ljust(-(-len(head) // LENGTH) * LENGTH)
    return b"".join([len(head).to_bytes(LENGTH, "little"), head, *(ready[name].tobytes() for name in order)])


def mapped(path: Path) -> ArrayFile:
    """Return what a file holds, its arrays mapped into memory; raises ArraysError, or OSError where it is not there."""
    try:
        whole = np.memmap(path, np.uint8, "r")
    except ValueError as error:  # an empty file cannot be mapped
        raise ArraysError("is empty") from error
    return structs.replace(unpacked(np.asarray(whole)), path=path)


def unpacked(whole: NDArray[np.uint8]) -> ArrayFile:
    """Return what the bytes of a file hold, without copying them; raises ArraysError."""
    size = int.from_bytes(whole[:LENGTH].tobytes(), "little")
    if len(whole) < LENGTH or not 2 <= size <= min(LARGEST_HEADER, len(whole) - LENGTH):
        raise ArraysError("is cut short or no file of arrays")
    body = whole[LENGTH + size :]
    try:
        header = json.loads(whole[LENGTH : LENGTH + size].tobytes())
        texts = {str(name): str(text) for name, text in header.pop(METADATA, {}).items()}
        arrays: dict[str, Array] = {}
        starts: dict[str, int] = {}
        for name, entry in header.items():
            kind, shape = TYPES[entry["dtype"]], [int(length) for length in entry["shape"]]
            start, end = map(int, entry["data_offsets"])
            if min(shape, default=0) < 0 or not 0 <= start <= end <= len(body):
                raise ArraysError("is cut short")
            if end - start != math.prod(shape) * kind.itemsize:
                raise ArraysError(f"holds {name} of another length than it says")
            arrays[name] = body[start:end].view(kind).reshape(shape)
            starts[name] = LENGTH + size + start
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArraysError("is no file of arrays") from error
    return ArrayFile(texts, arrays, starts=starts)
