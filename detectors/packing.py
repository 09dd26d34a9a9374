"""A detector's state as bytes: a line of JSON and the arrays behind it, with a checksum.

A state may also be kept in parts, of which few change with a bin: names of the series, a header, then the figures.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.contract import IncompatibleStateError, SeriesName

HEADER = 4096  # bytes a header of a state is a multiple of
PAGE = 32768  # bytes
NAMES_PART, HEAD_PART, FIRST_PART = 0, 1, 2  # numbers of parts; figures begin with the last
CRC_BYTES = 4
Arrays = Mapping[str, npt.NDArray[np.generic]]
PartReader = Callable[[Sequence[int]], Mapping[int, bytes]]  # the bytes of parts by number, without those there are not


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


class StateParts(NamedTuple):
    """A state in parts: how many there are, and the bytes of those that are not stored already, by number."""

    number: int
    content: Mapping[int, bytes]


class PartsHeader(NamedTuple):
    """The header of a state in parts, and what the words of each part of its figures add up to."""

    header: StateHeader
    sums: npt.NDArray[np.uint64]


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
        _must_be_of(stored, detector, version)
        names = ("bin_s", "series", "last", "talk", "day")
        known = {name: stored[name] for name in names if name in stored}
        if "series" in known:
            known["series"] = _series_names(known["series"])
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


def pack_names(series: Sequence[SeriesName]) -> bytes:
    """Return the names of series as a part: of tuples of one length a list of the first of each, of the second…"""
    lengths = {len(name) if isinstance(name, tuple) else 0 for name in series}
    is_columns = len(lengths) == 1 and min(lengths) > 0
    stored = list(zip(*series, strict=True)) if is_columns else series
    return _with_crc(json.dumps({"columns" if is_columns else "names": stored}).encode())


def pack_head(header: StateHeader, sums: npt.NDArray[np.uint64]) -> bytes:
    """Return the header of a state in parts, without the names of its series, and the sums of its figures."""
    stored = {name: value for name, value in header.to_json().items() if name != "series"}
    return _with_crc(json.dumps(stored, sort_keys=True).encode() + b"\n" + sums.tobytes())


def read_head(read: PartReader, *, detector: str, version: int) -> PartsHeader:
    """Read names and header of a state in parts.

    Raises IncompatibleStateError when one of them is absent, damaged, or of another detector, version or parameters.
    """
    found = read((NAMES_PART, HEAD_PART))
    try:
        line, _, sums = _without_crc(found[HEAD_PART]).partition(b"\n")
        stored = json.loads(line)
        _must_be_of(stored, detector, version)
        header = StateHeader(
            detector=detector,
            version=version,
            bin_s=stored["bin_s"],
            series=list(_names_in(found[NAMES_PART])),
            last=stored["last"],
            talk=stored.get("talk"),
            day=stored.get("day"),
        )
        return PartsHeader(header, np.frombuffer(sums, np.uint64))
    except IncompatibleStateError:
        raise
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise IncompatibleStateError("not the parts of a detector's state") from error


@lru_cache(maxsize=16)  # they are the same bin after bin
def _names_in(part: bytes) -> tuple[SeriesName, ...]:
    names = json.loads(_without_crc(part))
    return tuple(zip(*names["columns"], strict=True) if "columns" in names else _series_names(names["names"]))


def rename_series(blob: bytes, names: Mapping[SeriesName, SeriesName]) -> bytes:
    """Return a state whose series have other names; raises IncompatibleStateError when one of them has no new name."""
    try:
        stored, body = _split(blob)
        stored["series"] = [names[tuple(name) if isinstance(name, list) else name] for name in stored["series"]]
    except (ValueError, KeyError, TypeError) as error:
        raise IncompatibleStateError("a series of the state is not known") from error
    return _with_head(stored, body)


def _must_be_of(stored: Mapping[str, object], detector: str, version: int) -> None:
    expected = {"detector": detector, "version": version}
    wrong = [name for name, value in expected.items() if stored.get(name) != value]
    if wrong:
        raise IncompatibleStateError(f"state of another detector or version: {', '.join(wrong)} differ")


def _series_names(stored: Sequence[str | list[str]]) -> list[SeriesName]:
    """Return names as they were before JSON made lists of tuples."""
    return [tuple(name) if isinstance(name, list) else name for name in stored]


def _with_crc(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")


def _without_crc(blob: bytes) -> bytes:
    content = blob[:-CRC_BYTES]
    if zlib.crc32(content).to_bytes(CRC_BYTES, "little") != blob[-CRC_BYTES:]:
        raise IncompatibleStateError("the state's header is damaged")
    return content


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
