"""Status pages only: an alarm when the provider posts a notice, over when it says so.

What status page aggregators do (StatusGator and IsDown without their crowds: statusgator.com, isdown.app, as read in
March 2026).
"""

from __future__ import annotations

from pipeline.evaluation.days.entries import AlertEntry, EntryKind
from pipeline.evaluation.days.recording import ServiceRecording


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    entries: list[AlertEntry] = []
    opened: set[str] = set()
    for notice in service.notices:
        at = service.run_at(notice.public)
        if notice.public <= service.begin or at > service.until:
            continue
        if notice.resolved and notice.notice in opened:
            opened.discard(notice.notice)
            entries.append(AlertEntry(at=at, services=(service.service,), kind=EntryKind.OVER, alarm=notice.notice))
        elif not notice.resolved and notice.notice not in opened:
            opened.add(notice.notice)
            entries.append(AlertEntry(at=at, services=(service.service,), alarm=notice.notice))
    return entries
