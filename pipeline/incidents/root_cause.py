"""The start that a provider states in the end: in the root cause under *Resolved*, days after the first post. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.status_records import StatusUpdate
from pipeline.incidents.episodes import CLOSED, UPDATE
from pipeline.text.stated_span import StatedSpan, stated_span


def stated_in_root_cause(updates: Sequence[StatusUpdate]) -> StatedSpan | None:
    """Return from when to when it failed, as the closing words of an incident and what follows them state it.

    `updates` are those of an incident that was open once, in order, each with its newest wording. None where none
    states it with certainty, or where they state different starts.
    """
    first_closing = next((n for n, update in enumerate(updates) if update.status in CLOSED), None)
    if first_closing is None:
        return None
    first_post = min(update.created_at for update in updates)
    closed = updates[first_closing].displayed_at
    closing = [u for u in updates[first_closing:] if u.status in CLOSED or u.status == UPDATE]
    stated = [span for u in closing if u.body and (span := stated_span(u.body, first_post, closed))]
    if len({span.start for span in stated}) != 1:
        return None
    return next((span for span in stated if span.end is not None), stated[0])
