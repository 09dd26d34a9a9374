"""The catalogue of services and their components."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pipeline.core.errors import ConfigError

StatusFormat = Literal["", "statuspage", "atom"]

# the languages that are told apart in posts
LanguageCode = Literal[
    "en",
    "es",
    "pt",
    "fr",
    "de",
    "it",
    "nl",
    "pl",
    "tr",
    "id",
    "ja",
    "ar",
    "bn",
    "cs",
    "da",
    "el",
    "fi",
    "he",
    "hi",
    "hu",
    "ko",
    "no",
    "ro",
    "ru",
    "sv",
    "ta",
    "th",
    "tl",
    "uk",
    "ur",
    "vi",
    "zh",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of a service that can fail alone. `official` are its names on the provider's status page."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    name: str
    role: str = "other"
    aliases: tuple[str, ...] = ()
    official: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One entry of the catalogue (data/services.toml explains each key)."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    name: str
    kind: str = "other"
    vendor: str = ""
    aliases: tuple[str, ...] = ()
    joined_aliases: tuple[str, ...] = ()
    vendor_aliases: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    homograph: bool = False
    ordinary: tuple[str, ...] = ()
    named_in: tuple[LanguageCode, ...] = ()
    carries_vendor: bool = False
    communities: tuple[str, ...] = ()
    status_page: str = ""
    status_format: str = "auto"
    status_data: tuple[str, ...] = ()
    status_components: tuple[str, ...] = ()
    downstatus: str = ""
    downdetector: str = ""
    app_names: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()

    @property
    def page(self) -> str:
        """Return the key its status page is stored under: the host; empty without one.

        Where only some parts of the page concern the service, its id follows: others may read the rest of that page.
        """
        host = self.status_page.split("//")[-1].split("/")[0].removeprefix("www.")
        return f"{host}/{self.id}" if host and self.status_components else host

    def component_named(self, official: str) -> str | None:
        """Return the id of the component that the status page calls `official`, None when the catalogue lacks it."""
        wanted = official.strip().casefold()
        for part in self.components:
            if wanted in (name.casefold() for name in (*part.official, part.name, part.id)):
                return part.id
        return None


Catalogue = Mapping[str, Service]
NEAREST = 3  # names offered where a name is not in the catalogue
ALIKE = 0.7  # how alike the nearest has to be: no typing error makes 'myapp' of 'max app'


def service_ids(catalogue: Catalogue) -> dict[str, str]:
    """Return the id by each name of a service in plain form; ids win over names, names over aliases."""
    services = list(catalogue.values())
    ids = {plain_name(alias): s.id for s in reversed(services) for alias in s.aliases}
    ids |= {plain_name(s.name): s.id for s in reversed(services)}
    return ids | {plain_name(s.id): s.id for s in services}


def resolve_service(catalogue: Catalogue, name: str) -> Service:
    """Return the service that an id, a name or an alias means, in any case.

    Raises ConfigError that names the nearest services where the catalogue has no such name.
    """
    return service_by_name(catalogue, service_ids(catalogue), name)


def service_by_name(catalogue: Catalogue, ids: Mapping[str, str], name: str) -> Service:
    """Return the same as resolve_service; `ids` are the catalogue's service_ids, read once for many names."""
    wanted = plain_name(name)
    if wanted in ids:
        return catalogue[ids[wanted]]
    close = difflib.get_close_matches(wanted[:80], ids, n=3 * NEAREST)
    if close and difflib.SequenceMatcher(None, close[0], wanted[:80]).ratio() < ALIKE:
        close = []  # none is near: the best guess is another word
    nearest = list(dict.fromkeys(ids[match] for match in close))[:NEAREST]
    raise ConfigError(
        f"{name[:80]!r} is not in the catalogue; "
        + (f"near: {', '.join(nearest)}; " if nearest else "")
        + "`groundswell service list` has all"
    )


def plain_name(text: str) -> str:
    """Return a name for comparison: case, width, and the kind of blank between its words do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("-", " ").split())


def names(ids: Sequence[str], service: Service) -> list[str]:
    """Return the names people know components by, in catalogue order, unknown ids last as they are."""
    known = [part.name for part in service.components if part.id in ids]
    return known + sorted(set(ids) - {part.id for part in service.components})
