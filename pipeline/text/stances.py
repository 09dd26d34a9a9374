"""What a text says of the service it is read about, by its clauses: that it fails now, that it works, or neither.

A text that names two services is read for each by the clauses about it ("on Verizon because T-Mobile is down"). What
is said to work, to be back, to have failed once or to fail some day is no report, whatever words of trouble it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from pipeline.text.clauses import FIRST_ASKED, LISTS, NO_REPORT, Clause, Stance, clauses_of
from pipeline.text.components import names_a_role
from pipeline.text.lexicon import WordPattern
from pipeline.text.masking import OTHER, TARGET
from pipeline.text.past_reports import is_over
from pipeline.text.patterns import unaccented

UNLIKELY = 0.2  # the most that is believed of a text in which nothing says that the service fails now
LONGEST_TURN = 240  # characters of a text that is read from where it turns; a longer one tells a story
_TURN = WordPattern("clauses", r"(?<=\W)(?:%(begins)s)(?:\W|(?<=\W))|(?:%(joined)s)")
_RIVAL = WordPattern("stances", "%(rival)s")
_MEDIUM = WordPattern("stances", "%(medium)s")
_MOVED = WordPattern("stances", "%(moved)s")
_OF_TWO = frozenset({"medium", "moved"})  # asked of texts that name another service
_LINE_FAILS = frozenset({"fails", "server_side", "line_fails"})
_SERVER_SIDE = frozenset({"server_side"})
_FAILURE = (Stance.FAILS, Stance.ASKS)
_NO_FAILURE = (Stance.WORKS, Stance.NOT_FAILING, Stance.RECOVERED, Stance.NOT_NOW)
_TWO_SENTENCES = re.compile(r"[.!?。！？]\s*\w")


class Reading(Struct, frozen=True):
    """What a classifier reads of a masked text for one service, and the most its probability may be."""

    text: str
    most: float = 1.0


def reading(masked: str) -> Reading:
    """Return what a masked text says of its target: the clauses about it, and whether any can be a report."""
    if is_over(masked):
        return Reading(masked, UNLIKELY)
    has_other = OTHER in masked and TARGET in masked
    lists = LISTS.matched_of(masked, FIRST_ASKED | _OF_TWO if has_other else FIRST_ASKED)
    if "own_request" in lists and not LISTS.matched_of(masked, _SERVER_SIDE):
        return Reading(masked, UNLIKELY)
    if "waiting_line" in lists and not LISTS.matched_of(masked, _LINE_FAILS):
        return Reading(masked, UNLIKELY)
    if not lists.isdisjoint({"rival", "medium"}) and _is_elsewhere(unaccented(masked), has_other):
        return Reading(masked, UNLIKELY)
    if not has_other and NO_REPORT.isdisjoint(lists):
        return _reading_of_a_turn(masked, lists)
    clauses = clauses_of(masked, lists)
    if has_other:
        if "moved" in lists and _is_a_way_out(masked, clauses):
            return Reading(masked, UNLIKELY)
        own = [clause for clause in clauses if clause.target]
        others = [clause for clause in clauses if clause.other and not clause.target]
        if own and others:
            return _reading_of_one(masked, own, others, clauses)
    fails = _may_report(clauses) and not _is_of_others_only(clauses)
    return _reading_of_all(masked, clauses) if fails else Reading(masked, UNLIKELY)


def _reading_of_a_turn(masked: str, lists: frozenset[str]) -> Reading:
    """Return a short text from where it turns to say that the service fails: "I'd send it, but svctarget is down".

    What comes before says nothing of the service then, and would only speak against a report.
    """
    if len(masked) > LONGEST_TURN or not _TURN.regex.search(masked):
        return Reading(masked)
    clauses = clauses_of(masked, lists)
    turn = next((at for at, clause in enumerate(clauses) if clause.stance is not Stance.UNSAID), 0)
    clause = clauses[turn]
    if not turn or clause.stance is not Stance.FAILS or not any(each.target for each in clauses[: turn + 1]):
        return Reading(masked)
    rest = "".join(each.text for each in clauses[turn:])
    return Reading(rest if TARGET in rest else f"{TARGET} {rest}")


def _reading_of_all(masked: str, clauses: Sequence[Clause]) -> Reading:
    """Return a text from where it says that the service fails, where what comes before says nothing but the contrary.

    "Was back for a minute, now down again", "reports no outage, but does not load", "works here, but not over there".
    """
    fails = next((at for at, clause in enumerate(clauses) if clause.stance is Stance.FAILS), 0)
    before = {clause.stance for clause in clauses[:fails]} - {Stance.UNSAID}
    known = before <= {Stance.RECOVERED, Stance.NOT_FAILING} or (clauses[fails].contrary and before <= {Stance.WORKS})
    if not before or not known:
        return Reading(masked)
    rest = "".join(clause.text for clause in clauses[fails:])
    return Reading(rest if TARGET in rest else f"{TARGET} {rest}")


def _is_elsewhere(masked: str, has_other: bool) -> bool:
    """Return whether a text names its target only as where to go, or as where people speak of another that fails."""
    mentions = masked.count(TARGET)
    return len(_RIVAL.regex.findall(masked)) >= mentions or (
        has_other and len(_MEDIUM.regex.findall(masked)) >= mentions
    )


def _is_a_way_out(masked: str, clauses: Sequence[Clause]) -> bool:
    """Return whether a text names its target only as where its author went while another fails."""
    other_fails = any(clause.other and clause.stance in _FAILURE for clause in clauses)
    moves = [move[0] for move in _MOVED.regex.finditer(unaccented(masked))]
    # who moved from the other to the target may well speak of the target
    return other_fails and sum(OTHER not in move for move in moves) >= masked.count(TARGET)


def _may_report(clauses: Sequence[Clause]) -> bool:
    """Return whether anything says that the service fails now, or nothing says the contrary."""
    stances = [clause.stance for clause in clauses]
    back = max((at for at, stance in enumerate(stances) if stance is Stance.RECOVERED), default=-1)
    if Stance.FAILS in stances[back + 1 :]:
        return True
    if back >= 0 or Stance.WORKS in stances or Stance.NOT_FAILING in stances:
        return False
    return Stance.ASKS in stances or Stance.NOT_NOW not in stances


def _is_of_others_only(clauses: Sequence[Clause]) -> bool:
    """Return whether what fails comes before the service is named, which then is said to work.

    "The build failed three times, svctarget is fine".
    """
    named = next((at for at, clause in enumerate(clauses) if clause.target), None)
    if named is None or any(clause.stance in _FAILURE for clause in clauses[named:]):
        return False
    if any(names_a_role(clause.text) for clause in clauses[: named + 1]):
        return False  # "the website won't load, but svctarget api has no problems" is a failure in part
    return {clause.stance for clause in clauses if clause.target} <= {Stance.WORKS, Stance.NOT_FAILING}


def _reading_of_one(masked: str, own: Sequence[Clause], others: Sequence[Clause], clauses: Sequence[Clause]) -> Reading:
    """Return what a text says of its target where other clauses are about other services only."""
    fails = [clause for clause in own if clause.stance in _FAILURE]
    if fails:
        # of others only what fails too is read: where its author went meanwhile says nothing of the target
        spared = _FAILURE if any(clause.stance is Stance.FAILS for clause in fails) else (*_FAILURE, Stance.UNSAID)
        apart = {clause.text for clause in others if clause.stance not in spared}
        return Reading("".join(clause.text for clause in clauses if clause.text not in apart))
    others_fail = any(clause.stance in _FAILURE for clause in others)
    if others_fail or any(clause.stance in _NO_FAILURE for clause in own):
        return Reading(masked, UNLIKELY)
    if _TWO_SENTENCES.search(masked):
        return Reading(masked)
    # in one sentence, that another works says nothing of the target
    return Reading("".join(clause.text for clause in clauses if clause.target or clause.stance is not Stance.WORKS))
