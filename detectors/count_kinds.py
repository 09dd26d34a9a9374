"""What the values of a series count."""

from __future__ import annotations

from enum import StrEnum


class CountKind(StrEnum):
    """What the values of a series count, which decides what is assumed of one that is young.

    reports: people who say that something is broken. talk: all that is said, news included. measured: what machines
    count or measure.
    """

    REPORTS = "reports"
    TALK = "talk"
    MEASURED = "measured"
