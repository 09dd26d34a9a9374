"""Status pages that are feeds, each form from one script of notices, as bodies recorded of its platform show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from tests.fakes.base import Fake, Reply, Request

PACIFIC = ZoneInfo("America/Los_Angeles")
ATOM, RSS = "application/atom+xml; charset=utf-8", "application/rss+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Update:
    """One update: when, the state in the page's own capitals, its text."""

    at: datetime
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One incident, its updates oldest first; `parts` as a page lists them, `planned` from when until when."""

    id: str
    title: str
    updates: Sequence[Update]
    parts: Sequence[str] = ()
    planned: tuple[datetime, datetime] | None = None

    @property
    def over(self) -> bool:
        return self.updates[-1].state in ("Resolved", "Completed")


def _atom(head: str, entries: Sequence[str]) -> bytes:
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<feed xml:lang="en-US" xmlns="http://www.w3.org/2005/Atom">'
    return f"{start}{head}{''.join(f'<entry>{entry}</entry>' for entry in entries)}</feed>".encode()


def _rss(head: str, items: Sequence[str]) -> bytes:
    start = '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
    return f"{start}{head}{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>".encode()


def _z(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _mail(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _block(update: Update, zone: str = "UTC", hours: float = 0, *, seconds: bool = False) -> str:
    at = update.at + timedelta(hours=hours)
    clock = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    day = f"{at:%b} <var data-var='date'>{at.day:2d}</var>, <var data-var='time'>{clock}</var> {zone}"
    return f"<p><small>{day}</small><br><strong>{update.state}</strong> - {update.text}</p>"


def statuspage(notices: Sequence[Notice], *, zone: str = "UTC", hours: float = 0) -> bytes:
    """Write `/history.atom`; `published` is the last update's time, `updated` a later edit's."""
    entries = []
    for notice in notices:
        last = notice.updates[-1].at
        content = "".join(_block(update, zone, hours) for update in reversed(notice.updates))
        if notice.planned and not notice.over:
            start, end = (moment + timedelta(hours=hours) for moment in notice.planned)
            window = f"{start:%b} <var data-var='date'>{start.day:2d}</var>, <var data-var='time'>{start:%H:%M}</var>"
            content = (
                f"<p><strong>THIS IS A SCHEDULED EVENT {window} - <var data-var='time'>{end:%H:%M}</var> {zone}"
                f"</strong></p>{content}"
            )
            last = notice.planned[0]
        link = f"https://status.example.com/incidents/{notice.id}"
        entries.append(
            f"<id>tag:status.example.com,2005:Incident/1</id><published>{_z(last)}</published>"
            f"<updated>{_z(last + timedelta(days=3))}</updated><link rel='alternate' type='text/html' href='{link}'/>"
            f"<title>{escape(notice.title)}</title><content type='html'>{escape(content)}</content>"
        )
    home = "<id>tag:status.example.com,2005:/history</id><title>Example Status - Incident History</title>"
    return _atom(home, entries)


def statuspage_rss(notices: Sequence[Notice]) -> bytes:
    """Write `/history.rss`."""
    items = [
        f"<title>{escape(notice.title)}</title>"
        f"<description>{escape(''.join(_block(update) for update in reversed(notice.updates)))}</description>"
        f"<pubDate>{_mail(notice.updates[-1].at)}</pubDate><link>https://status.example.com/incidents/{notice.id}</link>"
        f"<guid>https://status.example.com/incidents/{notice.id}</guid>"
        for notice in notices
    ]
    return _rss("<title>Example Status - Incident History</title><description>Statuspage</description>", items)


def instatus(notices: Sequence[Notice]) -> bytes:
    """Write `/history.atom` of Instatus."""
    entries = []
    for notice in notices:
        first, last = notice.updates[0].at, notice.updates[-1].at
        blocks = "".join(_block(update, "GMT+0", seconds=True) for update in reversed(notice.updates))
        kind = "Maintenance" if notice.planned else "Incident"
        content = (
            f"<p><strong>Type:</strong> {kind}</p><p><strong>Duration:</strong> 1 hour</p>"
            f"<p><strong>Affected Components:</strong> {', '.join(notice.parts)}</p>{blocks}"
        )
        entries.append(
            f"<id>tag:status.example.net,2005:{kind}/{notice.id}</id>"
            f"<published>{first:%Y-%m-%dT%H:%M:%S.000+00:00}</published>"
            f"<updated>{last:%Y-%m-%dT%H:%M:%S.000+00:00}</updated>"
            f"<link rel='alternate' type='text/html' href='https://status.example.net/incident/{notice.id}'/>"
            f"<title>{escape(notice.title)}</title><content type='html'><![CDATA[{content}]]></content>"
        )
    return _atom("<title>Example Status - Incident history</title>", entries)


def _stated(update: Update, parts: Sequence[str], heading: str, *, bold: bool, state: str = "") -> str:
    first = f"<b>Status: {update.state}</b><br/><br/>" if bold else f"Status: {update.state}<br/>"
    head = f"<b>{heading}</b>" if bold else heading
    listed = "".join(f"<li>{part}{f' ({state})' if state else ''}</li>" for part in parts)
    return f"{first}{update.text}<br/><br/>{head}<ul>{listed}</ul>" if parts else f"{first}{update.text}"


def incident_io(notices: Sequence[Notice]) -> bytes:
    """Write `/feed.atom` of incident.io: the last update of each incident alone, the link with its double slash."""
    entries = []
    for notice in notices:
        update = notice.updates[-1]
        link = f"https://status.example.org//incidents/{notice.id}"
        text = _stated(
            update,
            notice.parts,
            "Affected components",
            bold=True,
            state="Operational" if notice.over else "Degraded performance",
        )
        entries.append(
            f"<title type='html'><![CDATA[{notice.title}]]></title><id>{link}</id><link href='{link}'/>"
            f"<updated>{update.at:%Y-%m-%dT%H:%M:%S.907Z}</updated>"
            f"<summary type='html'><![CDATA[{text}]]></summary><content type='html'><![CDATA[{text}]]></content>"
        )
    return _atom("<title>Example status</title><generator>incident.io</generator>", entries)


def rootly(notices: Sequence[Notice]) -> bytes:
    """Write `/feed.rss` of Rootly: one item an update."""
    items = []
    for notice in notices:
        link = f"https://status.example.ai/incident/{notice.id}"
        items += [
            f"<title><![CDATA[{notice.title}]]></title><link>{link}</link><guid isPermaLink='true'>{link}</guid>"
            f"<pubDate>{_mail(update.at)}</pubDate>"
            f"<description><![CDATA[{_stated(update, notice.parts, 'Affected services', bold=False)}]]></description>"
            for update in reversed(notice.updates)
        ]
    return _rss("<title>Example AI Status Page</title>", items)


def slack(notices: Sequence[Notice]) -> bytes:
    """Write `/feed/atom` of Slack: times of day in Pacific time, the oldest first, and no states."""
    entries = []
    for notice in notices:
        first, last = notice.updates[0].at.astimezone(PACIFIC), notice.updates[-1].at.astimezone(PACIFIC)
        pieces = []
        for update in notice.updates:
            at = update.at.astimezone(PACIFIC)
            clock = f"{at.hour % 12 or 12}:{at:%M}{'am' if at.hour < 12 else 'pm'} {at:%Z}"
            pieces.append(f"<p><small>{clock}</small> {update.text}</p>")
        link = f"https://slack-status.com/{first:%Y-%m}/{notice.id}"
        entries.append(
            f"<id>{link}</id><published>{first.isoformat()}</published><updated>{last.isoformat()}</updated>"
            f"<link rel='alternate' type='text/html' href='{link}' /><title>Incident: {escape(notice.title)}</title>"
            f"<content type='html'>{escape(''.join(pieces))}</content>"
        )
    return _atom("<id>https://status.slack.com</id><title>Slack System Status</title>", entries)


def google(notices: Sequence[Notice]) -> bytes:
    """Write `/en/feed.atom` of Google: one entry an update, posted a while after it happened."""
    entries = []
    for notice in notices:
        link = f"https://status.cloud.google.com/incidents/{notice.id}"
        begin = (notice.updates[0].at - timedelta(minutes=30)).astimezone(PACIFIC)
        for number, update in reversed(list(enumerate(notice.updates))):
            span = f"Incident began at <strong>{begin:%Y-%m-%d %H:%M}</strong>"
            prefix = ""
            if update.state == "Resolved":
                end = (update.at - timedelta(minutes=10)).astimezone(PACIFIC)
                span += f" and ended at <strong>{end:%Y-%m-%d %H:%M}</strong>"
                prefix = "RESOLVED: "
            elif number:
                prefix = "UPDATE: "
            text = f"<p> {span} <span>(all times are <strong>US/Pacific</strong>).</span></p><p>{update.text}</p>"
            entries.append(
                f"<title>{prefix}{escape(notice.title)}</title><link href='{link}' rel='alternate' type='text/html'/>"
                f"<id>tag:status.cloud.google.com,2026:feed:{notice.id}.u{number}</id>"
                f"<updated>{update.at:%Y-%m-%dT%H:%M:%S+00:00}</updated><summary type='html'>{escape(text)}</summary>"
            )
    return _atom("<title>Google Cloud Service Health Updates</title><id>https://status.cloud.google.com/</id>", entries)


def azure(notices: Sequence[Notice]) -> bytes:
    """Write Azure's feed: what is open, and nothing else."""
    items = [
        f"<title>{escape(notice.title)}</title><description>{escape(notice.updates[-1].text)}</description>"
        f"<guid isPermaLink='false'>{notice.id}</guid>"
        f"<pubDate>{notice.updates[-1].at:%a, %d %b %Y %H:%M:%S} Z</pubDate>"
        for notice in notices
        if not notice.over
    ]
    home = "<title>Azure Status</title><link>https://azure.status.microsoft/en-us/status/</link>"
    return _rss(f"{home}<lastBuildDate>Mon, 02 Mar 2026 12:00:00 Z</lastBuildDate>", items)


