"""Configuration: right, or one line that names file, key and reason."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.__main__ import cli
from pipeline.config.load import load_catalogue, load_config
from pipeline.config.setting_values import parse_duration
from pipeline.core.errors import ConfigError
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("watch = [", "not valid TOML"),
        ('watch = ["nosuch"]', "watch: 'nosuch' is not in the catalogue"),
        ("wach = []", "wach: unknown key"),
        ("[mail]\nport = 0", "mail.port"),
        ('[mail]\nto = ["a@b.c\\nBcc: x@y.z"]', "mail.to"),
        ('display_timezone = "Mars/Base"', "is not a time zone"),
        ('[alerts]\nmin_gap = "soon"', "alerts.group_interval: 'soon' is not a duration"),
        ('[alerts]\ngroup_interval = "soon"', "alerts.group_interval: 'soon' is not a duration"),
        ('[alerts]\nmin_gap = "1h"\ngroup_interval = "1h"', "alerts: min_gap is the former name of group_interval"),
        (
            '[[alerts.routes]]\nname = "a"\nquiet_hours = ""\nmute_time_intervals = []',
            "alerts.routes.0: quiet_hours is the former name of mute_time_intervals",
        ),
        ('[[alerts.routes]]\nname = "a"\nquiet_hours = "22-7"', "'22-7' is not a span of hours"),
        ('[alerts]\nquiet_to_close = "0"', "alerts.quiet_to_close: '0' must be positive and at most a day"),
        ('[alerts]\nquiet_to_close = "0s"', "alerts.quiet_to_close: '0s' must be positive"),
        (
            '[alerts]\nquiet_to_close_after_relapse = "10d"',
            "alerts.quiet_to_close_after_relapse: '10d' must be positive and at most a day",
        ),
        (
            '[alerts]\nquiet_to_close = "150min"\nquiet_to_close_after_relapse = "5min"',
            "alerts: quiet_to_close_after_relapse must not be shorter than quiet_to_close",
        ),
        ('[alerts]\nchannels = ["email"]', "mail.to: the email channel needs"),
        ('[secrets]\nsmtp_password = "x"', "secrets: a secret is not read from this file"),
        ('[secrets]\nother = "x"', "secrets: unknown key"),
        ('[services.x]\nnmae = "X"', "services.x.nmae: unknown key"),
        ('[services."Bad id"]\nname = "X"', "an id has only"),
        ("[services]\nx = 3", "services.x"),
        ("[services.mine]\nname = 3", "services.mine.name: must be text in quotes"),
        ('[services.mine]\nname = "M"\nid = "other"', "services.mine.id: unknown key"),
        ('[services.mine]\nname = "M"\nstatus_page = "ftp://m"', "services.mine.status_page: 'ftp://m' is not an"),
        (
            '[services.mine]\nname = "M"\ncomponents = [{id = "A b", name = "A"}]',
            "services.mine.components.0.id: an id",
        ),
        (
            '[services.mine]\nname = "M"\ncomponents = [{id = "a", name = "A", part = 1}]',
            "services.mine.components.0.part: unknown key",
        ),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value).strip()


FORMER = """[alerts]
wait_for_more = "2min"
min_gap = "20min"
max_gap = "5h"
remind_every = "1h"
[[alerts.routes]]
name = "night"
quiet_hours = "22:00-07:00 Europe/Berlin"
[[alerts.routes]]
name = "day"
quiet_hours = ""
"""
PRESENT = """[alerts]
group_wait = "2min"
group_interval = "20min"
max_group_interval = "5h"
repeat_interval = "1h"
[[alerts.routes]]
name = "night"
mute_time_intervals = ["22:00-07:00 Europe/Berlin"]
[[alerts.routes]]
name = "day"
"""


def test_former_names_give_the_same_settings_and_one_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text(PRESENT)
    present = load_config(path, {})
    assert not caplog.records
    path.write_text(FORMER)
    assert load_config(path, {}) == present
    assert present.alerts.group_wait == timedelta(minutes=2)
    (notice,) = caplog.messages
    for key in ("wait_for_more", "min_gap", "max_gap", "remind_every", "routes.quiet_hours"):
        assert f"alerts.{key} -> " in notice


def test_check_config_lists_the_former_names_a_configuration_uses(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text(FORMER)
    done = CliRunner().invoke(cli, ["check-config", "--config", str(path)])
    assert done.exit_code == 0
    assert "former name    alerts.min_gap -> group_interval: write the present one" in done.stdout
    assert done.stdout.count("former name") == 5


def test_the_example_is_right_and_shows_everything() -> None:
    config = load_config(ROOT / "groundswell.toml.example", {})
    assert config.watch == ("claude", "github")
    assert config.catalogue["intranet"].components[0].role == "web"
    text = (ROOT / "groundswell.toml.example").read_text()
    for part in (config, config.alerts, config.mail, config.sources, config.detector):
        for name in (field.name for field in fields(part)):
            if name not in ("secrets", "catalogue"):
                assert name in text, name


def test_a_service_of_ones_own_changes_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text('[services.claude]\ncommunities = ["elsewhere"]\n')
    service = load_config(path, {}).catalogue["claude"]
    assert service.communities == ("elsewhere",)
    assert service.vendor == "Anthropic"


def test_secrets_come_from_the_environment_and_do_not_show(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    config = load_config(
        None, {"GROUNDSWELL_SMTP_PASSWORD_FILE": str(tmp_path / "pw"), "GROUNDSWELL_AUTHOR_SALT": "pepper"}
    )
    assert config.secrets.smtp_password is not None
    assert config.secrets.smtp_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(config) + str(config)
    with pytest.raises(ConfigError, match="GROUNDSWELL_SMTP_PASSWORD_FILE"):
        load_config(None, {"GROUNDSWELL_SMTP_PASSWORD_FILE": str(tmp_path / "absent")})


def test_the_catalogue_holds_together() -> None:
    services = load_catalogue()
    assert len(services) >= 60
    for service in services.values():
        assert set(service.rivals) | set(service.runs_on) <= set(services), service.id
        assert len({part.id for part in service.components}) == len(service.components)
        assert all(alias == alias.lower() for alias in service.aliases)
        assert not service.status_page or service.status_page.startswith("https://")


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5min", 300), ("3h", 10800), ("14d", 1209600)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[sources]\ndeadline = "0s"', "sources.deadline: must lie between 1s and 10min"),
        ('[services.mine]\nname = ""', "services.mine.name: is empty"),
        ('[services.mine]\nname = " "', "services.mine.name: is empty"),
        (
            '[services.mine]\nname = "Mine"\naliases = ["a", ""]',
            "services.mine.aliases: is empty, or",
        ),
        (
            '[services.mine]\nname = "M"\n[[services.mine.components]]\nid = "a"\nname = ""',
            "components.0.name: is empty",
        ),
    ],
)
def test_what_is_empty_or_takes_no_time_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "groundswell.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(words)):
        load_config(tmp_path / "groundswell.toml", {})


def test_a_day_of_quiet_is_allowed_and_what_is_not_written_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text('[alerts]\nquiet_to_close = "24h"')
    assert load_config(path, {}).alerts.quiet_to_close == timedelta(days=1)
