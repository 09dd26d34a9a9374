"""What a failure that several services share is shown as."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.incidents import Incident


def service_shown(incident: Incident, catalogue: Catalogue) -> Service:
    """Return the service whose name an incident is shown under; raises KeyError where the catalogue lacks it.

    A shared failure is shown under what ties its members, be it no service of the catalogue: a vendor, a power cut, an
    unknown common cause. Such a one has no status page and no parts.
    """
    own = catalogue[incident.service]
    cause = incident.shared_cause
    if not cause or cause == own.id:
        return own
    shown = catalogue.get(cause)
    return replace(
        own,
        name=shown.name if shown else cause[0].upper() + cause[1:],
        vendor=shown.vendor if shown else "",
        status_page=shown.status_page if shown else "",
        components=(),
    )
