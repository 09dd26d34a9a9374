"""Whether a name that is also an ordinary word, a first name or a part means a service: by what stands next to it."""

from __future__ import annotations

from functools import cached_property

from pipeline.text.cues import FAILURES, lexicon_features
from pipeline.text.language import UNDETERMINED, language_of
from pipeline.text.lexicon import WordPattern
from pipeline.text.masking import TARGET
from pipeline.text.names import NameMatch, names_a_thing
from pipeline.text.normalize import CAP, normalize
from pipeline.text.patterns import PatternSet, unaccented
from pipeline.text.symptoms import symptom

NEAR = 45  # characters on either side of an ordinary word in which trouble has to be spoken of
_TRADE = PatternSet("services")
# an outage spoken of in any language tells that a name is not a person's or a fruit's
_TROUBLE = FAILURES | {"cue_status"}
_FAILS = ("login", "error", "crash", "no_response", "connection")
_CLAUSE_END = WordPattern("ordinary_words", r"(?:%(clause_end)s)")
_THING_BEFORE = WordPattern("ordinary_words", r"(?:(?<!\w)(?:%(thing_before)s) |(?:%(thing_before_joined)s))$")
_ORDINARY_BEFORE = WordPattern("ordinary_words", r"(?<!\w)(?:%(before)s) $")
_PERSON_BEFORE = WordPattern("ordinary_words", r"(?<!\w)(?:%(person_before)s)[ -]$")
_PERSON_AFTER = WordPattern("ordinary_words", r"^(?:%(person_after)s)(?!\w)")
_STATE_AFTER = WordPattern("ordinary_words", r"^(?:'s)?[ -](?:%(state)s)(?!\w)")


def speaks_of_trouble(normalized: str) -> bool:
    """Return whether a normalized text speaks of something that fails, in any language."""
    return (
        symptom(normalized) in _FAILS
        or not _TROUBLE.isdisjoint(lexicon_features(normalized))
        or "trouble" in _TRADE.matched(normalized)
    )


def _speaks_of_a_service(normalized: str) -> bool:
    return bool(_TRADE.matched(normalized)) or speaks_of_trouble(normalized)


class PostText:
    """A post, and what is asked of it more than once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.normalized = normalize(text)
        self._of_a_service: bool | None = None

    @property
    def speaks_of_a_service(self) -> bool:
        if self._of_a_service is None:
            self._of_a_service = _speaks_of_a_service(self.normalized)
        return self._of_a_service

    @cached_property
    def language(self) -> str:
        """Return the language that a post is written in, `und` where it is not known."""
        return language_of(self.text)

    @property
    def is_in_another_language(self) -> bool:
        """Return whether a post is surely written in another language than English."""
        return self.language not in ("en", UNDETERMINED)

    def is_proper_noun(self, match: NameMatch) -> bool:
        """Return whether a name is in capitals inside a sentence whose other words are not."""
        if len(self.normalized) != len(self.text[:CAP]) or not self.text[match.start].isupper():
            return False
        before = self.text[: match.start].rstrip()
        if not before or before[-1] in ".!?\n:":
            return False
        words = [word for word in self.text[max(0, match.start - 80) : match.end + 80].split() if word[0].isalpha()]
        return 2 * sum(word[0].isupper() for word in words) <= len(words)

    def is_in_lower_case(self, match: NameMatch) -> bool:
        """Return whether a name stands in small letters, as a word does; False where its place is unknown."""
        return len(self.normalized) == len(self.text[:CAP]) and self.text[match.start].islower()

    def is_a_person(self, match: NameMatch) -> bool:
        """Return whether the words next to a name say that it is somebody's: a relative, a first name, a verb."""
        before = unaccented(self.normalized[max(0, match.start - NEAR) : match.start])
        after = unaccented(self.normalized[match.end : match.end + NEAR])
        return bool(_PERSON_BEFORE.regex.search(before) or _PERSON_AFTER.regex.search(after))

    def is_of_a_longer_name(self, match: NameMatch) -> bool:
        """Return whether a name is the end of another's: of a person ("Mr. Rogers") or of a device ("S24 Plus")."""
        before = self.normalized[max(0, match.start - NEAR) : match.start].rstrip(" .-").split()
        return self.is_a_person(match) or (bool(before) and any(letter.isdigit() for letter in before[-1]))

    def has_trouble_near(self, match: NameMatch) -> bool:
        """Return whether the words next to a name speak of a service that fails, in the same clause."""
        before = self.normalized[max(0, match.start - NEAR) : match.start]
        after = self.normalized[match.end : match.end + NEAR]
        if names_a_thing(self.normalized, match.end) or _THING_BEFORE.regex.search(before):
            return True
        if _ORDINARY_BEFORE.regex.search(before):
            return False
        if _STATE_AFTER.regex.search(after):
            return True
        cut = [end.end() for end in _CLAUSE_END.regex.finditer(before)]
        before = before[cut[-1] :] if cut else before
        if end := _CLAUSE_END.regex.search(after):
            after = after[: end.end()]
        return speaks_of_trouble(f"{before}{TARGET}{after}")
