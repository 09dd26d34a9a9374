"""Five posts in an hour that name a service and hold a keyword.

What most open scripts do (for one github.com/kacperguzydev/RealtimeOutageTracker, as read in March 2026: a search for
the keyword over the last hour, without a baseline). They publish no threshold: five is assumed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime

from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.recording import HOUR, ServiceRecording, alarms_of_states

KEYWORDS = re.compile(r"(?i)\b(?:down|outage|not working)\b")
FEWEST = 5


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    return alarms_of_states(service, _states(service), quiet=12)


def _states(service: ServiceRecording) -> Iterator[tuple[datetime, bool]]:
    recent: deque[datetime] = deque()
    matches = iter([m.public for m in service.mentions if KEYWORDS.search(f"{m.title} {m.text}")])
    following = next(matches, None)
    moment = service.begin
    while moment <= service.until:
        while following is not None and following <= moment:
            recent.append(following)
            following = next(matches, None)
        while recent and recent[0] <= moment - HOUR:
            recent.popleft()
        yield moment, len(recent) >= FEWEST
        moment += service.step
