"""The facts of a message as JSON values: as the outbox stores them and as webhooks post them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import structs

from pipeline.core.alert_facts import (
    AdvisoryFacts,
    AlertFacts,
    ChartFacts,
    ComponentFacts,
    LinkFacts,
    MessageFacts,
    OfficialLine,
    OutLink,
    PeakFacts,
    Section,
    SignalFacts,
    SummaryFacts,
    SurgeFacts,
    SystemFacts,
)
from pipeline.core.stored_alert import (
    StoredAdvisory,
    StoredAlert,
    StoredChart,
    StoredComponent,
    StoredLink,
    StoredMessage,
    StoredNote,
)
from pipeline.core.times import iso, utc, utc_or_none
from pipeline.core.vocabulary import ComponentStatus, ConfirmedBy, Impact, Relation, State, Transition

ADVISORY_SCHEMA = 1
# what is stored under another name than the record's
_KEYS = {"evidence_for": "for", "evidence_against": "against", "times": "t"}


def to_json(facts: MessageFacts) -> dict[str, object]:
    """Return facts as JSON values: text, numbers, lists and objects."""
    return _object(facts) if isinstance(facts, AlertFacts) else {"note": True, **_object(facts)}


def advisory_json(advisory: AdvisoryFacts) -> dict[str, object]:
    """Return what is posted to a program that scales capacity; docs/story.md says what each key means."""
    head = {"schema": ADVISORY_SCHEMA, "type": "surge_advisory", "active": advisory.active}
    return {**head, **_object(advisory)}


def from_json(values: StoredMessage) -> MessageFacts:
    """Return facts from stored values; a key that an older version did not store has its default.

    Raises KeyError or ValueError where one is missing, or is not what it should be, that every version stored.
    """
    if "note" in values:
        return _system(values)
    chart = values.get("chart")
    return AlertFacts(
        service=values["service"],
        service_id=values["service_id"],
        transition=Transition(values["transition"]),
        state=State(values.get("state", State.POSSIBLE)),
        impact=Impact(values.get("impact", Impact.NONE)),
        symptom=values["symptom"],
        onset=utc(values["onset"]),
        at=utc(values["at"]),
        next_after=utc(values["next_after"]),
        peak=utc_or_none(values.get("peak")),
        end=utc_or_none(values.get("end")),
        official_first_at=utc_or_none(values.get("official_first_at")),
        affected=tuple(values.get("affected") or ()),
        affected_names=tuple(values.get("affected_names") or ()),
        works_names=tuple(values.get("works_names") or ()),
        components=tuple(_component(part) for part in values.get("components", ())),
        evidence=tuple(values.get("evidence") or ()),
        official=tuple(OfficialLine(utc(moment), line) for moment, line in values.get("official", ())),
        sources=tuple(values.get("sources") or ()),
        votes=values.get("votes") or 0,
        refused=values.get("refused") or {},
        quotes=tuple(values.get("quotes") or ()),
        quoted_at=tuple(map(utc, values.get("quoted_at") or ())),
        episodes=values.get("episodes") or 1,
        probability=values.get("probability"),
        where=values.get("where") or "",
        fallback=values.get("fallback") or "",
        comparable=tuple(values.get("comparable") or ()),
        differs=tuple(values.get("differs") or ()),
        links=tuple(_link(link) for link in values.get("links", ())),
        simulated=bool(values.get("simulated")),
        chart=_chart(chart) if chart else None,
        hit=tuple(values.get("hit") or ()),
        confirmed_by=_confirmed_by(values),
        restored=tuple(values.get("restored") or ()),
        restored_names=tuple(values.get("restored_names") or ()),
        new_level=tuple(values.get("new_level") or ()),
        missing=tuple(values.get("missing") or ()),
        page_url=values.get("page_url") or "",
        status_page=values.get("status_page") or "",
        first_message_at=utc_or_none(values.get("first_message_at")),
        out_links=tuple(OutLink(label, url) for label, url in values.get("out_links", ())),
        peak_count=PeakFacts(*peak) if (peak := values.get("peak_count")) else None,
    )


def _confirmed_by(values: StoredAlert) -> ConfirmedBy | None:
    """Return what confirmed an incident; older versions stored only whether the provider had posted."""
    if stored := values.get("confirmed_by"):
        return ConfirmedBy(stored)
    if State(values.get("state", State.POSSIBLE)) is not State.CONFIRMED:
        return None
    return ConfirmedBy.PROVIDER if values.get("official_first_at") else ConfirmedBy.REPORTS


def _system(values: StoredNote) -> SystemFacts:
    subject, heading, at = values["subject"], values["heading"], utc(values["at"])
    sections = tuple(Section(section["title"], tuple(section["lines"])) for section in values["sections"])
    simulated = bool(values.get("simulated"))
    if "advisory" in values:
        return SurgeFacts(
            subject=subject,
            heading=heading,
            at=at,
            sections=sections,
            simulated=simulated,
            advisory=_advisory(values["advisory"]),
        )
    if "incidents" in values:
        return SummaryFacts(
            subject=subject,
            heading=heading,
            at=at,
            sections=sections,
            simulated=simulated,
            incidents=tuple(values["incidents"]),
        )
    return SystemFacts(subject=subject, heading=heading, at=at, sections=sections, simulated=simulated)


def _advisory(values: StoredAdvisory) -> AdvisoryFacts:
    return AdvisoryFacts(
        service=values["service"],
        name=values["name"],
        level=values["level"],
        since=utc(values["since"]),
        until=utc_or_none(values["until"]),
        reasons=tuple(values["reasons"]),
        signals=tuple(SignalFacts(name=s["name"], value=s["value"], usual=s["usual"]) for s in values["signals"]),
        simulated=values["simulated"],
    )


def _component(values: StoredComponent) -> ComponentFacts:
    return ComponentFacts(
        name=values["name"],
        source=values["source"],
        status=ComponentStatus(values["status"]),
        since=utc(values["since"]),
        until=utc_or_none(values["until"]),
        detail=values["detail"],
    )


def _link(values: StoredLink) -> LinkFacts:
    return LinkFacts(
        relation=Relation(values["relation"]),
        title=values["title"],
        seen=utc(values["seen"]),
        outlets=values["outlets"],
        evidence_for=tuple(values["for"]),
        evidence_against=tuple(values["against"]),
    )


def _chart(values: StoredChart) -> ChartFacts:
    return ChartFacts(
        label=values["label"],
        times=tuple(values["t"]),
        observed=tuple(values["observed"]),
        expected=tuple(values["expected"]),
        upper=tuple(values["upper"]),
    )


Record = AlertFacts | SystemFacts | ComponentFacts | LinkFacts | ChartFacts | AdvisoryFacts | SignalFacts


def _object(record: Record) -> dict[str, object]:
    """Return a record's fields under their stored names."""
    return {_KEYS.get(name, name): _value(value) for name, value in structs.asdict(record).items()}


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, ComponentFacts | LinkFacts | ChartFacts | SignalFacts):
        return _object(value)
    if isinstance(value, AdvisoryFacts):
        return advisory_json(value)
    if isinstance(value, Section):
        return {"title": value.title, "lines": list(value.lines)}
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value
