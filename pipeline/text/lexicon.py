"""Word lists in data/lexicon/*.toml: what people write, by language, where a translator can mend it.

A table of a file is a word list: for each language the alternatives of a regular expression. Or it holds numbers:
words and what they stand for. Files are read when first used, once a process; data/lexicon/README.md describes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from pipeline.config.paths import CACHE, LEXICON
from pipeline.core.errors import ConfigError
from pipeline.core.kept import kept_toml


@dataclass(frozen=True, slots=True)
class Lexicon(Mapping[str, str]):
    """One file. As a mapping: the name of each word list, in the file's order, to its alternatives joined by `|`."""

    path: Path
    lists: Mapping[str, Mapping[str, tuple[str, ...]]]
    tables: Mapping[str, Mapping[str, float]]

    def __getitem__(self, name: str) -> str:
        """Return the alternatives of a list as one; raises ConfigError where the file has no such list."""
        return "|".join(self.words(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the alternatives of a list; raises ConfigError where the file has no such list."""
        return tuple(word for words in self.by_language(name).values() for word in words)

    def by_language(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Return the alternatives of a list by language; raises ConfigError where the file has no such list."""
        if name not in self.lists:
            raise self.error(name, "the list is missing")
        return self.lists[name]

    def rows(self, name: str, count: int) -> list[tuple[str, ...]]:
        """Return the names of each of `count` things that every language lists in the same order (weekdays, months).

        Names of one thing in one language are parted by `|`. Raises ConfigError where a language lists more or less.
        """
        languages = self.by_language(name)
        for language, words in languages.items():
            if len(words) != count:
                raise self.error(f"{name}.{language}", f"needs {count} entries, has {len(words)}")
        columns = zip(*languages.values(), strict=True)
        return [tuple(dict.fromkeys(word for entry in column for word in entry.split("|"))) for column in columns]

    def numbers(self, name: str) -> Mapping[str, float]:
        """Return what words stand for; raises ConfigError where the file has no such table of numbers."""
        if name not in self.tables:
            raise self.error(name, "the table of numbers is missing")
        return self.tables[name]

    def compile(self, template: str) -> re.Pattern[str]:
        """Return a template compiled, each `%(name)s` in it replaced by a list; raises ConfigError."""
        try:
            return re.compile(template % self)
        except re.error as error:
            for name in re.findall(r"%\((\w+)\)s", template):
                self.check(name)
            raise self.error(template[:60], f"the lists in it make no regular expression: {error}") from error

    def check(self, name: str) -> None:
        """Raise ConfigError about the first alternative of a list that is no regular expression."""
        for language, words in self.by_language(name).items():
            for word in words:
                try:
                    re.compile(word)
                except re.error as error:
                    raise self.error(f"{name}.{language}", f"{word!r} is no regular expression: {error}") from error

    def error(self, key: str, why: str) -> ConfigError:
        """Return the error that names the file and a key in it."""
        return ConfigError(f"{self.path}: {key}: {why}")


@cache
def lexicon(file: str, folder: Path = LEXICON) -> Lexicon:
    """Read data/lexicon/<file>.toml; raises ConfigError naming file and key."""
    path = folder / f"{file}.toml"
    try:
        content = kept_toml(path.read_bytes(), CACHE)
    except (OSError, ValueError) as error:  # not text, or no TOML
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    lists: dict[str, dict[str, tuple[str, ...]]] = {}
    tables: dict[str, dict[str, float]] = {}
    for name, table in content.items():
        if not isinstance(table, dict) or not table:
            raise ConfigError(f"{path}: {name}: must be a table, of languages or of numbers")
        if all(type(value) in (int, float) for value in table.values()):
            tables[name] = {word: float(value) for word, value in table.items()}
            continue
        for language, words in table.items():
            if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
                raise ConfigError(f"{path}: {name}.{language}: must be a list of words, none of them empty")
        lists[name] = {language: tuple(words) for language, words in table.items()}
    return Lexicon(path, lists, tables)


_REPEATS = r"(?:[?*+]+|\{[^}]*\}\??)"
# flags, that change what letters mean, and characters and groups by number or name: no letters are read beside them
_NOT_READ = re.compile(r"\(\?[aiLmsux-]+[:)]|\\[xuUN\d]")
# what is replaced in an alternative, in turn, until its letters are left, parted by line feeds
_TO_LETTERS = (
    (re.compile(rf"\\.{_REPEATS}?"), "\n"),
    (re.compile(rf"\[[^\]]*\]{_REPEATS}?"), "\n"),
    (re.compile(rf"\([^()]*\){_REPEATS}?"), "\n"),
    (re.compile(r"(?s)(.)(?:\+|\{[1-9][^}]*\})\??"), r"\1\n"),
    (re.compile(rf"(?s).{_REPEATS}|[.^$]"), "\n"),
)


def letters_in(alternative: str) -> str:
    """Return letters that stand in every text which an alternative matches; empty where none are known."""
    if _NOT_READ.search(alternative):
        return ""
    for pattern, instead in _TO_LETTERS:
        before = ""
        while before != alternative:  # groups within groups
            before, alternative = alternative, pattern.sub(instead, alternative)
    return "" if set("|()[]{}?*+") & set(alternative) else max(alternative.split("\n"), key=len)


class WordList:
    """The alternatives of one list as a regular expression, tried only on texts that hold the letters of one.

    Python tries an alternation of many words at each place of a text; whether letters are in it, it knows at once.
    """

    def __init__(self, file: str, name: str) -> None:
        """Take the file's name and the list's."""
        self._file, self._name = file, name

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return lexicon(self._file).compile(f"%({self._name})s")

    @cached_property
    def _letters(self) -> tuple[str, ...]:
        letters = dict.fromkeys(letters_in(word) for word in lexicon(self._file).words(self._name))
        return tuple(some for some in letters if not any(other != some and other in some for other in letters))

    def may_match(self, normalized: str) -> bool:
        """Return whether a normalized text holds the letters of an alternative: without them none matches."""
        return any(letters in normalized for letters in self._letters)

    def matches(self, normalized: str) -> Iterator[re.Match[str]]:
        """Return the matches in a normalized text, in order; raises ConfigError."""
        return self._regex.finditer(normalized) if self.may_match(normalized) else iter(())


class WordPattern:
    """A regular expression over word lists of one file, compiled when first used."""

    def __init__(self, file: str, template: str) -> None:
        """Take the file's name and the expression; `%(name)s` in it is a word list, and `%%` a percent sign."""
        self._file, self._template = file, template

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The compiled expression; raises ConfigError."""
        return lexicon(self._file).compile(self._template)
