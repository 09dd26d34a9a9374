"""Feeds of status pages, platform by platform: what each one's entries mean where it differs from the others."""

from __future__ import annotations

from datetime import timedelta
from html import escape

import pytest

from pipeline.core.times import utc
from pipeline.incidents.episodes import read_provider_incidents
from pipeline.sources.status.reader import END
from tests.copies import replace
from tests.fakes.status_feeds import FORMS, Notice, Update, script, so_far
from tests.test_status_feeds import CONTEXT, DOWN_OR_NOT, NOW, one, read, timeline


@pytest.mark.parametrize("form", ["azure_rss", "microsoft_365_rss"])
def test_an_item_that_is_missing_ended_and_keeps_its_name(form: str) -> None:
    open_now = read(FORMS[form].write(so_far(script(NOW), NOW)))
    assert open_now.seen_down == {"Sign-in is slow": NOW - timedelta(minutes=20)}
    later = replace(CONTEXT, fetched_at=NOW + timedelta(hours=1), seen_down=dict(open_now.seen_down))
    closed = read(FORMS[form].write([]), later)
    assert closed.seen_down == {}
    (row,) = closed.updates
    assert (row.incident_id, row.name) == (open_now.updates[0].incident_id, "Sign-in is slow")
    assert (row.update_id, row.status, row.displayed_at) == (END, "resolved", later.fetched_at)
    cut = FORMS[form].write([Notice("4711007", "Mail is late", [Update(NOW, "Investigating", "Mail comes late.")])])
    salvaged = read(cut[:-20], later)
    assert salvaged.detail == "ill-formed, salvaged"
    assert set(salvaged.seen_down or ()) == {"Sign-in is slow", "Mail is late"}
    assert {row.status for row in salvaged.updates} == {"investigating"}


def test_slacks_times_of_day_go_on_after_midnight_and_begin_with_the_first_post() -> None:
    words = [("2025-12-08T23:23:58Z", "a"), ("2025-12-09T06:55:00Z", "b"), ("2025-12-09T16:55:00Z", "c")]
    words_over = [*words, ("2025-12-09T17:34:00Z", "d")]
    notice = one(*words_over)
    notice = replace(
        notice, updates=[*notice.updates[:-1], replace(notice.updates[-1], text="We have resolved the issue.")]
    )
    body = FORMS["slack_atom"].write([notice])
    reading = read(body.replace(b"<updated>2025-12-09T09:34:00-08:00", b"<updated>2025-12-18T08:44:51-08:00"))
    assert [row[2] for row in timeline(reading.updates)] == [utc(at) for at, _ in words_over]
    assert [row[1] for row in timeline(reading.updates)] == ["investigating", "update", "update", "resolved"]
    days_later = read(body.replace(b"<updated>2025-12-09T09:34", b"<updated>2025-12-11T09:34"))
    assert timeline(days_later.updates)[-1] == ("a1b2c3", "resolved", utc("2025-12-11T17:34:00Z"))


def test_an_item_of_xai_ends_when_it_says_whatever_is_posted_later_and_in_which_order() -> None:
    blocks = [
        b"<div> <p><strong>Wed, 25 Feb 2026 12:13:15 GMT</strong></p> <h3>Errors</h3> <p>We are looking.</p> </div>",
        b"<div> <p><strong>Wed, 25 Feb 2026 16:41:14 GMT</strong></p> <h3>Updated</h3> <p>Thank you all.</p> </div>",
    ]
    for order in (blocks, blocks[::-1]):
        body = (
            b"<rss version='2.0'><channel><title>x</title><item><title>[API] Errors</title><guid>INC1</guid>"
            b"<description><![CDATA[ <h3>Status: RESOLVED</h3> <p>Resolved: Wed, 25 Feb 2026 12:36:00 GMT</p> <hr />"
            + b" ".join(order)
            + b"]]></description><pubDate>Wed, 25 Feb 2026 12:12:00 GMT</pubDate></item></channel></rss>"
        )
        reading = read(body)
        assert timeline(reading.updates) == [
            ("INC1", "investigating", utc("2026-02-25T12:13:15Z")),
            ("INC1", "resolved", utc("2026-02-25T12:36:00Z")),
        ]
        assert reading.updates[-1].created_at == utc("2026-02-25T16:41:14Z")
        assert reading.incidents[0].started_at == utc("2026-02-25T12:12:00Z")


