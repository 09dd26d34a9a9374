"""What links of a service are held against: its past incidents, the notices, and who fails with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.incidents.chance import PastIncident
from pipeline.incidents.episodes import ProviderIncident


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContext:
    """What links of a service are held against.

    `past` are its stories, ours and the page's, the one in question among them; `known_since` is from when they are
    known; `onsets` are those of single incidents within them, where known; `notices` are the page's incidents within
    this one; `failing` are ids of services with an open incident that lasted with it; `between` are moments before the
    onset, oldest first, each with the signals (chart, mentions, anger) that stood out then, in words.
    """

    past: Sequence[PastIncident]
    known_since: datetime
    onsets: Sequence[datetime] = ()
    provider_incidents: Sequence[ProviderIncident] = ()
    failing: Sequence[str] = ()
    between: Sequence[tuple[datetime, Mapping[str, str]]] = ()
