"""What an upstream repeats of our credentials is kept nowhere: not in the quarantine, not in the history of runs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import pytest

from pipeline.config.load import load_config
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, RejectedRow
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from tests.fakes.base import Fake, Reply, Request
from tests.fakes.recording import Recording

NOW = utc("2026-03-02T12:00:00Z")
SECRET, TOKEN = "kanarie9431-secret", "kanarie-token-of-a-request"
BASIC = base64.b64encode(f"me:{TOKEN}".encode()).decode()


class Echo(Fake):
    """Answers with the headers it was sent, behind so many blanks."""

    status = 200
    before = 0

    def reply(self, request: Request) -> Reply:
        return Reply(f"{' ' * self.before}{dict(request.headers)} {SECRET}".encode(), self.status)


@dataclass(frozen=True)
class Asking:
    """A source that sends a credential and refuses what comes, as a row or as a whole."""

    url: str
    credential: str
    whole: bool
    name: str = "asking"

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        with HttpClient(allow=["127.0.0.1"], pause=0.0).session_for(self.name, state, now) as session:
            body = session.fetch(self.url, headers={"Authorization": self.credential}).body or b""
        if self.whole:
            raise SourceError(f"no such thing: {body[:300].decode()}", source=self.name, head=body[:200])
        text = body.decode()
        row = RejectedRow(where=text[:40], reason=f"unknown {text[:90]}", head=text)
        return Batch(source=self.name, rows=(), rejected=(row,), detail=text[:80])


@pytest.mark.parametrize("before", [0, 60, 150, 170])
@pytest.mark.parametrize(("status", "whole"), [(200, True), (200, False), (401, True), (500, True)])
@pytest.mark.parametrize("credential", [f"Bearer {TOKEN}", f"Basic {BASIC}", TOKEN])
def test_a_credential_that_an_answer_repeats_is_not_kept(
    store: Store, credential: str, status: int, whole: bool, before: int
) -> None:
    load_config(None, {"GROUNDSWELL_REDDIT_CLIENT_SECRET": SECRET})
    with closing(Echo(Recording())) as fake:
        fake.start()
        fake.status, fake.before = status, before
        run, _ = run_collect(store, Asking(fake.url, credential, whole), NOW)
    stored = [text for row in store.rows("SELECT place, reason, head FROM quarantine") for text in tuple(row)]
    assert stored
    for text in (*stored, run.error, *(row[0] for row in store.rows("SELECT error FROM runs"))):
        for secret in (SECRET, TOKEN, BASIC):
            assert secret[:8] not in text, text
