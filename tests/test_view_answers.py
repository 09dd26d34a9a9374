"""Views against an independent recomputation in pandas from the tables of the recorded day."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.store import Store
from pipeline.store.local_time import put_local_time
from tests.conftest import Day

pytestmark = pytest.mark.slow
ZONE = "America/New_York"
Tables = Callable[[str], pd.DataFrame]
MINUTE = pd.Timedelta(minutes=1)


@pytest.fixture(scope="module")
def tables(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """Read a table or a view as a frame, its times as times."""
    folder, _ = day
    path = tmp_path_factory.mktemp("views") / "groundswell.db"
    shutil.copy(folder / "a.db", path)
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        put_local_time(store, ZONE)
    conn = sqlite3.connect(path)

    def read(name: str) -> pd.DataFrame:
        frame = pd.read_sql(f'SELECT * FROM "{name}"', conn)
        for column in frame.columns[frame.dtypes == "str"]:
            if frame[column].dropna().str.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ").all():
                frame[column] = pd.to_datetime(frame[column], utc=True)
        return frame

    yield read
    conn.close()


def rounded(minutes: pd.Series) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 1) for value in minutes]


def same_minutes(view: pd.Series, recomputed: pd.Series) -> None:
    """Compare minutes, where SQLite and pandas round the half in the last place otherwise."""
    assert view.isna().tolist() == recomputed.isna().tolist()
    assert ((view - recomputed).abs().dropna() <= 0.0501).all()


def first_messages(tables: Tables) -> pd.Series:
    """Return when the first message about each incident was sent: of a group's, those since it was a member."""
    incidents, alerts = tables("incidents"), tables("alerts")
    sent = alerts[alerts["sent_at"].notna() & (alerts["incident"] != "")]
    found = {}
    for incident in incidents.itertuples():
        own = sent[sent["incident"] == incident.id]
        group = sent[(sent["incident"] == incident.part_of) & (sent["created"] >= incident.opened_at)]
        times = pd.concat([own["sent_at"], group["sent_at"]])
        if len(times):
            found[incident.id] = times.min()
    return pd.Series(found, dtype="datetime64[ns, UTC]")


def test_first_alerts_and_leads(tables: Tables) -> None:
    first, overview = first_messages(tables), tables("incident_overview").set_index("incident")
    assert len(first) > 0
    pd.testing.assert_series_equal(
        tables("first_alerts").set_index("incident")["first_alert_at"].sort_index(),
        first.sort_index(),
        check_names=False,
        check_dtype=False,
        check_index_type=False,
    )
    lead = (overview["official_first_at"] - first.reindex(overview.index)) / MINUTE
    same_minutes(overview["lead_minutes"], lead)


def test_open_incidents_are_those_that_are_active(tables: Tables) -> None:
    incidents = tables("incidents")
    assert set(tables("what_is_wrong_now")["incident"]) == set(incidents[incidents["active"] == 1]["id"])


def test_episodes_and_lags(tables: Tables) -> None:
    raw, view = tables("incident_episodes"), tables("episodes")
    assert len(raw) == len(view) > 0
    merged = view.merge(raw, left_on=["incident", "number"], right_on=["incident", "number"], suffixes=("", "_raw"))
    same_minutes(merged["minutes"], (merged["end"] - merged["onset_raw"]) / MINUTE)
    incidents = tables("incidents").set_index("id")
    lag = tables("official_lag").set_index("incident")
    same_minutes(
        lag["minutes_after_onset"], (incidents["official_first_at"] - incidents["onset"]).loc[lag.index] / MINUTE
    )


def test_complaints_by_hour_add_up_to_the_counts(tables: Tables) -> None:
    counts, view = tables("complaint_counts"), tables("complaints_by_hour")
    counts = counts[(counts["window"] != "rolling") & (counts["region"] == "") & (counts["indicator"] == "")]
    hours = counts.assign(hour=counts["start"].dt.floor("h"))
    expected = hours.groupby(["service", "hour", "source", "interval_s", "window"])["total"].agg(["sum", "count"])
    found = view.set_index(["service", "hour", "source", "interval_s", "window"])
    assert len(expected) == len(found) > 100
    assert (found["complaints"].sort_index() == expected["sum"].sort_index()).all()
    assert (found["intervals"].sort_index() == expected["count"].sort_index()).all()


def test_alarms_and_votes_are_the_stored_ones_each_once(tables: Tables) -> None:
    verdicts, votes = tables("verdicts"), tables("votes")
    assert len(tables("alarms")) == int((verdicts["alarm"] == 1).sum()) > 0
    view = tables("counted_votes")
    assert len(view) == len(votes) > 0
    assert view["weight"].sum() == votes["weight"].sum()


def test_hours_of_the_week_are_local(tables: Tables) -> None:
    episodes = tables("incident_episodes").merge(
        tables("incidents")[["id", "service"]], left_on="incident", right_on="id"
    )
    local = episodes["onset"].dt.tz_convert(ZoneInfo(ZONE))
    expected = episodes.groupby([episodes["service"], local.dt.day_of_week + 1, local.dt.hour]).size()
    view = tables("hour_of_week").set_index(["service", "weekday", "hour"])["outages"]
    assert view.to_dict() == expected.to_dict()
    assert len(view) > 3


