"""Which posts count as one person's report: distinct authors, distinct wordings, and accounts that are not new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.core.records import Post
from pipeline.core.reports import AccountReport, Vote, account_age, only_day_known
from pipeline.core.series import Mention, SeriesColumn, SeriesCount
from pipeline.core.vocabulary import NOT_BY_USERS, VoteReason

WINDOW = timedelta(hours=6)
OUTAGE = 0.5
NEWBORN, NEW = timedelta(days=1), timedelta(days=7)  # ages of accounts that count for nothing, and for half
LATE_JOINER = timedelta(days=90)  # younger accounts of one day are one person, where only the day is known
REWRITTEN = timedelta(minutes=15)  # an edit that much later may have put the complaint in
WHOLE = 2


def is_first_copy(last_seen: dict[str, datetime], shape: str, created: datetime) -> bool:
    """Return whether a text is no copy of one written within six hours, and keep it: copies are one mention, too.

    Else a flood of one text would raise what is expected and hide an outage under it.
    """
    last = last_seen.get(shape)
    if shape:
        last_seen[shape] = created
    return last is None or not shape or created - last >= WINDOW


def without_copies(mentions: Iterable[Mention], since: datetime) -> list[SeriesCount]:
    """Return the mentions from `since` on in their order, with 1.0 if one counts as a report, else 0.0.

    Copies of a text within six hours are left out, unless they count; mentions must begin `WINDOW` before `since`.
    """
    last_seen: dict[str, dict[str, datetime]] = {}
    found = []
    for mention in mentions:
        fresh = is_first_copy(last_seen.setdefault(mention.service, {}), mention.fingerprint, mention.created)
        if mention.created >= since and (mention.counted or fresh):
            found.append(SeriesCount(SeriesColumn(mention.service), mention.created, float(mention.counted)))
    return found


@dataclass
class ReportCounter:
    """Decides which posts count as one person's report; remembers the authors and texts of the last hours."""

    authors: dict[tuple[str, str], datetime] = field(default_factory=dict)
    texts: dict[tuple[str, str], datetime] = field(default_factory=dict)
    halves: dict[str, datetime] = field(default_factory=dict)
    accounts: dict[tuple[str, datetime], dict[str, datetime]] = field(
        default_factory=dict
    )  # when each account reported last, by the minute it was made in
    whole: dict[str, int] = field(default_factory=dict)  # votes counted since the last pair of halves

    def restore(self, earlier: Iterable[Vote]) -> None:
        """Take in the votes counted before, in order of creation."""
        for vote in earlier:
            self._keep(vote.service, vote.author_key, vote.fingerprint, vote.created)
            if vote.reason is VoteReason.HALF:
                self.halves[vote.service] = vote.created
            elif vote.reason is VoteReason.COUNTED_AS_PAIR:
                self.halves.pop(vote.service, None)
                self.whole[vote.service] = 0
            elif vote.reason is VoteReason.COUNTED:
                self.whole[vote.service] = self.whole.get(vote.service, 0) + 1

    def restore_accounts(self, earlier: Iterable[AccountReport]) -> None:
        """Take in which accounts reported before, counted or not."""
        for report in earlier:
            self._siblings(report.service, report.author_key, report.author_created, report.created)

    def forget(self, before: datetime) -> None:
        """Drop what no post of `before` or later is held against: memory stays flat over years."""
        last = before - WINDOW
        self.authors = {key: at for key, at in self.authors.items() if at >= last}
        self.texts = {key: at for key, at in self.texts.items() if at >= last}
        self.halves = {key: at for key, at in self.halves.items() if at >= last}
        recent = {
            key: {author: at for author, at in reported.items() if at >= last}
            for key, reported in self.accounts.items()
        }
        self.accounts = {key: reported for key, reported in recent.items() if reported}

    def _siblings(self, service: str, author: str, made: datetime | None, created: datetime) -> bool:
        """Note that an account reports; return whether another made in the same minute did within six hours."""
        if made is None:
            return False
        reported = self.accounts.setdefault((service, made.replace(second=0)), {})
        reported[author] = created
        return any(other != author and self._within(at, created) for other, at in reported.items())

    def _keep(self, service: str, author: str, fingerprint: str, created: datetime) -> None:
        if author:
            self.authors[service, author] = max(created, self.authors.get((service, author), created))
        if fingerprint:
            self.texts[service, fingerprint] = max(created, self.texts.get((service, fingerprint), created))

    def count(self, service: str, post: Post, fingerprint: str, p_outage: float) -> tuple[float, VoteReason]:
        """Return the weight of a report (1 or 0) and why. Call in order of creation.

        Posts of accounts a few days old, and posts rewritten later, count for half: the second of two counts, if two
        others' whole votes came since the last pair. However many young accounts there are, alone they count for
        nothing. Where a source gives only the day an account was made on, accounts made on one day are one until that
        day is 90 days ago: later they are people who joined in one wave.
        """
        if post.kind in NOT_BY_USERS:
            return 0.0, VoteReason.NOT_A_USER
        if p_outage < OUTAGE:
            return 0.0, VoteReason.NOT_ABOUT_OUTAGE
        if post.deleted:
            return 0.0, VoteReason.DELETED
        if not post.author_key:
            return 0.0, VoteReason.NO_AUTHOR
        made = post.author_created
        age = account_age(post.source, post.created, made)
        if self._siblings(service, post.author_key, made, post.created) and made is not None:
            if not only_day_known(post.source, made):
                return 0.0, VoteReason.SAME_MINUTE_ACCOUNT
            if post.created - made < LATE_JOINER:
                return 0.0, VoteReason.SAME_DAY_ACCOUNT
        if age is not None and age < NEWBORN:
            return 0.0, VoteReason.YOUNG_ACCOUNT
        if self._within(self.authors.get((service, post.author_key)), post.created):
            return 0.0, VoteReason.SAME_AUTHOR
        if fingerprint and self._within(self.texts.get((service, fingerprint)), post.created):
            return 0.0, VoteReason.SAME_TEXT
        self._keep(service, post.author_key, fingerprint, post.created)
        new = age is not None and age < NEW
        if not new and not (post.edited and post.edited - post.created > REWRITTEN):
            self.whole[service] = self.whole.get(service, 0) + 1
            return 1.0, VoteReason.COUNTED
        if self.whole.get(service, 0) >= WHOLE and self._within(self.halves.pop(service, None), post.created):
            self.whole[service] = 0
            return 1.0, VoteReason.COUNTED_AS_PAIR
        self.halves[service] = post.created
        return 0.0, VoteReason.HALF

    @staticmethod
    def _within(earlier: datetime | None, created: datetime) -> bool:
        return earlier is not None and abs(created - earlier) < WINDOW
