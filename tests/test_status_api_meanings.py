"""What each provider's own form means: starts, ends, severities, parts, plans, and what is only seen by looking."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.core.times import utc
from pipeline.sources.status.apis import API_READERS
from pipeline.sources.status.platforms import BY_NAME
from pipeline.sources.status.reader import BEGAN, END, ENDED, START, Answer, Reading
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.official import updates_of_page
from tests.fakes import status_apis, status_histories, status_hosted
from tests.status_reading import NOW, STARTED, by_incident, changed, context, incident, read


def test_an_incident_of_google_ends_at_its_end_whatever_is_written_after_it() -> None:
    reading = read("/incidents.json")
    rows = by_incident(reading, "over-1")
    assert [row.status for row in rows] == ["investigating", "resolved", "resolved", "resolved"]
    ended = next(row for row in rows if row.update_id == END)
    assert ended.displayed_at == utc("2026-03-01T12:00:00Z")
    assert ended.created_at == utc("2026-03-01T12:10:00Z")
    assert incident(reading, "over-1").started_at == utc("2026-03-01T10:00:00Z")
    assert incident(reading, status_histories.OPEN_ID).name == "Letters are slow to arrive"
    assert incident(reading, status_histories.OPEN_ID).components == ("Letters", "Parcels")


@pytest.mark.parametrize(
    ("wanted", "found"), [("letters", {"open-1"}), ("Ostland", {"open-1"}), ("stamps", {"over-1"})]
)
def test_products_and_places_of_google_can_be_chosen(wanted: str, found: set[str]) -> None:
    reading = read("/incidents.json", components=(wanted,))
    assert {row.incident_id for row in reading.incidents} == found
    assert {row.incident_id for row in reading.updates} == found


def test_an_event_of_aws_is_dated_by_its_log_and_over_when_it_is_listed_no_more() -> None:
    first = read("/public/currentevents")
    [event] = first.incidents
    assert event.started_at == STARTED
    assert event.impact == "minor"
    assert event.components == ("Post Office",)
    assert [row.displayed_at for row in first.updates] == [STARTED, utc(status_histories.LATER)]
    assert first.seen_down is not None
    again = read("/public/currentevents", seen_down=first.seen_down)
    assert again.seen_down == first.seen_down
    gone = read("/public/currentevents", [], seen_down=first.seen_down)
    [end] = gone.updates
    assert (end.incident_id, end.name, end.impact) == (event.incident_id, event.name, event.impact)
    assert (end.update_id, end.status, end.timing, end.displayed_at) == (END, "resolved", "observed", NOW)
    assert gone.seen_down == {}


def test_while_an_entry_is_refused_nothing_is_concluded_from_what_is_absent() -> None:
    first = read("/public/currentevents")
    other = changed(status_histories.AWS[0], "arn", to="arn:other")
    both = read(
        "/public/currentevents", [changed(status_histories.AWS[0], "date", to="soon"), other], seen_down=first.seen_down
    )
    assert len(both.rejected) == 1
    assert END not in {row.update_id for row in both.updates}
    assert first.seen_down is not None
    assert both.seen_down is not None
    assert first.seen_down.keys() < both.seen_down.keys()


def test_an_event_of_aws_that_is_well_again_is_resolved() -> None:
    log = {"summary": "", "message": "It works again.", "status": 0, "timestamp": 1772449200}
    value = changed(status_histories.AWS, 0, "status", to="0")
    value[0]["event_log"].append(log)
    reading = read("/public/currentevents", value)
    assert [row.status for row in reading.updates] == ["investigating", "investigating", "resolved"]
    assert reading.incidents[0].impact == "minor"
    assert reading.seen_down == {}


def test_only_an_empty_list_from_its_own_address_is_taken_for_an_answer() -> None:
    empty = Answer(body="[]".encode("utf-16"), url="https://health.aws.amazon.com/public/currentevents")
    assert [reader.name for reader in API_READERS if reader.recognises(empty)] == ["aws"]
    elsewhere = Answer(body=b"[]", url="https://health.aws.amazon.com/")
    assert not any(reader.recognises(elsewhere) for reader in API_READERS)


def test_the_last_note_of_a_resolved_incident_of_slack_ends_it() -> None:
    reading = read("/api/v2.0.0/history")
    assert [row.status for row in by_incident(reading, "900")] == ["investigating", "resolved"]
    assert [row.status for row in by_incident(reading, "901")] == ["investigating", "investigating"]
    assert incident(reading, "900").impact == "major"
    assert by_incident(reading, "901")[-1].body == "We know the cause."
    assert by_incident(reading, "900")[-1].components[0] == ("Login/SSO", "", "operational")


def test_what_slack_cancelled_is_left_out_and_what_it_plans_is_known_ahead() -> None:
    assert not read("/api/v2.0.0/history", [{**status_histories.SLACK_HISTORY[0], "status": "cancelled"}]).updates
    planned = read("/api/v2.0.0/history", [{**status_histories.SLACK_HISTORY[0], "status": "scheduled"}])
    assert planned.incidents[0].impact == "maintenance"
    assert planned.incidents[0].scheduled_for == STARTED


def test_an_incident_of_heroku_is_as_bad_as_its_worst_colour_and_over_by_its_state() -> None:
    reading = read("/api/v4/incidents")
    assert incident(reading, "3000").impact == "major"
    assert incident(reading, "2999").impact == "minor"
    assert [row.status for row in by_incident(reading, "2999")] == ["identified", "resolved"]
    without = changed(status_histories.HEROKU_OVER, "updates", 0, "update_type", to="issue")
    assert [row.update_id for row in by_incident(read("/api/v4/incidents", [without]), "2999")][-1] == END


def test_what_heroku_plans_is_a_maintenance() -> None:
    reading = read("/api/v4/current-status")
    assert incident(reading, "2120").impact == "maintenance"
    assert [row.status for row in by_incident(reading, "2120")] == ["scheduled"]


def test_an_incident_of_salesforce_is_a_list_of_intervals() -> None:
    reading = read("/v1/incidents/active")
    rows = reading.updates
    told = [(row.displayed_at.strftime("%H:%M"), row.status) for row in sorted(rows, key=lambda row: row.displayed_at)]
    assert told == [
        ("08:00", "investigating"),
        ("09:00", "resolved"),
        ("09:30", "resolved"),
        ("10:00", "investigating"),
        ("10:30", "investigating"),
    ]
    [found] = reading.incidents
    assert (found.impact, found.resolved_at, found.name) == ("major", None, "Service disruption: letterService")
    again = next(row for row in rows if row.update_id == f"{BEGAN} 2")
    assert again.created_at == utc("2026-03-02T10:10:00Z")


def test_what_salesforce_enters_after_the_fact_was_told_when_it_was_entered() -> None:
    entered = changed(
        status_histories.SALESFORCE[0], "IncidentImpacts", 0, "endTimeCreatedAt", to="2026-03-02T10:12:00Z"
    )
    rows = {row.update_id: row for row in read("/v1/incidents/active", [entered]).updates}
    assert rows[f"{BEGAN} 1"].created_at == utc("2026-03-02T10:10:00Z")  # when the incident itself was
    assert rows[f"{ENDED} 1"].created_at == utc("2026-03-02T10:12:00Z")
    assert rows[f"{ENDED} 1"].displayed_at == utc("2026-03-02T09:00:00Z")


def test_an_event_of_apple_under_several_services_is_one_incident() -> None:
    reading = read("/data/system_status_en_US.js")
    found = incident(reading, "2000001")
    assert found.components == ("Letters", "Parcels")
    [began] = by_incident(reading, "2000001")
    assert (began.displayed_at, began.created_at) == (STARTED, utc("2026-03-02T10:20:00Z"))
    assert [row.status for row in by_incident(reading, "2000000")] == ["investigating", "resolved"]
    plain = Answer(body=json.dumps(status_histories.APPLE).encode(), url="https://www.apple.com/x.js")
    assert BY_NAME["apple"].recognises(plain)
    assert BY_NAME["apple"].read(plain, context()).incidents == reading.incidents


def test_when_apples_file_was_published_is_no_time_at_which_an_event_that_is_over_was_posted(store: Store) -> None:
    began, ended = by_incident(read("/data/system_status_en_US.js"), "2000000")
    assert (began.timing, began.created_at) == ("unposted", began.displayed_at)
    assert ended.created_at == ended.displayed_at
    event = status_histories.APPLE["services"][0]["events"][0]
    closed = {**event, "eventStatus": "resolved", "epochEndDate": event["epochStartDate"] + 3_600_000}
    for moment, shown in ((NOW, event), (NOW + timedelta(days=1), {**closed, "datePosted": "03/03/2026 01:00 PST"})):
        value = {"services": [{"serviceName": "Letters", "events": [shown]}]}
        reading = read("/data/system_status_en_US.js", value, fetched_at=moment)
        batch = Batch(source="status:post", rows=(*reading.updates, *reading.incidents), outcome="ok")
        save_batch(store, batch, moment)
    updates = updates_of_page(store, "post", NOW + timedelta(days=1))
    assert [(update.status, update.created_at) for update in updates] == [
        ("investigating", utc("2026-03-02T10:20:00Z")),  # as it was read while it was open
        ("resolved", utc("2026-03-02T11:00:00Z")),
    ]


def test_a_maintenance_that_apple_announces_is_no_trouble_yet() -> None:
    event = {
        **status_histories.APPLE["services"][0]["events"][0],
        "statusType": "Maintenance",
        "eventStatus": "upcoming",
    }
    event["epochStartDate"], event["epochEndDate"] = 1772618400000, 1772622000000
    reading = read("/data/system_status_en_US.js", {"services": [{"serviceName": "Letters", "events": [event]}]})
    assert not reading.updates
    assert reading.incidents[0].scheduled_for == utc("2026-03-04T10:00:00Z")


def test_a_notice_of_playstation_is_one_incident_in_all_countries() -> None:
    reading = read("/data/statuses/region/SCEA.json")
    assert len(reading.incidents) == 2
    assert incident(reading, "77").components == ("Account Management", "Store")
    assert incident(reading, "78").scheduled_until == utc("2026-03-04T12:00:00Z")
    assert [row.incident_id for row in reading.updates] == ["77"]
    over = changed(
        status_apis.PLAYSTATION, "countries", 0, "services", 0, "status", 0, "endDate", to=status_histories.LATER
    )
    assert [row.status for row in by_incident(read("/data/statuses/region/SCEA.json", over), "77")] == [
        "investigating",
        "resolved",
    ]


def test_a_report_of_better_stack_is_over_by_its_state_though_it_has_no_end() -> None:
    reading = read("/index.json")
    assert [row.status for row in by_incident(reading, "9")] == ["investigating", "resolved"]
    assert incident(reading, "9").impact == "major"
    assert [(row.update_id, row.displayed_at) for row in by_incident(reading, "10")] == [
        (START, STARTED),
        ("21", utc(status_histories.LATER)),
    ]
    assert by_incident(reading, "9")[0].components == (("Letters", "", "major_outage"),)
    assert incident(reading, "8").scheduled_for == utc("2026-03-05T10:00:00Z")
    assert not by_incident(reading, "8")
    assert {row.incident_id for row in read("/index.json", components=("Mail",)).incidents} == {"8", "9", "10"}


def test_a_message_of_status_io_tells_both_where_an_incident_stands_and_how_bad_it_is() -> None:
    reading = read("/1.0/status/abc")
    first, second = by_incident(reading, status_histories.OPEN_ID)
    assert (first.status, second.status) == ("investigating", "identified")
    assert first.components[0] == ("Website", "", "major_outage")
    assert second.components[0] == ("Website", "", "degraded_performance")
    assert incident(reading, status_histories.OPEN_ID).impact == "critical"
    plan = incident(reading, "plan-1")
    assert (plan.impact, plan.status, plan.scheduled_for) == ("maintenance", "scheduled", utc("2026-03-05T10:00:00Z"))
    gone = changed(status_hosted.STATUS_IO, "result", "incidents", to=[])
    [end] = [row for row in read("/1.0/status/abc", gone, seen_down=reading.seen_down).updates if row.update_id == END]
    assert end.incident_id == status_histories.OPEN_ID


def test_an_incident_of_instatus_has_its_start_and_its_present_state() -> None:
    reading = read("/summary.json")
    rows = by_incident(reading, status_histories.OPEN_ID)
    assert [(row.status, row.displayed_at) for row in rows] == [
        ("investigating", STARTED),
        ("identified", utc(status_histories.LATER)),
    ]
    assert incident(reading, "plan-1").scheduled_until == utc("2026-03-05T11:00:00Z")
    well = read("/summary.json", {"page": {"name": "Post", "url": "https://x.example", "status": "UP"}})
    assert (well.updates, well.rejected, well.seen_down) == ((), (), {})


def test_an_incident_of_riot_is_told_in_english_and_over_when_it_is_listed_no_more() -> None:
    reading = read("/channels/public/x/status/na1.json")
    assert incident(reading, "7").name == "Letters are slow"
    assert (incident(reading, "7").impact, incident(reading, "8").impact) == ("major", "maintenance")
    gone = changed(status_apis.RIOT, "incidents", to=[])
    after = read("/channels/public/x/status/na1.json", gone, seen_down=reading.seen_down)
    assert [row.incident_id for row in after.updates if row.update_id == END] == ["7"]


def test_an_announcement_of_uptimerobot_is_over_at_the_end_it_gives() -> None:
    over = changed(status_hosted.UPTIMEROBOT_EVENTS, "results", 0, "endDateGMT", to="March 2, 2026, 11:15")
    rows = read("/api/getEventFeed/abc", over).updates
    assert [(row.status, row.displayed_at) for row in rows] == [
        ("investigating", STARTED),
        ("resolved", utc("2026-03-02T11:15:00Z")),
    ]


def test_times_without_a_zone_are_refused_and_never_become_the_time_of_fetching() -> None:
    value = changed(status_hosted.CACHET, "data", 0, "created_at", to="2026-03-02 10:00:00")
    with pytest.raises(SourceError, match="no time zone"):
        read("/api/v1/incidents", value)


def _parts(reading: Reading) -> set[tuple[str, str, datetime, str]]:
    return {(row.update_id, row.status, row.displayed_at, row.timing) for row in reading.updates}


PAYPAL_PATH = "/api/v1/components"


def test_a_part_that_is_down_began_when_it_was_first_seen_and_is_over_when_it_works_again() -> None:
    first = read(PAYPAL_PATH)
    assert _parts(first) == {("degraded_performance", "investigating", NOW, "observed")}
    later = utc("2026-03-02T12:20:30Z")
    second = read(PAYPAL_PATH, fetched_at=later, seen_down=first.seen_down)
    assert _parts(second) == _parts(first)
    assert second.seen_down == first.seen_down
    worse = changed(status_apis.PAYPAL, "result", 0, "status", "production", to="Service Outage")
    third = read(PAYPAL_PATH, worse, fetched_at=later, seen_down=second.seen_down)
    assert _parts(third) == {("major_outage", "investigating", utc("2026-03-02T12:20:00Z"), "observed")}
    well = changed(status_apis.PAYPAL, "result", 0, "status", "production", to="Operational")
    fourth = read(PAYPAL_PATH, well, fetched_at=later, seen_down=third.seen_down)
    [end] = fourth.updates
    assert (end.update_id, end.status, end.displayed_at, end.impact) == (END, "resolved", later, "critical")
    assert {row.incident_id for row in (*first.updates, *third.updates, *fourth.updates)} == {end.incident_id}
    assert fourth.seen_down == {}
    assert not read(PAYPAL_PATH, well, fetched_at=later, seen_down=fourth.seen_down).updates


def test_a_part_in_a_state_that_is_not_known_stays_as_it_was() -> None:
    first = read(PAYPAL_PATH)
    odd = changed(status_apis.PAYPAL, "result", 0, "status", "production", to="Wobbly")
    second = read(PAYPAL_PATH, odd, seen_down=first.seen_down)
    assert not second.updates
    assert second.seen_down == first.seen_down
    assert "Wobbly" in second.rejected[0].reason


def test_a_part_whose_entry_is_refused_is_not_taken_for_gone() -> None:
    first = read(PAYPAL_PATH)
    bad = changed(status_apis.PAYPAL, "result", 0, "status", to="broken")
    second = read(PAYPAL_PATH, bad, seen_down=first.seen_down)
    assert not second.updates
    assert second.seen_down == first.seen_down
    assert len(second.rejected) == 1


def test_a_part_that_a_whole_list_no_longer_has_is_over_and_one_of_a_page_of_several_is_not() -> None:
    first = read(PAYPAL_PATH)
    assert [
        row.update_id
        for row in read(PAYPAL_PATH, {"result": status_apis.PAYPAL["result"][1:]}, seen_down=first.seen_down).updates
    ] == [END]
    monitors = read("/api/getMonitorList/abc")
    other = changed(status_hosted.UPTIMEROBOT, "psp", "monitors", to=status_hosted.UPTIMEROBOT["psp"]["monitors"][1:])
    rest = read("/api/getMonitorList/abc", other, seen_down=monitors.seen_down)
    assert not rest.updates
    assert rest.seen_down == monitors.seen_down


def test_parts_of_other_services_on_a_shared_page_are_left_out() -> None:
    reading = read("/api/posts/m365Consumer", components=("OneDrive",))
    assert not reading.updates
    assert reading.seen_down == {}
    assert [row.name for row in read("/api/posts/m365Consumer", components=("Outlook.com",)).incidents] == [
        "Outlook.com: Letters are slow"
    ]


def test_xml_with_declarations_of_its_own_is_not_read() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><ServiceStatus><CoreServices>&a;</CoreServices></ServiceStatus>'
    assert not BY_NAME["xbox"].recognises(Answer(body=bomb))
    with pytest.raises(SourceError):
        BY_NAME["xbox"].read(Answer(body=bomb), context())
