"""`groundswell init`: ask, or take, what to watch and whom to mail; write groundswell.toml."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.config.load import load_catalogue, load_config
from pipeline.core.catalogue import resolve_service
from pipeline.core.errors import ConfigError, StoreError
from pipeline.core.files import replacing


@click.command("init")
@click.option("--watch", help="Services (ids, names or aliases), separated by commas, as claude,github.")
@click.option("--mail", help="Where alerts go; without it they are written as .eml files only.")
@click.option("--host", help="SMTP server; default localhost.")
@click.option("--file", "path", type=click.Path(path_type=Path), default=Path("groundswell.toml"), show_default=True)
@click.option("--force", is_flag=True, help="Write over an existing file.")
def init_command(watch: str | None, mail: str | None, host: str | None, path: Path, force: bool) -> None:
    """Write a configuration that `groundswell run` can use at once."""
    if path.exists() and not force:
        raise ConfigError(f"{path}: exists; --force writes over it")
    catalogue = load_catalogue()
    if watch is None:
        click.echo(f"Known services: {', '.join(sorted(catalogue))}")
        watch = click.prompt("Which services do you depend on (separated by commas)")
        mail = (
            mail
            if mail is not None
            else click.prompt("Mail alerts to (empty: files only)", default="", show_default=False)
        )
    try:
        chosen = [resolve_service(catalogue, name).id for name in watch.split(",") if name.strip()]
    except ConfigError as error:
        raise ConfigError(f"--watch: {error}; one of your own is added as [services.<id>] afterwards") from error
    if not chosen:
        raise ConfigError("--watch: names no service; `groundswell service list` has all")
    text = _text(chosen, mail or "", host or "localhost")
    try:
        with replacing(path) as fresh:
            fresh.write(text.encode())
            fresh.flush()
            load_config(Path(fresh.name), {})
    except StoreError as error:
        raise ConfigError(str(error)) from error
    except ConfigError as error:
        raise ConfigError(str(error).replace(fresh.name, str(path))) from error
    click.echo(f"wrote {path}; next: groundswell check-config, groundswell test-alert, groundswell run")


def _text(watch: list[str], mail: str, host: str) -> str:
    quoted = ", ".join(f'"{name}"' for name in watch)
    channels = '"file", "email"' if mail else '"file"'
    lines = [
        "# written by groundswell init; every setting is explained in groundswell.toml.example",
        f"watch = [{quoted}]",
        'display_timezone = "UTC"',
        "",
        "[alerts]",
        f"channels = [{channels}]",
    ]
    if mail:
        security = "none" if host == "localhost" else "starttls"
        port = 25 if host == "localhost" else 587
        lines += [
            "",
            "[mail]",
            f'to = ["{mail}"]',
            f'sender = "{mail}"',
            f'host = "{host}"',
            f"port = {port}",
            f'security = "{security}"',
            "# with a user name, the password comes from GROUNDSWELL_SMTP_PASSWORD (or ..._FILE)",
        ]
    return "\n".join(lines) + "\n"
