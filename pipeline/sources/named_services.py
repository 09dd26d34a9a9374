"""The ids of services that a file names, and what to do about a name that the catalogue lacks."""

from __future__ import annotations

from pipeline.core.catalogue import Catalogue, plain_name, resolve_service, service_ids
from pipeline.core.errors import ConfigError
from pipeline.core.names import SERVICE_ID

MOST_UNKNOWN = 100  # names of services for which the nearest are looked for


class ServiceIds:
    """Gives the id of a service that a file names; `new` takes the names that the catalogue lacks, too."""

    def __init__(self, catalogue: Catalogue, *, new: bool = False, in_run: bool = False) -> None:
        """`added` holds the names taken so far that the catalogue lacks; `in_run` as in CountsOptions."""
        self._catalogue, self._new = catalogue, new
        self._remedy = "a [services.<id>] table takes it" if in_run else "--new takes it, or a [services.<id>] table"
        self._known = service_ids(catalogue)
        self._unknown: dict[str, str] = {}
        self.added: set[str] = set()

    def named(self, name: str) -> str:
        """Return the id; raises ConfigError with the nearest names where the catalogue lacks it and none may be new."""
        if (known := self._known.get(plain_name(name))) is not None:
            return known
        if self._new:
            if not SERVICE_ID.fullmatch(name):
                raise ConfigError(f"{name[:80]!r} is no id of a new service: a-z, 0-9 and _ only")
            self.added.add(name)
            return name
        if name not in self._unknown and len(self._unknown) < MOST_UNKNOWN:
            try:
                resolve_service(self._catalogue, name)
            except ConfigError as error:
                self._unknown[name] = f"{error}; {self._remedy}"
        raise ConfigError(self._unknown.get(name, f"{name[:80]!r} is not in the catalogue"))

    def __call__(self, name: str) -> str:
        """Return the id as `named` does; raises ValueError, for a row."""
        try:
            return self.named(name)
        except ConfigError as error:
            raise ValueError(str(error)) from error
