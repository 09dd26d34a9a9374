"""Which services, and which of their parts, a text is about.

A name that is also an ordinary word counts where the community or another word of the trade supports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from itertools import pairwise

from msgspec import structs

from pipeline.core.catalogue import Catalogue, Service, plain_name, service_ids
from pipeline.text.lexicon import WordPattern
from pipeline.text.masking import BETWEEN_NAMES, OTHER, TARGET, without_lists
from pipeline.text.name_endings import ordinary_words
from pipeline.text.names import COMPONENT, LOCAL, NAME, PERSON, VENDOR, NameFinder, NameMatch
from pipeline.text.normalize import REMEMBERED, normalize
from pipeline.text.ordinary_names import PostText

MOST_SERVICES = 6  # of those a post names that are read
LISTED = 20  # a post that names more is a list of services, and about none
_ENGLISH = WordPattern("ordinary_words", r"(?:%(english)s)")
_PARTS = WordPattern("ordinary_words", r"(?:%(parts)s)")


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
        self._ordinary_words = {service.id: ordinary_words(service) for service in catalogue.values()}
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
        """Return the services a post is about, with the matches: those named, or the community's own when none is.

        A person alone does not make a post one about a service; a vendor does where one service carries its name and
        the words next to it speak of trouble. The first `MOST_SERVICES` are returned, and none of a list of more than
        `LISTED`.
        """
        post = PostText(text)
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
            is_known = match.service in (home, *about)
            if match.kind == COMPONENT:
                is_meant = not self._is_an_ordinary_part(match, post)
            elif match.kind == LOCAL:
                is_meant = is_known or self._is_meant_locally(match, post)
            elif match.kind == NAME:
                is_supported = is_known or match.service in parts or match.service in vendors
                is_meant = is_supported or self._means_the_service(match, post, sure)
            else:
                is_meant = False
            if is_meant:
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
    def _add_listed(about: dict[str, list[NameMatch]], matches: Sequence[NameMatch], post: PostText) -> None:
        """Add the names that stand in a list with one that is meant: "Steam, Twitch and Spotify are dead"."""
        names = [match for match in matches if match.kind in (NAME, COMPONENT)]
        for near in (pairwise(names), pairwise(reversed(names))):
            for meant, name in near:
                if meant.service not in about or name.service in about or len(about) >= MOST_SERVICES:
                    continue
                first, second = sorted((meant, name), key=lambda match: match.start)
                if BETWEEN_NAMES.regex.fullmatch(post.normalized[first.end : second.start]):
                    about[name.service] = [name]

    def _means_the_service(self, match: NameMatch, post: PostText, sure: Set[str]) -> bool:
        """Return whether a name means its service and not the word or the person of that name.

        `sure` are the services named besides by names that mean nothing else: who writes "Claude" and "ChatGPT" means
        both.
        """
        service = self.catalogue[match.service]
        written = post.normalized[match.start : match.end]
        if match.sure or written not in self._ordinary_words[service.id]:
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

    def _is_meant_locally(self, match: NameMatch, post: PostText) -> bool:
        """Return whether a text is in a language in which people call the service so, and speaks of trouble near it."""
        languages = self.catalogue[match.service].named_in
        if post.language not in languages:
            return False
        return match.sure or (post.has_trouble_near(match) and not post.is_of_a_longer_name(match))

    @staticmethod
    def _is_an_ordinary_part(match: NameMatch, post: PostText) -> bool:
        """Return whether a part's name is a word of its own ("outlook") and no trouble is mentioned next to it."""
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
        news = PostText(text)
        matches = self.name_matches(news.normalized)
        vendors = _vendors_named(matches)
        kinds_of: dict[str, set[str]] = {}
        for match in matches:
            service = self.catalogue[match.service]
            if match.kind == LOCAL:
                if news.is_in_lower_case(match) or not self._is_meant_locally(match, news):
                    continue
                match = structs.replace(match, kind=NAME)
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
            if match.kind == LOCAL and match.service != target:
                continue  # a word of the text, as far as is known
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
        return without_lists("".join([*parts, normalized[reach:]]))

    def _carrier(self, matches: Sequence[NameMatch], target: str) -> str:
        """Return the target where only its vendor is named and stands for it, else nothing."""
        service: Service | None = self.catalogue.get(target)
        by_name = any(match.service == target and match.kind in (NAME, COMPONENT) for match in matches)
        return target if service is not None and service.carries_vendor and not by_name else ""
