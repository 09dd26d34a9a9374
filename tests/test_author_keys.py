"""Authors are known by keys that nobody can look up from a list of names; a salt that is gone never starts anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipeline.commands.common import Setting, salted
from pipeline.config.settings import Config
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.core.secret import SecretStr
from pipeline.sources import author_salt
from pipeline.sources.author_keys import KNOWN, RandomSalt, SaltError, author_key, kept_salt, salt_of, salt_path
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.conftest import Groundswell
from tests.stored_rows import NOW, a_post

LISTED = ("ada", "grace", "linus")


def stored_keys(store: Store) -> set[str]:
    return {row[0] for table in ("posts", "votes") for row in store.rows(f"SELECT author_key FROM {table}")} - {""}


def with_posts(path: Path) -> None:
    """Make a database as version 0.1 left it: authors under the key that everybody knew."""
    with Store(path) as store:
        save_batch(store, Batch(source="x", rows=tuple(a_post(n) for n in range(3))), NOW)
        for number, name in enumerate(LISTED):
            values = (author_key(name, "reddit", KNOWN), f"t3_{number}")
            store.conn.execute("UPDATE posts SET author_key = ? WHERE native_id = ?", values)
            store.conn.execute(
                "INSERT INTO votes VALUES ('x', ?, 'claude', '2026-03-02T11:00:00Z', 1, '', ?, '')", values[::-1]
            )


def test_a_database_of_the_known_key_is_rekeyed_once_and_new_rows_go_with_the_old(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with_posts(path)
    listed = {author_key(name, "reddit", KNOWN) for name in LISTED}
    with Store(path) as store:
        assert stored_keys(store) == listed, "a list of names finds them all"
        salt = salt_of(kept_salt(store, None))
        assert isinstance(salt, RandomSalt)
        assert salt_path(path).stat().st_mode & 0o777 == 0o600
        keys = stored_keys(store)
        assert not keys & listed
        assert keys == {author_key(name, "reddit", salt) for name in LISTED}, "who posted before has the same key"
        assert salt_of(kept_salt(store, None)) == salt
        assert stored_keys(store) == keys
    with Store(tmp_path / "y.db") as other:
        assert salt_of(kept_salt(other, None)) != salt


def test_a_missing_or_foreign_salt_refuses_posts_and_nothing_starts_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.db"
    with_posts(path)
    with Store(path) as store:
        kept_salt(store, None)
        keys = stored_keys(store)
        own = salt_path(path).read_text()
        salt_path(path).unlink()
        setting = salted(Setting(config=Config(), config_path=None, db=path, now=NOW), store)
        assert "x.db.salt: the salt of authors' names is missing, no posts are collected" in capsys.readouterr().err
        with pytest.raises(SourceError, match="no posts are collected"):
            author_key("ada", "reddit", author_salt(setting.config))
        assert not salt_path(path).exists()
        salt_path(path).write_text("random:" + "0" * 64)
        with pytest.raises(SaltError, match="not the salt of this database"):
            kept_salt(store, None)
        salt_path(path).write_text("notes")
        with pytest.raises(SaltError, match="holds no salt"):
            kept_salt(store, None)
        salt_path(path).write_text(own)
        kept_salt(store, None)
        assert stored_keys(store) == keys


def test_a_salt_that_is_set_wins_and_is_missed_when_it_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        assert salt_of(kept_salt(store, SecretStr("pepper"))) == b"pepper"
        assert not salt_path(store.path).exists()
        with pytest.raises(SaltError, match="is missing"):
            kept_salt(store, None)


def test_a_run_makes_the_salt_and_says_which_one_is_used(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "groundswell.toml").write_text('watch = ["claude"]\n')
    (tmp_path / "posts.csv").write_text("id,created_utc,text,author\n1,1772450000,Claude is down,ada\n")
    done = groundswell("import", "posts", "posts.csv", "--now", "2026-03-02T12:00:00Z")
    assert done.returncode == 0, done.stderr
    (key,) = sqlite3.connect(tmp_path / "groundswell.db").execute("SELECT author_key FROM posts").fetchone()
    assert key
    assert key != author_key("ada", "file", KNOWN)
    assert key == author_key("ada", "file", salt_of(SecretStr((tmp_path / "groundswell.db.salt").read_text())))
    assert "groundswell.db.salt" in groundswell("doctor", "--offline").stdout
    (tmp_path / "groundswell.db.salt").unlink()
    refused = groundswell("import", "posts", "posts.csv", "--now", "2026-03-02T12:00:00Z")
    assert "the salt of authors' names is missing" in refused.stderr
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