def microsoft_365(notices: Sequence[Notice]) -> bytes:
    """Write Microsoft's feed: what is open with its status, or one item that is available."""
    items = [
        f"<guid isPermaLink='false'>{notice.id}</guid><link>https://status.cloud.microsoft/</link>"
        f"<title>{escape(notice.title)}</title><description>{escape(f'<div>{notice.updates[-1].text}</div>')}</description>"
        f"<pubDate>{notice.updates[-1].at:%a, %d %b %Y %H:%M:%S} Z</pubDate><status>Service degradation</status>"
        for notice in notices
        if not notice.over
    ]
    well = (
        "<guid isPermaLink='false'>a9497817</guid><link>https://status.cloud.microsoft/</link>"
        "<title>Microsoft Admin Center</title><description>This site is updated in case of trouble.</description>"
        "<pubDate>Mon, 02 Mar 2026 12:00:00 Z</pubDate><status>Available</status>"
    )
    return _rss("<title>Microsoft Admin Center Status</title>", items or [well])


def aws(notices: Sequence[Notice]) -> bytes:
    """Write `/rss/all.rss` of AWS: one item an update, the part and the time in its id."""
    items = []
    for notice in notices:
        for update in reversed(notice.updates):
            over = update.state == "Resolved"
            label = "Service is operating normally: [RESOLVED] " if over else "Service disruption: "
            at = update.at.astimezone(PACIFIC)
            items.append(
                f"<title><![CDATA[{label}{notice.title}]]></title><link>https://status.aws.amazon.com/</link>"
                f"<pubDate>{at:%a, %d %b %Y %H:%M:%S %Z}</pubDate><guid isPermaLink='false'>"
                f"https://status.aws.amazon.com/#{notice.parts[0]}_{int(update.at.timestamp())}</guid>"
                f"<description><![CDATA[{update.text}]]></description>"
            )
    home = "<title><![CDATA[All Services]]></title><link>https://status.aws.amazon.com/</link>"
    return _rss(f"{home}<generator>AWS Service Health Dashboard RSS Generator</generator>", items)


