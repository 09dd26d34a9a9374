"""The closed sets of words that rows, records and messages use. SQLite and JSON hold the values as plain text.

Members are strings: `State.RESOLVED == "resolved"`, and a member is stored and printed as its value. Ranked sets are in
order; compare them by `rank`, never by `<`, which compares the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Self


class RankedEnum(StrEnum):
    """Words in an order: the first member is the least."""

    @property
    def rank(self) -> int:
        """Return the place in the order, from 0."""
        return _ranks(type(self))[self._value_]

    @classmethod
    def highest(cls, members: Iterable[Self]) -> Self:
        """Return the member of the highest rank; the least of all where there is none."""
        return max(members, key=lambda member: member.rank, default=next(iter(cls)))

    def raised(self, steps: int = 1) -> Self:
        """Return the member so many places above (below when negative), at most the last and at least the first."""
        members = list(type(self))
        return members[max(0, min(len(members) - 1, self.rank + steps))]


@cache
def _ranks(kind: type[RankedEnum]) -> dict[str, int]:
    return {member.value: place for place, member in enumerate(kind)}


class State(RankedEnum):
    """How sure it is that an incident is real, and whether it is over."""

    POSSIBLE = "possible"
    LIKELY = "likely"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"


class ConfirmedBy(StrEnum):
    """What made an incident confirmed: its provider's page, the pages of services that run on it, or an outcry."""

    PROVIDER = "provider"
    DEPENDENTS = "dependents"
    REPORTS = "reports"


class Impact(RankedEnum):
    """How bad an incident, an episode or a phase is."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    CRITICAL = "critical"


class PhaseName(StrEnum):
    """The parts an episode's course is cut into."""

    ONSET = "onset"
    WORSENING = "worsening"
    PEAK = "peak"
    EASING = "easing"
    OVER = "over"


class ComponentStatus(StrEnum):
    """What a source says of a component."""

    AFFECTED = "affected"
    WORKS = "works"


class Channel(StrEnum):
    """Which kind of signal a series counts, and what a statement about a component rests on."""

    COMPLAINTS = "complaints"
    VOTES = "votes"
    OFFICIAL = "official"


class Symptom(StrEnum):
    """How a service fails for whom reports it; ALL is the mere word that it is down."""

    LOGIN = "login"
    ERROR = "error"
    SLOW = "slow"
    NO_RESPONSE = "no_response"
    CRASH = "crash"
    PAYMENT = "payment"
    DATA = "data"
    CONNECTION = "connection"
    PARTIAL = "partial"
    ALL = "all"


class Transition(StrEnum):
    """What changed so that an alert is sent; from SUMMARY on they are messages about no single incident."""

    OPENED = "opened"
    UNDER_WAY = "under_way"
    CONFIRMED = "confirmed"
    WORSE = "worse"
    WORSE_AGAIN = "worse_again"
    COMPONENT_ADDED = "component_added"
    EASING = "easing"
    OVER = "over"
    REOPENED = "reopened"
    REMINDER = "reminder"
    SUMMARY = "summary"
    ADVISORY = "advisory"
    DIGEST = "digest"
    TROUBLE = "trouble"


class Relation(StrEnum):
    """What a news event is to an incident; NONE is the answer that it is nothing to it, and never stored."""

    REPORTS = "reports"
    FOLLOW_UP = "follow_up"
    CONTEXT_BEFORE = "context_before"
    SHARED_DEPENDENCY = "shared_dependency"
    OTHER_INCIDENT = "other_incident"
    NONE = "none"


class NewsKind(StrEnum):
    """What a news item is about."""

    SERVICE_OUTAGE = "service_outage"
    OUTAGE_FOLLOWUP = "outage_followup"
    POLITICS_REGULATION = "politics_regulation"
    COMPANY_BUSINESS = "company_business"
    PRODUCT = "product"
    INFRASTRUCTURE_OUTAGE = "infrastructure_outage"
    SECURITY = "security"
    OTHER = "other"


