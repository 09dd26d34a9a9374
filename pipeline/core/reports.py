"""What posts say of a service, and whether they count as a person's report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.vocabulary import VoteReason

DAY = timedelta(days=1)
DAY_SOURCES = frozenset({"mastodon"})  # its servers give the day an account was made on; some of the Fediverse the time


def only_day_known(source: str, author_created: datetime) -> bool:
    """Return whether only the day is known on which an account was made: the source gives midnight sharp in UTC."""
    midnight = author_created.replace(hour=0, minute=0, second=0, microsecond=0)
    return source in DAY_SOURCES and author_created == midnight


def account_age(source: str, created: datetime, author_created: datetime | None) -> timedelta | None:
    """Return how old at least an account was when it posted; None where that is not known.

    Where only the day is known it may have been made at the day's very end.
    """
    if author_created is None:
        return None
    return created - author_created - (DAY if only_day_known(source, author_created) else timedelta(0))


class Vote(NamedTuple):
    """Whether a post counts as one person's report of a service: `weight` 1.0 if it does, else 0.0, and the reason.

    `fingerprint` is a digest of the wording that copies share. The fields are in the order of the stored columns.
    """

    source: str
    native_id: str
    service: str
    created: datetime
    weight: float
    reason: VoteReason
    author_key: str
    fingerprint: str


class AccountReport(NamedTuple):
    """A report of a service, counted or not, by an account of known age: when the account and the post were made.

    The last two fields say which post it is, empty where they are not read.
    """

    service: str
    author_key: str
    author_created: datetime
    created: datetime
    source: str = ""
    native_id: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """A post that says a service fails, or that a component of it works.

    `components` are those said to fail, `working_components` those said to work (component ids). `weight` is 1.0 where
    it counts as one person's report and 0.0 where it does not, `reason` why. `author_created` is None where the age of
    the account is not known; `fingerprint` is a digest of the wording that copies share, `url` where the post is, both
    empty where they are not read.
    """

    service: str
    source: str
    native_id: str
    created: datetime
    weight: float
    reason: VoteReason = VoteReason.UNKNOWN
    p_outage: float = 0.0
    components: tuple[str, ...] = ()
    working_components: tuple[str, ...] = ()
    symptom: str = ""
    region: str = ""
    language: str = ""
    title: str = ""
    text: str = ""
    community: str = ""
    author_key: str = ""
    author_created: datetime | None = None
    fingerprint: str = ""
    url: str = ""

    @property
    def counted(self) -> bool:
        """Return whether it counts as one person's report."""
        return self.weight > 0
