"""The figures of the code, each counted on a tree small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.code_figures import figures, main, read

OPEN = "functions that return `dict[str, Any]` or `Mapping[str, Any]`"
TUPLES = "functions that return a tuple of 3 fields or more"
TYPED = "import circles, imports for types too"
TYPES = "from typing import Any\nfrom collections.abc import Callable, Iterator, Mapping\n"


def counted(root: Path, **files: str) -> dict[str, int | str]:
    """Write files, `__` in a keyword standing for a folder, and count them."""
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.with_name("__init__.py") if path.stem == "package" else path).write_text(text, encoding="utf-8")
    return figures(read(root))


def test_nothing_to_count_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(tmp_path)


def test_a_plain_module_counts_for_nothing(tmp_path: Path) -> None:
    found = counted(
        tmp_path, detectors__one='"""Words."""\n\n\ndef one(x: int) -> int:\n    # a remark\n    return x\n'
    )
    assert {name: value for name, value in found.items() if value} == {
        "longest line, in characters": 23,
        "code lines": 2,
        "files": 1,
        "longest file, in lines": "6: detectors/one.py",
    }


def test_the_table_has_a_row_for_each_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = counted(tmp_path, pipeline__one="ONE = 1\n")
    main(tmp_path)
    rows = capsys.readouterr().out.splitlines()
    assert rows[:2] == ["| figure | value |", "| --- | --- |"]
    assert rows[2:] == [f"| {name} | {value} |" for name, value in found.items()]


def test_loose_modules_leave_out_folders_and_the_packages_own_files(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__main__.py").write_text("", encoding="utf-8")
    files = dict.fromkeys(("pipeline__package", "pipeline__one", "pipeline__sub__two", "detectors__three"), "X = 1\n")
    assert counted(tmp_path, **files)["loose modules in `pipeline/`"] == 1


@pytest.mark.parametrize(
    ("one", "two", "running", "typed"),
    [
        ("from pipeline import two\n", "X = 1\n", 0, 0),
        ("from pipeline import two\n", "import pipeline.one\n", 1, 1),
        ("def f():\n    from pipeline import two\n", "from pipeline.one import f\n", 1, 1),
        ("if TYPE_CHECKING:\n    from pipeline import two\n", "from pipeline.one import f\n", 0, 1),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import pipeline.two\n", "import pipeline.one\n", 1, 1),
    ],
)
def test_import_circles(tmp_path: Path, one: str, two: str, running: int, typed: int) -> None:
    found = counted(tmp_path, pipeline__package="", pipeline__one=one, pipeline__two=two)
    named = {0: 0, 1: "1: pipeline.one / pipeline.two"}
    assert (found["import circles"], found[TYPED]) == (named[running], named[typed])


def test_a_package_that_hands_on_its_submodules_is_no_circle_until_one_takes_back(tmp_path: Path) -> None:
    hands_on = "from pipeline.sub.one import X\n"
    files = {"pipeline__sub__package": hands_on, "pipeline__sub__one": "import pipeline.sub.two\nX = 1\n"}
    assert counted(tmp_path, **files, pipeline__sub__two="Y = 1\n")["import circles"] == 0
    found = counted(tmp_path, **files, pipeline__sub__two="from pipeline.sub import X\n")
    assert found["import circles"] == "1: pipeline.sub / pipeline.sub.one / pipeline.sub.two"


def test_a_relative_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"one\.py:1"):
        counted(tmp_path, pipeline__one="from . import two\n")


def test_any_is_counted_outside_imports_comments_and_strings(tmp_path: Path) -> None:
    text = "from typing import (\n    Any,\n)\nx: dict[Any, Any] = {}  # Any\ny = 'Any'\nAnything: Any = 1\n"
    found = counted(tmp_path, pipeline__one=text)
    assert (found["uses of `Any`"], found["uses of `Any`, import statements too"]) == (3, 4)


@pytest.mark.parametrize(
    ("returned", "dicts", "tuples"),
    [
        ("dict[str, Any]", 1, 0),
        ("Mapping[str, Any] | None", 1, 0),
        ("Iterator[tuple[int, dict[str, Any]]]", 1, 0),
        ("'list[dict[str, Any]]'", 1, 0),
        ("Told", 1, 0),
        ("list[Renamed]", 1, 0),
        ("other.Told", 1, 0),
        ("dict[str, int]", 0, 0),
        ("Callable[[dict[str, Any]], tuple[int, int, int]]", 0, 0),
        ("tuple[int, str, float]", 0, 1),
        ("list[tuple[int, str, float]] | None", 0, 1),
        ("Iterator[Span]", 0, 1),
        ("tuple[int, ...]", 0, 0),
        ("tuple[int, Pair]", 0, 0),
        ("tuple[int, str, dict[str, Any]]", 1, 1),
        ("Unknown", 0, 0),
    ],
)
def test_what_functions_return(tmp_path: Path, returned: str, dicts: int, tuples: int) -> None:
    aliases = (
        TYPES + "Told = Mapping[str, Any]\nInner = tuple[int, int, int]\nSpan = list[Inner]\nPair = tuple[int, int]\n"
    )
    imports = TYPES + "from pipeline import other\nfrom pipeline.other import Pair, Span, Told, Told as Renamed\n"
    asked = f"class A:\n    def f(self, x: dict[str, Any], y: tuple[int, int, int]) -> {returned}: ...\n"
    found = counted(tmp_path, pipeline__other=aliases, pipeline__one=imports + asked)
    assert (found[OPEN], found[TUPLES]) == (dicts, tuples)


def test_names_that_import_one_another_in_a_ring_end(tmp_path: Path) -> None:
    one, two = "from pipeline.two import T\ndef f() -> T: ...\n", "from pipeline.one import T\n"
    assert counted(tmp_path, pipeline__one=one, pipeline__two=two)[OPEN] == 0


def test_lines_and_comments_for_the_formatter(tmp_path: Path) -> None:
    text = "x = 1  # noqa: E1  # fmt: skip\n# fmt: off\n#fmt:off\n# fmt: on\ny = '# fmt: skip'\n"
    wide = f"z = '{'a' * 115}'\nz = '{'a' * 114}'\n"
    found = counted(tmp_path, pipeline__one=text + wide, pipeline__two="x = 1\n" * 251, detectors__a="x = 1\n" * 250)
    assert found["comments that switch the formatter off"] == 3
    assert (found["lines over 120 characters"], found["longest line, in characters"]) == (1, 121)
    assert (found["files over 250 lines"], found["longest file, in lines"]) == (1, "251: pipeline/two.py")
    assert (found["files"], found["code lines"]) == (3, 505)


def test_code_lines_leave_out_docstrings_and_count_strings_that_are_values(tmp_path: Path) -> None:
    text = '"""One\n\ntwo."""\n\n# three\nX = """\n\n"""\ndef f():\n    """Four."""\n    return X\n'
    assert counted(tmp_path, pipeline__one=text)["code lines"] == 5


def test_parameters_leave_out_self_and_count_every_kind(tmp_path: Path) -> None:
    text = (
        "class A:\n    def seven(self, a, b, c, d, e, f, g): ...\n"
        "    def eight(self, a, /, b, c, d, *e, f, g, **h): ...\n"
        "async def also(a, b, c, d, e, f, g, self): ...\n"
    )
    assert counted(tmp_path, pipeline__one=text)["functions with 8 parameters or more"] == 2


def test_names_of_more_than_one_type(tmp_path: Path) -> None:
    one = "def f(told: str, same: int, quoted: 'A') -> None:\n    rows: list[str] = []\n    told: bytes = b''\n"
    two = "rows: set[int] = set()\nclass A:\n    same: str\ndef g(told: int, same: int | None, quoted: A): ...\n"
    found = counted(tmp_path, pipeline__one=one, detectors__two=two)
    assert found["names of more than one type"] == "2: `told` 3, `rows` 2"


@pytest.mark.parametrize(
    ("record", "wraps"),
    [
        ("@dataclass(frozen=True)\nclass A:\n    told: dict[str, int]\n", True),
        ("@dataclass\nclass A:\n    told: Told\n    kind: ClassVar[str] = ''\n", True),
        ("class A(NamedTuple):\n    told: Mapping[str, int]\n", True),
        ("class A(TypedDict, total=False):\n    told: dict\n", True),
        ("@dataclass\nclass A:\n    told: dict[str, int]\n    more: int\n", False),
        ("@dataclass\nclass A:\n    told: list[dict[str, int]]\n", False),
        ("class A:\n    told: dict[str, int]\n", False),
    ],
)
def test_records_that_only_wrap_a_dict(tmp_path: Path, record: str, wraps: bool) -> None:
    found = counted(tmp_path, pipeline__one=f"Told = dict[str, int]\n{record}")
    assert found["records that only wrap a dict"] == ("1: pipeline.one.A" if wraps else 0)


def test_a_logger_is_one_that_is_kept(tmp_path: Path) -> None:
    silenced = "import logging\nlogging.getLogger('other').setLevel(50)\n"
    kept = "from logging import getLogger\nlog = getLogger(__name__)\nmore = getLogger('more')\n"
    assert counted(tmp_path, pipeline__one=silenced)["modules with a logger"] == 0
    assert counted(tmp_path, pipeline__two=kept)["modules with a logger"] == 1


def test_sql_is_counted_outside_the_store(tmp_path: Path) -> None:
    told = [
        "'SELECT a FROM b'",
        "'''\n  WITH x AS (SELECT 1)\n'''",
        "f'SELECT {a} FROM {b}'",
        "f'UPDATE {a} SET b = 1'",
        "'INSERT OR IGNORE INTO a'",
        "'DELETE FROM a'",
    ]
    other = ["'select a from b'", "'SELECT one'", "'Delete from'", "'run one SELECT x FROM y'", "'WITHIN'", "'UPDATE'"]
    text = "".join(f"x = {one}\n" for one in told + other) + "def f():\n    '''SELECT a FROM b, in words.'''\n"
    found = counted(tmp_path, pipeline__one=text, pipeline__store__two=text)
    assert found["SQL statements outside `pipeline/store`"] == 6