def better_stack(notices: Sequence[Notice]) -> bytes:
    """Write Better Stack's `/feed`: an item an update; a monitor's own titles where nobody wrote one."""
    items = []
    for notice in notices:
        for number, update in reversed(list(enumerate(notice.updates))):
            link = f"https://status.example.io/incident/{notice.id}"
            title = f"{notice.title} recovered" if update.state == "Resolved" else f"{notice.title} went down"
            items.append(
                f"<title>{escape(title)}</title><description>{escape(update.text)}</description>"
                f"<pubDate>{update.at:%a, %d %b %Y %H:%M:%S} -0000</pubDate><link>{link}</link>"
                f"<guid>{link}#{number:032x}</guid>"
            )
    return _rss("<title>Example status</title><link>https://status.example.io</link>", items)


def status_io(notices: Sequence[Notice]) -> bytes:
    """Write Status.io's `/pages/<id>/rss`: updates oldest first, with the year, in the page's own zone."""
    items = []
    for notice in notices:
        blocks = []
        for update in notice.updates:
            at = update.at.astimezone(PACIFIC)
            when = f"{at:%B} {at.day}, {at:%Y %H:%M %Z}"
            blocks.append(f"<small>{when}</small><br /><b>{update.state}</b> - {update.text}<br /><br />")
        kind = "maintenance" if notice.planned else "incident"
        items.append(
            f"<title><![CDATA[{notice.title}]]></title><description><![CDATA[{''.join(blocks)}]]></description>"
            f"<link>https://status.io/pages/{kind}/533c6539221ae15e3f000031/{notice.id}</link>"
            f"<guid isPermaLink='false'>{notice.id}</guid><pubDate>{_mail(notice.updates[-1].at)}</pubDate>"
        )
    return _rss("<title><![CDATA[Example Status Page]]></title>", items)


