"""How far back an option goes: a span, a date, a time."""

from __future__ import annotations

import pytest

from pipeline.commands.common import MOST_BACK, parse_since, parse_time
from pipeline.core.errors import ConfigError
from pipeline.core.times import iso, utc

NOW = utc("2026-03-05T12:00:00Z")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("7d", "2026-02-26T12:00:00Z"),
        ("30min", "2026-03-05T11:30:00Z"),
        ("2026-03-02", "2026-03-02T00:00:00Z"),
        ("2026-03-02T13:00:00+02:00", "2026-03-02T11:00:00Z"),
        ("99999d", iso(NOW - MOST_BACK)),
    ],
)
def test_since_takes_a_span_a_date_and_a_time(written: str, meant: str) -> None:
    assert iso(parse_since(written, NOW)) == meant


@pytest.mark.parametrize("written", ["soon", "", "2026-13-02", "2026-03-02T13:00:00", "-3d", "2026"])
def test_since_refuses_what_is_neither_and_names_the_option(written: str) -> None:
    with pytest.raises(ConfigError, match=r"^--since: "):
        parse_since(written, NOW)


def test_a_date_is_its_first_moment_in_utc_wherever_a_time_is_asked_for() -> None:
    assert parse_time("2026-03-02", "--from") == utc("2026-03-02T00:00:00Z")
    assert parse_time(None, "--from") is None
