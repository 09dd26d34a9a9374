"""How long an incident must be quiet before it is over. Pure.

In the public archives of Claude and GitHub the next trouble begins one to three hours after the end of 36 of 388 and
of 21 of 352; 23 and 8 of these had followed an earlier one within a day. Who failed once has to be quiet for an hour,
who failed twice in a day for longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pipeline.core.incidents import Incident
from pipeline.incidents.episodes import EpisodeDraft

LATELY = timedelta(days=1)  # an incident that ended so shortly before makes this one a relapse


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRule:
    """For how long nothing may be above what is expected, and no notice open, before an incident is over."""

    quiet: timedelta
    quiet_after_relapse: timedelta = timedelta(0)

    def quiet_needed(self, story: Sequence[EpisodeDraft], earlier: Iterable[Incident]) -> timedelta:
        """Return how long an incident has to be quiet; `earlier` are other incidents of its service."""
        if relapsed(story) or any(_just_before(story[0].start, other) for other in earlier):
            return max(self.quiet, self.quiet_after_relapse)
        return self.quiet


def relapsed(story: Sequence[EpisodeDraft]) -> bool:
    """Return whether an incident came back: by a second episode, a notice after another's end, a rise after another."""
    notices = sorted((n.posted, n.resolved) for draft in story for n in draft.provider_incidents if n.resolved)
    one_after_another = any(resolved <= posted for (_, resolved), (posted, _) in pairwise(notices))
    rises = [interval.series for draft in story for interval in draft.intervals]
    return len(story) > 1 or one_after_another or len(set(rises)) < len(rises)


def _just_before(onset: datetime, other: Incident) -> bool:
    return other.end is not None and timedelta(0) <= onset - other.end <= LATELY
