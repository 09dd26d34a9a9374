"""An alert as a mail: a subject, three lines a phone can show, then why; text, HTML and an inline chart.

Same alert, same bytes: boundaries and ids come from the Message-ID, the date from when the row was written.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

import numpy as np

from pipeline.core.alert_facts import AlertFacts, ChartFacts, MessageFacts
from pipeline.core.alerts import Alert, message_id
from pipeline.core.extras import is_present
from pipeline.render.formatting import environment, header_safe
from pipeline.render.mail_text import IncidentText, SystemText, incident_text, system_text

CHAT_LINES = 12  # a chat shows the head of a long message; the mail has the rest


def compose(alert: Alert, *, sender: str, to: Sequence[str], zone: str, test: bool = False) -> EmailMessage:
    """Return the message; every piece of outside text in it is cut, cleaned and escaped."""
    template, text = _text(alert, zone)
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
    message.set_content(plain_text(alert, zone))
    picture = _picture(alert.facts)
    html_text = environment().get_template(f"{template}.html").render(message=text, cid="chart" if picture else "")
    message.add_alternative(html_text, subtype="html")
    if picture is not None:
        html = message.get_payload()[1]  # type: ignore[index]
        html.add_related(picture, "image", "png", cid="<chart>", filename="chart.png")  # type: ignore[union-attr]
    _fix_boundaries(message, alert.message_id)
    return message


def plain_text(alert: Alert, zone: str) -> str:
    """Return the message as plain text, without headers, HTML and picture."""
    template, text = _text(alert, zone)
    return environment(plain=True).get_template(f"{template}.txt").render(message=text)


def chat_text(alert: Alert, zone: str) -> str:
    """Return the message as a chat shows it: what happened, where to look, how to answer, and its incident's id."""
    template, text = _text(alert, zone)
    if isinstance(text, IncidentText):
        return environment(plain=True).get_template("chat.txt").render(message=text)
    lines = environment(plain=True).get_template(f"{template}.txt").render(message=text).splitlines()
    return "\n".join(lines[:CHAT_LINES]).strip()


def _text(alert: Alert, zone: str) -> tuple[str, IncidentText | SystemText]:
    """Return the name of a message's templates, and what they read."""
    if isinstance(alert.facts, AlertFacts):
        return "mail", incident_text(alert.facts, alert.incident, zone)
    return "system", system_text(alert.facts, zone)


def _picture(facts: MessageFacts) -> bytes | None:
    """Return the chart of a message; None where it has none, or where matplotlib is not installed."""
    if not isinstance(facts, AlertFacts) or facts.chart is None or not is_present("matplotlib"):
        return None
    return png(facts.chart, facts.official_first_at, simulated=facts.simulated)


@lru_cache(maxsize=64)
def png(chart: ChartFacts, official_first_at: datetime | None, *, simulated: bool) -> bytes:
    """Draw the chart for a mail, where SVG is not shown; once for all the routes and channels that show it."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import dates
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2.6), dpi=100, facecolor="white")
    axes = figure.add_subplot()
    times = np.array([datetime.fromtimestamp(t, tz=UTC) for t in chart.times], dtype=object)
    observed = [float("nan") if v is None else v for v in chart.observed]
    expected = [float("nan") if v is None else v for v in chart.expected]
    axes.fill_between(times, observed, color="#c0392b", alpha=0.25, linewidth=0)
    axes.plot(times, observed, color="#c0392b", linewidth=1.6, label="observed")
    axes.plot(times, expected, color="#34495e", linewidth=1.2, linestyle="--", label="expected")
    if official_first_at is not None:
        axes.axvline(
            dates.date2num(official_first_at),
            color="#2471a3",
            linewidth=1.2,
            label="first official notice",
        )
    axes.set_title(chart.label + (" (simulated)" if simulated else ""), fontsize=9, loc="left")
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
