"""What a source says of itself: how it is built, its key, which services it covers, what to do when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct

from detectors.count_kinds import CountKind
from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.records import Batch
from pipeline.core.secret import SecretStr
from pipeline.sources.author_keys import salt_of

if TYPE_CHECKING:
    from pipeline.http.session import HttpClient


MOST_SEARCHES = 60  # services that are each searched for in a turn: more searches would not end within its deadline


class Source(Protocol):
    """One upstream. `name` is its kind, or `kind:which` where a kind has several."""

    name: str

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str], /) -> Batch:
        """Return what is new since a moment; `state` is what it asked to keep last time. Raises SourceError."""
        ...


class Coverage(NamedTuple):
    """Whether a kind of source covers a service: what it looks for, or why it does not."""

    covered: bool
    how: str


class DocsRow(NamedTuple):
    """What docs/sources.md says of a source: the title, what it brings, its key, how far it reads, and settles when."""

    title: str
    brings: str
    key: str
    reads: str
    settled_after: str


class ReadPlan(NamedTuple):
    """What a run reads by its configuration.

    `built` are the names of the sources that it builds, `named` the ids of the services in `watch` (empty: all are
    watched), `searched` those of them for which a source that makes a search for each service makes one.
    """

    config: Config
    built: frozenset[str]
    named: frozenset[str]
    searched: frozenset[str]


def read_plan(config: Config, built: Iterable[str]) -> ReadPlan:
    """Return the plan of a configuration and the names of its sources; one serves all services."""
    return ReadPlan(config, frozenset(built), frozenset(config.watch), frozenset(config.watch[:MOST_SEARCHES]))


Build = Callable[[Config, "HttpClient", Path | None], Sequence[Source]]
Covers = Callable[[ReadPlan, Service], Coverage]


class SourceSpec(Struct, frozen=True, kw_only=True):
    """One kind of source.

    `build(config, client, config_path)` returns what a run asks, nothing where it is switched off or lacks its key;
    `covers(plan, service)` says whether a service is covered. `secrets` are the names of the settings it needs;
    `key_kind` is what such a key is, `where_to_get_a_key` an address or a contract. `remedy` is what a person can do
    when it fails. `prefix` is what its sources' names begin with, where that is not the kind. `counts` is what is
    counted in its counts, where a batch does not say otherwise.
    """

    kind: str
    label: str
    build: Build
    covers: Covers
    remedy: str
    docs: DocsRow
    secrets: tuple[str, ...] = ()
    where_to_get_a_key: str = ""
    key_kind: str = ""
    prefix: str = ""
    counts: CountKind = CountKind.REPORTS

    @property
    def name_prefix(self) -> str:
        """What the names of its sources begin with."""
        return self.prefix or self.kind

    def missing_secrets(self, config: Config) -> list[str]:
        """Return the environment variables that are not set of those it needs."""
        return [f"GROUNDSWELL_{name.upper()}" for name in self.secrets if getattr(config.secrets, name, None) is None]

    def missing_key(self, config: Config) -> str:
        """Return why it cannot be read for want of a key; empty when it has one, or needs none."""
        if not self.missing_secrets(config):
            return ""
        wanted = " and ".join(f"GROUNDSWELL_{name.upper()}" for name in self.secrets)
        return f"no key: {wanted} ({self.key_kind})"


def first_reason(covered: bool, how: str, *reasons: str) -> Coverage:
    """Return a Coverage with what it looks for, or the first reason that is not empty (`switched off` without one)."""
    return Coverage(covered, how if covered else next((reason for reason in reasons if reason), "switched off"))


def unnamed(plan: ReadPlan, service: Service) -> str:
    """Return why a source that reads only for services named in `watch` leaves one out; empty when it does not."""
    return "" if service.id in plan.named else "it is not named in watch"


def unsearched(plan: ReadPlan, service: Service) -> str:
    """Return why a source that makes a search for each service leaves one out; empty when it does not."""
    searched = service.id in plan.searched
    return unnamed(plan, service) or ("" if searched else f"only the first {MOST_SEARCHES} in watch are searched for")


def named_services(config: Config) -> list[Service]:
    """Return the services the configuration names; none when the whole catalogue is watched."""
    return [config.catalogue[service] for service in config.watch]


def searched_services(config: Config) -> list[Service]:
    """Return the services named first: those for which a source that makes a search for each makes one."""
    return [config.catalogue[service] for service in config.watch[:MOST_SEARCHES]]


def key_pair(key: SecretStr | None, secret: SecretStr | None) -> tuple[str, str] | None:
    """Return both halves of a key as text, None unless both are set."""
    return None if key is None or secret is None else (key.get_secret_value(), secret.get_secret_value())


def author_salt(config: Config) -> bytes:
    """Return the key under which authors' names are hashed; where none is configured the known one: store nothing."""
    return salt_of(config.secrets.author_salt)
