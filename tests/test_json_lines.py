"""Files of a JSON object a line: every line is read as json reads it, however the file is cut into blocks."""

from __future__ import annotations

import hmac
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import Post
from pipeline.core.times import utc
from pipeline.sources import json_lines
from pipeline.sources.archive import read_archive
from pipeline.sources.author_keys import KNOWN, MissingSalt, RandomSalt, author_key, rekeyed

DEEP = 100_000
LINES = [
    b'{"id":"a","selftext":"down \\u00e9 \\/ \\ud83d\\ude00 \x7f"}',
    b'{"id":"\\ud800","x":"\\udc00\\ud800"}',
    b'{"\\ud800":1}',
    b'{"id":"\xed\xa0\x80"}',
    b'{"id":"a","x":"\xff"}',
    b'{"id":"a","x":"\xc3"}',
    b'{"\xff":1}',
    b'{"id":"a","id":"b","\\u0069d":"c"}',
    b'{"x":NaN,"y":-Infinity,"z":Infinity}',
    b'{"x":1e999,"y":-1e999,"z":4.9e-325}',
    b'{"x":123456789012345678901234567890,"y":-9223372036854775809,"z":18446744073709551616}',
    b'{"x":%s}' % (b"9" * 5000),
    b'{"x":0.1000000000000000055511151231257827,"y":1E5,"z":-0,"w":-0.0}',
    b'{"x":01}',
    b'{"x":1.}',
    b'{"x":+1}',
    b'{"x":.5}',
    b'{"x":[1,]}',
    b'{"x":1,}',
    b'{"x":"\\q"}',
    b'{"x":"\\u12"}',
    b'{"x":"\x01"}',
    b'{"x":"\t"}',
    b'{"x":"',
    b"{'x':1}",
    b'{"x":1} y',
    b'{"x":1}{"x":2}',
    b'\xef\xbb\xbf{"id":"a"}',
    '{"id":"a"}'.encode("utf-16"),
    '{"id":"a"}'.encode("utf-16-le"),
    '{"id":"a"}'.encode("utf-32-be"),
    b'\x0b{"id":"a"}',
    b'{"id":"a"}\x0c',
    b'{"id":"a"}\x00',
    b' \t {"id":"a"} \r',
    b"[" * DEEP + b"]" * DEEP,
    b'{"x":%s}' % (b"[" * DEEP),
    b"null",
    b"12",
    b'"text"',
    b"[]",
    b"true",
    b"nul",
    b"",
    b"  \r",
    b"\x0c",
]


def read(body: bytes, size: int) -> list[tuple[int, object]]:
    blocks = (body[start : start + size] for start in range(0, len(body), size))
    return [
        (number, json_lines.value_of(line))
        for first, chunk in json_lines.line_chunks(json_lines.lines_of(blocks, "a"))
        for number, line in enumerate(chunk, start=first)
        if line.strip()
    ]


def as_json_reads(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return json_lines.UnreadableLine(f"not JSON: {error}: {line[:80]!r}")


def same(one: object, two: object) -> bool:
    """Return whether two values are the same, of the same kinds, their keys in the same order."""
    if isinstance(one, dict) and isinstance(two, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, float) and isinstance(two, float):
        return math.copysign(1, one) == math.copysign(1, two) and (one == two or (one != one and two != two))
    return type(one) is type(two) and one == two


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_line_is_read_and_refused_as_json_does(line: bytes) -> None:
    values = read(line + b"\n", 1 << 20)
    assert [number for number, _ in values] == ([1] if line.strip() else [])
    assert all(same(value, as_json_reads(line + b"\n")) for _, value in values)


def test_lines_have_their_numbers_whatever_blocks_a_file_is_read_in() -> None:
    body = b"\n".join([b'{"n":%d}' % n if n % 3 else b"" for n in range(200)] + [b'{"n":200}'])
    expected = [(n + 1, {"n": n}) for n in range(201) if n % 3 or n == 200]
    for size in (1, 7, 64, len(body)):
        assert read(body, size) == expected


def test_a_line_longer_than_any_post_is_refused_with_its_number_before_it_is_in_memory() -> None:
    def endless() -> Iterator[bytes]:
        yield b"{}\n{}\n"
        while True:
            yield b"x" * 100_000

    lines = json_lines.lines_of(endless(), "a.ndjson")
    assert [next(lines), next(lines)] == [b"{}\n", b"{}\n"]
    with pytest.raises(SourceError, match=r"a\.ndjson:3: a line of more than 5000000 bytes"):
        next(lines)
    with pytest.raises(SourceError, match=r"a\.ndjson:1: a line of more than"):
        next(json_lines.lines_of([b"x" * 5_000_001 + b"\n"], "a.ndjson"))


def test_only_lines_that_begin_within_the_first_bytes_are_read() -> None:
    for most, number in ((0, 0), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (100, 3)):
        assert len(list(json_lines.lines_of([b"{}\n{", b"}\n{}"], "a", most))) == number, most


@pytest.mark.parametrize("author", ["someone", "jürgen", "\ud800", "x" * 200])
def test_an_author_has_the_keyed_hash_of_source_and_name(author: str) -> None:
    name = f"reddit\0{author}".encode("utf-8", "replace")
    for salt in (b"", b"s", b"k" * 64, b"k" * 65, b"k" * 100):
        assert author_key(author, "reddit", salt) == hmac.new(salt, name, "sha256").hexdigest()[:16]
    random = RandomSalt(b"s")
    known = hmac.new(KNOWN, name, "sha256").hexdigest()[:16]
    assert author_key(author, "reddit", random) == rekeyed(known, random) != author_key(author, "reddit", b"s")


def test_nobody_has_no_key_and_no_key_is_made_without_a_salt() -> None:
    assert [author_key(name, "reddit", RandomSalt(b"s")) for name in ("", "[deleted]", "None")] == [""] * 3
    for name in ("someone", "[deleted]"):
        with pytest.raises(SourceError, match="salt of authors' names is missing"):
            author_key(name, "reddit", MissingSalt())


@pytest.mark.parametrize("begin", ["[", '{"id":"t3_b","created_utc":1700000000,"selftext":['])
def test_a_line_nested_as_deep_as_can_just_be_read_stops_no_archive(tmp_path: Path, begin: str) -> None:
    path, now = tmp_path / "posts.ndjson", utc("2026-03-02T12:00:00Z")
    good = '{"id":"t3_a","created_utc":1700000000,"selftext":"down"}'
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit() + 5):
        end = "]" * depth + ("}" if "{" in begin else "]")
        path.write_text(f"{good}\n{begin}{'[' * depth}{end}\n{good.replace('t3_a', 't3_c')}\n")
        (batch,) = read_archive(path, source="reddit", fetched_at=now, salt=b"s")
        assert {"t3_a", "t3_c"} <= {post.native_id for post in batch.rows if isinstance(post, Post)}, depth
