"""What a text says of the service it is read about, clause by clause: that it fails now, that it works, or neither.

A text that names two services is read for each by the clauses about it ("on Verizon because T-Mobile is down"). What
is said to work, to be back, to have failed once or to fail some day is no report, whatever words of trouble it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pipeline.text.components import names_a_role
from pipeline.text.lexicon import WordPattern
from pipeline.text.masking import OTHER, TARGET
from pipeline.text.ordinary_names import speaks_of_trouble
from pipeline.text.patterns import PatternSet, unaccented
from pipeline.text.symptoms import matched_symptoms

UNLIKELY = 0.2  # the most that is believed of a text in which nothing says that the service fails now
MOST_CLAUSES = 40  # of a text; what follows is read as one
LONGEST_TURN = 240  # characters of a text that is read from where it turns; a longer one tells a story
_LISTS = PatternSet("stances", together=1)  # the automaton of several is larger than all of theirs
_EDGE = WordPattern("clauses", r"(?:%(mark)s)|(?<=\W)(?=(?:%(begins)s)(?:\W|(?<=\W)))|(?:%(joined)s)")
_JOINED = WordPattern("clauses", r"^\W*(?:(?:%(joins)s)\s*)?svc")
_TURN = WordPattern("clauses", r"(?<=\W)(?:%(begins)s)(?:\W|(?<=\W))|(?:%(joined)s)")
_RIVAL = WordPattern("stances", "%(rival)s")
_MEDIUM = WordPattern("stances", "%(medium)s")
_MOVED = WordPattern("stances", "%(moved)s")
_NEVER = frozenset({"market", "ill"})  # of no failure, whenever it is said
_NO_REPORT = frozenset({"works", "not_failing", "recovered", "conditional", "future", "past", "talk"}) | _NEVER
_NOT_NOW = frozenset({"conditional", "future", "past", "talk"})
_OF_TWO = frozenset({"medium", "moved"})  # asked of texts that name another service
_FIRST_ASKED = _NO_REPORT | {"own_request", "rival", "waiting_line"}
_OF_CLAUSES = _NO_REPORT | {
    "works_not",
    "not_yet",
    "asks_whether",
    "now",
    "fails",
    "also",
    "moved",
    "relapse",
    "own_thing",
}
_LINE_FAILS = frozenset({"fails", "server_side", "line_fails"})
_SERVER_SIDE = frozenset({"server_side"})
_ANCHORED = frozenset({"contrary", "not_failing"})  # some of a whole clause, so that no text of several matches
# asked of clauses of texts that name another service, most of whole clauses
_OF_SEVERAL = frozenset({"works_alone", "works_not_alone", "answers_yes", "answers_no"})


class Stance(Enum):
    """What a clause says of its service."""

    FAILS = "fails"
    ASKS = "asks"  # whether it fails
    WORKS = "works"
    NOT_FAILING = "does not fail"
    RECOVERED = "recovered"
    NOT_NOW = "not now"
    UNSAID = "unsaid"
    YES = "yes"  # and no more: the answer to a question before
    NO = "no"


_FAILURE = (Stance.FAILS, Stance.ASKS)
_NO_FAILURE = (Stance.WORKS, Stance.NOT_FAILING, Stance.RECOVERED, Stance.NOT_NOW)
_TWO_SENTENCES = re.compile(r"[.!?。！？]\s*\w")
_ANSWERED = {Stance.YES: Stance.FAILS, Stance.NO: Stance.NOT_FAILING}  # after a question whether it fails
_CONTRARY = {
    Stance.FAILS: Stance.WORKS,
    Stance.ASKS: Stance.WORKS,
    Stance.WORKS: Stance.FAILS,
    Stance.NOT_FAILING: Stance.FAILS,
    Stance.RECOVERED: Stance.FAILS,
}


class _Clause(NamedTuple):
    """A clause of a masked text, which kind of service it names, and what it says.

    `shares` where it takes the verdict of the last clause that has one, `contrary` where it says the contrary.
    """

    text: str
    target: bool
    other: bool
    stance: Stance
    shares: bool
    contrary: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a classifier reads of a masked text for one service, and the most its probability may be."""

    text: str
    most: float = 1.0


