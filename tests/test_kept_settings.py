"""Validated settings and services kept in the cache: the same as validated anew, never of another file, no secrets."""

from __future__ import annotations

import struct
import tomllib
import zoneinfo
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from detectors.count_kinds import CountKind
from pipeline.config import kept_settings, load
from pipeline.config.kept_settings import ReadConfig, kept_catalogue, kept_config
from pipeline.config.load import load_catalogue, load_config
from pipeline.config.settings import Alerts, Config, DetectorChoice, Keep, Mail, Report, Route, Sources
from pipeline.core import kept
from pipeline.core.catalogue import Component, Service
from pipeline.core.errors import ConfigError
from pipeline.core.kept import kept_toml
from tests.conftest import ROOT
from tests.copies import replace

FULL = Config(
    watch=("claude", "mine"),
    display_timezone="Europe/Berlin",
    mail=Mail(to=("me@example.org",), port=587, security="starttls", timeout=timedelta(seconds=90)),
    alerts=Alerts(
        channels=("email", "webhook"),
        group_wait=timedelta(minutes=2),
        surge_advisories=True,
        sure_from=0.75,
        routes=(Route(name="night", mute_time_intervals=("22:00-07:00 UTC",), from_state="likely"),),
    ),
    sources=Sources(counts=("a.csv",), counts_kind={"a.csv": CountKind.MEASURED}, hacker_news=False),
    detector=DetectorChoice(params={"alarm": 12.5, "window": 3, "kind": "x"}),
    keep=Keep(words=timedelta(days=30), counts=timedelta(days=100)),
    report=Report(public_url="https://status.example.org"),
    catalogue={"mine": Service(id="mine", name="Mäin", aliases=("m",), components=(Component(id="a", name="A"),))},
)


def counted(made: list[ReadConfig], read: ReadConfig) -> Callable[[], ReadConfig]:
    def make() -> ReadConfig:
        made.append(read)
        return read

    return make


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept_settings, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_every_setting_comes_back_from_the_cache_as_it_was_kept() -> None:
    made: list[ReadConfig] = []
    read = ReadConfig(FULL, ("alerts.min_gap -> group_interval",))
    differing = [field.name for field in fields(FULL) if getattr(FULL, field.name) != getattr(Config(), field.name)]
    assert set(differing) == {field.name for field in fields(Config)} - {"secrets"}
    found = [kept_config((b"a", b"b"), counted(made, read)) for _ in range(3)]
    assert found == [read] * 3
    assert repr(found[2]) == repr(read), "types are the same too: lists are no tuples, texts no enumerations"
    assert len(made) == 1


@pytest.mark.parametrize("files", [(b"A", b"b"), (b"a", b"B"), (b"ab", b""), (b"a",), (b"b", b"a")])
def test_settings_of_other_files_are_not_taken_for_these(files: tuple[bytes, ...]) -> None:
    kept_config((b"a", b"b"), lambda: ReadConfig(FULL))
    assert kept_config(files, lambda: ReadConfig(Config())).config == Config()


def test_settings_of_another_version_of_the_program_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_config((b"a",), lambda: ReadConfig(FULL))
    monkeypatch.setattr(kept_settings, "_program", lambda: b"another")
    assert kept_config((b"a",), lambda: ReadConfig(Config())).config == Config()


@pytest.mark.parametrize("how", ["cut", "changed", "empty", "writable by others"])
def test_what_is_damaged_or_may_be_of_others_is_validated_again(folder: Path, how: str) -> None:
    kept_config((b"a",), lambda: ReadConfig(FULL))
    (path,) = folder.iterdir()
    body = path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0, "settings are readable by their user alone"
    if how == "writable by others":
        folder.chmod(0o777)
    else:
        path.write_bytes({"cut": body[:-4], "changed": body.replace(b"587", b"588"), "empty": b""}[how])
    assert kept_config((b"a",), lambda: ReadConfig(Config())).config == Config()


