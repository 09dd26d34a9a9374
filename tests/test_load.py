"""Much of everything, in small: `make load` measures it in full."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.chaos.load.archive import archive
from tests.chaos.load.drip import KINDS, drip
from tests.chaos.load.measured import Result
from tests.chaos.load.routes import routes
from tests.chaos.load.storm import storm

pytestmark = pytest.mark.slow


def all_held(results: Iterable[Result]) -> bool:
    """Return whether everything held; what did not is printed."""
    wrong = [f"{result.what}: {problem}" for result in results for problem in result.wrong]
    print(*wrong, sep="\n")
    return not wrong


@pytest.mark.parametrize("kind", KINDS)
def test_an_upstream_without_end_costs_its_deadline_and_nobody_elses_rows(kind: str, tmp_path: Path) -> None:
    assert all_held([drip(tmp_path, kind, good=4, deadline=2)])


def test_each_of_many_routes_has_its_message_once(tmp_path: Path) -> None:
    assert all_held(routes(tmp_path, number=30, matching=20))


def test_a_tick_of_many_posts_and_services_reads_all_of_them(tmp_path: Path) -> None:
    assert all_held(storm(tmp_path, services=100, posts=1000, failing=5))


def test_what_lies_in_the_database_costs_a_run_nothing(tmp_path: Path) -> None:
    assert all_held(archive(tmp_path, megabytes=20))
