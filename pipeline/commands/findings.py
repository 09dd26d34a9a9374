"""What `doctor` and `check-config` found: printed in lines or as JSON, and the exit code it asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum

import click
from msgspec import Struct, structs

from pipeline.commands.common import PARTIAL
from pipeline.commands.terminal import colored, one_line


class Level(StrEnum):
    """How a finding matters: FAIL: runs cannot work or messages do not arrive; WARN: worth looking at."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True):
    """One thing looked at, what was found, and what a person can do."""

    level: Level
    what: str
    words: str
    remedy: str = ""


def findings_json(findings: Iterable[Finding]) -> str:
    """Return findings as JSON, schema 1."""
    return json.dumps({"schema": 1, "findings": [structs.asdict(finding) for finding in findings]}, indent=1)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print a line for each finding, and what to do below the last of those with the same remedy."""
    width = max((len(finding.what) for finding in findings), default=0)
    for number, finding in enumerate(findings):
        click.echo(
            f"{colored(f'{finding.level:<5}', finding.level)} {finding.what:<{width}}  {one_line(finding.words)}"
        )
        following = findings[number + 1].remedy if number + 1 < len(findings) else ""
        if finding.remedy and finding.remedy != following:
            click.echo(f"{'':<{width + 8}}{one_line(finding.remedy)}")


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 where something failed, 3 where something is worth looking at, else 0."""
    levels = {finding.level for finding in findings}
    return 1 if Level.FAIL in levels else PARTIAL if Level.WARN in levels else 0
