"""A mail server that fails at every stage: no mail is lost or sent under two Message-IDs, and threads stay whole."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Mail
from pipeline.core.secret import SecretStr
from pipeline.core.times import utc
from pipeline.core.vocabulary import Transition
from pipeline.notify.channels.email import EmailChannel
from pipeline.render.mail import compose
from pipeline.stages.alert.prepare import Delivery
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts
from tests.conftest import ROOT
from tests.copies import replace
from tests.fakes.smtp_faults import KINDS, STAGES

NOW = utc("2026-03-02T11:45:00Z")
ALL = ("opened", "confirmed", "over")


@pytest.fixture
def server(
    request: pytest.FixtureRequest, tmp_path: Path, certificate: tuple[Path, Path]
) -> Iterator[tuple[EmailChannel, Path]]:
    stage, kind = request.param
    key, cert = certificate
    port_file, log = tmp_path / "port", tmp_path / "taken.log"
    log.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.smtp_faults", str(port_file), str(log), str(cert), str(key), stage, kind],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        if port_file.exists() and port_file.read_text():
            break
        time.sleep(0.05)
    mail = Mail(
        to=("me@example.org",),
        sender="gw@example.org",
        host="127.0.0.1",
        port=int(port_file.read_text()),
        security="starttls",
        user="u",
        timeout=timedelta(seconds=1),
    )
    yield EmailChannel(mail, SecretStr("right"), zone="UTC", context=ssl.create_default_context(cafile=str(cert))), log
    process.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("server", [(s, k) for s in STAGES for k in KINDS], indirect=True, ids="-".join)
def test_every_failure_at_every_stage_loses_nothing(
    server: tuple[EmailChannel, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    channel, log = server
    stage, kind = request.node.callspec.params["server"]
    rows = [
        replace(
            sample(NOW),
            message_id=f"<{name}@groundswell>",
            incident="one",
            transition=Transition(name),
            channel="email",
        )
        for name in ALL
    ]
    with Store(tmp_path / "x.db") as store:
        with store.transaction() as conn:
            put_alerts(conn, rows)
        run = run_alert(store, {"email": channel}, NOW)
        for minutes in (1, 3, 10, 60):
            run_alert(store, {"email": channel}, NOW + timedelta(minutes=minutes))
        left = {a.transition: a for a in alerts_of(store)}
    taken = Counter(log.read_text().split())
    # what a 5xx says of the message itself cannot be mended by trying again: kept as failed, and shown
    refused = kind == "5xx" and stage in ("MAIL", "RCPT", "DATA", "dot")
    given_up = {name for name, alert in left.items() if alert.failed}
    assert len(given_up) == refused
    assert all(left[name].error for name in given_up)
    assert set(taken) == {f"<{name}@groundswell>" for name in ALL if name not in given_up}
    # only what the server took and did not say so is sent again, under the same Message-ID
    twice = sum(n - 1 for n in taken.values())
    assert twice == (stage == "dot" and kind in ("close", "stall"))
    assert all(a.sent_at for a in left.values() if not a.failed)
    # the client tries HELO after EHLO, and another way to log in, by itself
    if stage not in ("EHLO", "AUTH") or kind not in ("4xx", "5xx"):
        assert run.outcome == "error", "the first run tells it"
    threads = {compose(row, sender="a@b.c", to=["d@e.f"], zone="UTC")["In-Reply-To"] for row in rows}
    assert len(threads) == 1


@pytest.mark.parametrize("server", [("none", "none")], indirect=True, ids=["works"])
def test_a_wrong_password_keeps_every_mail_due(server: tuple[EmailChannel, Path], tmp_path: Path) -> None:
    channel, log = server
    channel._password = SecretStr("wrong-canary")
    with Store(tmp_path / "x.db") as store:
        with store.transaction() as conn:
            put_alerts(conn, [replace(sample(NOW), channel="email")])
        run = run_alert(store, {"email": channel}, NOW)
        assert run.outcome == "error"
        assert "wrong-canary" not in run.error
        (waiting,) = alerts_of(store)
        assert (waiting.failed, waiting.sent_at) == (False, None)
        channel._password = SecretStr("right")
        run_alert(store, {"email": channel}, NOW + timedelta(hours=1))
        assert len(log.read_text().split()) == 1


@pytest.mark.parametrize("server", [("none", "none")], indirect=True, ids=["works"])
@pytest.mark.slow
def test_five_hundred_alerts_go_out_in_a_minute(server: tuple[EmailChannel, Path], tmp_path: Path) -> None:
    channel, log = server
    with Store(tmp_path / "x.db") as store:
        with store.transaction() as conn:
            # one incident: what concerns many would be one message
            put_alerts(
                conn, [replace(sample(NOW), message_id=f"<{n}@x>", incident="one", channel="email") for n in range(500)]
            )
        began = time.monotonic()
        assert run_alert(store, {"email": channel}, NOW, Delivery(max_per_hour=1000)).new == 500
        print(f"500 mails in {time.monotonic() - began:.0f} s")
    assert len(set(log.read_text().split())) == 500
