"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.core.errors import StoreError
from pipeline.core.files import replacing, write_atomically


@pytest.mark.parametrize(("content", "stored"), [("Grüße\n", "Grüße\n".encode()), (b"\x00\xff", b"\x00\xff")])
def test_text_and_bytes_replace_what_was_there(tmp_path: Path, content: str | bytes, stored: bytes) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, "old")
    write_atomically(path, content)
    assert path.read_bytes() == stored
    assert os.listdir(path.parent) == ["file"]


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(error: Exception) -> None:
        with replacing(path) as fresh:
            fresh.write_text("half")
            raise error

    with pytest.raises(ValueError, match="in the middle"):
        fail(ValueError("in the middle"))
    with pytest.raises(StoreError, match="file: cannot be written: No space left"):
        fail(OSError(28, "No space left on device"))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(StoreError, match="cannot be written"):
        write_atomically(path / "below a file", "x")


def test_a_reader_never_sees_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as fresh:
        fresh.write_text("half")
        assert path.read_text() == "old"
        fresh.write_text("whole")
    assert path.read_text() == "whole"


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.exists()))
    write_atomically(path, "x")
    assert synced == [False]
    write_atomically(path, "x", sync=False)
    assert synced == [False]


def test_processes_that_write_the_same_file_do_not_share_its_fresh_copy(tmp_path: Path) -> None:
    with replacing(tmp_path / "file", shared=True) as fresh:
        assert str(os.getpid()) in fresh.name
        fresh.write_text("x")
