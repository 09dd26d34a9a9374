"""Microsoft 365: `status.cloud.microsoft/api/posts/m365Consumer`, the present state of services for consumers."""

from __future__ import annotations

from pipeline.sources.status.present_state import Part, parts_of, read_present_state
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import Entry, Text, has_entry, parsed, value_of

STATES = {
    "operational": "operational",
    "serviceoperational": "operational",
    "servicerestored": "operational",
    "resolved": "operational",
    "investigating": "degraded_performance",
    "advisory": "degraded_performance",
    "servicedegradation": "degraded_performance",
    "restoringservice": "degraded_performance",
    "verifyingservice": "degraded_performance",
    "extendedrecovery": "degraded_performance",
    "serviceinterruption": "major_outage",
}


class _Service(Entry):
    ServiceDisplayName: Text = ""
    Status: Text = ""
    Title: Text = ""


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of services by Microsoft's field."""
    return has_entry(parsed(answer.body), "ServiceDisplayName", "Status")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read what is down now. Raises SourceError when it is no such answer."""
    return read_present_state(
        parts_of(value_of(answer, context, recognises), _Service, _part, answer, context), context
    )


def _part(service: _Service) -> Part:
    return Part(
        id=service.ServiceDisplayName,
        name=service.ServiceDisplayName,
        state=STATES.get("".join(service.Status.lower().split()), ""),
        words=service.Title or service.Status,
    )


MICROSOFT = Reader(
    name="microsoft",
    platform="Microsoft 365",
    paths=("api/posts/m365Consumer",),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="danielhagever/status-feeds; other public clients; its words as far as Microsoft documents them elsewhere",
)