def xai(notices: Sequence[Notice]) -> bytes:
    """Write xAI's `/feed.xml`: one item an incident, its updates newest first in blocks."""
    items = []
    for notice in notices:
        last = notice.updates[-1]
        blocks = "".join(
            f"<div><p><strong>{_mail(update.at)}</strong></p><h3>{update.state}</h3><p>{update.text}</p></div>"
            for update in reversed(notice.updates)
        )
        resolved = f"<p>Resolved: {_mail(last.at - timedelta(minutes=10))}</p>" if notice.over else ""
        state = "RESOLVED" if notice.over else "ACTIVE"
        items.append(
            f"<title>[{notice.parts[0]}] {escape(notice.title)}</title><link>https://status.x.ai/api/{notice.id}</link>"
            f"<guid isPermaLink='false'>{notice.id}</guid><description><![CDATA[<h3>Status: {state}</h3>"
            f"<p>Severity: outage</p>{resolved}<hr /><h4>Updates:</h4>{blocks}]]></description>"
            f"<pubDate>{_mail(notice.updates[0].at)}</pubDate><category>{state.lower()}</category>"
        )
    return _rss("<title>Example System Status</title>", items)


def generic(notices: Sequence[Notice]) -> bytes:
    """Write a feed of nobody in particular, in the manner of PayPal's: the state before the title."""
    entries = []
    for notice in notices:
        state = "Resolved" if notice.over else "Initial Notification"
        link = f"https://status.example.dev/event/{notice.id}"
        entries.append(
            f"<id>{link}</id><link href='{link}'/><title>{state}: {escape(notice.title)}</title>"
            f"<published>{_z(notice.updates[0].at)}</published><updated>{_z(notice.updates[-1].at)}</updated>"
            f"<summary>{escape(notice.updates[-1].text)}</summary>"
        )
    return _atom("<title>Example updates</title>", entries)


@dataclass(frozen=True, slots=True)
class Form:
    """One form: how it is written, where a page has it, as what it is sent."""

    write: Callable[[Sequence[Notice]], bytes]
    path: str
    content_type: str


FORMS: Mapping[str, Form] = {
    "statuspage_atom": Form(statuspage, "history.atom", ATOM),
    "statuspage_rss": Form(statuspage_rss, "history.rss", RSS),
    "instatus_atom": Form(instatus, "history.atom", ATOM),
    "incident_io_atom": Form(incident_io, "feed.atom", ATOM),
    "rootly_rss": Form(rootly, "feed.rss", RSS),
    "slack_atom": Form(slack, "feed/atom", ATOM),
    "google_atom": Form(google, "en/feed.atom", ATOM),
    "azure_rss": Form(azure, "en-us/status/feed/", RSS),
    "microsoft_365_rss": Form(microsoft_365, "api/feed/mac", RSS),
    "aws_rss": Form(aws, "rss/all.rss", RSS),
    "better_stack_rss": Form(better_stack, "feed", RSS),
    "status_io_rss": Form(status_io, "rss", RSS),
    "xai_rss": Form(xai, "feed.xml", RSS),
    "feed": Form(generic, "feed.atom", ATOM),
}


class StatusFeeds(Fake):
    """`/<form>/<path>`: the notices so far in that form; `notices` is the script."""

    conditional = True
    notices: Sequence[Notice] = ()

    def reply(self, request: Request) -> Reply:
        name, _, rest = request.path.lstrip("/").partition("/")
        form = FORMS.get(name)
        if form is None or rest != form.path:
            return Reply(b"<!doctype html><html><title>Not found</title></html>", 404, {"Content-Type": "text/html"})
        return Reply(form.write(so_far(self.notices, self.now)), headers={"Content-Type": form.content_type})


def so_far(notices: Sequence[Notice], now: datetime) -> list[Notice]:
    """Return what of the notices was posted at a moment, the newest notice first."""
    shown = [
        Notice(notice.id, notice.title, posted, notice.parts, notice.planned)
        for notice in notices
        if (posted := [update for update in notice.updates if update.at <= now])
    ]
    return sorted(shown, key=lambda notice: notice.updates[0].at, reverse=True)


def script(now: datetime) -> list[Notice]:
    """Return a script of our own: an incident of yesterday that is over, one that began 20 minutes ago."""
    day = now.astimezone(UTC).replace(minute=0, second=0) - timedelta(days=1)
    return [
        Notice(
            "4711001",
            "Uploads fail for some regions",
            [
                Update(day, "Investigating", "Some uploads end with an error."),
                Update(day + timedelta(minutes=20), "Identified", "A cache ran full; it is being emptied."),
                Update(day + timedelta(minutes=50), "Resolved", "Uploads have been restored for everyone."),
            ],
            ["Uploads"],
        ),
        Notice(
            "4711002",
            "Sign-in is slow",
            [Update(now - timedelta(minutes=20), "Investigating", "Signing in takes longer than usual.")],
            ["Sign-in"],
        ),
    ]
