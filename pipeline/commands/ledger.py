"""`groundswell ledger`: how soon providers own up, and how long they are down by their own word and by the crowd's."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from pipeline.commands.common import Setting, common, open_store
from pipeline.errors import ConfigError
from pipeline.model import Service
from pipeline.times import iso

FRONT, BACK = ("web", "mobile", "desktop", "login"), ("api",)


@click.command("ledger")
@click.option("--service", "service_id", help="One service; without it, all of whom anything is known.")
@click.option(
    "--months", "how_many", type=click.IntRange(1, 600), default=12, show_default=True, help="How many months to list."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def ledger_command(setting: Setting, service_id: str | None, how_many: int, as_json: bool) -> None:
    """Grade how soon each provider's page speaks (90 days), and list availability, MTTR and MTBF by month.

    Reads pages collected or imported (`groundswell import incidents`) and the episodes in which a crowd rose.
    """
    from pipeline.store import must_exist

    catalogue = setting.config.catalogue
    if service_id is not None and service_id not in catalogue:
        raise ConfigError(f"--service: {service_id!r} is not in the catalogue")
    must_exist(setting.db)
    with open_store(setting) as store:
        found = [
            sheet for service in (catalogue[service_id],) if (sheet := _sheet(store, service, setting.now, how_many))
        ] if service_id else [
            sheet for service in catalogue.values() if (sheet := _sheet(store, service, setting.now, how_many))
        ]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"schema": 1, "services": found}, indent=1))
        return
    for sheet in found:
        for line in _lines(sheet):
            click.echo(line)
    if not found:
        click.echo(
            "no incident is known; `groundswell import incidents FILE --service ID` brings a provider's history in"
        )


def _sheet(store: Any, service: Service, now: datetime, how_many: int) -> dict[str, Any] | None:
    from pipeline.store.pages import crowd_entries, graded_entries, official_entries
    from pipeline.story import ledger

    page = service.page
    official = official_entries(store, service, page, now) if page else []
    crowd = crowd_entries(store, service, now)
    if not official and not crowd:
        return None
    everything = [*official, *crowd]
    last = max(e.began for e in everything)
    until = ledger.reach(everything, now)
    # without a page there is nobody to own up
    told = ledger.acknowledgement(graded_entries(store, service, page, now) if page else [], min(now, last))
    parts = [p.id for p in service.components if any(p.id in e.components for e in official)]
    spans = [(e.began, e.ended or until) for e in crowd]
    by_role = {role: ledger.months([e for e in official if _roles(service, e.components) & set(roles)] or [], until)
               for role, roles in (("front", FRONT), ("back", BACK))}  # fmt: skip
    return {
        "service": service.id, "name": service.name, "provider": service.vendor or service.name, "page": page, "until": iso(until),
        "acknowledgement": {"grade": told.grade, "mean_minutes": _round(told.mean_minutes), "incidents": told.incidents, "left_out": told.left_out,
                            "since": iso(min(now, last) - ledger.ROLLING)},
        "incidents": len(official), "not_counted": sum(not e.counted for e in official), "doubtful": sum(e.timing == "doubtful" for e in official),
        "official": [_month(m) for m in ledger.months(official, until)][-how_many:],
        "components": {part: [_month(m) for m in ledger.months(official, until, part)][-how_many:] for part in parts},
        "crowd": [_month(m) for m in ledger.months(crowd, until)][-how_many:],
        "front_minus_back": _gap(by_role["front"], by_role["back"])[-how_many:],
        "working_minutes_by_crowd": {region: round(ledger.working_minutes(spans, zone), 1) for region, zone in ledger.REGIONS.items()},
    }  # fmt: skip


def _roles(service: Service, parts: frozenset[str]) -> set[str]:
    return {part.role for part in service.components if part.id in parts}


def _gap(front: list[Any], back: list[Any]) -> list[dict[str, Any]]:
    """Return minutes down of what people open less those of the API, by month."""
    other = {m.month: m.down_minutes for m in back}
    return [{"month": m.month, "minutes": round(m.down_minutes - other.get(m.month, 0.0), 1)} for m in front]


def _month(m: Any) -> dict[str, Any]:
    return {"month": m.month, "incidents": m.incidents, "down_minutes": round(m.down_minutes, 1), "availability": round(m.availability, 6),
            "nines": None if math.isinf(m.nines) else round(m.nines, 2), "mttr_minutes": _round(m.mttr), "mtbf_hours": _round(m.mtbf, 60)}  # fmt: skip


def _round(value: float | None, by: float = 1.0) -> float | None:
    return None if value is None else round(value / by, 1)


def _lines(sheet: dict[str, Any]) -> Iterator[str]:
    told = sheet["acknowledgement"]
    if told["grade"]:
        yield (f"{sheet['name']} ({sheet['provider']}): {told['grade']}, the page speaks {told['mean_minutes']:g} min after the start on average"
               f" ({told['incidents']} incidents in the 90 days from {told['since'][:10]}; {told['left_out']} left out)")  # fmt: skip
    elif not sheet["page"]:
        yield f"{sheet['name']} ({sheet['provider']}): no grade, no status page is known"
    else:
        yield f"{sheet['name']} ({sheet['provider']}): no grade, no posting time is known in the last 90 days"
    yield f"  {sheet['incidents']} incidents on the page, {sheet['not_counted']} not counted (maintenance, no impact, {sheet['doubtful']} of doubtful timing)"
    crowd = {m["month"]: m for m in sheet["crowd"]}
    gap = {m["month"]: m["minutes"] for m in sheet["front_minus_back"]}
    yield f"  {'month':<9}{'incidents':>10}{'down min':>10}{'available':>11}{'nines':>7}{'MTTR min':>10}{'MTBF h':>8}{'by crowd min':>14}{'front - API':>13}"
    by_page = {m["month"]: m for m in sheet["official"]}
    for month in sorted({*by_page, *crowd}):
        m, heard = by_page.get(month), crowd.get(month)
        told_by_page = f"{'-':>10}{'-':>10}{'-':>11}{'-':>7}{'-':>10}{'-':>8}"
        if m is not None:
            nines = "all" if m["nines"] is None else f"{m['nines']:.2f}"
            told_by_page = (f"{m['incidents']:>10}{m['down_minutes']:>10.0f}{m['availability']:>11.3%}{nines:>7}{_or_dash(m['mttr_minutes']):>10}"
                            f"{_or_dash(m['mtbf_hours']):>8}")  # fmt: skip
        yield f"  {month:<9}{told_by_page}{_or_dash(heard and heard['down_minutes']):>14}{_or_dash(gap.get(month)):>13}"
    if sheet["crowd"]:
        hours = ", ".join(f"{region} {minutes:.0f}" for region, minutes in sheet["working_minutes_by_crowd"].items())
        yield f"  minutes measured by crowds that fell into working hours (Monday to Friday, 9 to 17): {hours}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
