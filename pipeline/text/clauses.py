"""The clauses of a masked text, and what each says of its service: that it fails, works, or neither."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from pipeline.text.components import names_a_role
from pipeline.text.lexicon import WordPattern
from pipeline.text.masking import OTHER, TARGET
from pipeline.text.ordinary_names import speaks_of_trouble
from pipeline.text.patterns import PatternSet
from pipeline.text.symptoms import matched_symptoms

MOST_CLAUSES = 40  # of a text; what follows is read as one
LISTS = PatternSet("stances", together=1)  # the automaton of several is larger than all of theirs
_EDGE = WordPattern("clauses", r"(?:%(mark)s)|(?<=\W)(?=(?:%(begins)s)(?:\W|(?<=\W)))|(?:%(joined)s)")
_JOINED = WordPattern("clauses", r"^\W*(?:(?:%(joins)s)\s*)?svc")
_NEVER = frozenset({"market", "ill"})  # of no failure, whenever it is said
NO_REPORT = frozenset({"works", "not_failing", "recovered", "conditional", "future", "past", "talk"}) | _NEVER
_NOT_NOW = frozenset({"conditional", "future", "past", "talk"})
FIRST_ASKED = NO_REPORT | {"own_request", "rival", "waiting_line"}
_OF_CLAUSES = NO_REPORT | {
    "works_not",
    "not_arrived",
    "not_yet",
    "asks_whether",
    "now",
    "fails",
    "also",
    "moved",
    "relapse",
    "own_thing",
}
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


_ANSWERED = {Stance.YES: Stance.FAILS, Stance.NO: Stance.NOT_FAILING}  # after a question whether it fails
_CONTRARY = {
    Stance.FAILS: Stance.WORKS,
    Stance.ASKS: Stance.WORKS,
    Stance.WORKS: Stance.FAILS,
    Stance.NOT_FAILING: Stance.FAILS,
    Stance.RECOVERED: Stance.FAILS,
}


class Clause(NamedTuple):
    """A clause of a masked text, which kind of service it names, and what it says.

    `shares` where it takes the verdict of the last clause that has one, `contrary` where it says the contrary.
    """

    text: str
    target: bool
    other: bool
    stance: Stance
    shares: bool
    contrary: bool


def clauses_of(masked: str, asked: frozenset[str]) -> list[Clause]:
    """Return the clauses of a masked text; `asked` are the lists of `FIRST_ASKED` that it matches."""
    return _judged(list(_split(masked, asked)))


def _split(masked: str, asked: frozenset[str]) -> Iterator[Clause]:
    """Yield the clauses of a masked text, each with what it says when it is read alone."""
    edges = [0]
    for match in _EDGE.regex.finditer(masked):
        if len(edges) >= MOST_CLAUSES:
            break
        edges.append(match.end())
    whole = masked.replace(OTHER, TARGET)  # the lists hold of whichever service a clause is about
    # a list that the text lacks no clause has
    new = _OF_CLAUSES if OTHER in masked else _OF_CLAUSES - FIRST_ASKED
    several = _OF_SEVERAL if OTHER in masked and TARGET in masked else frozenset()
    possible = LISTS.matched_of(whole, new) | (asked & _OF_CLAUSES) | _ANCHORED | several
    if OTHER not in masked and "works" in possible and "works_not" not in possible:
        possible -= {"not_arrived"}  # "o pix não caiu, tudo normal"
    troubled = _speaks_of_failure(whole)
    for start, end in zip(edges, [*edges[1:], len(masked)], strict=True):
        text = masked[start:end]
        if text.strip():
            clause = text.replace(OTHER, TARGET)
            lists = LISTS.matched_of(clause, possible)
            stance = _stance(clause, lists, troubled=troubled)
            contrary = stance is Stance.UNSAID and "contrary" in lists and "also" not in lists
            shares = "moved" not in lists and ("also" in lists or _is_names_alone(text))
            yield Clause(text, TARGET in text, OTHER in text, stance, shares, contrary)


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
    if not asks and "not_failing" in lists and "not_arrived" not in lists:
        return Stance.NOT_FAILING
    if not asks and "recovered" in lists and "not_yet" not in lists:
        return Stance.RECOVERED
    if not asks and "works_alone" in lists and "works_not_alone" not in lists and not names_a_role(clause):
        return Stance.WORKS  # "it loads" speaks of loading, as "it does not load" does
    if not lists.isdisjoint({"fails", "not_arrived", "works_not_alone"}) or (troubled and _speaks_of_failure(clause)):
        if "own_thing" in lists and TARGET not in clause:
            return Stance.UNSAID
        return Stance.ASKS if asks else Stance.FAILS
    if not asks and "works" in lists and "works_not" not in lists and not names_a_role(clause):
        return Stance.WORKS
    if "answers_yes" in lists or "answers_no" in lists:
        return Stance.YES if "answers_yes" in lists else Stance.NO
    return Stance.UNSAID


def _answered(clauses: Sequence[Clause]) -> list[Clause]:
    """Return clauses with each question whether a service fails joined to the yes or no that answers it."""
    joined: list[Clause] = []
    for clause in clauses:
        answer = _ANSWERED.get(clause.stance)
        if answer is None:
            joined.append(clause)
        elif joined and joined[-1].stance is Stance.ASKS:
            joined[-1] = joined[-1]._replace(text=joined[-1].text + clause.text, stance=answer)
        else:
            joined.append(clause._replace(stance=Stance.UNSAID))
    return joined


def _judged(clauses: Sequence[Clause]) -> list[Clause]:
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
