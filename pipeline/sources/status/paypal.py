"""PayPal: `/api/v1/components`, the present state of its products and interfaces."""

from __future__ import annotations

from pipeline.sources.status.present_state import Part, parts_of, read_present_state
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import Entry, Named, Text, listed, member, parsed, value_of

STATES = {
    "operational": "operational",
    "informational": "operational",
    "under maintenance": "under_maintenance",
    "service disruption": "degraded_performance",
    "service outage": "major_outage",
}


class _Environments(Entry):
    production: Text = ""


class _Component(Named):
    id: Text = ""
    category: Named = Named()
    status: _Environments


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of components with a state in production."""
    components = listed(member(parsed(answer.body), "result"))
    return any(isinstance(member(component, "status", "production"), str) for component in components)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read what is down in production now. Raises SourceError when it is no such answer."""
    components = member(value_of(answer, context, recognises), "result")
    return read_present_state(parts_of(components, _Component, _part, answer, context), context)


def _part(component: _Component) -> Part:
    words, category = component.status.production, component.category.label
    return Part(
        id=component.id or f"{category} {component.label}".strip(),
        name=component.label or category,
        state=STATES.get(words.replace("_", " ").lower(), ""),
        words=words,
        also_named=(category,),
    )


PAYPAL = Reader(
    name="paypal",
    platform="PayPal",
    paths=("api/v1/components",),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="inket/stts@1aa936d6/stts/Services/Super/PayPal.swift",
)
