"""What tests of status page readers share: a form read by its reader, and JSON values with a place changed."""

from __future__ import annotations

import copy
from typing import Any

from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import utc
from pipeline.sources.status.platforms import BY_NAME
from pipeline.sources.status.reader import Answer, PageContext, Reading
from tests.fakes.status_apis import FORMS, Form
from tests.fakes.status_histories import BEGAN

NOW = utc("2026-03-02T12:00:00Z")
STARTED = utc(BEGAN)


def context(**fields: Any) -> PageContext:
    return PageContext(**{"page": "post", "source": "status:post", "fetched_at": NOW, **fields})


def answer(form: Form, value: object = None) -> Answer:
    body = form.body if value is None else Form(form.reader, form.path, value, form.encoding, wrap=form.wrap).body
    return Answer(body=body, url=f"https://status.example.org{form.path}", content_type=form.content_type)


def form_of(path: str) -> Form:
    return next(form for form in FORMS if form.path == path)


def read(path: str, value: object = None, **fields: Any) -> Reading:
    form = form_of(path)
    return BY_NAME[form.reader].read(answer(form, value), context(**fields))


def changed(value: Any, *path: Any, to: object) -> Any:
    """Return a copy of a JSON value with another value at a place."""
    made = copy.deepcopy(value)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return made


def by_incident(reading: Reading, incident_id: str) -> list[StatusUpdate]:
    rows = [row for row in reading.updates if row.incident_id == incident_id]
    return sorted(rows, key=lambda row: (row.displayed_at, row.status in ("resolved", "completed")))


def incident(reading: Reading, incident_id: str) -> OfficialIncident:
    return next(row for row in reading.incidents if row.incident_id == incident_id)
