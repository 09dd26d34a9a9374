"""A detector's state as bytes: a line of JSON and the arrays behind it, with a checksum."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.contract import IncompatibleStateError, SeriesName

HEADER = 4096  # bytes a header of a state is a multiple of
PAGE = 32768  # bytes
Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHeader:
    """What a state is of: the detector's repr and version, the bins' width in seconds, the names of the series.

    last: start of the last bin scored, in seconds of the epoch, None before the first. talk: whether mentions are
    given, None in a detector that has no use for them. day: the day the model was fitted for, in days of the epoch,
    None in a detector that does not fit by the day.
    """

    detector: str
    version: int
    bin_s: int
    series: list[SeriesName]
    last: int | None
    talk: bool | None = None
    day: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields as stored: `talk` and `day` only where they are known."""
        stored: dict[str, object] = {
            "detector": self.detector,
            "version": self.version,
            "bin_s": self.bin_s,
            "series": self.series,
            "last": self.last,
        }
        optional = {"talk": self.talk, "day": self.day}
        return stored | {name: value for name, value in optional.items() if value is not None}


class PackedState(NamedTuple):
    """A state's header and its arrays by name."""

    header: StateHeader
    arrays: Arrays


def pack(header: StateHeader, arrays: Arrays) -> bytes:
    """Return a JSON header line followed by the arrays' bytes: same state, same bytes.

    The header is filled up with blanks, so that what did not change between two states lies at the same place in both.
    """
    shapes = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    kept = [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays.values()]
    body = (np.concatenate(kept) if len(kept) > 1 else kept[0]).data
    stored = {**header.to_json(), "order": list(arrays), "arrays": shapes, "sum": checksum(body)}
    return _with_head(stored, body)


def unpack(blob: bytes, *, detector: str, version: int) -> PackedState:
    """Read `pack` back.

    Raises IncompatibleStateError when the bytes are cut short, damaged, no state, or of another detector, version or
    parameters. The arrays are views of the bytes, which cannot be written to.
    """
    try:
        stored, body = _split(blob)
        if stored["sum"] != checksum(body):
            raise IncompatibleStateError("the state is cut short or damaged")
        expected = {"detector": detector, "version": version}
        wrong = [name for name, value in expected.items() if stored.get(name) != value]
        if wrong:
            raise IncompatibleStateError(f"state of another detector or version: {', '.join(wrong)} differ")
        names = ("bin_s", "series", "last", "talk", "day")
        known = {name: stored[name] for name in names if name in stored}
        if "series" in known:
            known["series"] = [tuple(name) if isinstance(name, list) else name for name in known["series"]]
        header = StateHeader(detector=detector, version=version, **known)
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        offset = 0
        # arrays lie in the order they were packed, which JSON sorted by name would lose
        for name in stored["order"]:
            kind, shape = np.dtype(stored["arrays"][name][0]), stored["arrays"][name][1]
            size = int(np.prod(shape)) * kind.itemsize
            arrays[name] = np.frombuffer(body[offset : offset + size], dtype=kind).reshape(shape)
            offset += size
    except IncompatibleStateError:
        raise
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise IncompatibleStateError("not a detector state, or cut short") from error
    return PackedState(header, arrays)


def rename_series(blob: bytes, names: Mapping[SeriesName, SeriesName]) -> bytes:
    """Return a state whose series have other names; raises IncompatibleStateError when one of them has no new name."""
    try:
        stored, body = _split(blob)
        stored["series"] = [names[tuple(name) if isinstance(name, list) else name] for name in stored["series"]]
    except (ValueError, KeyError, TypeError) as error:
        raise IncompatibleStateError("a series of the state is not known") from error
    return _with_head(stored, body)


def checksum(body: memoryview) -> int:
    """Return a number that differs when a byte does: the CRC of the sums of pages of words, and of the rest."""
    whole = len(body) // PAGE * PAGE
    sums = np.frombuffer(body, np.uint64, whole // 8).reshape(-1, PAGE // 8).sum(axis=1)
    return zlib.crc32(body[whole:], zlib.crc32(sums.tobytes()))


def _split(blob: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the header and the arrays' bytes; raises ValueError."""
    end = blob.index(b"\n")
    return json.loads(blob[:end]), memoryview(blob)[end + 1 :]


def _with_head(stored: Mapping[str, object], body: memoryview) -> bytes:
    head = json.dumps(stored, sort_keys=True).encode()
    return b"".join((head.ljust(-(-(len(head) + 1) // HEADER) * HEADER - 1), b"\n", body))
