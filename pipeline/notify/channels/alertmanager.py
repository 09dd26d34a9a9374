"""Alerts for Prometheus' Alertmanager (API v2): an incident is one alert there, and its end ends it.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. Alertmanager knows an alert again by its
labels, so these never change; what does is in the annotations. It forgets alerts that are not repeated before they end,
so each has an end far ahead until the real one is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pydantic import SecretStr

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.times import iso
from pipeline.core.vocabulary import Transition
from pipeline.notify.channels.posting import JsonPoster, as_json
from pipeline.render.formatting import header_safe, safe_link

LASTS = timedelta(days=30)  # after the newest message, unless the end comes first


class AlertmanagerChannel:
    """Sends what concerns one incident; messages about no single incident are left out."""

    name = "alertmanager"

    def __init__(self, url: SecretStr | None, *, allow: Iterable[str] = ()) -> None:
        """`url` is the address of Alertmanager, without `/api/v2`; it may hold a password."""
        self._url = url
        self._poster = JsonPoster(self.name, allow=allow)

    def send(self, alert: Alert) -> None:
        """Post one alert. Raises ChannelError."""
        if self._url is None:
            raise ChannelError("alertmanager: GROUNDSWELL_ALERTMANAGER_URL is not set")
        if isinstance(alert.facts, AlertFacts):
            url = self._url.get_secret_value().rstrip("/")
            self._poster.post(f"{url}/api/v2/alerts", as_json([posted_alert(alert)]), alert.created, {})

    def probe(self) -> str:
        """Look up Alertmanager's host; nothing is posted. Raises ChannelError."""
        if self._url is None:
            raise ChannelError("GROUNDSWELL_ALERTMANAGER_URL is not set")
        return self._poster.probe(self._url.get_secret_value(), "GROUNDSWELL_ALERTMANAGER_URL")


def posted_alert(alert: Alert) -> dict[str, object]:
    """Return the alert of a message about an incident."""
    facts = alert.incident_facts
    over = alert.transition is Transition.OVER
    # an end before the start is refused, and one after now does not end it
    end = max(facts.onset, min(facts.end or facts.at, facts.at)) if over else facts.at + LASTS
    annotations = {
        "summary": header_safe(alert.subject, 400),
        "description": header_safe(" · ".join(facts.evidence[:5]), 1500),
        "state": facts.state,
        "impact": facts.impact,
        "affected": header_safe(", ".join(facts.affected_names), 400),
        "status_page": safe_link(facts.status_page),
    }
    values: dict[str, object] = {
        "labels": {"alertname": "ServiceOutage", "service": alert.service, "incident": alert.incident},
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": iso(facts.onset),
        "endsAt": iso(end),
    }
    return {**values, **({"generatorURL": facts.page_url} if facts.page_url else {})}
