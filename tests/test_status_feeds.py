"""Status pages that are feeds: each reader on what its platform serves, and on what it does not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from pipeline.core.catalogue import Service
from pipeline.core.errors import SourceError
from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.sources.status.feeds import FEED_READERS
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.source import StatusPageSource
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from pipeline.store.official import updates_of_page
from pipeline.text.status_words import split_state, state_from_words, state_of_label
from tests.copies import replace
from tests.fakes.faults import PAGE
from tests.fakes.recording import Recording
from tests.fakes.status_feeds import FORMS, Notice, StatusFeeds, Update, script, so_far, statuspage

NOW = utc("2026-03-02T12:00:00Z")
READERS = {reader.name: reader for reader in FEED_READERS}
CONTEXT = PageContext(page="status.mine.example", source="status:mine", fetched_at=NOW)
DAY = utc("2026-03-01T12:00:00Z")
WHOLE = [
    ("4711001", "investigating", DAY),
    ("4711001", "identified", DAY + timedelta(minutes=20)),
    ("4711001", "resolved", DAY + timedelta(minutes=50)),
    ("4711002", "investigating", NOW - timedelta(minutes=20)),
]
# what a form does not tell apart, or tells otherwise
WITHOUT_STATES = [(i, "update" if state == "identified" else state, at) for i, state, at in WHOLE]
LAST_ONLY = [WHOLE[2], WHOLE[3]]
FIRST_AND_LAST = [WHOLE[0], WHOLE[2], WHOLE[3]]
DOWN_OR_NOT = [(i, "investigating" if state == "identified" else state, at) for i, state, at in WHOLE]
ENDED_EARLIER = [*WHOLE[:2], ("4711001", "resolved", DAY + timedelta(minutes=40)), WHOLE[3]]
OF_FORM = {
    "statuspage_atom": WHOLE,
    "statuspage_rss": WHOLE,
    "instatus_atom": WHOLE,
    "incident_io_atom": LAST_ONLY,
    "rootly_rss": WHOLE,
    "slack_atom": WITHOUT_STATES,
    "google_atom": [WHOLE[0], WITHOUT_STATES[1], *ENDED_EARLIER[2:]],
    "azure_rss": [WHOLE[3]],
    "microsoft_365_rss": [WHOLE[3]],
    "aws_rss": DOWN_OR_NOT,
    "better_stack_rss": DOWN_OR_NOT,
    "status_io_rss": WHOLE,
    "xai_rss": ENDED_EARLIER,
    "feed": FIRST_AND_LAST,
}
OWN_IDS = ("azure_rss", "microsoft_365_rss", "aws_rss")  # known by a digest: their feeds give no id that lasts
WITH_PARTS = ("instatus_atom", "incident_io_atom", "rootly_rss", "aws_rss", "xai_rss")


def recognised(body: bytes) -> Reader:
    return next(reader for reader in FEED_READERS if reader.recognises(Answer(body=body)))


def read(body: bytes, context: PageContext = CONTEXT) -> Reading:
    return recognised(body).read(Answer(body=body), context)


def timeline(updates: Iterable[StatusUpdate]) -> list[tuple[str, str, datetime]]:
    rows = [(row.incident_id, row.status, row.displayed_at) for row in updates]
    return sorted(rows, key=lambda row: row[2])


def history(*notices: Notice, zone: str = "UTC", hours: float = 0) -> Reading:
    return read(statuspage(notices, zone=zone, hours=hours))


def one(*words: tuple[str, str], **given: object) -> Notice:
    """A notice of words (time, state), oldest first."""
    return Notice("a1b2c3", "Uploads fail", [Update(utc(at), state, f"It is {state}.") for at, state in words], **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_served_on_loopback_yields_the_incidents_of_its_script(form: str) -> None:
    fake = StatusFeeds(Recording())
    fake.notices, fake.now = script(NOW), NOW
    fake.start()
    try:
        service = Service(id="mine", name="Mine", status_page="https://status.mine.example")
        address = f"{fake.url}/{form}/{FORMS[form].path}"
        client = HttpClient(allow=["127.0.0.1"], pause=0.0)
        batch = StatusPageSource(service, service.status_page, client, data=[address]).fetch(DAY, NOW, {})
    finally:
        fake.close()
    updates = [row for row in batch.rows if isinstance(row, StatusUpdate)]
    incidents = [row for row in batch.rows if isinstance(row, OfficialIncident)]
    own = form.replace("statuspage_rss", "statuspage_atom")
    assert batch.state["reader"] == own
    assert FORMS[form].path in READERS[own].paths
    if form in OWN_IDS:
        assert [row[1:] for row in timeline(updates)] == [row[1:] for row in OF_FORM[form]]
    else:
        assert timeline(updates) == OF_FORM[form]
    assert batch.rejected == ()
    assert {row.page for row in (*updates, *incidents)} == {"status.mine.example"}
    assert {row.name.removesuffix(" went down") for row in incidents} <= {notice.title for notice in script(NOW)}
    parts = {name for row in incidents for name in row.components}
    assert parts == ({"Uploads", "Sign-in"} if form in WITH_PARTS else set())
    closed = {row.id: row.resolved for row in read_provider_incidents(updates, NOW)}
    assert sorted(found is None for found in closed.values()) == ([True] if len(closed) == 1 else [False, True])


@pytest.mark.parametrize("form", FORMS)
def test_a_body_is_recognised_by_one_reader_beside_the_general_one(form: str) -> None:
    answer = Answer(body=FORMS[form].write(so_far(script(NOW), NOW)))
    names = [reader.name for reader in FEED_READERS if reader.recognises(answer)]
    own = form.replace("statuspage_rss", "statuspage_atom")
    assert names == ([own, "feed"] if own != "feed" else ["feed"])


@pytest.mark.parametrize("form", FORMS)
def test_a_feed_without_an_entry_is_well_and_no_error(form: str) -> None:
    reading = read(FORMS[form].write([]))
    assert (reading.updates, reading.incidents, reading.rejected) == ((), (), ())


@pytest.mark.parametrize("form", FORMS)
def test_an_incident_that_goes_on_keeps_the_ids_of_its_updates(form: str) -> None:
    seen: dict[tuple[str, str], datetime] = {}
    for minutes in range(0, 60, 5):
        now = DAY + timedelta(minutes=minutes)
        reading = read(FORMS[form].write(so_far(script(NOW), now)), replace(CONTEXT, fetched_at=now))
        seen |= {(row.incident_id, row.status): row.displayed_at for row in reading.updates}
        ids = [(row.incident_id, row.update_id) for row in reading.updates]
        assert len(set(ids)) == len(ids)
    assert seen[(next(iter(seen))[0], "investigating")] >= DAY


def test_every_reader_says_what_it_was_held_against_and_the_general_one_is_last() -> None:
    assert all(reader.origin for reader in FEED_READERS)
    assert FEED_READERS[-1].name == "feed"
    assert [reader.name for reader in FEED_READERS if reader.verification is not Verification.RECORDED] == [
        "better_stack_rss",
        "feed",
    ]


HOSTILE = [
    b"",
    b"\x00\xff\xfe",
    PAGE,
    b"{}",
    b"[" * 5000,
    b"null",
    b"<rss",
    b"<feed xmlns='http://www.w3.org/2005/Atom'>",
    b"<rss version='2.0'><channel>" + b"<item>" * 3000,
    b"<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>"
    + b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10 if n else b"&a;" * 10) for n in range(9))
    + b"]><rss version='2.0'><channel><item><title>&a8;</title></item></channel></rss>",
]


@pytest.mark.parametrize("reader", FEED_READERS, ids=lambda reader: reader.name)
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_feed_is_refused_in_one_line(reader: Reader, body: bytes) -> None:
    assert isinstance(reader.recognises(Answer(body=body)), bool)
    try:
        reading = reader.read(Answer(body=body), CONTEXT)
    except SourceError as error:
        assert "\n" not in str(error)
    else:
        assert reading.updates == ()


def test_a_challenge_page_is_blocked_and_no_reader_takes_it_for_its_own() -> None:
    pages = (PAGE, PAGE + b"<pre>&lt;rss></pre><rss>", b'{"a":"' + b"x" * 5000 + b'<rss>"}')
    assert not any(reader.recognises(Answer(body=page)) for reader in FEED_READERS for page in pages)
    with pytest.raises(SourceError) as refused:
        READERS["feed"].read(Answer(body=PAGE), CONTEXT)
    assert refused.value.outcome == "blocked"


@pytest.mark.parametrize("form", FORMS)
def test_names_of_ten_thousand_letters_and_times_ahead_are_no_trouble(form: str) -> None:
    long = "x" * 10_000
    ahead = Notice("4711003", long, [Update(NOW + timedelta(days=40), "Investigating", long)], [long])
    past = Notice("4711004", long, [Update(NOW - timedelta(days=1), "Investigating", long)], [long])
    reading = read(FORMS[form].write([ahead, past]))
    assert all(row.displayed_at <= NOW for row in reading.updates)
    assert all(len(row.name) <= 500 and len(row.body) <= 2000 for row in reading.updates)
    assert all(len(part.name) <= 120 for row in reading.updates for part in row.components)


PIECES = ("<br>", "<ul>", "<small>", "<b>", "<strong>", "<p>", " ", "<div><p><strong>", "[", "<li>", "until ")


@pytest.mark.parametrize("form", FORMS)
def test_texts_of_one_piece_repeated_are_read_in_time(form: str) -> None:
    notices = [
        Notice(
            f"471200{n}", "Uploads fail", [Update(DAY, "Investigating", piece * (30_000 // len(piece)))], ["Uploads"]
        )
        for n, piece in enumerate(PIECES)
    ]
    body = FORMS[form].write(notices)
    began = time.monotonic()
    reader = recognised(body)
    reader.read(Answer(body=body), CONTEXT)
    assert time.monotonic() - began < 4, reader.name


# --- Statuspage -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("CST", -6), ("CST", 8), ("IST", 5.5), ("BST", 1), ("AST", 3), ("-03", -3), ("+08", 8), ("PST", -8)],
)
def test_the_zone_a_page_displays_is_settled_by_its_entries(zone: str, hours: float) -> None:
    words = [("2026-01-14T22:40:31Z", "Investigating"), ("2026-01-15T01:17:05Z", "Resolved")]
    reading = history(one(*words), zone=zone, hours=hours)
    assert [row[2] for row in timeline(reading.updates)] == [
        utc("2026-01-14T22:40:00Z"),
        utc("2026-01-15T01:17:00Z"),
    ]
    assert reading.rejected == ()


def test_a_zone_that_nothing_settles_is_refused_and_not_guessed() -> None:
    body = statuspage([one(("2026-01-14T22:40:31Z", "Investigating"))], zone="CST", hours=-6)
    odd = body.replace(b"22:40:31Z", b"23:03:31Z")  # the displayed time was backdated by 23 minutes
    reading = read(odd)
    assert reading.updates == ()
    assert [row.reason for row in reading.rejected] == [
        "a time that does not mean one instant",
        "no update with a state and a time that is certain",
    ]
    assert reading.complete_since is None
    settled = read(
        statuspage([one((f"2026-01-{day}T10:00:00Z", "Investigating")) for day in (10, 11)], zone="CST", hours=-6)
    )
    assert {row.displayed_at.hour for row in settled.updates} == {10}


def test_an_entry_of_years_ago_that_was_edited_lately_keeps_its_year() -> None:
    notice = one(("2023-12-31T23:50:00Z", "Investigating"), ("2024-01-01T00:40:00Z", "Resolved"))
    body = statuspage([notice]).replace(b"<updated>2024-01-04", b"<updated>2026-02-04")
    assert [row[2].isoformat()[:16] for row in timeline(read(body).updates)] == [
        "2023-12-31T23:50",
        "2024-01-01T00:40",
    ]


def test_updates_that_share_minute_and_state_are_several_and_keep_their_ids_when_others_come_on_top() -> None:
    words = [(f"2026-03-01T14:46:0{n}Z", "Update") for n in range(3)]
    before, after = history(one(*words[:2])), history(one(*words, ("2026-03-01T15:00:00Z", "Resolved")))
    assert [row.update_id for row in before.updates] == ["20260301T1446-update", "20260301T1446-update-02"]
    assert [row.update_id for row in after.updates][:3] == [
        *(r.update_id for r in before.updates),
        "20260301T1446-update-03",
    ]


def test_planned_maintenance_is_known_ahead_with_its_window() -> None:
    window = utc("2026-03-07T22:00:00Z"), utc("2026-03-08T02:30:00Z")
    reading = history(one(("2026-02-28T09:00:00Z", "Scheduled"), planned=window))
    (incident,) = reading.incidents
    assert (incident.scheduled_for, incident.scheduled_until) == window
    assert {row.impact for row in (*reading.updates, *reading.incidents)} == {"maintenance"}
    assert timeline(reading.updates) == [("a1b2c3", "scheduled", utc("2026-02-28T09:00:00Z"))]
    crossed = utc("2026-12-31T23:00:00Z"), utc("2027-01-01T01:00:00Z")
    assert (
        history(one(("2026-02-28T09:00:00Z", "Scheduled"), planned=crossed)).incidents[0].scheduled_until == crossed[1]
    )


def test_a_history_leaves_nothing_out_after_the_end_of_its_oldest_incident_unless_one_could_not_be_read() -> None:
    notices = so_far(script(NOW), NOW)
    assert read(statuspage(notices)).complete_since == DAY + timedelta(minutes=50)
    broken = statuspage(notices).replace(b"Mar &lt;var data-var='date'&gt; 1", b"Xyz &lt;var&gt;1")
    assert read(broken).complete_since is None
    assert read(statuspage([])).complete_since is None
    assert read(statuspage(notices[:1])).complete_since is None, "what is open alone may be all that such a feed lists"


OPEN_ONLY = ("azure_rss", "microsoft_365_rss")


@pytest.mark.parametrize("name", [name for name in FORMS if name not in OPEN_ONLY])
def test_an_entry_that_is_absent_while_older_ones_stay_was_taken_back(store: Store, name: str) -> None:
    past = [
        replace(script(NOW - timedelta(days=day))[0], id=f"471{day}001", title=title)
        for day, title in ((0, "Newer"), (2, "Older"), (4, "Oldest"))
    ]
    over, all_four = {"Newer", "Older", "Oldest"}, {"Newer", "Older", "Oldest", "Posted by mistake"}
    mistake = replace(script(NOW)[1], title="Posted by mistake")
    with closing(StatusFeeds(Recording()).start()) as fake:
        assert isinstance(fake, StatusFeeds)
        service = Service(id="mine", name="Mine", status_page=f"{fake.url}/{name}", status_format="auto")
        client = HttpClient(allow=["127.0.0.1"], pause=0.0)
        source = StatusPageSource(service, f"{fake.url}/{name}", client, data=(FORMS[name].path,))

        def titles(now: datetime, notices: Sequence[Notice]) -> set[str]:
            fake.now, fake.notices = now, notices
            assert run_collect(store, source, now)[0].outcome == "ok"
            return {u.name.removesuffix(" went down") for u in updates_of_page(store, service.page, now)}

        assert titles(NOW, [*past, mistake]) == all_four
        assert titles(NOW + timedelta(minutes=5), past) == over
        assert titles(NOW + timedelta(minutes=10), [*past, mistake]) == all_four
        # the oldest leaves the end of the feed, and then all but the newest
        assert titles(NOW + timedelta(minutes=15), [*past[:2], mistake]) == all_four
        assert titles(NOW + timedelta(minutes=20), [mistake]) == all_four


def test_twelve_hour_clocks_are_read_and_updates_after_published_are_not_put_a_year_back() -> None:
    body = (
        b"<rss version='2.0'><channel><title>Example Status - Incident History</title><item><title>Slow</title>"
        b"<description><![CDATA[<p><small>Feb 28, 10:33 PM UTC</small><br/><strong>RESOLVED</strong> - <p>Done.</p>"
        b"</p>]]></description><pubDate>Mon, 23 Feb 2026 19:50:46 GMT</pubDate><link>https://s.example/incidents/l4G</link>"
        b"</item></channel></rss>"
    )
    assert timeline(read(body).updates) == [("l4G", "resolved", utc("2026-02-28T22:33:00Z"))]


# --- others -----------------------------------------------------------------------------------------------------


def test_a_page_that_is_shared_yields_what_concerns_the_service() -> None:
    context = replace(CONTEXT, components=("Sign-in",))
    for form in WITH_PARTS:
        reading = read(FORMS[form].write(so_far(script(NOW), NOW)), context)
        assert [row.name.removesuffix(" went down") for row in reading.incidents] == ["Sign-in is slow"], form
    by_title = read(statuspage(so_far(script(NOW), NOW)), context)
    assert [row.name for row in by_title.incidents] == ["Sign-in is slow"]


def test_a_part_counts_as_affected_until_the_incident_is_over() -> None:
    reading = read(FORMS["rootly_rss"].write(so_far(script(NOW), NOW)))
    states = {row.status: row.components[0].new for row in reading.updates if row.incident_id == "4711001"}
    assert states == {"investigating": "partial_outage", "identified": "partial_outage", "resolved": "operational"}


def test_a_feed_without_certain_times_yields_no_rows() -> None:
    body = FORMS["feed"].write(so_far(script(NOW), NOW)).replace(b"Z</published>", b" CST</published>")
    body = body.replace(b"Z</updated>", b"</updated>")
    reading = read(body)
    assert reading.updates == ()
    assert {row.reason for row in reading.rejected} == {"no time that is certain"}


@pytest.mark.parametrize(
    ("title", "text", "state"),
    [
        ("Resolved: Payments delayed", "", "resolved"),
        ("[Resolved] Payments delayed", "", "resolved"),
        ("Payments delayed", "This issue is now resolved for all.", "resolved"),
        ("Payments delayed", "We will write again when the issue has been resolved.", ""),
        ("Unresolved issues with payments", "", ""),
        ("Payments recovered", "", "resolved"),
        ("Zahlungen verzögert", "Die Störung wurde vollständig behoben.", "resolved"),
        ("Scheduled database maintenance", "", "scheduled"),
        ("Scheduled database maintenance", "The work was completed and service has been restored.", "completed"),
        ("Api: slow answers", "", ""),
    ],
)
def test_words_give_a_state_where_they_say_that_it_is_over(title: str, text: str, state: str) -> None:
    assert state_from_words(title, text) == state


def test_labels_of_other_languages_are_states_and_unknown_ones_stay_as_they_are() -> None:
    assert [state_of_label(label) for label in ("Résolu", "Gelöst", "In Progress", "Update", "Post-mortem")] == [
        "resolved",
        "resolved",
        "in_progress",
        "update",
        "post_mortem",
    ]
    assert split_state("API: slow").title == "API: slow"
