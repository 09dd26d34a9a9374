"""What status pages call the state of an incident, and what their titles and texts say of one without a state."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pipeline.text.lexicon import WordPattern, lexicon
from pipeline.text.normalize import normalize

STATES = ("investigating", "identified", "monitoring", "resolved", "completed", "in_progress", "scheduled")
MAINTENANCE = ("scheduled", "in_progress", "verifying", "completed")
OVER = ("resolved", "postmortem", "completed")
_LONGEST = 40
# "Resolved: …", "[Resolved] …", "RESOLVED - …"
_BEFORE_A_TITLE = re.compile(r"^\s*(?:\[(?P<bracketed>[^\]]{2,40})\]|(?P<plain>[^:|\[\]]{2,40}?)\s*(?::|\s[-–—|]\s))")
_OVER_IN_TITLE = WordPattern("status_words", r"\b(?:%(over_in_title)s)\b")
_OVER = WordPattern("status_words", r"\b(?:%(not_over_yet)s)\b[^.!?\n]{0,100}?\b(?:%(over)s)\b|\b(?P<over>%(over)s)\b")
_MAINTENANCE = WordPattern("status_words", r"\b(?:%(maintenance)s)\b")
_AWS_NORMAL = WordPattern("status_words", r"^(?:%(aws_normal)s)$")
_AWS_DISRUPTION = WordPattern("status_words", r"^(?:%(aws_disruption)s)$")


@cache
def _labels() -> dict[str, re.Pattern[str]]:
    words = lexicon("status_words")
    return {state: re.compile(f"(?:{words[state]})") for state in STATES}


def state_of_label(label: str) -> str:
    """Return the state a page's label names: one of STATES, or the label itself in lower case with underscores."""
    text = " ".join(normalize(label).split())[:_LONGEST]
    return known_state(text) or text.replace(" ", "_").replace("-", "_")


def known_state(label: str) -> str:
    """Return which of STATES a label names, empty where none."""
    text = " ".join(normalize(label).split())
    return next((state for state, pattern in _labels().items() if pattern.fullmatch(text)), "")


class StatedTitle(NamedTuple):
    """A title without the state that stands before it, and that state, empty where none does."""

    state: str
    title: str


def split_state(title: str) -> StatedTitle:
    """Return a title in two: `Resolved: …`, `[Resolved] …`, `RESOLVED - …`."""
    match = _BEFORE_A_TITLE.match(title)
    state = known_state(match["bracketed"] or match["plain"]) if match else ""
    return StatedTitle(state, title[match.end() :].strip() or title) if match and state else StatedTitle("", title)


def state_from_words(title: str, text: str) -> str:
    """Return the state that an incident's title and text give, empty where they give none.

    What stands before the title counts most, then a title that says it is over, then a text that does.
    """
    before, title = split_state(title)
    if before:
        return before
    over_in_text = any(match["over"] for match in _OVER.regex.finditer(normalize(text)))
    if over_in_text or _OVER_IN_TITLE.regex.search(normalize(title)):
        return "completed" if is_maintenance(title) else "resolved"
    return "scheduled" if is_maintenance(title) else ""


def is_maintenance(title: str) -> bool:
    """Return whether a title announces planned work."""
    return bool(_MAINTENANCE.regex.search(normalize(title).strip()))


def aws_impact(label: str) -> str:
    """Return the impact of Amazon's label before a title: none where it runs normally, major, or minor."""
    text = normalize(label).strip()
    if _AWS_NORMAL.regex.match(text):
        return "none"
    return "major" if _AWS_DISRUPTION.regex.match(text) else "minor"
