"""The docs are true: every command and option exists, every setting is one; `make docs-check` runs the commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pipeline.__main__ import cli
from pipeline.config.load import load_config
from tests.docs_check import PAGES, ROOT

SECRETS = {
    "GROUNDSWELL_WEBHOOK_URL": "https://hook.example.org/x",
    "GROUNDSWELL_WEBHOOK_SECRET": "s" * 32,
    "GROUNDSWELL_APPRISE_URLS": "json://localhost",
}
EXAMPLES = ("groundswell.toml.example", *sorted(f"examples/{path.name}" for path in (ROOT / "examples").iterdir()))


def named_commands(text: str) -> list[str]:
    """Return what a text writes after `groundswell`, in code and in lines of a shell."""
    inline = re.findall(r"`groundswell ([a-z][^`]*)`", text.replace("\n", " "))
    lines = re.findall(r"^(?:[^\n`]*[\s/;])?groundswell ([a-z][^\n`#|>;]*)", text, re.M)
    return [*inline, *lines]


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES])
def test_every_command_and_option_of_a_page_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"```(?!sh).*?```", "", text, flags=re.S)
    context = click.Context(cli)
    for written in named_commands(text):
        try:
            words = shlex.split(written)
        except ValueError:
            words = written.split()
        command: click.Command = cli
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z-]+", words[0]):
            found = command.get_command(context, words[0])
            if found is None:
                break
            command, words = found, words[1:]
        if command is cli:
            continue  # prose, as "groundswell is"
        options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {"--help"}
        wrong = [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
        assert not wrong, f"groundswell {written}"


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_of_a_page_is_one(page: str, tmp_path: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S):
        path = tmp_path / "groundswell.toml"
        path.write_text(block if "[mail]" in block else f'{block}\n[mail]\nto = ["me@example.org"]\n')
        load_config(path, SECRETS)


@pytest.mark.slow
def test_every_answer_in_the_docs_is_the_demo_s() -> None:
    demo = ROOT / "out" / "demo" / "groundswell.db"
    if not demo.exists():
        pytest.skip("no demo: make demo, or make docs-check, which makes it")
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "cookbook.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