def test_each_notice_has_the_first_message_from_half_an_hour_before_to_two_after(tables: Tables) -> None:
    updates, alerts, incidents = tables("status_updates"), tables("alerts"), tables("incidents")
    updates = updates[(updates["page"] == "status.claude.com") & (updates["impact"] != "maintenance")]
    posted = updates.groupby("incident_id")["created_at"].min()
    of_claude = set(incidents[incidents["service"] == "claude"]["id"])
    sent = alerts[alerts["incident"].isin(of_claude)]["sent_at"].dropna()
    view = tables("lead_by_notice")
    view = view[view["service"] == "claude"].set_index("incident_id")
    assert set(view.index) == set(posted.index)
    for notice, when in posted.items():
        near = sent[(sent >= when - 30 * MINUTE) & (sent <= when + 120 * MINUTE)]
        told = view.loc[notice, "message_at"]
        assert (near.min() == told) if len(near) else pd.isna(told), notice
    same_minutes(view["lead_minutes"], (view["posted"] - view["message_at"]) / MINUTE)
    assert view["message_at"].notna().any()


def test_who_reported_first_is_the_earliest_alarm_or_notice(tables: Tables) -> None:
    verdicts, series = tables("verdicts"), tables("series")
    alarms = verdicts[verdicts["alarm"] == 1].merge(series, on="series")
    alarms = alarms[(alarms["region"] == "") & (alarms["indicator"] == "")]
    episodes = tables("incident_episodes").merge(
        tables("incidents")[["id", "service"]], left_on="incident", right_on="id"
    )
    view = tables("who_reported_first").set_index(["incident", "episode", "source"])["first_at"]
    checked = 0
    for row in episodes.itertuples():
        end = row.end if not pd.isna(row.end) else pd.Timestamp.max.tz_localize("UTC")
        mine = alarms[(alarms["service"] == row.service) & (alarms["bin_start"] <= end)]
        mine = mine[mine["bin_start"] + pd.to_timedelta(mine["bin_s"], unit="s") > row.onset]
        for (channel, source), rows in mine.groupby(["channel", "source"]):
            assert view[(row.incident, row.number, f"{channel} on {source}")] == rows["bin_start"].min()
            checked += 1
        if not pd.isna(row.official_first_at):
            assert view[(row.incident, row.number, "status page")] == row.official_first_at
            checked += 1
    press = view.index.get_level_values("source") == "news"
    assert checked == len(view[~press]) > 3


def test_gaps_are_the_hours_without_counts_and_the_spans_that_were_not_read(tables: Tables) -> None:
    counts = tables("complaint_counts")
    counts = counts[(counts["window"] != "rolling") & (counts["region"] == "") & (counts["indicator"] == "")]
    expected = set()
    for (source, service, width, _), rows in counts.groupby(["source", "service", "interval_s", "window"]):
        starts = rows["start"].sort_values()
        pauses = starts.diff()
        for start, pause in zip(starts, pauses, strict=True):
            if pause > pd.Timedelta(seconds=width):
                expected.add((source, service, start, (pause - pd.Timedelta(seconds=width)) / MINUTE))
    view = tables("gaps")
    missing = view[view["kind"] == "no counts"]
    found = set(missing[["source", "service", "first_after", "minutes"]].itertuples(index=False, name=None))
    assert found == expected
    spans = tables("coverage").sort_values(["source", "since"])
    following = spans.groupby("source")["since"].shift(-1)
    assert (view["kind"] == "not read").sum() == int((following > spans["until"]).sum())


def test_another_threshold_gives_the_stretches_of_its_own_scores(tables: Tables) -> None:
    loud = tables("verdicts").merge(tables("series"), on="series")
    loud = loud[
        (loud["score"] >= 6) & (loud["region"] == "") & (loud["indicator"] == "") & (loud["service"] == "claude")
    ]
    view = tables("what_if_threshold")
    view = view[view["service"] == "claude"].set_index("threshold")
    for threshold in (6, 9, 14):
        starts = loud[loud["score"] >= threshold].groupby("bin_start").size().index.sort_values().to_series()
        stretches = int((starts.diff().isna() | (starts.diff() > 150 * MINUTE)).sum())
        assert view.loc[threshold, "stretches"] == stretches
    assert view["stretches"].is_monotonic_decreasing
    alerts = tables("alerts")
    mine = alerts[alerts["incident"].str.startswith("claude") & alerts["sent_at"].notna()]
    messages = len(mine[["created", "transition"]].drop_duplicates())
    assert (view["mails_kept"] + view["mails_lost"] == messages).all()


def test_what_was_searched_is_found_by_its_parts(tables: Tables, day: Day) -> None:
    folder, _ = day
    with Store(folder / "a.db") as store:
        for words, part in (("ログイン", "ログイン"), ("loadi*", "loadi")):
            found = store.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH ?", (words,))[0][0]
            held = store.rows(
                "SELECT count(*) FROM posts WHERE instr(lower(text), ?) OR instr(lower(title), ?)", (part, part)
            )[0][0]
            assert found == held > 0, words
