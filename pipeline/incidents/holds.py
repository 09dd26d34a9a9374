"""Why the first message about an incident is held back while another service fails, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from pipeline.core.incidents import Incident
from pipeline.core.news_events import Link
from pipeline.core.vocabulary import Relation

FAR_MORE = 10.0  # times what is reported of a network: the other failure explains it
FAR_ABOVE_USUAL = 100.0  # times a network's usual complaints: blame does not explain it
SUSTAINED_MIN = 15  # minutes of counts that are far above usual, before they are believed
STAYED = 0.5  # of the highest excess while the other service failed: the reports did not fall with its end


class HoldReason(Enum):
    """What explains the reports of an incident other than its own failure."""

    TALK = auto()  # posts alone about a competitor of what fails
    OUTNUMBERED = auto()  # a network of which far fewer complain, or post, than of what fails
    POSTS_ALONE = auto()  # a network that only posts report, and few, while complaints count what fails
    SUBSIDED = auto()  # a network that was blamed until the other failure ended


class Hold(NamedTuple):
    """The failure of another service that explains why people report this one, and how it does."""

    other: Incident
    reason: HoldReason


def press_reports_it(links: Iterable[Link]) -> bool:
    """Return whether news report an incident: `links` are those from it to news."""
    return any(link.shown and link.relation is Relation.REPORTS for link in links)


def in_words(hold: Hold, name: str) -> str:
    """Return why an incident is held and until when; `name` is that of the service that fails."""
    far = f"stay at {FAR_ABOVE_USUAL:g} times the usual for {SUSTAINED_MIN} min"
    own = f"its provider confirms it or its complaints {far}"
    if hold.reason is HoldReason.TALK:
        return (
            f"only posts mention it while {name} fails: sent once counts or a notice confirm it, or many report it"
            " without naming the other"
        )
    if hold.reason is HoldReason.POSTS_ALONE:
        return (
            f"only posts report it while complaints count the failure of {name}, for which people blame their network:"
            f" held until more post about it than about {name}, its own complaints pass a tenth of those, {own}"
        )
    if hold.reason is HoldReason.OUTNUMBERED:
        return (
            f"at least {FAR_MORE:g} times as many people report {name}, for which people blame their network: held"
            f" until that share is passed, {own}; or until the failure of {name} is over and its reports have not"
            " fallen to half"
        )
    return (
        f"people blamed it while {name} failed, until {hold.other.end:%H:%M} UTC, and since then fewer than half as"
        f" many report it: held until half as many do, {own}"
    )
