"""The views of incidents, evidence, counts and messages, worked out again."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from tests.recomputed_views.tables import MINUTE, Tables, minutes, plain, recomputes, rows_where, stamp


def evidence(tables: Tables, kinds: Iterable[str], **columns: str) -> pd.DataFrame:
    """Return the evidence of some kinds, its columns under the names of a view."""
    rows = tables("incident_evidence")
    rows = rows[rows["kind"].isin(list(kinds))]
    return pd.DataFrame({name: rows[column] for name, column in columns.items()})


def with_service(tables: Tables, name: str) -> pd.DataFrame:
    """Return the rows of a table of incidents, each with its incident's columns under `of_…`."""
    incidents = tables("incidents").add_prefix("of_")
    return tables(name).merge(incidents, left_on="incident", right_on="of_id", how="left", validate="many_to_one")


def whole_counts(tables: Tables) -> pd.DataFrame:
    """Return the counts of all regions and kinds together, of intervals that can be added up."""
    counts = tables("complaint_counts")
    rows = counts[counts["window"] != "rolling"]
    key = ["service", "source", "start", "interval_s", "window"]
    found = []
    for (service, source), of_pair in rows.groupby(["service", "source"]):
        own = of_pair[(of_pair["region"] == "") & (of_pair["indicator"] == "")]
        if own.empty:
            for _, cell in of_pair.groupby(["start", "interval_s", "window"]):
                parts = []
                for indicator, of_kind in cell.groupby("indicator"):
                    everywhere = of_kind[of_kind["region"] == ""]["total"]
                    parts.append((indicator, everywhere.iloc[0] if len(everywhere) else of_kind["total"].sum()))
                whole = dict(parts).get("", sum(total for _, total in parts))
                found.append({**{name: cell[name].iloc[0] for name in key}, "total": whole})
        else:
            found += own[[*key, "total"]].to_dict("records")
        assert service, source
    return pd.DataFrame(found, columns=[*key, "total"])


def first_messages(tables: Tables) -> pd.DataFrame:
    """Return when the first message about each incident was sent: of a group's, those since it was a member."""
    alerts = tables("alerts")
    sent = alerts[alerts["sent_at"].notna() & (alerts["incident"] != "")]
    found = []
    for incident in tables("incidents").itertuples():
        own = sent[sent["incident"] == incident.id]
        group = sent[(sent["incident"] == incident.part_of) & (sent["created"] >= incident.opened_at)]
        times = pd.concat([own["sent_at"], group["sent_at"]])
        if len(times):
            found.append((incident.id, times.min()))
    return pd.DataFrame(found, columns=["incident", "first_alert_at"])


recomputes("first_alerts")(first_messages)


def confirmed_by(tables: Tables, incident: pd.Series) -> str:
    """Return by whom an incident is or was confirmed; that reports confirmed it is known only while it lasts."""
    if incident["state"] not in ("confirmed", "resolved"):
        return ""
    if not pd.isna(incident["official_first_at"]):
        return "provider"
    rows = tables("incident_evidence")
    shared = rows[(rows["incident"] == incident["id"]) & (rows["kind"] == "shared")]
    if "status pages" in set(shared["subject"]):
        return "dependents"
    return "reports" if incident["state"] == "confirmed" else ""


@recomputes("what_is_wrong_now")
def what_is_wrong_now(tables: Tables) -> pd.DataFrame:
    incidents = tables("incidents")
    names = tables("services").set_index("id")["name"]
    active = incidents[incidents["active"] == 1]
    of_groups = {row.id: row.service for row in active.itertuples()}
    once = rows_where(active, (of_groups.get(row.part_of) != row.service for row in active.itertuples()))
    found = once.assign(
        incident=once["id"],
        service=once["service"].map(names),
        confirmed_by=[confirmed_by(tables, row) for _, row in once.iterrows()],
    )
    columns = ["incident", "service", "state", "impact", "symptom", "probability", "onset", "official_first_at"]
    return found[[*columns, "part_of", "confirmed_by"]]


@recomputes("incident_overview")
def incident_overview(tables: Tables) -> pd.DataFrame:
    incidents = tables("incidents")
    found = incidents.merge(first_messages(tables), left_on="id", right_on="incident", how="left")
    found["incident"] = found["id"]
    found["service"] = found["service"].map(tables("services").set_index("id")["name"])
    found["ended_at"] = found["end"]
    found["lead_minutes"] = minutes(found["first_alert_at"], found["official_first_at"])
    found["confirmed_by"] = [confirmed_by(tables, row) for _, row in incidents.iterrows()]
    return found.drop(columns=["id", "end", "opened_at", "active", "probability"])


@recomputes("who_said_it_began")
def who_said_it_began(tables: Tables) -> pd.DataFrame:
    return evidence(
        tables,
        ("complaints", "votes", "official", "shared", "page", "disagreement"),
        incident="incident",
        said_by="kind",
        concerns_from="at",
        statement="statement",
        evidence_rows="rows",
    )


@recomputes("which_component")
def which_component(tables: Tables) -> pd.DataFrame:
    found = with_service(tables, "incident_components")
    names = {(row.service, row.id): row.name for row in tables("components").itertuples(index=False)}
    found["service"] = found["of_service"]
    found["component"] = [names.get((r.service, r.component), r.component) for r in found.itertuples()]
    found["said_by"] = found["source"]
    return found[["incident", "service", "component", "status", "said_by", "since", "until", "detail"]]


