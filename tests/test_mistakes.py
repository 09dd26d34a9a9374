"""Mistakes people make, each with the one line that answers it: what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.store import Store
from tests.conftest import Groundswell

USAGE = 2
TOML = "groundswell.toml"


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A command line, the configuration and files it meets, and what it answers on standard error."""

    args: tuple[str, ...]
    says: str
    code: int = USAGE
    toml: str = ""
    files: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    database: bool = False


MISTAKES = {
    "a command mistyped": Mistake(args=("rnu",), says="No such command 'rnu'. Did you mean 'run'?"),
    "an option mistyped": Mistake(args=("run", "--quite"), says="No such option '--quite'. Did you mean '--quiet'?"),
    "a subcommand mistyped": Mistake(args=("silence", "ad"), says="No such command 'ad'. Did you mean 'add'?"),
    "a service mistyped": Mistake(
        args=("why", "cluade"),
        says="'cluade' is not in the catalogue; near: claude, icloud, cloudflare; `groundswell service list` has all",
    ),
    "a service mistyped in watch": Mistake(
        args=("check-config",),
        toml='watch = ["githbu"]',
        says=f"{TOML}: watch: 'githbu' is not in the catalogue; near: github, gitlab; `groundswell service list` has"
        " all; one of your own needs a [services.<id>] table",
    ),
    "a service mistyped in a route": Mistake(
        args=("check-config",),
        toml='[[alerts.routes]]\nname = "a"\nservices = ["cluade"]',
        says=f"{TOML}: alerts.routes.a.services: 'cluade' is not in the catalogue; near: claude, icloud, cloudflare;"
        " `groundswell service list` has all",
    ),
    "watch as text": Mistake(
        args=("check-config",), toml='watch = "claude"', says=f'{TOML}: watch: must be a list, as ["a", "b"]'
    ),
    "a table mistyped": Mistake(
        args=("check-config",),
        toml='[alert]\nchannels = ["file"]',
        says=f"{TOML}: alert: unknown key; did you mean alerts?",
    ),
    "a setting mistyped": Mistake(
        args=("check-config",),
        toml='[alerts]\nchannel = ["file"]',
        says=f"{TOML}: alerts.channel: unknown key; did you mean channels?",
    ),
    "a setting of a route mistyped": Mistake(
        args=("check-config",),
        toml='[[alerts.routes]]\nname = "a"\nservice = ["claude"]',
        says=f"{TOML}: alerts.routes.0.service: unknown key; did you mean services?",
    ),
    "a setting of a service mistyped": Mistake(
        args=("check-config",),
        toml='[services.intranet]\nname = "I"\nstatuspage = "https://s.example.org"',
        says=f"{TOML}: services.intranet.statuspage: unknown key; did you mean status_page?",
    ),
    "a channel mistyped": Mistake(
        args=("check-config",),
        toml='[alerts]\nchannels = ["mail"]',
        says=f"{TOML}: alerts.channels.0: 'mail' is not one of file, email, webhook, apprise, alertmanager, pagerduty;"
        " did you mean email?",
    ),
    "a detector's parameter mistyped": Mistake(
        args=("check-config",),
        toml="[detector.params]\nalarn = 9",
        says="detector.params.alarn: seasonal_nb has no such parameter; did you mean alarm?",
    ),
    "a number as text": Mistake(
        args=("check-config",), toml='[mail]\nport = "smtp"', says=f"{TOML}: mail.port: must be a whole number"
    ),
    "a port out of range": Mistake(
        args=("check-config",), toml="[mail]\nport = 70000", says=f"{TOML}: mail.port: must be at most 65535"
    ),
    "a password in the file": Mistake(
        args=("check-config",),
        toml='[mail]\npassword = "hunter2"',
        says=f"{TOML}: mail.password: a secret is not read from this file: take it out and set"
        " GROUNDSWELL_SMTP_PASSWORD in the environment, or GROUNDSWELL_SMTP_PASSWORD_FILE to a file that holds it",
    ),
    "a key of Reddit in the file": Mistake(
        args=("check-config",),
        toml='[sources]\nreddit_client_id = "hunter2"',
        says=f"{TOML}: sources.reddit_client_id: a secret is not read from this file: take it out and set"
        " GROUNDSWELL_REDDIT_CLIENT_ID in the environment, or GROUNDSWELL_REDDIT_CLIENT_ID_FILE to a file that holds"
        " it",
    ),
    "a file of a secret that is gone": Mistake(
        args=("check-config",),
        env={"GROUNDSWELL_SMTP_PASSWORD_FILE": "gone"},
        says="GROUNDSWELL_SMTP_PASSWORD_FILE: gone: cannot be read: No such file or directory",
    ),
    "a webhook without its key": Mistake(
        args=("check-config",),
        toml='[alerts]\nchannels = ["webhook"]',
        says=f"{TOML}: the webhook channel needs GROUNDSWELL_WEBHOOK_URL and GROUNDSWELL_WEBHOOK_SECRET",
    ),
    "mail without an address": Mistake(
        args=("check-config",),
        toml='[alerts]\nchannels = ["email"]',
        says=f"{TOML}: mail.to: the email channel needs at least one address",
    ),
    "an address that is none": Mistake(
        args=("init", "--watch", "claude", "--mail", "me at example.org"),
        says=f"{TOML}: mail.to: 'me at example.org' is not a mail address such as me@example.org",
    ),
    "a duration as a number": Mistake(
        args=("check-config",),
        toml="[alerts]\ngroup_wait = 30",
        says=f"{TOML}: alerts.group_wait: 30 is not a duration; write it as 30s, 5min, 3h or 14d",
    ),
    "a date that is none": Mistake(
        args=("incidents", "--since", "yesterday"),
        says="--since: 'yesterday' is not a duration; write it as 30s, 5min, 3h or 14d, or as a date, 2026-03-02",
    ),
    "a time without a zone": Mistake(
        args=("why", "claude", "--at", "2026-03-02T11:40:00"),
        says="--at: '2026-03-02T11:40:00' has no time zone; write it as 2026-03-02T11:37:00Z",
    ),
    "a run in an empty folder": Mistake(
        args=("run",),
        says="neither a configuration (groundswell.toml) nor a database (groundswell.db) is here:"
        " `groundswell init` writes a configuration; `groundswell run --defaults` watches all services",
    ),
    "a configuration that is gone": Mistake(
        args=("run", "--config", "gone.toml"), says="gone.toml: no such file; `groundswell init` writes one"
    ),
    "a configuration over another": Mistake(
        args=("init", "--watch", "claude"), toml="", files={TOML: ""}, says=f"{TOML}: exists; --force overwrites it"
    ),
    "no database yet": Mistake(
        args=("status",), code=1, says="groundswell.db: no such database; `groundswell run` or `make demo` makes one"
    ),
    "a database of another program": Mistake(
        args=("status", "--db", "posts.csv"),
        code=1,
        files={"posts.csv": "id,text\n1,Claude is down\n" * 50},
        says="posts.csv: is not a database",
    ),
    "counts of a service mistyped": Mistake(
        args=("import", "counts", "counts.csv"),
        code=3,
        files={"counts.csv": "service,start_utc,interval_s,total\nclaud,2026-03-01T10:00:00Z,900,5\n"},
        says="counts.csv:2: 'claud' is not in the catalogue; near: claude",
    ),
    "posts that are not there": Mistake(
        args=("score-posts", "gone.csv"), code=1, says="gone.csv: cannot be read: No such file or directory"
    ),
    "posts without a header": Mistake(
        args=("score-posts", "posts.csv"),
        code=1,
        files={"posts.csv": "1,Claude is down\n"},
        says="posts.csv:1: needs the columns id, text",
    ),
    "an incident that is none": Mistake(
        args=("feedback", "claude", "wrong"),
        database=True,
        says="'claude' is not an incident; `groundswell incidents` lists them",
    ),
    "a silence without an end": Mistake(
        args=("silence", "add", "claude", "--reason", "x"),
        says="a silence needs an end: --for or --until, and not both",
    ),
    "a silence of a part mistyped": Mistake(
        args=("silence", "add", "claude", "--component", "ap", "--for", "4h", "--reason", "x"),
        says="--component: claude has no part 'ap'; did you mean api? `groundswell service show claude` lists them",
    ),
    "a source mistyped": Mistake(
        args=("collect", "--source", "mastodom"),
        toml='watch = ["claude"]\n[sources]\nmastodon = ["https://m.example"]',
        says="--source: nothing configured is called mastodom; did you mean mastodon?",
    ),
    "a change by sql": Mistake(
        args=("sql", "delete from runs"),
        code=1,
        database=True,
        says="groundswell.db: attempt to write a readonly database",
    ),
    "a timeout that is none": Mistake(
        args=("sql", "select 1", "--timeout", "soon"),
        says="--timeout: 'soon' is not a duration; write it as 30s, 5min, 3h or 14d",
    ),
    "a detector mistyped": Mistake(
        args=("score-counts", "c.csv", "--detector", "farringtn"),
        files={"c.csv": "timestamp_utc,value\n2026-03-01T10:00:00Z,4\n"},
        says="--detector: 'farringtn' is not one of auto, ears, farrington, robust_z, same_time_ratio, seasonal_nb,"
        " stl; did you mean farrington?",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_in_one_line_that_says_what_to_do(
    groundswell: Groundswell, tmp_path: Path, name: str
) -> None:
    mistake = MISTAKES[name]
    for file, text in {**mistake.files, **({TOML: mistake.toml} if mistake.toml else {})}.items():
        (tmp_path / file).write_text(text)
    if mistake.database:
        Store(tmp_path / "groundswell.db").conn.close()
    done = groundswell(*mistake.args, env=mistake.env)
    assert (mistake.says in done.stderr, done.returncode) == (True, mistake.code), done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout, "a secret is never shown"
    if mistake.code == 1:
        assert done.stdout == "", "nothing is printed before the file is looked at"


def test_there_are_thirty_of_them() -> None:
    assert len(MISTAKES) >= 30


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("me@example.org,you@example.org", ["me@example.org", "you@example.org"]),
        ("Ann <ann@example.org>", ["ann@example.org"]),
    ],
)
def test_addresses_are_taken_as_people_write_them(
    groundswell: Groundswell, tmp_path: Path, written: str, read: list[str]
) -> None:
    from pipeline.config.load import load_config

    done = groundswell("init", "--watch", "claude", "--mail", written, "--host", "smtp.example.org:587", "--offline")
    assert done.returncode == 0, done.stderr
    mail = load_config(tmp_path / TOML, {}).mail
    assert (list(mail.to), mail.host, mail.port, mail.security) == (read, "smtp.example.org", 587, "starttls")