class EvidenceKind(StrEnum):
    """What a statement about an incident says."""

    CERTAINTY = "certainty"  # one part of the probability, in log-odds
    COMPARABLE = "comparable"  # an earlier outage that is alike
    COMPARISON = "comparison"  # an earlier outage the press compares it with
    COMPLAINTS = "complaints"  # complaint counts above what is expected
    DIFFERS = "differs"  # a component that reports and page disagree on
    DISAGREEMENT = "disagreement"  # a claim that differs from what was measured
    DOORS = "doors"  # what people open fails, what programs call works
    FALLBACK = "fallback"  # competitors without trouble
    FIGURE = "figure"  # complaints by one definition, with what was published
    MAINTENANCE = "maintenance"  # the provider announced maintenance for this time
    OFFICIAL = "official"  # an update of the provider
    OUTLOOK = "outlook"  # how long outages alike lasted
    PAGE = "page"  # how soon and how often the page was updated
    PART = "part"  # reports and clearances of one component
    REGION = "region"  # reports or complaints of one part of the world
    RIVAL = "rival"  # activity of a competitor during the incident
    SHARED = "shared"  # services that fail together
    SYMPTOM = "symptom"  # reports that name one symptom
    UNKNOWN = "unknown"  # components that nobody mentions
    VOTES = "votes"  # counted reports above what is expected
    WHERE = "where"  # where most reports or complaints come from
    WITHDRAWN = "withdrawn"  # what the incident rested on is gone


class RowTable(StrEnum):
    """Where a row lies that a statement rests on: a table of the database, or a file of public records."""

    CHART_RANKS = "chart_ranks"
    CLAIMS = "claims"
    COMPLAINT_COUNTS = "complaint_counts"
    COMPONENTS = "components"
    INCIDENT_COMPONENTS = "incident_components"
    INCIDENTS = "incidents"
    OFFICIAL_INCIDENTS = "official_incidents"
    POST_TAGS = "post_tags"
    PRESS_CLAIMS = "press_claims.csv"
    PUBLIC_OUTAGES = "incidents.csv"
    STATUS_UPDATES = "status_updates"
    VERDICTS = "verdicts"
    VOTES = "votes"


class ClaimKind(StrEnum):
    """What an article or an update claims of an incident."""

    START = "start"
    END = "end"
    UP = "up"
    DOWN = "down"
    REPORTS = "reports"
    CAUSE = "cause"


class SaidBy(StrEnum):
    """Whom an article gives as the origin of a claim."""

    COMPANY = "company"
    TRACKER = "tracker"
    OUTLET = "outlet"


class PostKind(StrEnum):
    """What a post is and who speaks in it."""

    POST = "post"
    COMMENT = "comment"
    BOT = "bot"  # by an account that says it is automated
    NOTICE = "notice"  # by those who run the place (moderators, administrators), or pinned by them


class VoteReason(StrEnum):
    """Why a post about a service counts as a report, or does not."""

    COUNTED = "counted"
    COUNTED_AS_PAIR = "counted, with another half"
    HALF = "half a vote, waits for another"
    NOT_ABOUT_OUTAGE = "not about an outage"
    DELETED = "deleted"
    NOT_A_USER = "by a bot or a moderator, or pinned"
    NO_AUTHOR = "no author"
    SAME_MINUTE_ACCOUNT = "an account made in the same minute as another's"
    SAME_DAY_ACCOUNT = "an account made lately, on the same day as another's"
    YOUNG_ACCOUNT = "an account younger than a day"
    SAME_AUTHOR = "the same author within six hours"
    SAME_TEXT = "the same text within six hours"
    UNKNOWN = ""  # no vote is stored, or under a reason of another version

    @classmethod
    def _missing_(cls, value: object) -> VoteReason:
        return cls.UNKNOWN

    @property
    def doubts_origin(self) -> bool:
        """Return whether a report was left out for its author, its account or its wording."""
        return self in _DOUBTED

    @property
    def checked_account(self) -> bool:
        """Return whether the account's age was looked at: earlier reasons end the check before that."""
        return self not in _BEFORE_ACCOUNT


NOT_BY_USERS = frozenset({PostKind.BOT, PostKind.NOTICE})  # stored, never counted as a report nor in the talk
_DOUBTED = frozenset(
    {
        VoteReason.HALF,
        VoteReason.NO_AUTHOR,
        VoteReason.SAME_MINUTE_ACCOUNT,
        VoteReason.SAME_DAY_ACCOUNT,
        VoteReason.YOUNG_ACCOUNT,
        VoteReason.SAME_AUTHOR,
        VoteReason.SAME_TEXT,
    }
)
_BEFORE_ACCOUNT = frozenset(
    {VoteReason.NOT_A_USER, VoteReason.NOT_ABOUT_OUTAGE, VoteReason.DELETED, VoteReason.NO_AUTHOR}
)


class RunOutcome(StrEnum):
    """How a fetch or a stage ended. BLOCKED is a refusal by the source: a gap, never a zero."""

    OK = "ok"
    EMPTY = "empty"
    NOT_MODIFIED = "not_modified"
    BLOCKED = "blocked"
    ERROR = "error"

    @property
    def read_source(self) -> bool:
        """Return whether the source was truly read."""
        return self in (RunOutcome.OK, RunOutcome.EMPTY, RunOutcome.NOT_MODIFIED)