def test_an_incident_of_xai_has_the_parts_of_all_its_items_and_the_severity_they_name() -> None:
    item = (
        "<item><title>[{part}] Letters are lost</title><link>https://status.example.com/{path}/INC1</link><guid"
        ' isPermaLink="false">INC1</guid><description><![CDATA[<h3>Status: INVESTIGATING</h3><p>Severity: {word}</p>'
        "<h4>Updates:</h4><div><p><strong>Mon, 02 Mar 2026 10:05:00 GMT</strong></p><h3>Investigating</h3>"
        "<p>We look into it.</p></div>]]></description><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>"
    )
    for word, impact in (("outage", "major"), ("disruption", "minor")):
        items = "".join(item.format(part=part, path=part.lower(), word=word) for part in ("API (all)", "App", "Web"))
        reading = read(f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>".encode())
        (incident,) = reading.incidents
        assert incident.components == ("API (all)", "App", "Web")
        assert incident.impact == impact
        (update,) = reading.updates
        assert [part.name for part in update.components] == ["API (all)", "App", "Web"]


def test_an_rss_item_of_instatus_has_its_updates_escaped_twice_and_its_parts_in_plain_text() -> None:
    def update(clock: str, state: str) -> str:
        return (
            "&lt;p&gt;&lt;small&gt;Mar &lt;var data-var=&#039;date&#039;&gt; 2&lt;/var&gt;, &lt;var"
            f" data-var=&#039;time&#039;&gt;{clock}&lt;/var&gt; GMT+0&lt;/small&gt;&lt;br&gt;"
            f"&lt;strong&gt;{state}&lt;/strong&gt; - Words..&lt;/p&gt;"
        )

    link = "https://status.example.com/incident/a1"
    body = (
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>x</title><item>"
        "<title>Letters are slow</title><description>\n    Type: Incident\n    Duration: 46 minutes\n\n"
        "    Affected Components: Letters, Parcels\n    Mar 2, 10:00:05 GMT+0 - Investigating - Words. </description>"
        "<content:encoded><![CDATA[<p><strong>Type:</strong> Incident</p>"
        "\n<p><strong>Affected Components:</strong> </p>"
        f"\n{update('10:00:05', 'Investigating')}\n{update('10:46:09', 'Resolved')}]]></content:encoded>"
        "<pubDate>Mon, 2 Mar 2026 10:00:05 +0000</pubDate>"
        f"<link>{link}</link><guid>{link}</guid></item></channel></rss>"
    )
    reading = read(body.encode())
    assert timeline(reading.updates) == [
        ("a1", "investigating", utc("2026-03-02T10:00:05Z")),
        ("a1", "resolved", utc("2026-03-02T10:46:09Z")),
    ]
    assert reading.incidents[0].components == ("Letters", "Parcels")
    assert {update.body for update in reading.updates} == {"Words.."}


def test_a_feed_of_stactus_has_times_of_rfc_3339_in_statuspages_form() -> None:
    updates = "".join(
        escape(f"<p><small>{when}</small><br /><strong>{state}</strong> - <p>Words.</p></p>")
        for when, state in (("2026-03-02T11:30:20Z", "resolved"), ("2026-03-02T12:00:00+01:00", "investigating"))
    )
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Post - Incident history</title>'
        "<entry><title>Letters are late</title><id>https://status.post.example/ir/1</id>"
        f'<updated>2026-03-02T11:30:20Z</updated><content type="html">{updates}</content>'
        '<link href="https://status.post.example/ir/1"/></entry></feed>'
    )
    reading = read(body.encode())
    assert [(row.status, row.displayed_at) for row in sorted(reading.updates, key=lambda row: row.displayed_at)] == [
        ("investigating", utc("2026-03-02T11:00:00Z")),
        ("resolved", utc("2026-03-02T11:30:20Z")),
    ]
    assert not reading.rejected


