"""Which services, and which of their parts, a text is about.

A name that is also an ordinary word counts where the community or another word of the trade supports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cached_property, lru_cache
from itertools import pairwise

from pipeline.core.catalogue import Catalogue, Service, plain_name, service_ids
from pipeline.text.cues import FAILURES, lexicon_features
from pipeline.text.language import UNDETERMINED, language_of
from pipeline.text.lexicon import WordPattern
from pipeline.text.names import COMPONENT, NAME, PERSON, VENDOR, NameFinder, NameMatch, names_a_thing
from pipeline.text.normalize import CAP, REMEMBERED, normalize
from pipeline.text.patterns import PatternSet, unaccented
from pipeline.text.symptoms import symptom

__all__ = ["LISTED", "MOST_SERVICES", "OTHER", "TARGET", "NameMatch", "ServiceMatcher"]

TARGET, OTHER = "svctarget", "svcother"
MOST_SERVICES = 6  # of those a post names that are read
LISTED = 20  # a post that names more is a list of services, and about none
NEAR = 45  # characters on either side of an ordinary word in which trouble has to be spoken of
_TRADE = PatternSet("services")
# an outage spoken of in any language tells that a name is not a person's or a fruit's
_TROUBLE = FAILURES | {"cue_status"}
_FAILS = ("login", "error", "crash", "no_response", "connection")
_CLAUSE_END = WordPattern("ordinary_words", r"(?:%(clause_end)s)")
_THING_BEFORE = WordPattern("ordinary_words", r"(?:(?<!\w)(?:%(thing_before)s) |(?:%(thing_before_joined)s))$")
_ORDINARY_BEFORE = WordPattern("ordinary_words", r"(?<!\w)(?:%(before)s) $")
_ENGLISH = WordPattern("ordinary_words", r"(?:%(english)s)")
_PERSON_BEFORE = WordPattern("ordinary_words", r"(?<!\w)(?:%(person_before)s)[ -]$")
_PERSON_AFTER = WordPattern("ordinary_words", r"^(?:%(person_after)s)(?!\w)")
_PARTS = WordPattern("ordinary_words", r"(?:%(parts)s)")
_NAMES = rf"(?:{TARGET}|{OTHER})"
_BETWEEN = r"(?:\s*(?:%(between)s)\s*|\s*,?\s+(?:%(joins)s)\s+)"
_JOINED = WordPattern("clauses", _BETWEEN)
_LIST = WordPattern(
    "clauses", rf"{_NAMES}(?:{_BETWEEN}{_NAMES}){{2,}}|{_NAMES}{_BETWEEN}{_NAMES}(?=\s*(?:%(plural)s)(?!\w))"
)
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


def _without_lists(masked: str) -> str:
    """Return a masked text with one name for a list of them: in "A, B and C are down" the order says nothing."""
    if masked.count(TARGET) + masked.count(OTHER) < 2:
        return masked
    return _LIST.regex.sub(lambda names: TARGET if TARGET in names[0] else OTHER, masked)


class _Text:
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
    def is_in_another_language(self) -> bool:
        """Return whether a post is surely written in another language than English."""
        return language_of(self.text) not in ("en", UNDETERMINED)

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
        """Return whether the words right beside a name say that it is somebody's: a relative, a first name, a verb."""
        before = unaccented(self.normalized[max(0, match.start - NEAR) : match.start])
        after = unaccented(self.normalized[match.end : match.end + NEAR])
        return bool(_PERSON_BEFORE.regex.search(before) or _PERSON_AFTER.regex.search(after))

    def has_trouble_near(self, match: NameMatch) -> bool:
        """Return whether the words right beside a name speak of a service that fails, in the same clause."""
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


def _vendors_named(matches: Sequence[NameMatch]) -> Set[str]:
    """Return the services whose vendor, or a person of it, is named."""
    return {match.service for match in matches if match.kind in (VENDOR, PERSON)}


