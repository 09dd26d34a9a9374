"""What the servers that a run asks say of this machine's clock: the Date headers of their answers, their certificates.

Nobody who answers may stop runs alone. Each source's turn counts once, by the host that it asked first, so that a
redirect adds no server; hosts of one domain or at one address are one server, so that a captive portal is one; answers
over plain HTTP count only from hosts that `sources.allow_hosts` names, as anybody on the way can write them.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from msgspec import Struct

from pipeline.core.quantities import quantity
from pipeline.core.times import iso

logger = logging.getLogger(__name__)

TOLERANCE = timedelta(minutes=5)  # a clock that is off by less is right
AGREEMENT = timedelta(minutes=2)  # servers whose clocks differ by less agree
SERVERS, FEWEST_SERVERS = 3, 2  # that must agree against this machine; two where no more were asked
EARLIEST, LATEST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)  # no right clock is outside
LONGEST_DATE = 40  # characters; two headers joined by a comma are longer
OLDEST_IN_CACHE = AGREEMENT  # some caches send an older answer with its first Date, others with a new one
NAMED = 3  # servers that a message names


class ClockState(StrEnum):
    """RIGHT: a server agrees; WRONG: proven; DOUBTED: only servers that disagree, too few; UNKNOWN: no evidence."""

    RIGHT = "right"
    WRONG = "wrong"
    DOUBTED = "doubted"
    UNKNOWN = "unknown"


class CertificateTime(StrEnum):
    """Why a trusted certificate is not valid now: by a wrong clock, all are so."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


class ClockFinding(Struct, frozen=True):
    """What a run's answers show of the clock; `words` is a clause for a person, empty where there is no evidence."""

    state: ClockState
    words: str = ""


class _Disagreement(Struct, frozen=True):
    """A server whose clock is more than TOLERANCE from this machine's, which is `ahead` of it (or behind: negative)."""

    host: str
    ahead: timedelta


