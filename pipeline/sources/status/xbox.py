"""Xbox: `xnotify.xboxlive.com/servicestatusv6/US/en-US`, the present state of services, as XML or JSON."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from pipeline.core.errors import SourceError
from pipeline.sources.status.present_state import Part, parts_of, read_present_state
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import Entry, Text, member, parsed, value_of

STATES = {
    "none": "operational",
    "limited": "degraded_performance",
    "warning": "degraded_performance",
    "investigating": "degraded_performance",
    "impacted": "partial_outage",
    "major": "major_outage",
    "critical": "major_outage",
    "outage": "major_outage",
    "unavailable": "major_outage",
}
_XML = re.compile(rb"<CoreServices[\s>]")
_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.I)


class _Status(Entry):
    Name: Text = ""


class _Service(Entry):
    Id: Text = ""
    Name: Text = ""
    Status: _Status = _Status()


def recognises(answer: Answer) -> bool:
    """Return whether an answer has Xbox's core services."""
    value = parsed(answer.body)
    if isinstance(member(value, "CoreServices"), list):
        return isinstance(member(value, "Status", "Overall"), dict)
    return value is None and bool(_XML.search(answer.body[:20_000])) and not _DECLARATION.search(answer.body)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read what is down now. Raises SourceError when it is no such answer."""
    if parsed(answer.body) is None and recognises(answer):
        services: object = _from_xml(answer, context)
    else:
        services = member(value_of(answer, context, recognises), "CoreServices")
    return read_present_state(parts_of(services, _Service, _part, answer, context), context)


def _part(service: _Service) -> Part:
    words = service.Status.Name
    return Part(
        id=service.Id or service.Name,
        name=service.Name,
        state=STATES.get(words.lower(), ""),
        words=words,
    )


def _from_xml(answer: Answer, context: PageContext) -> list[object]:
    try:
        root = ET.fromstring(answer.body)  # noqa: S314  without declarations of its own there is nothing to expand
    except (ET.ParseError, LookupError, ValueError) as error:  # an encoding that is none is a LookupError
        raise SourceError(f"not valid XML: {error}", source=context.source, head=answer.body[:200]) from error
    return [
        {
            "Id": category.findtext("Id", ""),
            "Name": category.findtext("Name", ""),
            "Status": {"Name": category.findtext("Status/Name", "")},
        }
        for category in root.findall(".//CoreServices/Category")
    ]


XBOX = Reader(
    name="xbox",
    platform="Xbox",
    paths=("servicestatusv6/US/en-US",),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="public clients that read it as JSON and as XML; no body was found, nor a list of its words",
)
