"""Alerts as signed JSON, posted to an address of your own. dashboards/schemas/webhook-1.json describes it.

The address and the key are secrets: neither is ever in an error, a log or the database.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from pipeline.core.alert_facts import SurgeFacts, SystemFacts
from pipeline.core.alert_json import advisory_json, to_json
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.core.times import iso
from pipeline.notify.channels.posting import JsonPoster, as_json

SCHEMA = 1
KEYS = (
    "service",
    "state",
    "impact",
    "symptom",
    "probability",
    "onset",
    "end",
    "at",
    "official_first_at",
    "affected",
    "restored",
    "works_names",
    "evidence",
    "where",
    "fallback",
    "comparable",
    "simulated",
    "confirmed_by",
    "page_url",
    "status_page",
)


class WebhookChannel:
    """Posts each alert once; a receiver tells repeats by `message_id` and the sender by the signature."""

    name = "webhook"

    def __init__(self, url: SecretStr | None, secret: SecretStr | None, *, allow: Iterable[str] = ()) -> None:
        """`allow` are private hosts and networks that may be posted to."""
        self._url, self._secret = url, secret
        self._poster = JsonPoster(self.name, allow=allow)

    def send(self, alert: Alert) -> None:
        """Post one alert. Raises ChannelError: permanent on an answer that another try cannot better."""
        if self._url is None or self._secret is None:
            raise ChannelError("webhook: GROUNDSWELL_WEBHOOK_URL and GROUNDSWELL_WEBHOOK_SECRET are not set")
        body, signature = signed(payload(alert), self._secret.get_secret_value())
        headers = {"X-Groundswell-Signature": signature, "X-Groundswell-Delivery": alert.message_id}
        self._poster.post(self._url.get_secret_value(), body, alert.created, headers)

    def probe(self) -> str:
        """Look up the host and check that it may be reached; nothing is posted. Raises ChannelError."""
        if self._url is None or self._secret is None:
            raise ChannelError("GROUNDSWELL_WEBHOOK_URL and GROUNDSWELL_WEBHOOK_SECRET are not set")
        return self._poster.probe(self._url.get_secret_value(), "GROUNDSWELL_WEBHOOK_URL")


def payload(alert: Alert) -> dict[str, object]:
    """Return what a receiver reads: an incident's message, a system message, or a surge advisory."""
    head = {"schema": SCHEMA, "message_id": alert.message_id, "created": iso(alert.created), "route": alert.route}
    facts = alert.facts
    if isinstance(facts, SurgeFacts):
        return {**head, **advisory_json(facts.advisory)}
    values = to_json(facts)
    if isinstance(facts, SystemFacts):
        return {
            **head,
            "type": "note",
            "subject": alert.subject,
            "sections": values["sections"],
            "simulated": facts.simulated,
        }
    return {
        **head,
        "type": "incident",
        "transition": alert.transition,
        "incident": alert.incident,
        "service_id": alert.service,
        "subject": alert.subject,
        **{key: values[key] for key in KEYS},
    }


def signed(values: Mapping[str, object], secret: str) -> tuple[bytes, str]:
    """Return the bytes to post and `sha256=<HMAC of them>` (RFC 2104), by which a receiver knows who sent them."""
    body = as_json(values)
    return body, "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
