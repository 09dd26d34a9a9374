"""What can go wrong, in words a person can act on.

An expected failure is one of these five. It carries one line that names the thing (a file and line, a source, a
key of the configuration) and what to do; commands print that line and choose the exit code. Anything else is a
bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path


class PipelineError(Exception):
    """Base of every expected failure. `str(error)` is one line for a person."""


class ConfigError(PipelineError):
    """Wrong usage or configuration: exit code 2."""


class SettingsError(ConfigError):
    """A file of the configuration is wrong; `reasons` are all that was found, each as `key: reason`."""

    def __init__(self, path: Path, reasons: Sequence[str]) -> None:
        """`path` is the file."""
        super().__init__(f"{path}: {'; '.join(reasons)}")
        self.reasons = tuple(reasons)


class Reason(StrEnum):
    """Why a source could not be read: what a program may decide by, where the message is for a person."""

    UNREACHABLE = "unreachable"  # no connection: no network, no such host, nobody listens
    TIMEOUT = "timeout"  # it began to answer, or nothing came, within the deadline
    FORBIDDEN_ADDRESS = "forbidden_address"  # a private address, or not http
    LIMIT = "limit"  # more bytes, requests, redirects or time than a source may cost
    KEY = "key"  # a key or password is missing or not accepted
    REFUSED = "refused"  # it answers, but not with data: 403, 429, a block page, a login
    WAITING = "waiting"  # it asked us to come back later, and it is not later yet
    STATUS = "status"  # any other HTTP status than success
    UNREADABLE = "unreadable"  # data, but not of the form it should have
    FILE = "file"  # a file cannot be opened
    UNEXPECTED = "unexpected"  # a bug of ours


_BLOCKED = frozenset({Reason.KEY, Reason.REFUSED, Reason.WAITING})


class SourceError(PipelineError):
    """One source, file or row could not be read; the others go on. `str(error)` is `source: message`.

    Fields: `message` the words without the source, `source` its name (or the file, where it is about one; empty while
    nobody has named it), `reason`, `status` the HTTP status if there was one, `retry_after` until when the source asked
    us to wait, as ISO text, `head` the first bytes of what it answered, kept in the quarantine, `state` what the source
    wants to know next time.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str = "",
        reason: Reason = Reason.UNREADABLE,
        status: int | None = None,
        retry_after: str | None = None,
        head: bytes = b"",
        state: Mapping[str, str] | None = None,
    ) -> None:
        """All but the message have defaults that fit an answer of the wrong form."""
        super().__init__(message)
        self.message, self.source, self.reason, self.status = message, source, reason, status
        self.retry_after, self.head = retry_after, head
        self.state = state or {}

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"{self.source}: {self.message}" if self.source else self.message

    @property
    def outcome(self) -> str:
        """`blocked` where the source refused us (a gap, never a zero), else `error`."""
        return "blocked" if self.reason in _BLOCKED else "error"


class ChannelError(PipelineError):
    """An alert could not be delivered. `permanent` means that trying again cannot help.

    `down`: nobody answers there, so that the next message need not ask. `pending_recipients`: the addresses that were
    put off, `refused_recipients`: those refused for good. `delivered`: others have it, now or since an earlier try.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        down: bool = False,
        pending_recipients: Sequence[str] = (),
        refused_recipients: Sequence[str] = (),
        delivered: bool = False,
    ) -> None:
        """`permanent=False` keeps the alert due."""
        super().__init__(message)
        self.permanent, self.down, self.delivered = permanent, down, delivered
        self.pending_recipients, self.refused_recipients = tuple(pending_recipients), tuple(refused_recipients)


class ClockError(PipelineError):
    """The clock of this machine is wrong, as servers or upstreams show: nothing was stored or sent. Exit code 1."""


class StoreError(PipelineError):
    """The database cannot be opened, read or written."""
