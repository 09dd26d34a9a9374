"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.load import load_catalogue
from pipeline.config.settings import Config
from pipeline.core.errors import StoreError
from pipeline.core.files import replacing, write_atomically
from pipeline.core.times import utc
from pipeline.notify.channels.file import FileChannel, file_name
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from tests.copies import replace

NOW = utc("2026-03-02T12:00:00Z")


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
            fresh.write(b"half")
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
        fresh.write(b"half")
        assert path.read_text() == "old"
        fresh.seek(0)
        fresh.write(b"whole")
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
        fresh.write(b"x")


@pytest.mark.parametrize("made", ["a report", "a mail"])
def test_a_link_in_a_folder_that_others_may_write_leads_to_no_other_file(tmp_path: Path, made: str) -> None:
    own, folder = tmp_path / "own.txt", tmp_path / "folder"
    own.write_text("mine")
    folder.mkdir()
    alert = replace(sample(NOW), channel="file")
    name = "index.html" if made == "a report" else file_name(alert)
    (folder / f"{name}.new").symlink_to(own)
    if made == "a report":
        with Store(tmp_path / "x.db") as store:
            run_publish(store, Config(watch=("claude",), catalogue=load_catalogue()), folder, NOW, simulated=False)
    else:
        FileChannel(folder, sender="g@example.org", to=("me@example.org",), zone="UTC").send(alert)
    assert own.read_text() == "mine"
    assert not (folder / name).is_symlink()
    assert (folder / name).stat().st_mode & 0o777 == (0o644 if made == "a report" else 0o600)
    assert name in os.listdir(folder)
    assert f"{name}.new" not in os.listdir(folder)


def test_a_link_that_comes_back_is_refused_and_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.txt"
    own.write_text("mine")
    (tmp_path / "page.new").symlink_to(own)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # somebody is quicker
    with pytest.raises(StoreError, match="File exists"):
        write_atomically(tmp_path / "page", "x")
    assert own.read_text() == "mine"


def test_a_new_database_is_its_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with Store(tmp_path / "x.db") as store:
            store.conn.execute("CREATE TABLE more (a)")
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("x.db*")}
    finally:
        os.umask(before)
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
