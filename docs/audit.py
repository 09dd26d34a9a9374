"""Check the installed packages against published advisories: `make audit`; `--write` puts the table into security.md.

Exit 0: every package was looked up and none has an advisory; 1: some have; 3: advisories could not be reached, or a
package could not be looked up; `make` ends each failure with its own 2. pip-audit runs in an environment of its own
below `out/`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
HOME = ROOT / "out" / "audit"
PIP_AUDIT = "pip-audit==2.10.1"
SERVICES = ("pypi", "osv")  # asked in this order: both publish the advisories of the Python Packaging Authority
BEGIN, END = "<!-- versions: docs/audit.py --write -->\n", "<!-- end of versions -->\n"
FOUND, UNREACHED = 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a service says: the packages it knows, each with the ids of its advisories, and those it does not know."""

    advisories: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]

    @property
    def code(self) -> int:
        """Return the exit code."""
        if any(self.advisories.values()):
            return FOUND
        return UNREACHED if self.unknown or not self.advisories else 0

    @property
    def verdict(self) -> str:
        """Return the result in one line."""
        bad = [f"{name} ({', '.join(ids)})" for name, ids in sorted(self.advisories.items()) if ids]
        if not self.advisories:
            return "advisories could not be reached: nothing was checked"
        looked_up = f"{len(self.advisories)} packages looked up"
        missing = f"; not looked up: {', '.join(self.unknown)}" if self.unknown else ""
        return f"{looked_up}, with advisories: {', '.join(bad) or 'none'}{missing}"


def read_report(report: str) -> Audit:
    """Read what pip-audit prints as JSON; anything else, as it prints where it fails, is a report about nothing."""
    try:
        rows = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit(advisories={}, unknown=())
    known = {row["name"]: tuple(found["id"] for found in row["vulns"]) for row in rows if "vulns" in row}
    return Audit(advisories=known, unknown=tuple(row["name"] for row in rows if "vulns" not in row))


def plain(name: str) -> str:
    """Return a package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Return the version of each package of this environment but our own."""
    found = {plain(one.metadata["Name"]): one.version for one in distributions()}
    found.pop("groundswell", None)
    return dict(sorted(found.items()))


def pinned() -> dict[str, str]:
    """Return the versions in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {plain(name): version for name, _, version in (line.partition("==") for line in lines) if version}


def direct() -> dict[str, str]:
    """Return the packages that pyproject.toml names, each with the first extra that needs it (`base` without one)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"base": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, str] = {}
    for extra, requirements in groups.items():
        for requirement in requirements:
            name = plain(re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0])
            if name != "groundswell":
                found.setdefault(name, extra)
    return found


def look_up(versions: Mapping[str, str]) -> Audit:
    """Ask the services in their order; return what the first says that knows a package."""
    tool = HOME / "bin" / "pip-audit"
    if not tool.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run([HOME / "bin" / "pip", "install", "--quiet", PIP_AUDIT], check=True)
    audit = Audit(advisories={}, unknown=())
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{name}=={version}\n" for name, version in versions.items()))
        file.flush()
        for service in SERVICES:
            command = [tool, "--vulnerability-service", service, "--disable-pip", "--no-deps", "-r", file.name]
            done = subprocess.run(  # its code 1 says that some have advisories
                [*command, "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True, check=False
            )
            audit = read_report(done.stdout)
            if audit.advisories:
                return audit
    return audit


def table(audit: Audit, versions: Mapping[str, str], day: str) -> str:
    """Return the direct dependencies with their versions and what is known of each, in Markdown."""
    lines = [
        f"On {day}: {audit.verdict}.\n",
        "\n",
        "| package | for | version | advisories |\n",
        "| --- | --- | --- | --- |\n",
    ]
    for name, extra in sorted(direct().items()):
        ids = audit.advisories.get(name)
        known = "not checked" if ids is None else ", ".join(ids) or "none"
        lines.append(f"| {name} | {extra} | {versions.get(name, 'any')} | {known} |\n")
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print the result and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/security.md")
    options = parser.parse_args(arguments)
    versions = pinned() | installed()
    audit = look_up(versions)
    shown = table(audit, versions, f"{datetime.now(UTC):%-d %B %Y}")
    print(shown, end="")
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{shown}{END}{rest.partition(END)[2]}", encoding="utf-8")
    if audit.code:
        print(f"audit: {audit.verdict}", file=sys.stderr)
    return audit.code


if __name__ == "__main__":
    sys.exit(main())