@recomputes("official_lag")
def official_lag(tables: Tables) -> pd.DataFrame:
    found, episodes = tables("incidents"), tables("incident_episodes")
    by_crowd = set(episodes[episodes["by_crowd"] == 1]["incident"])
    found["incident"] = found["id"]
    found["minutes_after_onset"] = minutes(found["onset"], found["official_first_at"])
    found["said"] = [
        "no" if pd.isna(row.official_first_at) else "yes" if row.id in by_crowd else "only the page"
        for row in found.itertuples()
    ]
    return found[["incident", "service", "onset", "official_first_at", "said", "minutes_after_onset"]]


@recomputes("news_around")
def news_around(tables: Tables) -> pd.DataFrame:
    links = tables("links")
    found = links[links["shown"] == 1].merge(tables("news_events"), left_on="news_event", right_on="id")
    return found.drop(columns=["news_event", "shown", "id", "entities"])


@recomputes("counted_votes")
def counted_votes(tables: Tables) -> pd.DataFrame:
    key = ["source", "native_id"]
    found = tables("votes")[[*key, "service", "created", "weight", "reason"]]
    tags = tables("post_tags")[[*key, "service", "p_outage", "components", "symptom", "language"]]
    found = found.merge(tags, on=[*key, "service"], validate="one_to_one")
    found = found.merge(tables("posts")[[*key, "community", "title", "text"]], on=key, validate="many_to_one")
    assert len(found) == len(tables("votes"))
    return found.drop(columns=["native_id"])


@recomputes("complaint_counts")
def complaint_counts(tables: Tables) -> pd.DataFrame:
    found = tables("count_values").merge(
        tables("count_series"), left_on="series", right_on="id", validate="many_to_one"
    )
    assert len(found) == len(tables("count_values"))
    for column in ("start", "collected"):
        found[column] = pd.to_datetime(found[column].astype("int64"), unit="s", utc=True)
    return found.drop(columns=["series", "id"])


@recomputes("complaint_hours")
def complaint_hours(tables: Tables) -> pd.DataFrame:
    counts = tables("complaint_counts")
    counts = counts[counts["window"] != "rolling"]
    counts["hour"] = pd.to_datetime(counts["start"], utc=True).dt.floor("h")
    key = ["service", "source", "region", "indicator", "hour", "interval_s", "window"]
    return counts.groupby(key)["total"].agg(total="sum", intervals="count").reset_index()


@recomputes("complaint_gaps")
def complaint_gaps(tables: Tables) -> pd.DataFrame:
    counts = tables("complaint_counts")
    key = ["service", "source", "region", "indicator", "interval_s", "window"]
    counts = counts[counts["window"] != "rolling"].sort_values("start").rename(columns={"start": "last_before"})
    counts["first_after"] = counts.groupby(key)["last_before"].shift(-1)
    apart = (pd.to_datetime(counts["first_after"]) - pd.to_datetime(counts["last_before"])).dt.total_seconds()
    return counts[apart > counts["interval_s"]][[*key, "last_before", "first_after"]]


@recomputes("complaints_in_parts")
def complaints_in_parts(tables: Tables) -> pd.DataFrame:
    counts, whole = tables("complaint_counts"), whole_counts(tables)
    counts = counts[counts["window"] != "rolling"]
    totals = counts[(counts["region"] == "") & (counts["indicator"] == "")]
    pairs = set(zip(totals["service"], totals["source"], strict=True))
    inside = (pair not in pairs for pair in zip(whole["service"], whole["source"], strict=True))
    return rows_where(whole, inside).rename(columns={"total": "complaints"})


@recomputes("complaints_by_hour")
def complaints_by_hour(tables: Tables) -> pd.DataFrame:
    whole = whole_counts(tables)
    whole["hour"] = pd.to_datetime(whole["start"], utc=True).dt.floor("h")
    grouped = whole.groupby(["service", "hour", "source", "interval_s", "window"])["total"]
    return grouped.agg(complaints="sum", intervals="count").reset_index()


@recomputes("alarms")
def alarms(tables: Tables) -> pd.DataFrame:
    verdicts = tables("verdicts")
    found = verdicts[verdicts["alarm"] == 1].merge(tables("series"), on="series")
    return found.drop(columns=["alarm", "detector", "source", "bin_s"])


@recomputes("blind_sources")
def blind_sources(tables: Tables) -> pd.DataFrame:
    runs = tables("runs")
    runs = runs[runs["stage"] == "collect"]
    newest, found = runs["started"].max(), []
    for source, rows in runs.groupby("subject"):
        good = rows[rows["outcome"].isin(["ok", "empty", "not_modified"])]["started"].max()
        failed = rows[rows["outcome"].isin(["error", "blocked"])]
        last = failed.sort_values(["started", "error"]).tail(1)
        silent = None if pd.isna(good) else round((newest - good) / MINUTE)
        found.append(
            {
                "source": source,
                "last_good": good,
                "last_tried": rows["started"].max(),
                "failures": len(failed),
                "last_failure": None if last.empty else f"{stamp(last['started'].iloc[0])} {last['error'].iloc[0]}",
                "minutes_silent": silent,
                "blind": int(silent is None or good < rows["started"].max() or silent > 120),
            }
        )
    return pd.DataFrame(found)


plain("messages", "alerts", "created service incident transition channel subject sent_at attempts error failed")
plain("chart_history", "chart_ranks", "app country chart observed rank")
plain("what_others_say", "outside_verdicts", "source service observed verdict")
plain("silences_on_record", "silences", "id service component since until reason author")
