"""What can go wrong, in words a person can act on.

An expected failure is one of these four. It carries one line that names the thing (a file and line, a source, a
key of the configuration) and what to do; commands print that line and choose the exit code. Anything else is a
bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class PipelineError(Exception):
    """Base of every expected failure. `str(error)` is one line for a person."""


class ConfigError(PipelineError):
    """Wrong usage or configuration: exit code 2."""


class SourceError(PipelineError):
    """One source, file or row could not be read; the others go on.

    `outcome` is `error` or `blocked` (the source refused us: a gap, never a zero), `retry_after` when it asked us
    to come back, `head` the first bytes of what it answered, kept in the quarantine, `state` what to remember.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome: str = "error",
        retry_after: str | None = None,
        head: bytes = b"",
        state: Mapping[str, str] | None = None,
    ) -> None:
        """All but the message have defaults that fit a failure of our own."""
        super().__init__(message)
        self.outcome = outcome
        self.retry_after = retry_after
        self.head = head
        self.state = state or {}


class ChannelError(PipelineError):
    """An alert could not be delivered. `permanent` means that trying again cannot help.

    `down`: nobody answers there, so that the next message need not ask. `pending_recipients`: the addresses that were put
    off while the others have it.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, down: bool = False, pending_recipients: Sequence[str] = ()
    ) -> None:
        """`permanent=False` keeps the alert due."""
        super().__init__(message)
        self.permanent, self.down, self.pending_recipients = permanent, down, tuple(pending_recipients)


class StoreError(PipelineError):
    """The database cannot be opened, read or written."""
