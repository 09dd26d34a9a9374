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
        ('[services.GitHub]\nname = "X"', "services.GitHub: an id has only a-z"),  # its page would be github's
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


@pytest.mark.parametrize(
    ("written", "resolved"), [("metrics/g.prom", "conf/metrics/g.prom"), ("/var/g.prom", "/var/g.prom"), ("", "")]
)
def test_the_metrics_file_is_relative_to_the_folder_of_the_configuration(
    tmp_path: Path, written: str, resolved: str
) -> None:
    path = tmp_path / "conf" / "groundswell.toml"
    path.parent.mkdir()
    path.write_text(f'[report]\nmetrics = "{written}"\n')
    assert load_config(path, {}).report.metrics == (resolved and str(tmp_path / resolved))


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
    assert config.watch == ("claude", "github", "intranet")
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


def refusal(folder: Path, text: str) -> str:
    """Return what is said of a configuration, without the name of its file at the beginning."""
    path = folder / "groundswell.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[detector.params]\nalarm = -3.0", "detector.params.alarm: must be above 0"),
        ("[detector.params]\nalarm = 20\nstrong = 14", "detector.params.strong: 14 must not be below alarm, 20"),
        ("[detector.params]\nalarm = 20", "detector.params.strong: 14 (the default) must not be below alarm, 20"),
        ("[detector.params]\nmin_count = -1", "detector.params.min_count: must be at least 0"),
        ("[detector.params]\nalarm = nan", "detector.params.alarm: must be finite"),
        ("[detector.params]\nalarm = true", "detector.params.alarm: must be a number"),
        ('[detector.params]\nkind = "talk"', "detector.params.kind: must be a number"),
        ("[detector.params]\nkind = 1", "detector.params.kind: seasonal_nb has no such parameter"),
        ('[detector]\nname = "ears"\n[detector.params]\nguard_bins = 1.5', "guard_bins: must be a whole number"),
        ('[detector]\nname = "ears"\n[detector.params]\nwindow_hours = 1e9', "must be at most 8784, a year"),
        ('[detector]\nname = "farrington"\n[detector.params]\nquantile = 1.0', "must lie between 0 and 1"),
        ('[detector]\nname = "aers"', "detector.name: 'aers' is not one of seasonal_nb, ears"),
        (
            '[alerts]\ngroup_interval = "5h"',
            "alerts: group_interval must not be longer than max_group_interval, which is 4h unless it is set",
        ),
        (
            '[alerts]\nmin_gap = "2h"\nmax_gap = "1h"',
            "alerts: group_interval must not be longer than max_group_interval",
        ),
        ('[alerts]\ngroup_wait = "2d"', "alerts.group_wait: must be at most 1d"),
        ('[alerts]\nrepeat_interval = "999999d"', "alerts.repeat_interval: must be at most 30d"),
        ('[keep]\nruns = "999999d"', "keep.runs: at least 7d (a week"),
    ],
)
def test_a_setting_out_of_bounds_or_below_its_partner_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_an_alarm_up_to_strong_is_taken_and_a_whole_number_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text("[detector.params]\nalarm = 14\nmin_count = 0\n")
    params = load_config(path, {}).detector.params
    assert (params, type(params["alarm"])) == ({"alarm": 14, "min_count": 0}, int)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[alerts]\nmute_time_intervals = []",
            "alerts.mute_time_intervals: unknown key; it belongs in [[alerts.routes]]",
        ),
        ('[alerts]\nquiet_hours = ""', "alerts.quiet_hours: unknown key; it belongs in [[alerts.routes]]"),
        ("[mail]\nmin_gap = 3", "mail.min_gap: unknown key; it belongs in [alerts]"),
        ("[alerts]\nto = []", "alerts.to: unknown key; it belongs in [mail] or in [[alerts.routes]]"),
        ("[mail]\nwatch = []", "mail.watch: unknown key; it belongs at the top of the file, above every [table]"),
        ("reddit = true", "reddit: unknown key; it belongs in [sources]"),
        ("params = {}", "params: unknown key; it belongs in [detector]"),
        ('[[routes]]\nname = "a"', "routes: unknown key; write [[alerts.routes]]"),
        ("[mail]\nrunning_on = 1\nruns_on = []", "mail.runs_on: unknown key; it belongs in [services.<id>]"),
        ("[mail]\nrole = 1", "mail.role: unknown key; it belongs in [[services.<id>.components]]"),
        ('[services.x]\nname = "X"\nstatuspage = "x"', "services.x.statuspage: unknown key; did you mean status_page?"),
        ('[alerts.routes]\nname = "a"', "alerts.routes: must be a list of tables: write [[alerts.routes]]"),
        (
            '[services.x]\nname = "X"\n[services.x.components]\nid = "a"',
            "services.x.components: must be a list of tables: write [[services.x.components]]",
        ),
        ('[[mail]]\nhost = "x"', "mail: must be one table: write [mail]"),
        ('[[services.x]]\nname = "X"', "services.x: must be a table: write [services.x]"),
    ],
)
def test_a_key_or_a_table_in_the_wrong_place_is_answered_with_the_right_one(
    tmp_path: Path, text: str, words: str
) -> None:
    assert words in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[mail]\nport = "587"', "mail.port: must be a whole number"),
        ("[sources]\nstatuspage = 'no'", "sources.statuspage: must be true or false"),
        ("[sources]\nstatuspage = 1", "sources.statuspage: must be true or false"),
        ('[alerts]\nsure_from = "0.5"', "alerts.sure_from: must be a number"),
        ('[services.x]\nname = "X"\nhomograph = "no"', "services.x.homograph: must be true or false"),
        ('[services.x]\nname = "X"\nnamed_in = ["polish"]', "services.x.named_in.0: 'polish' is not one of en, es"),
        ('[sources]\ncontact = "a b"', "sources.contact: 'a b' is not at most 200 ASCII characters without blanks"),
        ('[sources]\nreddit_base = "nonsense"', "sources.reddit_base: 'nonsense' is not an address such as https://"),
        ('[sources]\ncharts_base = ""', "sources.charts_base: '' is not an address such as https://"),
        ('[alerts]\npagerduty_base = "ftp://x"', "alerts.pagerduty_base: 'ftp://x' is not an address"),
        ('[sources]\ncommunities = ["r/sysadmin"]', "sources.communities: 'r/sysadmin' is not a subreddit's name such"),
        ('[sources]\nmastodon_tags = ["#outage"]', "sources.mastodon_tags: '#outage' is not a hashtag without its #"),
        ('[sources]\ndowndetector_countries = ["USA"]', "sources.downdetector_countries: 'USA' is not the code of a"),
        ('[alerts]\ndigest_at = "8"', "alerts.digest_at: '8' is not a time of day such as 08:00"),
        ('[alerts]\nlanguage = "English"', "alerts.language: 'English' is not the code of a language such as en"),
        ('[[alerts.routes]]\nname = "On call"', "alerts.routes.0.name: 'On call' is not 1 to 40 of a-z, 0-9, - and _"),
    ],
)
def test_a_value_of_another_type_or_form_is_refused_in_plain_words(tmp_path: Path, text: str, words: str) -> None:
    assert refusal(tmp_path, text).startswith(words)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = 'watch = ["claude"]\nwach = 1\n[mail]\nport = "x"\n[services.mine]\nname = ""\nstatus_page = "ftp://m"'
    assert refusal(tmp_path, text).split("; ") == [
        "services.mine.name: is empty, or holds an empty name",
        "services.mine.status_page: 'ftp://m' is not an address as https://…",
        "mail.port: must be a whole number",
        "wach: unknown key",
        "did you mean watch?",
    ]
    text = (
        'watch = ["githbu", "cluade"]\n[detector.params]\nalarn = 3\nstrong = -1\n'
        '[[alerts.routes]]\nname = "a"\nservices = ["sopp"]'
    )
    said = refusal(tmp_path, text)
    for key in ("detector.params.alarn: ", "detector.params.strong: ", "watch: 'githbu'", "watch: 'cluade'"):
        assert key in said
    assert "alerts.routes.a.services: 'sopp'" in said


def test_a_day_of_quiet_is_allowed_and_what_is_not_written_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "groundswell.toml"
    path.write_text('[alerts]\nquiet_to_close = "24h"')
    assert load_config(path, {}).alerts.quiet_to_close == timedelta(days=1)
