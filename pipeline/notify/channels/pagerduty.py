"""Alerts as PagerDuty events (Events API v2): an incident triggers one alert there, and its end resolves it.

https://developer.pagerduty.com/docs/events-api-v2-overview. The key by which PagerDuty knows an alert again is the
incident's id: what is sent twice, or after a kill, changes nothing there. Where an incident became part of another
after it was sent, its alert is resolved with the next message of that other one.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.core.times import iso
from pipeline.core.vocabulary import Impact, Transition
from pipeline.notify.channels.posting import JsonPoster, as_json
from pipeline.render.formatting import header_safe, safe_link

LONGEST_SUMMARY = 1024  # PagerDuty refuses more
SEVERITIES = {
    Impact.NONE: "info",
    Impact.LOW: "warning",
    Impact.MODERATE: "warning",
    Impact.HIGH: "error",
    Impact.CRITICAL: "critical",
}


class PagerDutyChannel:
    """Sends what concerns one incident; messages about no single incident are nobody's page, and are left out."""

    name = "pagerduty"

    def __init__(self, key: SecretStr | None, base: str, *, allow: Iterable[str] = ()) -> None:
        """`key` is the integration's routing key, `base` the address of the API of its region."""
        self._key, self._base = key, base.rstrip("/")
        self._poster = JsonPoster(self.name, allow=allow)

    def send(self, alert: Alert) -> None:
        """Send one event, and the ends of alerts whose incidents became part of this one. Raises ChannelError."""
        if self._key is None:
            raise ChannelError("pagerduty: GROUNDSWELL_PAGERDUTY_ROUTING_KEY is not set")
        if isinstance(alert.facts, AlertFacts):
            for one in (event(alert), *map(resolve_event, alert.dissolved)):
                body = as_json({"routing_key": self._key.get_secret_value(), **one})
                self._poster.post(f"{self._base}/v2/enqueue", body, alert.created, {})

    def probe(self) -> str:
        """Look up the API's host; nothing is posted. Raises ChannelError."""
        if self._key is None:
            raise ChannelError("GROUNDSWELL_PAGERDUTY_ROUTING_KEY is not set")
        return self._poster.probe(self._base, "alerts.pagerduty_base")


def resolve_event(incident: str) -> dict[str, object]:
    """Return the event that ends an incident's alert, without the routing key."""
    return {"event_action": "resolve", "dedup_key": _key(incident)}


def _key(incident: str) -> str:
    return f"groundswell/{incident}"


def event(alert: Alert) -> dict[str, object]:
    """Return the event of a message about an incident, without the routing key."""
    facts = alert.incident_facts
    if alert.transition is Transition.OVER:
        return resolve_event(alert.incident)
    links = [("The incident's page", facts.page_url), ("The provider's status page", facts.status_page)]
    return {
        "event_action": "trigger",
        "dedup_key": _key(alert.incident),
        "client": "Groundswell",
        **({"client_url": facts.page_url} if facts.page_url else {}),
        "links": [{"href": url, "text": text} for text, url in links if safe_link(url)],
        "payload": {
            "summary": header_safe(alert.subject, LONGEST_SUMMARY),
            "source": alert.service,
            "severity": SEVERITIES[facts.impact],
            "timestamp": iso(facts.onset),
            "component": header_safe(", ".join(facts.affected_names)),
            "class": facts.symptom or "outage",
            "custom_details": {
                "state": facts.state,
                "impact": facts.impact,
                "simulated": facts.simulated,
                "evidence": [header_safe(line, 400) for line in facts.evidence[:5]],
            },
        },
    }
