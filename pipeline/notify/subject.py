"""The subject of a message about an incident."""

from __future__ import annotations

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.incidents import state_in_words
from pipeline.core.vocabulary import State, Transition

_HEADLINES = {
    Transition.UNDER_WAY: "already under way when we began",
    Transition.WORSE: "getting worse",
    Transition.WORSE_AGAIN: "worse again",
    Transition.COMPONENT_ADDED: "more parts affected",
    Transition.EASING: "easing",
    Transition.OVER: "over",
    Transition.REOPENED: "back again",
    Transition.REMINDER: "still going on",
}


def _headline(facts: AlertFacts) -> str:
    state = state_in_words(facts.state, facts.confirmed_by)
    if facts.transition is Transition.CONFIRMED:
        return state
    if facts.transition is Transition.OPENED:
        return f"outage, {state}" if facts.state is State.CONFIRMED else f"{facts.state} outage"
    if facts.restored:
        return f"{len(facts.restored)} of {len(facts.hit)} services restored"
    if facts.transition is Transition.OVER and facts.new_level:
        return "over, at a new normal level"
    return _HEADLINES[facts.transition]


def subject(facts: AlertFacts) -> str:
    """Return the subject line: service, what changed, what fails, impact."""
    headline = _headline(facts)
    details = []
    if facts.affected_names:
        still = "still failing: " if facts.restored else ""
        more = " and more" if len(facts.affected_names) > 3 else ""
        details.append(still + ", ".join(name[:40] for name in facts.affected_names[:3]) + more)
    if facts.symptom and facts.transition not in (Transition.OVER, Transition.EASING):
        details.append(facts.symptom.replace("_", " "))
    if facts.transition is not Transition.OVER:
        details.append(f"impact {facts.impact}")
    simulated = "[simulated] " if facts.simulated else ""
    return f"{simulated}{facts.service}: {headline}" + (f" ({'; '.join(details)})" if details else "")
