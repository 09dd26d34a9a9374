"""`groundswell completion bash`: tab completion of commands, options and services; `--install` puts it in place."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from pipeline.core.files import write_atomically

FILES = {
    "bash": ".local/share/bash-completion/completions/groundswell",
    "zsh": ".zfunc/_groundswell",
    "fish": ".config/fish/completions/groundswell.fish",
}
AFTERWARDS = {
    "bash": "open a new shell (the package bash-completion loads it)",
    "zsh": "~/.zshrc needs, once: fpath+=~/.zfunc; autoload -Uz compinit; compinit",
    "fish": "open a new shell",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(sorted(FILES)))
@click.option(
    "--install", is_flag=True, help="Install the script where the shell looks for it, instead of printing it."
)
def completion_command(shell: str, install: bool) -> None:
    """Print the completion script of a SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(click.get_current_context().find_root().command, {}, "groundswell", "_GROUNDSWELL_COMPLETE").source()
    if not install:
        click.echo(script)
        return
    path = Path.home() / FILES[shell]
    write_atomically(path, script, mode=0o644)
    click.echo(f"wrote {path}; {AFTERWARDS[shell]}")
