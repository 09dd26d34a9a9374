"""What is common to all parts of the simulated record: names, clocks, and the bumps of outages.

Every number here was fixed from the public record before any detector was run on it; scenario.toml names the
sources. Nothing is arranged so that an alarm comes early.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE.parents[2] / "services.toml"
START = datetime(2026, 2, 16, tzinfo=UTC)
END = datetime(2026, 3, 5, tzinfo=UTC)
CROWD_BEGINS = datetime(2026, 3, 2, 11, 37, tzinfo=UTC)
DAY_OF = (datetime(2026, 3, 2, 11, tzinfo=UTC), datetime(2026, 3, 3, 1, tzinfo=UTC))


def at(text: str) -> datetime:
    """Read `2026-03-02T11:37:00Z`."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, kw_only=True)
class Switches:
    """What to vary. `shift` moves everything of the outage of 2 March; `crowd` scales how many people report it."""

    seed: int = 20260302
    outage: bool = True
    shift: timedelta = timedelta(0)
    service: str = "claude"
    crowd: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Names:
    """How a service and its parts are called in texts, on its status page and in its communities."""

    id: str
    name: str
    vendor: str
    chief: str
    web: str
    code: str
    api: str
    page: str
    communities: tuple[str, ...]
    app: str
    official: dict[str, str]


def names_of(service: str) -> Names:
    """Take a service's names from the catalogue."""
    table = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["services"][service]
    parts = {part["role"]: part for part in reversed(table["components"])}

    def called(role: str, fallback: str) -> str:
        return parts[role]["name"] if role in parts else fallback

    official = {part["role"]: (part["official"] or [part["name"]])[0] for part in reversed(table["components"])}
    return Names(
        id=service,
        name=table["name"],
        vendor=table["vendor"],
        chief=table["named_by"][0].title() if table["named_by"] else f"the chief of {table['vendor']}",
        web=called("web", f"the {table['name']} site"),
        code=called("code", f"{table['name']} for developers"),
        api=called("api", f"{table['name']} API"),
        page=table["status_page"] or f"https://status.{service}.example",
        communities=tuple(table["communities"]) or (service,),
        app=(table["app_names"] or [table["name"]])[0],
        official=official,
    )


def busy(moment: datetime, offset: float, *, night: float = 0.2) -> float:
    """Return how active people at a UTC offset are: 1 at three in the afternoon, `night` at three at night."""
    hour = (moment.hour + moment.minute / 60 + offset) % 24
    wave = (1 + math.cos((hour - 15) / 24 * 2 * math.pi)) / 2
    weekend = 0.62 if (moment + timedelta(hours=offset)).weekday() >= 5 else 1.0
    return (night + (1 - night) * wave**1.3) * weekend


ZONES = {
    "US": (-6.0, 0.44),
    "CA": (-5.5, 0.08),
    "GB": (0.0, 0.16),
    "DE": (1.0, 0.14),
    "IN": (5.5, 0.12),
    "JP": (9.0, 0.06),
}


@lru_cache(maxsize=64)
def activity(moment: datetime) -> float:
    """Return how active all regions together are, about 0.3 to 0.9."""
    return sum(share * busy(moment, offset) for offset, share in ZONES.values())


@dataclass(frozen=True, kw_only=True)
class Bump:
    """An outage as the crowd sees it. Complaints are per 15 minutes, posts per minute, both at the peak."""

    incident: str
    onset: datetime
    peak: datetime
    end: datetime
    complaints: float
    posts: float
    mix: str

    def shape(self, moment: datetime) -> float:
        """Return 0 to 1: a ramp, a slow fading while it lasts, and a tail of people who notice late."""
        if moment < self.onset:
            return 0.0
        if moment < self.peak:
            return ((moment - self.onset) / (self.peak - self.onset)) ** 1.2
        if moment < self.end:
            return 1.0 - 0.65 * (moment - self.peak) / (self.end - self.peak)
        return 0.35 * math.exp(-(moment - self.end) / timedelta(minutes=25))


def bump(incident: str, onset: str, peak: str, end: str, complaints: float, posts: float, mix: str) -> Bump:
    """Write a bump on one line."""
    return Bump(
        incident=incident, onset=at(onset), peak=at(peak), end=at(end), complaints=complaints, posts=posts, mix=mix
    )


