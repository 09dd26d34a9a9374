"""What can go wrong at which system call."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass

# in the order of the shim
CALLS = (
    "open",
    "read",
    "pread",
    "write",
    "pwrite",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "ftruncate",
    "mmap",
    "lock",
    "socket",
    "connect",
    "send",
    "recv",
)
# a positive number is the errno of a call that fails; the others are those of the shim
KINDS: Mapping[str, int] = {
    name: getattr(errno, name)
    for name in (
        "EACCES",
        "ECONNREFUSED",
        "ECONNRESET",
        "EDQUOT",
        "EINTR",
        "EIO",
        "EMFILE",
        "ENETUNREACH",
        "ENFILE",
        "ENOLCK",
        "ENOMEM",
        "ENOSPC",
        "EPIPE",
        "EROFS",
        "ETIMEDOUT",
    )
} | {
    "kill": -1,
    "torn": -2,  # half is written, then the process dies
    "power": -3,  # the process dies and nothing that was not synced is on the disk
    "reorder": -4,  # the process dies and every other write that was not synced is on the disk
    "slow": -5,  # 0.3 s once, 10 ms each for ever
    "short": -6,  # half is read or written; a connection is closed
}
DEADLY = ("kill", "torn", "power", "reorder")
WRITES = ("ENOSPC", "EIO", "EINTR", "EDQUOT", "EROFS", "kill", "torn", "power", "reorder", "slow", "short")
SYNCS = ("EIO", "ENOSPC", "kill", "power", "reorder", "slow")
ONCE: Mapping[str, tuple[str, ...]] = {
    "open": ("ENOSPC", "EIO", "EINTR", "EMFILE", "ENFILE", "EACCES", "EROFS", "kill", "power", "slow"),
    "read": ("EIO", "EINTR", "kill", "slow", "short"),
    "pread": ("EIO", "EINTR", "kill", "slow"),
    "write": WRITES,
    "pwrite": tuple(kind for kind in WRITES if kind != "short"),  # SQLite takes a short one for a full disk
    "fsync": SYNCS,
    "fdatasync": SYNCS,
    "rename": ("ENOSPC", "EIO", "EACCES", "EROFS", "kill", "power", "slow"),
    "unlink": ("EIO", "EACCES", "EROFS", "kill"),
    "ftruncate": ("EIO", "ENOSPC", "kill"),
    "mmap": ("ENOMEM", "kill"),
    "lock": ("EINTR", "ENOLCK", "EIO", "kill"),
    "socket": ("EMFILE", "ENFILE", "kill"),
    "connect": ("ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EINTR", "kill", "slow"),
    "send": ("EPIPE", "ECONNRESET", "EINTR", "ETIMEDOUT", "kill", "torn", "power", "slow"),
    "recv": ("ECONNRESET", "EINTR", "ETIMEDOUT", "kill", "power", "slow", "short"),
}
FOR_EVER: Mapping[str, tuple[str, ...]] = {
    "open": ("ENOSPC", "EIO", "EMFILE"),
    "pread": ("EIO",),
    "write": ("ENOSPC", "EIO", "slow"),
    "pwrite": ("ENOSPC", "EIO", "slow"),
    "fdatasync": ("ENOSPC", "EIO", "slow"),
    "rename": ("ENOSPC", "EIO"),
    "unlink": ("EIO",),
    "socket": ("EMFILE",),
    "connect": ("ECONNREFUSED", "ETIMEDOUT"),
    "send": ("EPIPE", "slow"),
    "recv": ("ECONNRESET", "slow"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong: the `nth` call of a kind, once or from then on."""

    call: str
    kind: str
    nth: int
    lasting: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """Return the call and the name of what goes wrong with it."""
        return self.call, f"{self.kind} lasting" if self.lasting else self.kind


def faults_of(calls: Mapping[str, int], most: int) -> list[Fault]:
    """Return faults of every pair, at most `most` of each, spread over the calls that a run makes."""
    return [
        Fault(call=call, kind=kind, nth=nth, lasting=lasting)
        for kinds, lasting in ((ONCE, False), (FOR_EVER, True))
        for call in CALLS
        for kind in kinds.get(call, ())
        for nth in spread(calls[call], most)
    ]


def spread(number: int, most: int) -> list[int]:
    """Return at most `most` numbers from 1 to `number` at equal distances; of a few the middle ones, not the first."""
    if number <= most:
        return list(range(1, number + 1))
    return sorted({1 + (2 * n + 1) * number // (2 * most) for n in range(most)})
