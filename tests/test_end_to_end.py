"""From the bare text to a counted report: what is right, false and missed."""

from __future__ import annotations

from pipeline.evaluation.end_to_end import Counted, JudgedPost, end_to_end


def counted(service: str, outage: bool, *ids: str) -> Counted:
    return Counted(JudgedPost("text", service, outage, "en", "s"), frozenset(ids), frozenset(ids))


def test_a_report_for_the_wrong_service_is_false_and_missed() -> None:
    assert end_to_end([counted("claude", True, "x")]) == (0, 1, 1)
    assert end_to_end([counted("claude", True, "claude", "x")]) == (1, 1, 0)


def test_a_post_that_is_no_report_is_false_once_however_many_it_counts_for() -> None:
    assert end_to_end([counted("claude", False, "claude", "x")]) == (0, 1, 0)
    assert end_to_end([counted("claude", False)]) == (0, 0, 0)


def test_a_report_that_is_counted_for_none_is_missed() -> None:
    figures = end_to_end([counted("claude", True), counted("claude", True, "claude")])
    assert figures == (1, 0, 1)
    assert round(figures.f1, 3) == 0.667
