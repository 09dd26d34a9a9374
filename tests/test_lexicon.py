"""The word lists of data/lexicon: each loads, each is used, and a broken one is refused in one line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import from_regex

from pipeline.config.paths import LEXICON
from pipeline.core.errors import ConfigError
from pipeline.core.times import utc
from pipeline.text import claims, clock_times, components, cues, news, onset_time, services, symptoms
from pipeline.text.error_codes import error_codes
from pipeline.text.lexicon import WordList, WordPattern, letters_in, lexicon
from pipeline.text.named_days import days_named, looks_years_back
from pipeline.text.patterns import PatternSet
from tests.conftest import ROOT

FILES = sorted(path.stem for path in LEXICON.glob("*.toml"))
MODULES = (claims, clock_times, components, cues, news, onset_time, services, symptoms)
# read as a whole, list after list
WHOLE = ("cues", "symptoms", "news_kinds", "services", "ordered_shutdown", "outside_causes", "comparisons")
# with `paths` changed before anything else is imported, the program reads another folder of word lists
PROGRAM = """
import sys
from pathlib import Path
from pipeline.config import paths
paths.LEXICON = Path(sys.argv.pop(1))
from pipeline.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("alternative", "letters"),
    [
        (r"\bweb ?sites?\b", "site"),
        (r"!{2,}", "!"),
        (r"a{0,2}bc", "bc"),
        (r"5\d{2,3}?\b", "5"),
        (r"x(?:ab|c(?:d|e))?yz", "yz"),
        (r"lo+l", "lo"),
        (r"a+?", "a"),
        (r"(?<!ab)cde(?= f)", "cde"),
        (r"[ab]{2}cd", "cd"),
        (r"a*?b??", ""),
        (r"\w*", ""),
        (r"ab|cd", ""),
        (r"(?i)ab", ""),
        (r"(?i:ab)c", ""),
        (r"(?x)a b c", ""),
        (r"(?sx) a b", ""),
        (r"caf\u00e9", ""),
        (r"\x41bc", ""),
        (r"\101b", ""),
        (r"\U0001F600ab", ""),
        (r"\N{BULLET}ab", ""),
        (r"(a)bc\1", ""),
        (r"(?<=ab)cde", "cde"),
        (r"[(|]ab", "ab"),
    ],
)
def test_the_letters_of_an_alternative_are_those_that_no_match_lacks(alternative: str, letters: str) -> None:
    assert letters_in(alternative) == letters


@pytest.mark.parametrize(
    "listed",
    [*components._ROLES.values(), symptoms._ANGRY, onset_time._FULL_HOUR, *onset_time._UNITS],
    ids=lambda listed: listed._name,
)
def test_a_list_is_tried_on_every_text_that_one_of_its_alternatives_matches(listed: WordList) -> None:
    for word in lexicon(listed._file).words(listed._name):

        @settings(max_examples=3, derandomize=True, deadline=None, database=None)
        @given(from_regex(word))
        def tried(text: str) -> None:
            assert [match.span() for match in listed.matches(text)] == [m.span() for m in listed._regex.finditer(text)]

        tried()


@pytest.mark.parametrize("file", FILES)
def test_every_list_of_a_file_is_made_of_regular_expressions(file: str) -> None:
    words = lexicon(file)
    assert words or words.tables
    for name in words:
        words.check(name)
        for language, written in words.by_language(name).items():
            assert len(set(written)) == len(written), f"{file}: {name}.{language}: an alternative stands twice"


def test_every_expression_over_word_lists_compiles() -> None:
    compiled = 0
    for module in MODULES:
        for value in vars(module).values():
            for pattern in (
                value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
            ):
                if isinstance(pattern, WordPattern):
                    compiled += pattern.regex.groups >= 0
                if isinstance(pattern, PatternSet):
                    pattern.matched("claude is down")
    assert compiled > 30
    assert error_codes("error 503") == ("503",)
    assert days_named("on Monday", date(2026, 3, 4)) == {date(2026, 3, 2)}
    assert looks_years_back("a year ago")
    began = onset_time.since_when("down for half an hour", utc("2026-03-02T12:00:00Z"))
    assert began is not None
    assert began.at == utc("2026-03-02T11:30:00Z")


@pytest.mark.parametrize("file", [file for file in FILES if file not in WHOLE])
def test_every_list_is_read_by_some_rule(file: str) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "pipeline" / "text").glob("*.py")))
    words = lexicon(file)
    assert [name for name in [*words, *words.tables] if not re.search(rf'%\({name}\)s|"{name}"', code)] == []


def test_texts_are_not_read_with_the_words_of_another_language_order_than_the_file_has(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        "[greeting]\nen = ['hello', 'hi']\nfr = ['salut']\n[count]\none = 1\nhalf = 0.5\n"
    )
    words = lexicon("mine", tmp_path)
    assert dict(words) == {"greeting": "hello|hi|salut"}
    assert words.by_language("greeting") == {"en": ("hello", "hi"), "fr": ("salut",)}
    assert words.numbers("count") == {"one": 1.0, "half": 0.5}
    assert words.compile(r"^%(greeting)s 5%%$").pattern == "^hello|hi|salut 5%$"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[down", "cannot be read"),
        ("down = 'gone'", "down: must be a table"),
        ("[down]", "down: must be a table"),
        ("[down]\nen = 'gone'", "down.en: must be a list of words"),
        ("[down]\nen = []", "down.en: must be a list of words"),
        ("[down]\nen = ['gone', '']", "down.en: must be a list of words"),
        ("[down]\nen = ['gone', 3]", "down.en: must be a list of words"),
        ("[down]\nen = ['gone']\nfr = ['(parti']", "down.fr: '(parti' is no regular expression"),
        ("[gone]\nen = ['gone']", "down: the list is missing"),
    ],
)
def test_a_broken_file_is_refused_in_one_line_that_names_file_and_list(text: str, key: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        lexicon("mine", tmp_path).compile(r"\b(?:%(down)s)\b")
    assert str(refused.value).startswith(f"{tmp_path / 'mine.toml'}: {key}")
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_table_of_numbers_that_is_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        lexicon("none", tmp_path)
    (tmp_path / "mine.toml").write_text("[weekdays]\nen = ['monday', 'tuesday|tue']\n")
    words = lexicon("mine", tmp_path)
    with pytest.raises(ConfigError, match=r"mine\.toml: numbers: the table of numbers is missing"):
        words.numbers("numbers")
    assert words.rows("weekdays", 2) == [("monday",), ("tuesday", "tue")]
    with pytest.raises(ConfigError, match=r"mine\.toml: weekdays\.en: needs 7 entries, has 2"):
        words.rows("weekdays", 7)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)


@pytest.mark.parametrize(
    ("file", "good", "broken", "key"),
    [
        ("cues", "'bad gateway'", "'(bad gateway'", "errorcode.en"),
        ("cues", "'bad gateway'", "'(?<=a)bad gateway'", "errorcode: RE2 cannot read this list"),
        ("services", "[trade]", "[trade", "cannot be read"),
    ],
)
def test_the_program_ends_with_one_line_about_a_broken_word_list(
    file: str, good: str, broken: str, key: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(LEXICON, tmp_path / "lexicon")
    path = folder / f"{file}.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(good, broken, 1), encoding="utf-8")
    posts = tmp_path / "posts.csv"
    posts.write_text("id,text\n1,Claude is down\n", encoding="utf-8")
    refused = run(folder, "score-posts", str(posts))
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert f"{path}: {key}" in refused.stderr


def test_help_reads_no_word_list(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing", "--help").returncode == 0
