"""Every form of status page against everything upstreams do: no fault is an empty success, and all heal.

Each form is served by its stand-in at its provider's path, over real sockets through the real client.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from pipeline.core.catalogue import Service
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.http.session import HttpClient
from pipeline.sources.status.platforms import BY_NAME, READERS
from pipeline.sources.status.source import StatusPageSource
from pipeline.stages.collect import honest
from tests.fakes import status_apis, status_feeds
from tests.fakes.base import Reply
from tests.fakes.faults import FAULTS
from tests.test_contract import DEADLINE, SLOW, WAITS
from tests.test_status_apis import NOW
from tests.test_status_pages import host

# what is left of a feed is read, told as a part, and read again at the next run
MAY_BE_READ = {"truncated quietly", "wrong encoding", "binary"}


@dataclass(frozen=True, slots=True)
class Served:
    """One form: its reader, the path and the answer of its stand-in."""

    reader: str
    path: str
    reply: Reply

    def __str__(self) -> str:
        return f"{self.reader}:{self.path}"


FORMS = (
    *(Served(f.reader, f.path, Reply(f.body, 200, {"Content-Type": f.content_type})) for f in status_apis.FORMS),
    *(
        Served(
            name.replace("statuspage_rss", "statuspage_atom"),
            f"/{form.path}",
            Reply(form.write(status_feeds.script(NOW)), 200, {"Content-Type": form.content_type}),
        )
        for name, form in status_feeds.FORMS.items()
    ),
)


def read(form: Served, fault: str | None) -> tuple[str, Batch]:
    """Return what a source makes of a form while a fault lasts, and what it reads once that is over."""
    service = Service(id="case", name="Case", status_page="https://status.example.org", status_format=form.reader)
    with host({form.path: form.reply}) as fake:
        slow = fault in SLOW
        client = HttpClient(allow=["127.0.0.1"], deadline=DEADLINE if slow else 20.0, pause=0.0)
        source = StatusPageSource(service, fake.url, client, data=(form.path,))
        state: dict[str, str] = {}
        fake.spoil(None if fault is None else FAULTS[fault])
        try:
            batch = honest(source.fetch(NOW - timedelta(hours=2), NOW, {}))
        except SourceError as error:
            assert "\n" not in str(error)
            assert (error.retry_after is not None) == (fault in WAITS), str(error)
            found, state = error.outcome, dict(error.state)
        else:
            found, state = batch.outcome, dict(batch.state)
            if batch.outcome == "ok" and (batch.rejected or not batch.coverage):
                found = "partly"
        assert len(fake.requests) <= 8 or "circle" in (fault or ""), len(fake.requests)
        fake.spoil(None)
        later = HttpClient(allow=["127.0.0.1"], deadline=20.0, pause=0.0)
        healed = StatusPageSource(service, fake.url, later, data=(form.path,))
        state.pop("retry_after", None)
        return found, healed.fetch(NOW - timedelta(hours=2), NOW + timedelta(minutes=5), state)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_no_fault_of_a_status_page_is_an_empty_success_and_all_heal(form: Served) -> None:
    sound, again = read(form, None)
    assert sound == "ok"
    assert again.outcome == "not_modified"
    with ThreadPoolExecutor(8) as pool:
        results = dict(zip(FAULTS, pool.map(lambda fault: read(form, fault), FAULTS), strict=True))
    wrong = [
        f"{fault}: {found}"
        for fault, (found, _) in results.items()
        if found not in ("error", "blocked", "partly") and not (found == "ok" and fault in MAY_BE_READ)
    ]
    assert not wrong, wrong
    unhealed = [f"{fault}: {healed.outcome}" for fault, (_, healed) in results.items() if not healed.rows]
    assert not unhealed, unhealed


def test_every_reader_has_a_stand_in() -> None:
    served = {form.reader for form in FORMS} | {"statuspage"}
    assert {reader.name for reader in READERS} <= served
    assert served <= set(BY_NAME)