# the major official incidents before and after; their posted times are the record's, the crowd's are simulated
EARLIER = (
    bump("vx606lmrr9dh", "2026-02-23T13:58:00Z", "2026-02-23T14:30:00Z", "2026-02-23T14:57:50Z", 90, 0.8, "model"),
    bump("bdxgsy48hp00", "2026-02-25T17:07:00Z", "2026-02-25T17:26:00Z", "2026-02-25T17:46:47Z", 70, 0.7, "api"),
    bump("p4y2931r0pmy", "2026-02-25T19:08:00Z", "2026-02-25T19:22:00Z", "2026-02-25T19:37:29Z", 100, 0.9, "model"),
    bump("6rw4nd44bqqh", "2026-02-27T12:51:00Z", "2026-02-27T13:05:00Z", "2026-02-27T13:12:18Z", 80, 0.8, "web"),
    bump("zp9x05pcbwxq", "2026-02-27T13:12:00Z", "2026-02-27T13:35:00Z", "2026-02-27T14:20:00Z", 110, 1.0, "web"),
    bump("ddyyz34c24vt", "2026-02-28T12:49:00Z", "2026-02-28T13:10:00Z", "2026-02-28T13:50:00Z", 130, 1.2, "web"),
    bump("s0pmy4yywshv", "2026-03-03T14:44:00Z", "2026-03-03T15:05:00Z", "2026-03-03T15:39:41Z", 120, 1.0, "model"),
    bump("p7nq2jdg4zwj", "2026-03-03T16:45:00Z", "2026-03-03T17:30:00Z", "2026-03-03T19:00:00Z", 25, 0.2, "model"),
    # minor on the page, but about 300 reports were read off a complaint site around 04:00
    bump("yf48hzysrvl5", "2026-03-03T03:10:00Z", "2026-03-03T04:00:00Z", "2026-03-03T08:39:58Z", 130, 0.9, "web"),
)
SECOND_WAVES = (
    bump("0j8dkb38jymf", "2026-03-02T16:46:00Z", "2026-03-02T17:00:00Z", "2026-03-02T17:24:26Z", 70, 0.6, "model"),
    bump("vqnfq1179169", "2026-03-02T17:54:00Z", "2026-03-02T18:05:00Z", "2026-03-02T18:32:00Z", 60, 0.5, "model"),
)
# expected complaints in the 15-minute bins of the main outage from 11:30 on: at most 40 in the first (published:
# reports began 11:37), some hundreds from 11:45, about 2,000 in the 45 minutes from 11:45, the peak near 12:30
MAIN_COMPLAINTS = (
    11,
    310,
    700,
    960,
    1010,
    930,
    820,
    760,
    700,
    640,
    590,
    540,
    480,
    430,
    380,
    330,
    280,
    235,
    150,
    90,
    60,
    40,
)
MAIN_ONSET_BIN = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
MAIN_END = datetime(2026, 3, 2, 15, 47, 9, tzinfo=UTC)
DAY_INCIDENTS = ("0ghc53zpsfmt", "5zg05jnrqmzg", "0j8dkb38jymf", "63943gpfb97z", "vqnfq1179169")


@lru_cache(maxsize=4)
def bumps(switches: Switches) -> list[Bump]:
    """Return the bumps of this variant, apart from the main one."""
    later = [
        Bump(
            incident=b.incident,
            onset=b.onset + switches.shift,
            peak=b.peak + switches.shift,
            end=b.end + switches.shift,
            complaints=b.complaints * switches.crowd,
            posts=b.posts * switches.crowd,
            mix=b.mix,
        )
        for b in SECOND_WAVES
    ]
    return [*EARLIER, *(later if switches.outage else [])]


def main_complaints(moment: datetime, switches: Switches) -> float:
    """Return the main outage's expected complaints in the 15-minute bin that starts at a moment."""
    if not switches.outage:
        return 0.0
    step = int((moment - switches.shift - MAIN_ONSET_BIN) // timedelta(minutes=15))
    return MAIN_COMPLAINTS[step] * switches.crowd if 0 <= step < len(MAIN_COMPLAINTS) else 0.0


def adoption(moment: datetime) -> float:
    """Return how many more people use the service than in mid-February: 1 until 27 February, 1.9 by 2 March."""
    begin, full = datetime(2026, 2, 27, 22, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)
    if moment <= begin:
        return 1.0
    return 1.0 + 0.9 * min(1.0, (moment - begin) / (full - begin))
