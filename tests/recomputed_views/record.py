"""The views of providers, news, reliability and how good the alerts were, worked out again."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pandas as pd

from tests.recomputed_views.incidents import evidence, first_messages, whole_counts, with_service
from tests.recomputed_views.tables import MINUTE, Tables, minutes, recomputes

FOREVER = pd.Timestamp("2200-01-01T00:00:00Z")
IMPACTS = ("none", "minor", "major", "critical")


@recomputes("what_the_press_claims")
def what_the_press_claims(tables: Tables) -> pd.DataFrame:
    found = tables("claims").merge(tables("news_items"), on=["source", "native_id"], validate="many_to_one")
    return found[["published", "outlet", "kind", "value", "said_by", "definition", "title", "url"]]


@recomputes("news_of_unknown_time")
def news_of_unknown_time(tables: Tables) -> pd.DataFrame:
    items = tables("news_items")
    return items[items["published"].isna()][["collected", "outlet", "title", "url"]]


@recomputes("official_updates")
def official_updates(tables: Tables) -> pd.DataFrame:
    updates = tables("status_updates").sort_values(["displayed_at", "created_at"])
    late = minutes(updates["displayed_at"], updates["created_at"])
    states = []
    for update in updates.itertuples():
        mine = updates[(updates["page"] == update.page) & (updates["incident_id"] == update.incident_id)]
        before = mine[(mine["displayed_at"] <= update.displayed_at) & (mine["status"] != "update")]["status"]
        states.append(update.status if update.status != "update" or before.empty else before.iloc[-1])
    found = updates.assign(minutes_late=late, after_the_fact=(late > 10).astype(int), state=states)
    return found.drop(columns=["components", "collected", "body", "timing", "read_at"])


@recomputes("planned_maintenance")
def planned_maintenance(tables: Tables) -> pd.DataFrame:
    incidents = tables("official_incidents")
    found = incidents[incidents["scheduled_for"].notna() & incidents["taken_back_at"].isna()]
    over = found["status"].isin(["resolved", "completed", "postmortem"])
    found = found.assign(announced=found["collected"], over_at=found["resolved_at"].where(over))
    columns = "page incident_id name scheduled_for scheduled_until announced status over_at components url"
    return found[columns.split()]


@recomputes("episodes")
def episodes(tables: Tables) -> pd.DataFrame:
    found = with_service(tables, "incident_episodes")
    found = found.assign(
        service=found["of_service"], ended_at=found["end"], minutes=minutes(found["onset"], found["end"])
    )
    columns = "incident service number onset ended_at minutes impact components official_first_at by_crowd"
    return found[[*columns.split(), "crowd_since", "crowd_until", "crowd_spans"]]


@recomputes("who_said_what")
def who_said_what(tables: Tables) -> pd.DataFrame:
    kinds = ("disagreement", "figure", "comparison", "page", "differs")
    same = {name: name for name in ["incident", "kind", "at", "subject", "value", "beside", "statement"]}
    return evidence(tables, kinds, **same, evidence_rows="rows")


@recomputes("rivals_meanwhile")
def rivals_meanwhile(tables: Tables) -> pd.DataFrame:
    columns = {"incident": "incident", "rival": "subject", "seen": "value", "usual": "beside", "statement": "statement"}
    return evidence(tables, ("rival", "fallback"), **columns, evidence_rows="rows")


@recomputes("outages_like_it")
def outages_like_it(tables: Tables) -> pd.DataFrame:
    columns = {"incident": "incident", "outage": "subject", "lasted_minutes": "value", "alike": "beside"}
    return evidence(tables, ("comparable",), **columns, statement="statement")


@recomputes("surge_watch")
def surge_watch(tables: Tables) -> pd.DataFrame:
    found = tables("advisories")
    found["service"] = found["service"].map(tables("services").set_index("id")["name"])
    return found[["since", "until", "service", "level", "reasons"]]


@recomputes("what_else_was_wrong")
def what_else_was_wrong(tables: Tables) -> pd.DataFrame:
    incidents = tables("incidents")
    service = dict(zip(incidents["id"], incidents["service"], strict=True))
    found = []
    for one in incidents.itertuples():
        for other in incidents.itertuples():
            begins_before_end = other.onset <= (FOREVER if pd.isna(one.end) else one.end)
            lasts_until = (FOREVER if pd.isna(other.end) else other.end) >= one.onset
            counted_in_group = service.get(other.part_of) == other.service
            if one.service == other.service or not begins_before_end or not lasts_until or counted_in_group:
                continue
            together = (bool(one.part_of) and one.part_of in (other.part_of, other.id)) or other.part_of == one.id
            row = (one.id, one.service, other.id, other.service, other.state, other.impact, other.onset, other.end)
            found.append((*row, int(together)))
    columns = "incident service other other_service state impact onset ended_at same_group"
    return pd.DataFrame(found, columns=columns.split())


@recomputes("how_sure")
def how_sure(tables: Tables) -> pd.DataFrame:
    found = with_service(tables, "incident_evidence")
    found = found[found["kind"] == "certainty"]
    names = {"of_service": "service", "of_state": "state", "of_probability": "probability", "subject": "part"}
    columns = ["incident", "service", "state", "probability", "part", "log_odds", "statement"]
    return found.rename(columns={**names, "value": "log_odds"})[columns]


@recomputes("how_it_went")
def how_it_went(tables: Tables) -> pd.DataFrame:
    found = with_service(tables, "incident_phases").rename(columns={"of_service": "service"})
    return found[["incident", "service", "episode", "phase", "since", "until", "impact", "why"]]


@recomputes("how_good_are_we")
def how_good_are_we(tables: Tables) -> pd.DataFrame:
    incidents, alerts = tables("incidents"), tables("alerts")
    watched = set(tables("services").query("watched == 1")["id"])
    groups = set(incidents["part_of"])
    alone = incidents[~incidents["id"].isin(groups)]
    alerted = set(alone[alone["id"].isin(alerts[alerts["sent_at"].notna()]["incident"])]["service"])
    twice = {(row.part_of, row.service) for row in incidents.itertuples()}
    first = first_messages(tables).set_index("incident")["first_alert_at"]
    told = tables("feedback").set_index("incident")["verdict"]
    began, found = incidents["opened_at"].min(), []
    for one in incidents.itertuples():
        alert, notice = first.get(one.id, pd.NaT), one.official_first_at
        missed = not pd.isna(notice) and (one.service in watched or one.service in alerted)
        if (one.id, one.service) in twice or (pd.isna(alert) and not missed):
            continue
        lead = (notice - alert) / MINUTE
        if one.id in told:
            verdict, said_by = told[one.id], "a person"
        elif pd.isna(alert):
            verdict = "before we began" if not pd.isna(one.end) and one.end <= began else "missed"
            said_by = "the provider"
        elif pd.isna(notice):
            verdict, said_by = "unknown", ""
        else:
            verdict = "right" if abs(lead) <= 120 else "late" if lead < 0 else "unknown"
            said_by = "the provider"
        found.append((one.id, one.service, alert, notice, lead, verdict, said_by))
    columns = "incident service first_alert_at official_first_at lead_minutes verdict said_by"
    return pd.DataFrame(found, columns=columns.split())


@recomputes("hour_of_week")
def hour_of_week(tables: Tables) -> pd.DataFrame:
    found = with_service(tables, "incident_episodes")
    zone = tables("local_time")["zone"].iloc[0]
    local = found["onset"].dt.tz_convert(ZoneInfo(zone))
    found = found.assign(service=found["of_service"], weekday=local.dt.day_of_week + 1, hour=local.dt.hour, zone=zone)
    return found.groupby(["service", "weekday", "hour", "zone"]).size().rename("outages").reset_index()


@recomputes("lead_by_notice")
def lead_by_notice(tables: Tables) -> pd.DataFrame:
    updates, incidents = tables("status_updates"), tables("incidents")
    sent = tables("alerts").dropna(subset=["sent_at"])
    planned = tables("official_incidents").dropna(subset=["scheduled_for"])
    maintenance = set(zip(planned["page"], planned["incident_id"], strict=True))
    found = []
    for service in tables("services").itertuples():
        host = (urlsplit(service.status_page).hostname or "").removeprefix("www.")
        pages = updates[updates["page"].isin([host, f"{host}/{service.id}"]) & (updates["impact"] != "maintenance")]
        own = incidents[incidents["service"] == service.id]
        times = list(sent[sent["incident"].isin(own["id"])]["sent_at"])
        for one in own.itertuples():
            times += list(sent[(sent["incident"] == one.part_of) & (sent["created"] >= one.opened_at)]["sent_at"])
        for (page, notice), rows in pages.groupby(["page", "incident_id"]):
            if (page, notice) in maintenance:
                continue
            posted = rows["created_at"].min()
            near = [at for at in times if posted - 30 * MINUTE <= at <= posted + 120 * MINUTE]
            message = min(near, default=pd.NaT)
            newest = rows.sort_values(["displayed_at", "created_at", "name"])["name"].iloc[-1]
            worst = max(rows["impact"], key=lambda word: IMPACTS.index(word) if word in IMPACTS else -1)
            lead = (posted - message) / MINUTE
            found.append((service.id, page, notice, newest, worst, posted, message, lead))
    columns = "service page incident_id name impact posted message_at lead_minutes"
    return pd.DataFrame(found, columns=columns.split())


@recomputes("who_reported_first")
def who_reported_first(tables: Tables) -> pd.DataFrame:
    raised = tables("verdicts").query("alarm == 1").merge(tables("series"), on="series")
    raised = raised[(raised["region"] == "") & (raised["indicator"] == "")]
    ends = raised["bin_start"] + pd.to_timedelta(raised["bin_s"], unit="s")
    reports = tables("links").query("relation == 'reports'")
    seen = tables("news_events").set_index("id")["first_seen"]
    found = []
    for one in with_service(tables, "incident_episodes").itertuples():
        end = FOREVER if pd.isna(one.end) else one.end
        during = raised[(raised["service"] == one.of_service) & (raised["bin_start"] <= end) & (ends > one.onset)]
        times = {f"{c} on {s}": rows["bin_start"].min() for (c, s), rows in during.groupby(["channel", "source"])}
        if not pd.isna(one.official_first_at):
            times["status page"] = one.official_first_at
        news = [seen[event] for event in reports[reports["incident"] == one.incident]["news_event"]]
        news = [at for at in news if one.onset <= at <= end]
        if news:
            times["news"] = min(news)
        for source, at in times.items():
            after = (at - min(times.values())) / MINUTE
            found.append((one.incident, one.of_service, one.number, source, at, after))
    columns = "incident service episode source first_at minutes_after_first"
    return pd.DataFrame(found, columns=columns.split())


@recomputes("gaps")
def gaps(tables: Tables) -> pd.DataFrame:
    found = []
    for (source, service, width, _), rows in whole_counts(tables).groupby(
        ["source", "service", "interval_s", "window"]
    ):
        starts = sorted(pd.to_datetime(rows["start"], utc=True))
        for before, after in itertools.pairwise(starts):
            missing = (after - before) / MINUTE - width / 60
            if missing > 0:
                found.append(("no counts", source, service, before, after, missing))
    for source, spans in tables("coverage").sort_values("since").groupby("source"):
        for before, after in zip(spans["until"], spans["since"].iloc[1:], strict=False):
            if after > before:
                found.append(("not read", source, "", before, after, (after - before) / MINUTE))
    columns = "kind source service last_before first_after minutes"
    return pd.DataFrame(found, columns=columns.split())


@recomputes("what_if_threshold")
def what_if_threshold(tables: Tables) -> pd.DataFrame:
    loud = tables("verdicts").query("score >= 6").merge(tables("series"), on="series")
    loud = loud[(loud["region"] == "") & (loud["indicator"] == "")]
    incidents = tables("incidents")
    sent = tables("alerts").dropna(subset=["sent_at"])
    found = []
    for service in tables("services").query("watched == 1")["id"]:
        mine, own = loud[loud["service"] == service], incidents[incidents["service"] == service]
        for threshold in range(6, 15) if len(mine) else ():
            bins = sorted(set(mine[mine["score"] >= threshold]["bin_start"]))
            begins = [b for n, b in enumerate(bins) if n == 0 or b - bins[n - 1] > 150 * MINUTE]
            new = [b for b in begins if not any(_during(b, one) for one in own.itertuples())]
            kept = lost = 0
            for one in own.itertuples():
                hour = one.onset.floor("h")
                end = FOREVER if pd.isna(one.end) else one.end
                inside = mine[(mine["bin_start"] >= hour) & (mine["bin_start"] <= end)]["score"]
                messages = len(sent[sent["incident"] == one.id][["created", "transition"]].drop_duplicates())
                if not pd.isna(one.official_first_at) or (len(inside) and inside.max() >= threshold):
                    kept += messages
                else:
                    lost += messages
            found.append((threshold, service, len(begins), len(new), kept, lost))
    columns = "threshold service stretches new_stretches mails_kept mails_lost"
    return pd.DataFrame(found, columns=columns.split())


def _during(moment: pd.Timestamp, incident: object) -> bool:
    end = getattr(incident, "end")  # noqa: B009
    return incident.onset - 60 * MINUTE <= moment <= (FOREVER if pd.isna(end) else end)  # type: ignore[attr-defined]
