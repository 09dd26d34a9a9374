"""What a text says of the service it is read about, clause by clause: that it fails now, that it works, or neither.

A text that names two services is read for each by the clauses about it ("on Verizon because T-Mobile is down"). What
is said to work, to be back, to have failed once or to fail some day is no report, whatever words of trouble it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pipeline.text.components import names_a_role
from pipeline.text.lexicon import WordPattern
from pipeline.text.patterns import PatternSet, unaccented
from pipeline.text.services import OTHER, TARGET, speaks_of_trouble
from pipeline.text.symptoms import matched_symptoms

UNLIKELY = 0.2  # the most that is believed of a text in which nothing says that the service fails now
MOST_CLAUSES = 40  # of a text; what follows is read as one
_LISTS = PatternSet("stances", together=4)
_EDGE = WordPattern("clauses", r"(?:%(mark)s)|(?<=\W)(?=(?:%(begins)s)\W)|(?:%(joined)s)")
_JOINED = WordPattern("clauses", r"^\W*(?:(?:%(joins)s)\s*)?svc")
_RIVAL = WordPattern("stances", "%(rival)s")
_MEDIUM = WordPattern("stances", "%(medium)s")
_NO_REPORT = frozenset({"works", "not_failing", "recovered", "conditional", "future", "past", "talk"})
_NOT_NOW = frozenset({"conditional", "future", "past", "talk"})


class Stance(Enum):
    """What a clause says of its service."""

    FAILS = "fails"
    ASKS = "asks"  # whether it fails
    WORKS = "works"
    RECOVERED = "recovered"
    NOT_NOW = "not now"
    UNSAID = "unsaid"


_NO_FAILURE = (Stance.WORKS, Stance.RECOVERED, Stance.NOT_NOW)


class _Clause(NamedTuple):
    """A clause of a masked text, which kind of service it names, and what it says."""

    text: str
    target: bool
    other: bool
    stance: Stance
    also: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a classifier reads of a masked text for one service, and the most its probability may be."""

    text: str
    most: float = 1.0


def reading(masked: str) -> Reading:
    """Return what a masked text says of its target: the clauses about it, and whether any can be a report."""
    has_other = OTHER in masked and TARGET in masked
    lists = frozenset(_LISTS.matched(masked))
    if "own_request" in lists and "server_side" not in lists:
        return Reading(masked, UNLIKELY)
    if "waiting_line" in lists and lists.isdisjoint({"fails", "server_side", "line_fails"}):
        return Reading(masked, UNLIKELY)
    if not lists.isdisjoint({"rival", "medium"}) and _is_elsewhere(unaccented(masked), has_other):
        return Reading(masked, UNLIKELY)
    if not has_other and _NO_REPORT.isdisjoint(lists):
        return Reading(masked)
    clauses = list(_clauses(masked))
    if has_other:
        own, others = _parted(clauses)
        if own and others:
            return _reading_of_one(masked, own, others, clauses)
    return Reading(masked) if _may_report(clauses) else Reading(masked, UNLIKELY)


def _is_elsewhere(masked: str, has_other: bool) -> bool:
    """Return whether a text names its target only as where to go, or as where people speak of another that fails."""
    mentions = masked.count(TARGET)
    return len(_RIVAL.regex.findall(masked)) >= mentions or (
        has_other and len(_MEDIUM.regex.findall(masked)) >= mentions
    )


def _clauses(masked: str) -> Iterator[_Clause]:
    edges = [0]
    for match in _EDGE.regex.finditer(masked):
        if len(edges) >= MOST_CLAUSES:
            break
        edges.append(match.end())
    for start, end in zip(edges, [*edges[1:], len(masked)], strict=True):
        text = masked[start:end]
        if text.strip():
            lists = frozenset(_LISTS.matched(text))
            yield _Clause(text, TARGET in text, OTHER in text, _stance(text, lists), "also" in lists)


def _stance(clause: str, lists: frozenset[str]) -> Stance:
    """Return what a clause says, given the word lists it matches."""
    asks = "?" in clause or "؟" in clause
    not_now = lists & _NOT_NOW
    present = "now" in lists and not_now <= {"past", "talk"}
    if not_now and not present and not (not_now == {"conditional"} and "asks_whether" in lists):
        return Stance.NOT_NOW
    if not asks and "not_failing" in lists:
        return Stance.WORKS
    if not asks and "recovered" in lists and "not_yet" not in lists:
        return Stance.RECOVERED
    if "fails" in lists or matched_symptoms(clause) or speaks_of_trouble(clause):
        return Stance.ASKS if asks else Stance.FAILS
    if not asks and "works" in lists and "works_not" not in lists and not names_a_role(clause):
        return Stance.WORKS
    return Stance.UNSAID


def _may_report(clauses: Sequence[_Clause]) -> bool:
    """Return whether anything says that the service fails now, or nothing says the contrary."""
    stances = [clause.stance for clause in clauses]
    back = max((at for at, stance in enumerate(stances) if stance is Stance.RECOVERED), default=-1)
    if Stance.FAILS in stances[back + 1 :]:
        return True
    if back >= 0 or Stance.WORKS in stances:
        return False
    return Stance.ASKS in stances or Stance.NOT_NOW not in stances


def _parted(clauses: Sequence[_Clause]) -> tuple[list[_Clause], list[_Clause]]:
    """Return the clauses about the target and those about others only, each with the verdict that its list shares.

    Both are empty where no clause is about others alone. "A, B and C are down": names without a verdict share the next
    one; "so is D" shares the last.
    """
    verdicts = [clause.stance for clause in clauses]
    for at in range(len(clauses) - 2, -1, -1):
        following = clauses[at + 1]
        is_list = not _words_beside_names(clauses[at].text) and bool(_JOINED.regex.match(following.text))
        if is_list and verdicts[at] is Stance.UNSAID:
            verdicts[at] = verdicts[at + 1]
    last = Stance.UNSAID
    for at, clause in enumerate(clauses):
        if verdicts[at] is Stance.UNSAID and (clause.also or not _words_beside_names(clause.text)):
            verdicts[at] = last
        elif verdicts[at] is not Stance.UNSAID:
            last = verdicts[at]
    judged = [clause._replace(stance=verdict) for clause, verdict in zip(clauses, verdicts, strict=True)]
    own = [clause for clause in judged if clause.target]
    others = [clause for clause in judged if clause.other and not clause.target]
    return own, others


def _words_beside_names(clause: str) -> bool:
    """Return whether a clause says anything beside names and the words that join them."""
    words = clause.replace(TARGET, " ").replace(OTHER, " ").split()
    return sum(word.strip(".,;:!?()&/'\"").isalpha() and len(word) > 3 for word in words) > 0


def _reading_of_one(
    masked: str, own: Sequence[_Clause], others: Sequence[_Clause], clauses: Sequence[_Clause]
) -> Reading:
    """Return what a text says of its target where other clauses are about other services only."""
    if any(clause.stance in (Stance.FAILS, Stance.ASKS) for clause in own):
        apart = {clause.text for clause in others if clause.stance in _NO_FAILURE}
        return Reading("".join(clause.text for clause in clauses if clause.text not in apart))
    others_fail = any(clause.stance in (Stance.FAILS, Stance.ASKS) for clause in others)
    if others_fail or any(clause.stance in _NO_FAILURE for clause in own):
        return Reading(masked, UNLIKELY)
    return Reading(masked)
