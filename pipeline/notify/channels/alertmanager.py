"""Alerts for Prometheus' Alertmanager (API v2): an incident is one alert there, and its end ends it.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. Alertmanager knows an alert again by its
labels, so these never change; what does is in the annotations. It keeps alerts in memory and its clients are to send
them again while they last (https://prometheus.io/docs/alerting/latest/clients/): every run does, with an end
LASTS ahead, so that a restart of Alertmanager loses none, and one whose sender is gone ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.core.times import iso
from pipeline.core.vocabulary import Transition
from pipeline.notify.channels.posting import JsonPoster, as_json
from pipeline.render.formatting import header_safe, safe_link

LASTS = timedelta(hours=3)  # after it was sent last, unless the end comes first; runs may be some minutes apart


class AlertmanagerChannel:
    """Sends what concerns one incident; messages about no single incident are left out."""

    name = "alertmanager"

    def __init__(self, url: SecretStr | None, *, allow: Iterable[str] = ()) -> None:
        """`url` is the address of Alertmanager, without `/api/v2`; it may hold a password."""
        self._url = url
        self._poster = JsonPoster(self.name, allow=allow)

    def send(self, alert: Alert) -> None:
        """Post one alert, and the end of those that became part of its incident. Raises ChannelError."""
        if isinstance(alert.facts, AlertFacts):
            self._post(posted_alerts(alert, alert.created), alert.created)

    def repeat(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Post all alerts that last once more, in one request. Raises ChannelError."""
        self._post([posted for alert in alerts for posted in posted_alerts(alert, now)], now)

    def probe(self) -> str:
        """Look up Alertmanager's host; nothing is posted. Raises ChannelError."""
        if self._url is None:
            raise ChannelError("GROUNDSWELL_ALERTMANAGER_URL is not set")
        return self._poster.probe(self._url.get_secret_value(), "GROUNDSWELL_ALERTMANAGER_URL")

    def _post(self, posted: Sequence[Mapping[str, object]], now: datetime) -> None:
        if self._url is None:
            raise ChannelError("alertmanager: GROUNDSWELL_ALERTMANAGER_URL is not set")
        self._poster.post(f"{self._url.get_secret_value().rstrip('/')}/api/v2/alerts", as_json(posted), now, {})


def posted_alerts(alert: Alert, now: datetime) -> list[dict[str, object]]:
    """Return the alert of a message about an incident, and the ended ones of incidents that became part of it."""
    posted = posted_alert(alert, now)
    return [posted, *(_ended(posted, alert, incident) for incident in alert.dissolved)]


def _ended(posted: Mapping[str, object], alert: Alert, incident: str) -> dict[str, object]:
    start = iso(alert.incident_facts.onset)
    return {**posted, "labels": _labels(alert, incident), "startsAt": start, "endsAt": iso(alert.created)}


def _labels(alert: Alert, incident: str) -> dict[str, str]:
    return {"alertname": "ServiceOutage", "service": alert.service, "incident": incident}


def posted_alert(alert: Alert, now: datetime) -> dict[str, object]:
    """Return the alert of a message about an incident, as it is sent at a moment."""
    facts = alert.incident_facts
    over = alert.transition is Transition.OVER
    # an end before the start is refused, and one after now does not end it
    end = max(facts.onset, min(facts.end or facts.at, facts.at)) if over else now + LASTS
    annotations = {
        "summary": header_safe(alert.subject, 400),
        "description": header_safe(" · ".join(facts.evidence[:5]), 1500),
        "state": facts.state,
        "impact": facts.impact,
        "affected": header_safe(", ".join(facts.affected_names), 400),
        "status_page": safe_link(facts.status_page),
    }
    values: dict[str, object] = {
        "labels": _labels(alert, alert.incident),
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": iso(facts.onset),
        "endsAt": iso(end),
    }
    return {**values, **({"generatorURL": facts.page_url} if facts.page_url else {})}