def reading(masked: str) -> Reading:
    """Return what a masked text says of its target: the clauses about it, and whether any can be a report."""
    has_other = OTHER in masked and TARGET in masked
    lists = _LISTS.matched_of(masked, _FIRST_ASKED | _OF_TWO if has_other else _FIRST_ASKED)
    if "own_request" in lists and not _LISTS.matched_of(masked, _SERVER_SIDE):
        return Reading(masked, UNLIKELY)
    if "waiting_line" in lists and not _LISTS.matched_of(masked, _LINE_FAILS):
        return Reading(masked, UNLIKELY)
    if not lists.isdisjoint({"rival", "medium"}) and _is_elsewhere(unaccented(masked), has_other):
        return Reading(masked, UNLIKELY)
    if not has_other and _NO_REPORT.isdisjoint(lists):
        return _reading_of_a_turn(masked, lists)
    clauses = _judged(list(_clauses(masked, lists)))
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
    clauses = _judged(list(_clauses(masked, lists)))
    turn = next((at for at, clause in enumerate(clauses) if clause.stance is not Stance.UNSAID), 0)
    clause = clauses[turn]
    if not turn or clause.stance is not Stance.FAILS or not any(each.target for each in clauses[: turn + 1]):
        return Reading(masked)
    rest = "".join(each.text for each in clauses[turn:])
    return Reading(rest if TARGET in rest else f"{TARGET} {rest}")


def _reading_of_all(masked: str, clauses: Sequence[_Clause]) -> Reading:
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


def _is_a_way_out(masked: str, clauses: Sequence[_Clause]) -> bool:
    """Return whether a text names its target only as where its author went while another fails."""
    other_fails = any(clause.other and clause.stance in _FAILURE for clause in clauses)
    moves = [move[0] for move in _MOVED.regex.finditer(unaccented(masked))]
    # who moved from the other to the target may well speak of the target
    return other_fails and sum(OTHER not in move for move in moves) >= masked.count(TARGET)


def _clauses(masked: str, asked: frozenset[str]) -> Iterator[_Clause]:
    """Yield the clauses of a masked text; `asked` are the lists of `_FIRST_ASKED` that it matches."""
    edges = [0]
    for match in _EDGE.regex.finditer(masked):
        if len(edges) >= MOST_CLAUSES:
            break
        edges.append(match.end())
    whole = masked.replace(OTHER, TARGET)  # the lists hold of whichever service a clause is about
    # a list that the text lacks no clause has
    new = _OF_CLAUSES if OTHER in masked else _OF_CLAUSES - _FIRST_ASKED
    several = _OF_SEVERAL if OTHER in masked and TARGET in masked else frozenset()
    possible = _LISTS.matched_of(whole, new) | (asked & _OF_CLAUSES) | _ANCHORED | several
    troubled = _speaks_of_failure(whole)
    for start, end in zip(edges, [*edges[1:], len(masked)], strict=True):
        text = masked[start:end]
        if text.strip():
            clause = text.replace(OTHER, TARGET)
            lists = _LISTS.matched_of(clause, possible)
            stance = _stance(clause, lists, troubled=troubled)
            contrary = stance is Stance.UNSAID and "contrary" in lists and "also" not in lists
            shares = "moved" not in lists and ("also" in lists or _is_names_alone(text))
            yield _Clause(text, TARGET in text, OTHER in text, stance, shares, contrary)


def _speaks_of_failure(normalized: str) -> bool:
    return bool(matched_symptoms(normalized)) or speaks_of_trouble(normalized)


def _stance(clause: str, lists: frozenset[str], *, troubled: bool) -> Stance:
    """Return what a clause says, given the word lists it matches; `troubled` where its text speaks of a failure."""
    if lists & _NEVER:
        return Stance.NOT_NOW
    asks = "?" in clause or "؟" in clause
    not_now = lists & _NOT_NOW
    present = not lists.isdisjoint({"now", "relapse"}) and not_now <= {"past", "talk"}
    if not_now and not present and not (not_now == {"conditional"} and "asks_whether" in lists):
        return Stance.NOT_NOW
    if not asks and "relapse" in lists:
        return Stance.FAILS
    if not asks and "not_failing" in lists:
        return Stance.NOT_FAILING
    if not asks and "recovered" in lists and "not_yet" not in lists:
        return Stance.RECOVERED
    if not asks and "works_alone" in lists and "works_not_alone" not in lists and not names_a_role(clause):
        return Stance.WORKS  # "it loads" speaks of loading, as "it does not load" does
    if not lists.isdisjoint({"fails", "works_not_alone"}) or (troubled and _speaks_of_failure(clause)):
        if "own_thing" in lists and TARGET not in clause:
            return Stance.UNSAID
        return Stance.ASKS if asks else Stance.FAILS
    if not asks and "works" in lists and "works_not" not in lists and not names_a_role(clause):
        return Stance.WORKS
    if "answers_yes" in lists or "answers_no" in lists:
        return Stance.YES if "answers_yes" in lists else Stance.NO
    return Stance.UNSAID