class ServiceMatcher:
    """Finds the services of a catalogue in text."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Build the finder of names, and the table of communities."""
        self.catalogue = catalogue
        self.home: dict[str, str] = {}
        for service in catalogue.values():
            for community in service.communities:
                self.home.setdefault(community.casefold(), service.id)
        self._ids = service_ids(catalogue)
        # asked of a text once for its services and once more for each of them
        self._matches = lru_cache(REMEMBERED)(NameFinder(catalogue.values()).matches)

    def id_of(self, name: str) -> str:
        """Return the id of the service that a name means, in any case and spelling; the name itself otherwise.

        An id, a name or an alias; else the name of a part, or of a vendor whose service is meant by it.
        """
        if known := self._ids.get(plain_name(name)):
            return known
        spelled = normalize(name)
        whole = [match for match in self.name_matches(spelled) if (match.start, match.end) == (0, len(spelled))]
        named = [m.service for m in whole if m.kind == COMPONENT or self.catalogue[m.service].carries_vendor]
        return named[0] if named else name

    def name_matches(self, normalized: str) -> list[NameMatch]:
        """Return the names in a normalized text, longest at each place, in order."""
        return list(self._matches(normalized))

    def about(self, text: str, community: str = "") -> Mapping[str, list[NameMatch]]:
        """Return the services a post speaks of, with the matches: those named, or the community's own when none is.

        A person alone does not make a post one about a service; a vendor does where one service carries its name and
        the words beside it speak of trouble. The first `MOST_SERVICES` are returned, and none of a list of more than
        `LISTED`.
        """
        post = _Text(text)
        matches = self.name_matches(post.normalized)
        home = self.home.get(community.casefold(), "")
        if not matches:
            return {home: []} if home else {}
        vendors, sure = _vendors_named(matches), self._surely_named(matches)
        if len({match.service for match in matches if match.kind in (NAME, COMPONENT)}) > LISTED:
            return {}
        parts = {match.service for match in matches if match.kind == COMPONENT}
        about: dict[str, list[NameMatch]] = {}
        for match in matches:
            if match.service not in about and len(about) >= MOST_SERVICES:
                continue
            if (match.kind == COMPONENT and not self._is_an_ordinary_part(match, post)) or (
                match.kind == NAME
                and (
                    match.service in parts
                    or match.service in (home, *about)
                    or match.service in vendors
                    or self._means_the_service(match, post, sure)
                )
            ):
                about.setdefault(match.service, []).append(match)
        self._add_listed(about, matches, post)
        if not about:
            for match in matches:
                carried = match.kind == VENDOR and self.catalogue[match.service].carries_vendor
                if carried and (match.sure or post.has_trouble_near(match)):
                    about.setdefault(match.service, []).append(match)
        if home and not about:
            about[home] = []
        return about

    @staticmethod
    def _add_listed(about: dict[str, list[NameMatch]], matches: Sequence[NameMatch], post: _Text) -> None:
        """Add the names that stand in a list with one that is meant: "Steam, Twitch and Spotify are dead"."""
        names = [match for match in matches if match.kind in (NAME, COMPONENT)]
        for near in (pairwise(names), pairwise(reversed(names))):
            for meant, name in near:
                if meant.service not in about or name.service in about or len(about) >= MOST_SERVICES:
                    continue
                first, second = sorted((meant, name), key=lambda match: match.start)
                if _JOINED.regex.fullmatch(post.normalized[first.end : second.start]):
                    about[name.service] = [name]

    def _means_the_service(self, match: NameMatch, post: _Text, sure: Set[str]) -> bool:
        """Return whether a name means its service and not the word or the person of that name.

        `sure` are the services named besides by names that mean nothing else: who writes "Claude" and "ChatGPT" means
        both.
        """
        service = self.catalogue[match.service]
        written = post.normalized[match.start : match.end]
        if not service.homograph or match.sure or " " in written or not written.isascii():
            return True
        if not service.ordinary and not sure.isdisjoint(service.rivals):
            return True
        if post.is_a_person(match):
            return False
        if service.ordinary and post.has_trouble_near(match):
            return True
        if _ENGLISH.regex.fullmatch(written) and post.is_in_another_language:
            return True
        return (not service.ordinary or post.is_proper_noun(match)) and post.speaks_of_a_service

    @staticmethod
    def _is_an_ordinary_part(match: NameMatch, post: _Text) -> bool:
        """Return whether a part's name is a word of its own ("outlook") and no trouble is spoken of beside it."""
        written = post.normalized[match.start : match.end]
        return bool(
            not match.sure
            and _PARTS.regex.fullmatch(written)
            and not post.is_proper_noun(match)
            and not post.has_trouble_near(match)
        )

    def _surely_named(self, matches: Sequence[NameMatch]) -> Set[str]:
        """Return the services named by a name that is no ordinary word."""
        named = (match for match in matches if match.kind in (NAME, COMPONENT))
        return {match.service for match in named if match.sure or not self.catalogue[match.service].homograph}

    def entities(self, text: str) -> dict[str, tuple[str, ...]]:
        """Return the services a news text names, each with how: name, component, vendor, person."""
        news = _Text(text)
        matches = self.name_matches(news.normalized)
        vendors = _vendors_named(matches)
        kinds_of: dict[str, set[str]] = {}
        for match in matches:
            service = self.catalogue[match.service]
            if match.kind == NAME and service.homograph and match.service not in vendors:
                is_a_word = service.ordinary and news.is_in_lower_case(match) and not news.has_trouble_near(match)
                if is_a_word or not news.speaks_of_a_service:
                    continue
            kinds_of.setdefault(match.service, set()).add(match.kind)
        return {service: tuple(sorted(kinds)) for service, kinds in sorted(kinds_of.items())}

    def masked(self, text: str, target: str) -> str:
        """Return the normalized text with the target's names as one word and all other services' as another.

        The classifier then learns how people speak of a service that fails, not which service it was.
        """
        normalized = normalize(text)
        matches = self.name_matches(normalized)
        carrier = self._carrier(matches, target)
        parts: list[str] = []
        reach = 0
        for match in matches:
            if match.start < reach or match.kind == PERSON or (match.kind == VENDOR and match.service != carrier):
                continue
            # an account that a post is addressed to is no part of what it says
            if match.sure and normalized[match.start - 1 : match.start] == "@":
                continue
            # the part of a service stays readable: "api" says something that "svctarget" does not
            own = TARGET if match.service == target or not target else OTHER
            word = f"{own} {match.component}" if match.component and match.service == target else own
            # the words of a hashtag are read as words
            before = " " if normalized[match.start - 1 : match.start].isalnum() and match.sure else ""
            after = " " if normalized[match.end : match.end + 1].isalnum() and match.sure else ""
            parts += [normalized[reach : match.start], before, word, after]
            reach = match.end
        return _without_lists("".join([*parts, normalized[reach:]]))

    def _carrier(self, matches: Sequence[NameMatch], target: str) -> str:
        """Return the target where only its vendor is named and stands for it, else nothing."""
        service: Service | None = self.catalogue.get(target)
        by_name = any(match.service == target and match.kind in (NAME, COMPONENT) for match in matches)
        return target if service is not None and service.carries_vendor and not by_name else ""
