"""An alert as a mail: a subject, three lines a phone can show, then why; text, HTML and an inline chart.

Same alert, same bytes: boundaries and ids come from the Message-ID, the date from when the row was written.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from pipeline.core.alerts import Alert, message_id
from pipeline.render.formatting import environment, header_safe, in_percent, isolated, local

CAP, NAME, PARTS = 400, 60, 12


def compose(alert: Alert, *, sender: str, to: Sequence[str], zone: str, test: bool = False) -> EmailMessage:
    """Return the message; every piece of outside text in it is cut, cleaned and escaped."""
    told = {**alert.facts, "incident": alert.incident}
    kind, words = _kind_and_words(alert, zone)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = header_safe(("[TEST] " if test else "") + alert.subject)
    message["From"] = header_safe(sender)
    message["To"] = ", ".join(header_safe(address) for address in to) or "undisclosed-recipients:;"
    message["Date"] = format_datetime(alert.created)
    message["Message-ID"] = alert.message_id
    thread = message_id(alert.incident or alert.transition)
    message["In-Reply-To"] = thread
    message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_plain(kind, words))
    message.add_alternative(environment().get_template(f"{kind}.html").render(words, cid="chart"), subtype="html")
    picture = (
        _png(json.dumps([told["chart"], told.get("official_first_at"), told.get("simulated")]))
        if told.get("chart")
        else None
    )
    if picture is not None:
        html = message.get_payload()[1]  # type: ignore[index]
        html.add_related(picture, "image", "png", cid="<chart>", filename="chart.png")  # type: ignore[union-attr]
    _fix_boundaries(message, alert.message_id)
    return message


def plain_text(alert: Alert, zone: str) -> str:
    """Return the message's words without its headers, HTML and picture."""
    return _plain(*_kind_and_words(alert, zone))


def _plain(kind: str, words: Mapping[str, Any]) -> str:
    return environment(plain=True).get_template(f"{kind}.txt").render(words)


def _kind_and_words(alert: Alert, zone: str) -> tuple[str, dict[str, Any]]:
    told = {**alert.facts, "incident": alert.incident}
    return ("note", _note(told, zone)) if told.get("note") else ("mail", _words(told, zone))


def _note(told: Mapping[str, Any], zone: str) -> dict[str, Any]:
    return {
        "heading": _cut(told["heading"]),
        "at_words": local(told["at"], zone),
        "simulated": told["simulated"],
        "sections": [{"title": s["title"], "lines": [_cut(line) for line in s["lines"]]} for s in told["sections"]],
    }


def _cut(text: str, cap: int = CAP) -> str:
    return isolated(" ".join(str(text).split()))[:cap]


def _few(names: Sequence[str]) -> list[str]:
    rest = len(names) - PARTS
    return [*names[:PARTS], *([f"{rest} more"] if rest > 0 else [])]


def _words(told: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return the facts as the templates want them: times in the reader's zone, outside text cut and cleaned."""
    cut = _cut
    return {
        **told,
        "service": cut(told["service"]),
        "sure": in_percent(told["probability"]) if told.get("probability") is not None else "",
        "refused": [(cut(why), many) for why, many in (told.get("refused") or {}).items()][:4],
        **{name: cut(told.get(name) or "") for name in ("where", "fallback")},
        **{name: [cut(line) for line in told.get(name) or ()] for name in ("comparable", "differs")},
        "why": f"groundswell why {told['service_id']} --at {told['at']}",
        "wrong": f"groundswell feedback {told['incident']} wrong",
        "silence": f'groundswell silence add {told["service_id"]} --for 4h --reason "..."',
        "affected_names": _few([_cut(name, NAME) for name in told["affected_names"]]),
        "works_names": _few([_cut(name, NAME) for name in told["works_names"]]),
        "onset_words": local(told["onset"], zone),
        "at_words": local(told["at"], zone),
        "official_words": local(told["official_first_at"], zone, date=False),
        "end_words": local(told["end"], zone),
        "next_words": local(told["next_after"], zone, date=False),
        "quotes": [cut(text) for text in told["quotes"]],
        "evidence": [cut(text) for text in told["evidence"]],
        "official": [(local(moment, zone, date=False), cut(text)) for moment, text in told["official"]],
        "links": [
            {
                **k,
                "title": cut(k["title"]),
                "against": [cut(line) for line in k["against"]],
                "seen": local(k["seen"], zone),
            }
            for k in told["links"]
        ],
        "more_parts": max(0, len(told["components"]) - PARTS),
        "components": [
            {
                **c,
                "name": _cut(c["name"], NAME),
                "detail": cut(c["detail"]),
                "since": local(c["since"], zone, date=False),
                "until": local(c["until"], zone, date=False) if c["until"] else "",
            }
            for c in told["components"][:PARTS]
        ],
        "symptom_words": told["symptom"].replace("_", " "),
    }


@lru_cache(maxsize=64)
def _png(told: str) -> bytes:
    """Return the picture of one chart, drawn once for all the routes and channels that show it."""
    chart, official, simulated = json.loads(told)
    return png(chart, {"official_first_at": official, "simulated": simulated})


def png(chart: Mapping[str, Any], told: Mapping[str, Any]) -> bytes:
    """Draw the chart for a mail, where SVG is not shown."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import dates
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2.6), dpi=100, facecolor="white")
    axes = figure.add_subplot()
    times: Any = [datetime.fromtimestamp(t, tz=UTC) for t in chart["t"]]  # pyplot takes dates, its types do not say so
    observed = [float("nan") if v is None else v for v in chart["observed"]]
    expected = [float("nan") if v is None else v for v in chart["expected"]]
    axes.fill_between(times, observed, color="#c0392b", alpha=0.25, linewidth=0)
    axes.plot(times, observed, color="#c0392b", linewidth=1.6, label="observed")
    axes.plot(times, expected, color="#34495e", linewidth=1.2, linestyle="--", label="expected")
    if told.get("official_first_at"):
        posted: Any = datetime.fromisoformat(told["official_first_at"])
        axes.axvline(
            posted,
            color="#2471a3",
            linewidth=1.2,
            label="first official notice",
        )
    axes.set_title(chart["label"] + (" (simulated)" if told.get("simulated") else ""), fontsize=9, loc="left")
    axes.legend(fontsize=7, loc="upper left", frameon=False)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=UTC))
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("UTC", fontsize=7)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.9, bottom=0.18)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": "groundswell"})
    return buffer.getvalue()


def _fix_boundaries(message: EmailMessage, seed: str) -> None:
    for number, part in enumerate(p for p in message.walk() if p.is_multipart()):
        part.set_boundary(f"=={hashlib.sha256(f'{seed}{number}'.encode()).hexdigest()[:24]}==")