def _answered(clauses: Sequence[_Clause]) -> list[_Clause]:
    """Return clauses with each question whether a service fails joined to the yes or no that answers it."""
    joined: list[_Clause] = []
    for clause in clauses:
        answer = _ANSWERED.get(clause.stance)
        if answer is None:
            joined.append(clause)
        elif joined and joined[-1].stance is Stance.ASKS:
            joined[-1] = joined[-1]._replace(text=joined[-1].text + clause.text, stance=answer)
        else:
            joined.append(clause._replace(stance=Stance.UNSAID))
    return joined


def _may_report(clauses: Sequence[_Clause]) -> bool:
    """Return whether anything says that the service fails now, or nothing says the contrary."""
    stances = [clause.stance for clause in clauses]
    back = max((at for at, stance in enumerate(stances) if stance is Stance.RECOVERED), default=-1)
    if Stance.FAILS in stances[back + 1 :]:
        return True
    if back >= 0 or Stance.WORKS in stances or Stance.NOT_FAILING in stances:
        return False
    return Stance.ASKS in stances or Stance.NOT_NOW not in stances


def _is_of_others_only(clauses: Sequence[_Clause]) -> bool:
    """Return whether what fails comes before the service is named, which then is said to work.

    "The build failed three times, svctarget is fine".
    """
    named = next((at for at, clause in enumerate(clauses) if clause.target), None)
    if named is None or any(clause.stance in _FAILURE for clause in clauses[named:]):
        return False
    if any(names_a_role(clause.text) for clause in clauses[: named + 1]):
        return False  # "the website won't load, but svctarget api has no problems" is a failure in part
    return {clause.stance for clause in clauses if clause.target} <= {Stance.WORKS, Stance.NOT_FAILING}


def _judged(clauses: Sequence[_Clause]) -> list[_Clause]:
    """Return clauses with the verdict that each shares with another or contradicts.

    "A, B and C are down": names without a verdict share the next one; "so is D" shares the last; "E isn't" and "but
    not on mobile data" say the contrary of the last, or where none came before of the next.
    """
    clauses = _answered(clauses)
    verdicts = [clause.stance for clause in clauses]
    for at in range(len(clauses) - 2, -1, -1):
        if verdicts[at] is not Stance.UNSAID:
            continue
        if clauses[at].contrary:
            if all(verdict is Stance.UNSAID for verdict in verdicts[:at]):
                verdicts[at] = _CONTRARY.get(verdicts[at + 1], Stance.UNSAID)
        elif _is_names_alone(clauses[at].text) and _JOINED.regex.match(clauses[at + 1].text):
            verdicts[at] = verdicts[at + 1]
    last = Stance.UNSAID
    for at, clause in enumerate(clauses):
        if verdicts[at] is Stance.UNSAID:
            if clause.contrary:
                verdicts[at] = _CONTRARY.get(last, Stance.UNSAID)
            elif clause.shares:
                verdicts[at] = last
        if verdicts[at] is not Stance.UNSAID:
            last = verdicts[at]
    return [clause._replace(stance=verdict) for clause, verdict in zip(clauses, verdicts, strict=True)]


def _is_names_alone(clause: str) -> bool:
    """Return whether a clause says nothing but names and the words that join them."""
    words = clause.replace(TARGET, " ").replace(OTHER, " ").split()
    named = TARGET in clause or OTHER in clause
    return named and not any(word.strip(".,;:!?()&/'\"").isalpha() and len(word) > 3 for word in words)


def _reading_of_one(
    masked: str, own: Sequence[_Clause], others: Sequence[_Clause], clauses: Sequence[_Clause]
) -> Reading:
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
