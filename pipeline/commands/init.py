"""`groundswell init`: ask, or take, what to watch and how to mail; try the mail server; write groundswell.toml."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL
from pipeline.commands.service_argument import complete_services
from pipeline.config.load import load_catalogue, load_config
from pipeline.config.paths import EXAMPLE
from pipeline.config.settings import Config
from pipeline.core.catalogue import Catalogue, resolve_service
from pipeline.core.errors import ChannelError, ConfigError, StoreError
from pipeline.core.files import replacing
from pipeline.core.secret import SecretStr

SECURITIES = ("none", "starttls", "tls")
USUAL_PORTS = {"none": 25, "starttls": 587, "tls": 465}


@dataclass(frozen=True, slots=True)
class MailChoice:
    """How alerts are to be mailed; `to` empty: not at all, messages are written as files only."""

    to: tuple[str, ...] = ()
    host: str = "localhost"
    port: int = 25
    security: str = "none"
    user: str = ""


def _print_example(ctx: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(EXAMPLE.read_text(encoding="utf-8"), nl=False)
        ctx.exit()


@click.command("init")
@click.option(
    "--watch",
    shell_complete=complete_services,
    help="Services (ids, names or aliases), separated by commas, such as claude,github.",
)
@click.option("--mail", help="Recipients of alerts, separated by commas. Without it, alerts are written as .eml files.")
@click.option("--host", help="SMTP server, such as smtp.example.org or smtp.example.org:587.  [default: localhost]")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the SMTP server.  [default: 25 on localhost, else 587; tls: 465]",
)
@click.option(
    "--security",
    type=click.Choice(SECURITIES),
    help="Encryption of the connection.  [default: none on localhost, else chosen by the port]",
)
@click.option("--user", help="User name for the SMTP server; the password is read from GROUNDSWELL_SMTP_PASSWORD.")
@click.option("--offline", is_flag=True, help="Do not connect to the mail server.")
@click.option("--file", "path", type=click.Path(path_type=Path), default=Path("groundswell.toml"), show_default=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_example,
    help="Print every setting with its default, and exit.",
)
def init_command(
    watch: str | None,
    mail: str | None,
    path: Path,
    force: bool,
    offline: bool,
    **server: str | int | None,
) -> None:
    """Write a configuration that `groundswell run` can use at once. Exit 3: the mail server could not be used."""
    if path.exists() and not force:
        raise ConfigError(f"{path}: exists; --force overwrites it")
    catalogue = load_catalogue()
    asking = watch is None
    if watch is None:
        click.echo(f"Known services: {', '.join(sorted(catalogue))}")
        watch = click.prompt("Which services do you depend on (separated by commas)")
        if mail is None:
            mail = click.prompt("Mail alerts to (empty: files only)", default="", show_default=False)
    chosen = _services(catalogue, watch)
    addresses = tuple(address.strip() for address in (mail or "").split(",") if address.strip())
    choice = _mail_choice(addresses, server, asking=asking) if addresses else MailChoice()
    try:
        with replacing(path) as fresh:
            fresh.write(_text(chosen, choice).encode())
            fresh.flush()
            config = load_config(Path(fresh.name))
    except StoreError as error:
        raise ConfigError(str(error)) from error
    except ConfigError as error:
        raise ConfigError(str(error).replace(fresh.name, str(path))) from error
    click.echo(f"wrote {path}; next: groundswell check-config, groundswell test-alert, groundswell run")
    click.echo(f"then let cron run it: {_cron_line(path)}")
    if choice.to and not offline and not _try_server(config, path, asking=asking):
        sys.exit(PARTIAL)


def _cron_line(path: Path) -> str:
    """Return the line of a crontab that runs this program with this configuration every five minutes."""
    program = Path(sys.argv[0])
    command = shlex.quote(str(program.absolute())) if program.name == "groundswell" else f"{sys.executable} -m pipeline"
    config = "" if path.name == "groundswell.toml" else f" --config {shlex.quote(path.name)}"
    folder = shlex.quote(str(path.resolve().parent))
    return f"*/5 * * * * cd {folder} && {command} run{config} --quiet --fail-on stage".replace("%", r"\%")


def _services(catalogue: Catalogue, watch: str) -> list[str]:
    """Return the ids of the named services; raises ConfigError."""
    try:
        chosen = [resolve_service(catalogue, name).id for name in watch.split(",") if name.strip()]
    except ConfigError as error:
        raise ConfigError(f"--watch: {error}; one of your own is added as [services.<id>] afterwards") from error
    if not chosen:
        raise ConfigError("--watch: names no service; `groundswell service list` has all")
    return list(dict.fromkeys(chosen))


def _mail_choice(to: tuple[str, ...], server: dict[str, str | int | None], *, asking: bool) -> MailChoice:
    """Return how to mail, by the options given, asked for where they are not, or as is usual."""
    host, port, security, user = (server[name] for name in ("host", "port", "security", "user"))
    if asking and host is None:
        host = click.prompt("Mail server", default="localhost")
    host = str(host or "localhost")
    if (match := re.fullmatch(r"([^:]+):(\d{1,5})", host)) is not None:
        host, port = match[1], port or int(match[2])
    usual = "none" if host == "localhost" else "starttls"
    usual = {587: "starttls", 465: "tls"}.get(int(port or 0), usual)
    if asking and security is None:
        security = click.prompt("Security", type=click.Choice(SECURITIES), default=usual)
    security = str(security or usual)
    if asking and port is None:
        port = click.prompt("Port", type=click.IntRange(1, 65535), default=USUAL_PORTS[security])
    if asking and user is None:
        user = click.prompt("User name (empty: no login)", default="", show_default=False)
    return MailChoice(to, host, int(port or USUAL_PORTS[security]), security, str(user or ""))


def _try_server(config: Config, path: Path, *, asking: bool) -> bool:
    """Connect and log in as a run would, and print what came of it; return whether mail can be sent."""
    from pipeline.notify.channels.email import EmailChannel

    password = config.secrets.smtp_password
    if config.mail.user and password is None and asking:
        typed = click.prompt("Password (tried now, not stored)", default="", show_default=False, hide_input=True)
        password = SecretStr(typed) if typed else None
    if config.mail.user and config.secrets.smtp_password is None:
        click.echo("set GROUNDSWELL_SMTP_PASSWORD, or GROUNDSWELL_SMTP_PASSWORD_FILE, for every run")
    try:
        click.echo(f"mail server: {EmailChannel(config.mail, password, zone='UTC').probe()}")
    except ChannelError as error:
        click.echo(f"groundswell: mail server: {error}; change [mail] in {path}, then groundswell test-alert", err=True)
        return False
    return True


def _text(watch: list[str], mail: MailChoice) -> str:
    """Return the configuration as TOML."""
    lines = [
        "# written by groundswell init; `groundswell init --example` prints every setting with its default",
        f"watch = {_toml_list(watch)}",
        'display_timezone = "UTC"',
        "",
        "[alerts]",
        f"channels = {_toml_list(['file', 'email'] if mail.to else ['file'])}",
    ]
    if mail.to:
        lines += [
            "",
            "[mail]",
            f"to = {_toml_list(mail.to)}",
            f"sender = {_toml_text(mail.to[0])}",
            f"host = {_toml_text(mail.host)}",
            f"port = {mail.port}",
            f'security = "{mail.security}"',
            *([f"user = {_toml_text(mail.user)}"] if mail.user else []),
            "# with a user name, the password comes from GROUNDSWELL_SMTP_PASSWORD (or ..._FILE)",
        ]
    return "\n".join(lines) + "\n"


def _toml_list(values: list[str] | tuple[str, ...]) -> str:
    return f"[{', '.join(map(_toml_text, values))}]"


def _toml_text(value: str) -> str:
    """Return a value as a TOML string; JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)