class ServerClocks:
    """Compares this machine's clock with those of the servers that a run asks. Safe from any thread."""

    def __init__(self, clock: Callable[[], datetime], started: datetime, *, wrong_before: bool = False) -> None:
        """`clock` is the machine's system clock, `started` what it said when the run began, by which rows are dated.

        `wrong_before`: the last run proved it wrong. Then one server that disagrees is enough, while none agrees.
        """
        self._clock, self._started, self._wrong_before = clock, started, wrong_before
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self._counted: set[str] = set()  # domains and addresses whose answer was counted
        self._agreeing: list[str] = []
        self._disagreeing: list[_Disagreement] = []
        self._certificates: dict[str, CertificateTime] = {}
        self._answered = False

    def note_asked(self, host: str) -> None:
        """Count a host that a source's turn asks first."""
        with self._lock:
            self._asked.add(domain(host))

    def note_answer(self, host: str, address: str, headers: Mapping[str, str]) -> None:
        """Compare the clocks by an answer's Date, and its Age where a cache answered; unusable headers say nothing.

        One that agrees counts, also where another answer of its domain or address did not.
        """
        with self._lock:
            self._answered = True
            server_time = answered_at(headers)
            if server_time is None:
                return
            # it came after the start, and by now at the latest, unless the clock was set back meanwhile
            first, last = self._started, max(self._started, self._clock())
            ahead = first - server_time if server_time < first else min(last - server_time, timedelta(0))
            agrees = abs(ahead) <= TOLERANCE
            if not self._counted.isdisjoint((domain(host), address)) and (self._agreeing or not agrees):
                return
            self._counted |= {domain(host), address}
            if agrees:
                self._agreeing.append(host)
            else:
                logger.info("%s says that it is %s, this machine %s", host, iso(server_time), iso(last))
                self._disagreeing.append(_Disagreement(host, ahead))

    def note_certificate(self, host: str, problem: CertificateTime) -> None:
        """Note a trusted certificate that is not valid at this machine's time."""
        with self._lock:
            self._certificates[domain(host)] = problem

    @property
    def confirmed(self) -> bool:
        """Return whether a server agrees: none can guess what a wrong clock says."""
        with self._lock:
            return bool(self._agreeing)

    def finding(self) -> ClockFinding:
        """Return what the answers until now show. A server that agrees refutes all that do not."""
        with self._lock:
            if self._agreeing:
                return ClockFinding(ClockState.RIGHT, f"agrees with that of {_named(self._agreeing)}")
            needed = min(max(len(self._asked), FEWEST_SERVERS), SERVERS)
            if not self._disagreeing:
                # an answer whose Date is not usable came by a valid certificate, or from a host that was named
                return _by_certificates({} if self._answered else self._certificates, needed)
            group = _largest_agreeing(self._disagreeing)
            ahead = group[len(group) // 2].ahead
            words = (
                f"the clock of this machine says {iso(self._started)}, {_amount(abs(ahead))}"
                f" {'ahead of' if ahead > timedelta(0) else 'behind'} that of {_named([one.host for one in group])}"
            )
            proven = self._wrong_before or (len(group) >= needed and 2 * len(group) > len(self._disagreeing))
            return ClockFinding(ClockState.WRONG if proven else ClockState.DOUBTED, words)


def domain(host: str) -> str:
    """Return what hosts of one owner share: the last two labels of a name, an address as it is.

    Under `co.uk` and the like the owners of different names are taken for one, which asks for more servers, not fewer.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ".".join(host.lower().rstrip(".").split(".")[-2:])


def answered_at(headers: Mapping[str, str]) -> datetime | None:
    """Return when a server or a cache answered by its own clock, to the second; None where the headers do not say.

    `headers` finds names in any case. A Date before this program was written is that of no clock that was ever set.
    An answer that was in a cache for longer than OLDEST_IN_CACHE does not say: its Date may be new, or as old as it is.
    """
    text, age = headers.get("Date", ""), headers.get("Age", "0").strip()
    if not text or len(text) > LONGEST_DATE or not re.fullmatch(r"[0-9]{1,9}", age):
        return None
    if int(age) > OLDEST_IN_CACHE.total_seconds():
        return None
    try:
        sent = parsedate_to_datetime(text)
        moment = sent.replace(tzinfo=sent.tzinfo or UTC).astimezone(UTC) + timedelta(seconds=int(age))
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _by_certificates(problems: Mapping[str, CertificateTime], needed: int) -> ClockFinding:
    """Return what certificates show where no answer has a usable Date: by a clock that is years off nobody answers."""
    kinds = set(problems.values())
    if len(problems) < needed or len(kinds) > 1:
        return ClockFinding(ClockState.UNKNOWN)
    direction = "ahead" if kinds == {CertificateTime.EXPIRED} else "behind"
    words = (
        f"by the clock of this machine the certificates of {_named(sorted(problems))} are all {min(kinds)}:"
        f" it is far {direction}"
    )
    return ClockFinding(ClockState.WRONG, words)


def _largest_agreeing(servers: list[_Disagreement]) -> list[_Disagreement]:
    """Return the most servers that agree with each other, sorted by their clocks; the first of several groups."""
    ordered = sorted(servers, key=lambda one: one.ahead)
    groups = ([one for one in ordered[n:] if one.ahead - ordered[n].ahead <= AGREEMENT] for n in range(len(ordered)))
    return max(groups, key=len)


def _named(hosts: list[str]) -> str:
    """Return `1 server (a)`, or how many servers with the first names."""
    names = ", ".join(hosts[:NAMED]) + (", …" if len(hosts) > NAMED else "")
    return f"{quantity(len(hosts), 'server')} ({names})"


def _amount(span: timedelta) -> str:
    """Return about how long a span is, in its largest unit: `6 minutes`, `1 day`, `20 years`."""
    for size, unit in ((timedelta(days=365), "year"), (timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if span >= size - timedelta(minutes=3):  # less the seconds that the answers took
            return quantity(max(1, round(span / size)), unit)
    return quantity(round(span / timedelta(minutes=1)), "minute")
