"""`make audit`: silence about advisories is not taken for their absence, and the table shows what is pinned."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from types import ModuleType

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_audit", ROOT / "docs" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def report(**packages: list[str] | None) -> str:
    """Return what pip-audit prints: each package with its advisories, None for one that it could not look up."""
    rows = [
        {"name": name, "skip_reason": "Dependency not found on PyPI and could not be audited"}
        if ids is None
        else {"name": name, "version": "1", "vulns": [{"id": one, "fix_versions": []} for one in ids]}
        for name, ids in packages.items()
    ]
    return json.dumps({"dependencies": rows, "fixes": []})


@pytest.mark.parametrize(
    ("printed", "code", "words"),
    [
        (report(a=[], b=[]), 0, "2 packages looked up, with advisories: none"),
        (report(a=[], b=["PYSEC-1"]), 1, "with advisories: b (PYSEC-1)"),
        (report(a=[], b=None), 3, "1 packages looked up, with advisories: none; not looked up: b"),
        (report(a=None, b=["PYSEC-1"]), 1, "b (PYSEC-1); not looked up: a"),
        (report(a=None, b=None), 3, "could not be reached: nothing was checked"),
        (report(), 3, "could not be reached"),
        ("", 3, "could not be reached"),
        ("[]", 3, "could not be reached"),
    ],
)
def test_what_was_not_looked_up_is_no_clean_bill(audit: ModuleType, printed: str, code: int, words: str) -> None:
    read = audit.read_report(printed)
    assert (read.code, words in read.verdict) == (code, True), read.verdict


def test_the_table_in_the_docs_has_a_date_and_every_direct_dependency_as_it_is_pinned(audit: ModuleType) -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    written = page.partition(audit.BEGIN)[2].partition(audit.END)[0]
    assert re.match(r"On \d{1,2} [A-Z][a-z]+ 20\d\d: ", written)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in written.splitlines()[4:]]
    assert {name: extra for name, extra, _, _ in rows} == audit.direct(), "python docs/audit.py --write"
    pinned = audit.pinned()
    outdated = [name for name, _, version, _ in rows if version != pinned.get(name, version)]
    assert outdated == [], "python docs/audit.py --write"
