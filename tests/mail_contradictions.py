"""What in a message cannot be so together: read from its facts and from its text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.vocabulary import ComponentStatus, ConfirmedBy, State, Transition
from pipeline.render.mail import plain_text
from pipeline.render.mail_text import affected_so_far
from pipeline.render.summary import NAMED

FEWEST_LINKS = 3
NOTHING_POSTED = ("no notice from the provider has been seen", "no notice from the provider was seen")


def contradictions(alert: Alert) -> list[str]:
    """Return what a message about one incident says that does not go together; empty where all does."""
    facts, text = alert.incident_facts, plain_text(alert, "UTC")
    found = [*_provider(alert, facts, text), *_parts(facts, text), *_certainty(facts, text)]
    found += [*_times(facts), *_form(facts, text)]
    return [f"{alert.subject}, {facts.at:%d %H:%M}: {words}" for words in found]


def _provider(alert: Alert, facts: AlertFacts, text: str) -> Iterator[str]:
    posted = facts.official_first_at
    if posted is None and facts.official:
        yield "no first notice, and notices"
    if posted is not None and posted > facts.at:
        yield "a notice of the future"
    silent = any(words in text for words in NOTHING_POSTED)
    if silent and (posted is not None or "confirmed by the provider" in f"{alert.subject} {text}"):
        yield "the provider posted nothing, and posted"
    if posted is not None and f"{posted:%H:%M} UTC" not in text.splitlines()[0]:
        yield "does not say when the provider posted"
    if facts.confirmed_by is ConfirmedBy.PROVIDER and posted is None:
        yield "confirmed by a provider that posted nothing"
    unlisted = [line for line in facts.differs if "the provider does not list it" in line]
    for name in affected_so_far(facts):
        listed = any(c.source == "official" and c.name == name for c in facts.components)
        in_a_notice = any(name.casefold() in line.statement.casefold() for line in facts.official)
        if (listed or in_a_notice) and any(f"name {name} " in line for line in unlisted):
            yield f"the provider names {name}, and does not list it"


def _parts(facts: AlertFacts, text: str) -> Iterator[str]:
    failing = {c.name for c in facts.components if c.status is ComponentStatus.AFFECTED and c.until is None}
    for name in facts.works_names:
        if name in facts.affected_names or name in failing:
            yield f"{name} fails and works"
    if set(facts.affected_names) - set(affected_so_far(facts)):
        yield "a part fails that the table of parts lacks"
    for name in facts.affected_names[: NAMED - 1]:
        if facts.transition is not Transition.OVER and name not in text.splitlines()[0]:
            yield f"{name} fails and is not named"
    if affected_so_far(facts) and "No component is named yet" in text:
        yield "no part is named, and one is"


def _certainty(facts: AlertFacts, text: str) -> Iterator[str]:
    p = facts.probability
    if facts.transition is Transition.OVER and "something is broken" in text:
        yield "it is over, and something is broken"
    if p is None or facts.state is State.RESOLVED:
        return
    if facts.state in (State.LIKELY, State.CONFIRMED) and p < 0.5:
        yield f"{facts.state} at {p:.0%}"
    if facts.state is State.POSSIBLE and p > 0.95:
        yield f"{facts.state} at {p:.0%}"


def _times(facts: AlertFacts) -> Iterator[str]:
    end = facts.end
    if not facts.onset <= facts.at <= facts.next_after:
        yield "it begins after it was written, or the next message comes before"
    if (facts.transition is Transition.OVER) != (end is not None):
        yield "it is over without an end, or has an end and is not over"
    if end is not None and not facts.onset <= end <= facts.at:
        yield "its end lies before its beginning, or after the message"
    if facts.first_message_at is not None and facts.first_message_at > facts.at:
        yield "the first message came after this one"
    for c in facts.components:
        if c.since > facts.at or (c.until is not None and not c.since <= c.until):
            yield f"{c.name} fails at no time within the incident"
        if end is not None and c.since > end:
            yield f"{c.name} fails after the end"
    if any(line.at > facts.at for line in facts.official):
        yield "an update of the future"


def _form(facts: AlertFacts, text: str) -> Iterator[str]:
    first = text.splitlines()[0]
    if not first.startswith(facts.service) or not first.endswith("."):
        yield "does not begin with the sentence"
    if facts.transition is Transition.OVER:
        if not re.search(r" (for|of) \d", first) or "so far" in first:
            yield "does not say how long it failed"
        for name in affected_so_far(facts)[: NAMED - 1]:
            if name not in first:
                yield f"does not say that {name} was affected"
    if len({link.url for link in facts.out_links}) < FEWEST_LINKS:
        yield f"{len(facts.out_links)} links out"
    if any("no better than chance" in words for link in facts.links for words in link.evidence_against):
        yield "news that is no better than chance"