def test_what_google_posts_after_the_end_opens_nothing_again() -> None:
    notice = one(
        ("2026-03-01T12:00:00Z", "Investigating"),
        ("2026-03-01T13:30:00Z", "Update"),
        ("2026-03-01T13:38:00Z", "Resolved"),
        ("2026-03-01T22:00:00Z", "Resolved"),
    )
    body = FORMS["google_atom"].write([notice])
    late = body.replace(b"2026-03-01 13:50", b"2026-03-01 05:20").replace(b"2026-03-01 05:28", b"2026-03-01 05:20")
    reading = read(late)
    (found,) = read_provider_incidents(reading.updates, NOW)
    assert found.resolved == utc("2026-03-01T13:20:00Z")
    assert reading.incidents[0].started_at == utc("2026-03-01T11:30:00Z")
    assert max(row.created_at for row in reading.updates) == utc("2026-03-01T22:00:00Z")


def test_an_incident_io_entry_lists_parts_with_their_states_and_other_lists_are_words() -> None:
    body = (
        b"<rss version='2.0'><channel><title>Example status</title><item><title><![CDATA[API outage]]></title>"
        b"<link>https://status.example.org/incidents/I1</link><guid>I1</guid>"
        b"<pubDate>Sun, 01 Mar 2026 09:30:00 GMT</pubDate><description><![CDATA[<b>Status: Monitoring</b><br/><br/>"
        b"So far:<ul><li>Cache (emptied)</li></ul><b>Affected components</b><ul><li>Core APIs (EU) (Full outage)</li>\n"
        b"<li>Console</li></ul>]]></description></item></channel></rss>"
    )
    reading = read(body)
    (row,) = reading.updates
    assert [(part.name, part.new) for part in row.components] == [
        ("Core APIs (EU)", "major_outage"),
        ("Console", "partial_outage"),
    ]
    assert (row.status, row.impact, row.body) == ("monitoring", "critical", "So far: Cache (emptied)")
    planned = read(body.replace(b"Status: Monitoring", b"Status: Maintenance in progress"))
    assert (planned.updates[0].impact, planned.updates[0].status) == ("maintenance", "in_progress")


def test_an_update_of_aws_is_dated_by_its_id_and_known_by_part_and_title() -> None:
    body = FORMS["aws_rss"].write(so_far(script(NOW), NOW)).replace(b"PST</pubDate>", b"XYZ</pubDate>")
    assert [row[2] for row in timeline(read(body).updates)] == [row[2] for row in DOWN_OR_NOT]
    assert len({row.incident_id for row in read(body).updates}) == 2


def test_an_item_of_aws_is_over_where_its_label_says_so() -> None:
    notice = replace(one(("2026-03-02T10:00:00Z", "Down"), ("2026-03-02T11:00:00Z", "Resolved")), parts=("mail-1",))
    body = FORMS["aws_rss"].write([notice])
    label = b"Service is operating normally: [RESOLVED] "
    assert label in body
    worded = read(body.replace(label, b"Resolved: "))
    assert timeline(worded.updates)[-1][1:] == ("resolved", utc("2026-03-02T11:00:00Z"))


def test_an_item_of_status_io_is_planned_where_its_address_says_so() -> None:
    window = NOW, NOW + timedelta(hours=2)
    notice = one(("2026-03-01T15:00:00Z", "Active"), ("2026-03-01T17:00:00Z", "Completed"), planned=window)
    reading = read(FORMS["status_io_rss"].write([notice]))
    assert {row.impact for row in (*reading.updates, *reading.incidents)} == {"maintenance"}
    assert timeline(reading.updates)[0][2] == utc("2026-03-01T15:00:00Z")


def test_what_better_stack_announces_ahead_is_planned() -> None:
    notice = Notice("4711006", "Database maintenance", [Update(NOW + timedelta(days=2), "Investigating", "Upgrade.")])
    (incident,) = read(FORMS["better_stack_rss"].write([notice])).incidents
    assert (incident.impact, incident.scheduled_for) == ("maintenance", NOW + timedelta(days=2))