def test_a_changed_configuration_file_is_read_anew_and_a_wrong_one_is_refused_each_time(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text("[mail]\nport = 26\n")
    assert [load_config(path, {}).mail.port for _ in range(2)] == [26, 26]
    path.write_text("[mail]\nport = 27\n")
    assert load_config(path, {}).mail.port == 27
    path.write_text("[mail]\nport = 0\n")
    for _ in range(2):
        with pytest.raises(ConfigError, match="port: must be at least 1"):
            load_config(path, {})


def test_a_changed_catalogue_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "services.toml"
    path.write_text('[services.a]\nname = "A"\n')
    assert [load_catalogue(path)["a"].name for _ in range(2)] == ["A", "A"]
    path.write_text('[services.a]\nname = "B"\n')
    assert load_catalogue(path)["a"].name == "B"


def test_a_service_of_ones_own_follows_the_catalogue_it_was_written_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, catalogue = tmp_path / "groundswell.toml", tmp_path / "services.toml"
    path.write_text('[services.a]\naliases = ["x"]\n')
    monkeypatch.setattr(load, "CATALOGUE", catalogue)
    for kind in ("ai", "web"):
        catalogue.write_text(f'[services.a]\nname = "A"\nkind = "{kind}"\n')
        for _ in range(2):
            service = load_config(path, {}).catalogue["a"]
            assert (service.kind, service.aliases) == (kind, ("x",))


def test_from_the_cache_the_example_and_the_catalogue_are_the_same(folder: Path) -> None:
    path = ROOT / "groundswell.toml.example"
    first, again = load_config(path, {}), load_config(path, {})
    assert again == first
    assert list(again.catalogue) == list(first.catalogue)
    assert repr(again) == repr(first)
    assert len(list(folder.iterdir())) == 2


def test_no_secret_is_kept_and_each_is_read_each_time(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text('watch = ["claude"]\n[alerts]\nchannels = ["apprise"]\n')
    for urls in ("json://canary-one", "json://canary-two"):
        config = load_config(path, {"GROUNDSWELL_APPRISE_URLS": urls})
        assert config.secrets.apprise_urls is not None
        assert config.secrets.apprise_urls.get_secret_value() == urls
    with pytest.raises(ConfigError, match="GROUNDSWELL_APPRISE_URLS"):
        load_config(path, {})
    assert not any(b"canary" in kept.read_bytes() for kept in folder.iterdir())


def test_former_names_are_noticed_also_when_the_settings_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text('[alerts]\nmin_gap = "20min"\n')
    for _ in range(2):
        assert load_config(path, {}).alerts.group_interval == timedelta(minutes=20)
    assert [("alerts.min_gap -> group_interval" in message) for message in caplog.messages] == [True, True]


def test_a_catalogue_changed_by_its_reader_is_as_it_was_for_the_next(tmp_path: Path) -> None:
    service = Service(id="a", name="A")
    first = kept_catalogue(b"x", lambda: {"a": service})
    first["a"] = replace(service, name="B")
    assert kept_catalogue(b"x", dict)["a"] == service


@pytest.mark.parametrize("text", ['[a]\nen = ["x"]\n', "[a]\none = 1\nhalf = 0.5\n", "day = 2026-03-02\n"])
def test_toml_kept_as_json_has_the_same_tables(text: str, folder: Path) -> None:
    for _ in range(2):
        assert kept_toml(text.encode(), folder) == tomllib.loads(text)
        assert kept_toml(text.replace("\n", "\r\n").encode(), folder) == tomllib.loads(text)


@pytest.mark.parametrize("content", [b"[a\n", b"\xff\n"])
def test_what_is_no_toml_is_refused_each_time(content: bytes, folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"Expected|decode"):
            kept_toml(content, folder)


def test_of_changed_settings_only_the_newest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_OF_A_KIND", 3)
    kept_catalogue(b"x", dict)
    for number in range(6):
        kept_config((b"%d" % number,), lambda: ReadConfig(FULL))
    assert sorted(path.name.partition("-")[0] for path in folder.iterdir()) == ["catalogue", *["settings"] * 3]
    made: list[ReadConfig] = []
    kept_config((b"5",), counted(made, ReadConfig(FULL)))
    assert not made, "the newest is there"


@pytest.mark.parametrize("digits", ["0x" + "f" * 5000, "1" * 5000, "[" * 3000])
def test_a_number_or_a_list_that_no_message_could_show_is_refused_in_one_line(tmp_path: Path, digits: str) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text(f"[detector.params]\nx = {digits}\n")
    with pytest.raises(ConfigError, match=r"groundswell\.toml: cannot be read: ") as refused:
        load_config(path, {})
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("setting", ['display_timezone = "Own/Zone"', '[[alerts.routes]]\nname = "night"\n{}'])
def test_a_time_zone_that_vanished_from_the_system_is_refused_though_the_settings_are_kept(
    tmp_path: Path, setting: str
) -> None:
    zones, path = tmp_path / "zones", tmp_path / "groundswell.toml"
    (zones / "Own").mkdir(parents=True)
    # a file of zones without a change: one type, UTC
    (zones / "Own" / "Zone").write_bytes(
        b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + bytes(6) + b"UTC\0"
    )
    path.write_text(setting.format('mute_time_intervals = ["22:00-07:00 Own/Zone"]\n'))
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([zones])
    try:
        ZoneInfo.clear_cache()
        load_config(path, {})
        (zones / "Own" / "Zone").unlink()
        ZoneInfo.clear_cache()
        with pytest.raises(ConfigError, match=r"(display_timezone|mute_time_intervals): 'Own/Zone' is not a time zone"):
            load_config(path, {})
    finally:
        zoneinfo.reset_tzpath(before)
        ZoneInfo.clear_cache()
