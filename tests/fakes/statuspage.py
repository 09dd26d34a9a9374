"""Statuspage: every JSON endpoint from one script of incidents, and the history feed in both of its dialects."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from pipeline.core.times import utc
from tests.fakes.base import Fake, Reply, Request, as_json


class Statuspage(Fake):
    """`/<page>/api/v2/….json` and `/<page>/history.atom`; `plain` chooses the dialect without `<var>`."""

    conditional = True
    plain = False

    def reply(self, request: Request) -> Reply:
        name, _, rest = request.path.strip("/").partition("/")
        page = self.recording.page(name, self.now)
        if page is None:
            return Reply(b"<html><title>Not found</title></html>", 404, {"Content-Type": "text/html"})
        head = {"page": page["page"]}
        going = [i for i in page["incidents"] if i["status"] not in ("resolved", "postmortem", "completed")]
        worst = max(
            (i["impact"] for i in going),
            key=["none", "maintenance", "minor", "major", "critical"].index,
            default="none",
        )
        status = {"indicator": worst, "description": "All Systems Operational" if worst == "none" else "Degraded"}
        answers: dict[str, Any] = {
            "api/v2/incidents.json": {**head, "incidents": page["incidents"]},
            "api/v2/incidents/unresolved.json": {**head, "incidents": going},
            "api/v2/status.json": {**head, "status": status},
            "api/v2/components.json": {**head, "components": []},
            "api/v2/summary.json": {
                **head,
                "status": status,
                "components": [],
                "incidents": going,
                "scheduled_maintenances": [],
            },
            "api/v2/scheduled-maintenances.json": {**head, "scheduled_maintenances": []},
        }
        if rest in answers:
            return as_json(answers[rest])
        if rest == "history.atom":
            return Reply(self._atom(page).encode(), headers={"Content-Type": "application/atom+xml; charset=utf-8"})
        return Reply(b"", 404)

    def _atom(self, page: dict[str, Any]) -> str:
        base = str(page["page"].get("url", "https://status.example.org"))
        entries = []
        for incident in page["incidents"]:
            updates = sorted(incident["incident_updates"], key=lambda u: utc(u["display_at"]), reverse=True)
            content = "".join(self._update(u) for u in updates)
            entries.append(
                f"<entry><id>tag:{base.split('//')[-1]},2005:Incident/{incident['id']}</id><published>{updates[-1]['created_at']}</published>"
                f"<updated>{updates[0]['created_at']}</updated><link rel='alternate' type='text/html' "
                f"href='{base}/incidents/{incident['id']}'/>"
                f"<title>{escape(incident['name'])}</title><content type='html'>{escape(content)}</content></entry>"
            )
        return (
            "<?xml version='1.0' encoding='UTF-8'?><feed xml:lang='en-US' xmlns='http://www.w3.org/2005/Atom'>"
            f"<id>tag:status,2005:/history</id><title>Status - Incident History</title>{''.join(entries)}</feed>"
        )

    def _update(self, update: dict[str, Any]) -> str:
        at = utc(update["display_at"])
        when = (
            f"{at:%b} {at.day:2d}, {at:%H:%M} UTC"
            if self.plain
            else (f"{at:%b} <var data-var='date'>{at.day:2d}</var>, <var data-var='time'>{at:%H:%M}</var> UTC")
        )
        phase = update["status"].replace("_", " ").capitalize()
        return f"<p><small>{when}</small><br><strong>{phase}</strong> - {update['body']}</p>"
