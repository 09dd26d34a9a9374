"""Alertmanager and PagerDuty as stand-ins that keep the documented rules: one open and one close an incident."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError, ConfigError
from pipeline.core.secret import SecretStr
from pipeline.core.times import utc
from pipeline.core.vocabulary import Transition
from pipeline.notify.channels import Channel
from pipeline.notify.channels.alertmanager import AlertmanagerChannel, posted_alert
from pipeline.notify.channels.pagerduty import SEVERITIES, PagerDutyChannel, event
from pipeline.stages.alert.stage import run_alert
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.explain.stage import run_explain
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts
from pipeline.store.successors import succeed_incident
from pipeline.text.models.kinds import RULES, NewsModel
from tests.conftest import Groundswell
from tests.copies import replace
from tests.world import ALARM, MATCHER, World, at

HOSTILE = '<script>alert(1)</script>\r\nX: y "\u202e{{7*7}} $(id) \ud83d\ude00'


class Receiver(BaseHTTPRequestHandler):
    """Answers as the documentation of both says, and keeps which alerts opened and closed, in order."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server: Any = self.server
        server.bodies.append((self.path, body))
        code = server.answers.pop(0) if server.answers else 0
        if not code:
            code = self.pagerduty(body) if self.path == "/v2/enqueue" else self.alertmanager(body)
        self.send_response(code)
        self.end_headers()

    def pagerduty(self, body: Any) -> int:
        if body["routing_key"] != "canary-key" or body["event_action"] not in ("trigger", "resolve"):
            return 400
        if body["event_action"] == "trigger":
            payload = body["payload"]
            if (
                not payload["source"]
                or len(payload["summary"]) > 1024
                or payload["severity"] not in SEVERITIES.values()
            ):
                return 400
            utc(payload["timestamp"])
        self.note(body["dedup_key"], opens=body["event_action"] == "trigger")
        return 202

    def alertmanager(self, body: Any) -> int:
        if self.path != "/am/api/v2/alerts":
            return 404
        for alert in body:
            start, end = utc(alert["startsAt"]), utc(alert["endsAt"])
            if end < start or not alert["labels"] or not all(isinstance(v, str) for v in alert["labels"].values()):
                return 400
            key = json.dumps(alert["labels"], sort_keys=True)
            self.note(key, opens=end > self.server.now)  # type: ignore[attr-defined]
        return 200

    def note(self, key: str, *, opens: bool) -> None:
        server: Any = self.server
        if opens != (key in server.open):
            (server.open.add if opens else server.open.discard)(key)
            server.changes.append((key, "open" if opens else "close"))

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Receiver)
    server.bodies, server.answers, server.open, server.changes, server.now = [], [], set(), [], at("12:00")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def channel(name: str, receiver: Any) -> Channel:
    base = f"http://127.0.0.1:{receiver.server_port}"
    if name == "pagerduty":
        return PagerDutyChannel(SecretStr("canary-key"), base, allow=("127.0.0.1",))
    return AlertmanagerChannel(SecretStr(f"{base}/am/"), allow=("127.0.0.1",))


def explain(world: World, name: str, clock: str) -> None:
    told = AlertingContext(since=at("08:00"), channels=(name,))
    run_explain(world.store, world.config, MATCHER, lambda: NewsModel(RULES, ""), told, at(clock), alarm=ALARM)


def deliver(world: World, receiver: Any, name: str, now: datetime) -> None:
    receiver.now = now
    run_alert(world.store, {name: channel(name, receiver)}, now)


@pytest.mark.parametrize("name", ["alertmanager", "pagerduty"])
def test_an_incident_opens_one_alert_and_its_end_closes_it_whatever_is_sent_twice(
    receiver: Any, tmp_path: Path, name: str
) -> None:
    with Store(tmp_path / "x.db") as store:
        world = World(store, ("github",))
        world.bins("github", "11:00", 6, 80, 60)
        explain(world, name, "11:31")
        receiver.answers = [503, 429]
        for clock in ("11:31", "11:33", "11:45"):  # refused twice, then taken
            deliver(world, receiver, name, at(clock))
        world.page("github", "A", "11:50", "investigating", "critical")
        explain(world, name, "11:51")
        deliver(world, receiver, name, at("12:10"))
        with store.transaction() as conn:  # killed between the post and its mark
            conn.execute("UPDATE alerts SET sent_at = NULL")
        deliver(world, receiver, name, at("12:11"))
        world.bins("github", "11:30", 36, 4, 0.5)
        world.page("github", "A", "12:15", "resolved", "critical")
        explain(world, name, "14:30")
        deliver(world, receiver, name, at("14:31"))
        deliver(world, receiver, name, at("14:40"))
        assert {a.transition for a in alerts_of(store)} >= {"opened", "over"}
        assert {a.channel for a in alerts_of(store)} == {name}
        assert all(a.sent_at for a in alerts_of(store))
    assert [change for _, change in receiver.changes] == ["open", "close"]
    assert receiver.open == set()


def test_the_key_of_an_alert_never_changes_and_what_changes_is_no_label() -> None:
    first = replace(sample(at("11:45")), incident="github-20260302T1100Z", service="github")
    facts = first.incident_facts
    worse = replace(
        first, transition=Transition.WORSE, facts=replace(facts, impact=facts.impact.raised(), symptom="login")
    )
    over = replace(first, transition=Transition.OVER, facts=replace(facts, end=at("11:40")))
    assert len({str(event(a)["dedup_key"]) for a in (first, worse, over)}) == 1
    posted = [posted_alert(a, at("11:45")) for a in (first, worse, over)]
    assert len({json.dumps(one["labels"]) for one in posted}) == 1
    assert set(posted[0]["labels"]) == {"alertname", "service", "incident"}  # type: ignore[call-overload]
    assert event(over) == {"event_action": "resolve", "dedup_key": "groundswell/github-20260302T1100Z"}


def test_an_alertmanager_that_forgot_an_open_alert_is_sent_it_again_until_it_is_over(
    receiver: Any, tmp_path: Path
) -> None:
    name = "alertmanager"
    with Store(tmp_path / "x.db") as store:
        world = World(store, ("github",))
        world.bins("github", "11:00", 6, 80, 60)
        explain(world, name, "11:31")
        deliver(world, receiver, name, at("11:31"))
        receiver.open.clear()  # restarted: it keeps alerts in memory
        deliver(world, receiver, name, at("11:36"))
        assert len(receiver.open) == 1
        (_, (alert,)) = receiver.bodies[-1]
        assert at("11:36") < utc(alert["endsAt"]) < at("23:59"), "ends by itself where nobody sends it again"
        receiver.answers = [503]
        assert "could not be sent again" in run_alert(store, {name: channel(name, receiver)}, at("11:41")).error
        world.bins("github", "11:30", 36, 4, 0.5)
        explain(world, name, "14:30")
        deliver(world, receiver, name, at("14:31"))
        assert receiver.open == set()
        posts = len(receiver.bodies)
        deliver(world, receiver, name, at("14:36"))
        assert len(receiver.bodies) == posts, "what is over is not sent again"


class Broken(AlertmanagerChannel):
    """An Alertmanager channel with a bug."""

    def repeat(self, alerts: Sequence[Alert], now: datetime) -> None:
        raise KeyError("https://user:password@am.example.org")


def test_a_bug_of_one_channel_while_it_repeats_neither_ends_the_run_nor_tells_a_secret(
    receiver: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "x.db") as store:
        world = World(store, ("github",))
        world.bins("github", "11:00", 6, 80, 60)
        explain(world, "alertmanager", "11:31")
        url = SecretStr(f"http://127.0.0.1:{receiver.server_port}/am/")
        run = run_alert(store, {"alertmanager": Broken(url, allow=("127.0.0.1",))}, at("11:31"))
    assert (run.new, run.outcome) == (1, "error")
    assert "KeyError while open alerts were sent again" in run.error
    assert "password" not in run.error


@pytest.mark.parametrize("name", ["alertmanager", "pagerduty"])
def test_an_alert_whose_incident_became_part_of_another_is_closed_with_that_one(
    receiver: Any, tmp_path: Path, name: str
) -> None:
    with Store(tmp_path / "x.db") as store:
        world = World(store, ("github",))
        world.bins("github", "11:00", 6, 80, 60)
        explain(world, name, "11:31")
        deliver(world, receiver, name, at("11:31"))
        (first,) = alerts_of(store)
        earlier = replace(first, message_id="<earlier@groundswell>", incident="github-20260302T1050Z")
        with store.transaction() as conn:
            put_alerts(conn, [earlier])
        deliver(world, receiver, name, at("11:32"))
        assert len(receiver.open) == 2
        with store.transaction() as conn:
            succeed_incident(conn, earlier.incident, first.incident)
        world.bins("github", "11:30", 36, 4, 0.5)
        explain(world, name, "14:30")
        deliver(world, receiver, name, at("14:31"))
        deliver(world, receiver, name, at("14:36"))
    assert receiver.open == set()


@pytest.mark.parametrize("name", ["alertmanager", "pagerduty"])
def test_hostile_text_arrives_as_plain_text_and_within_the_limits(receiver: Any, name: str) -> None:
    base = sample(at("11:45"))
    facts = replace(
        base.incident_facts, evidence=(HOSTILE * 200,), affected_names=(HOSTILE,), status_page='javascript:alert("1")'
    )
    channel(name, receiver).send(replace(base, subject=HOSTILE * 60, facts=facts))
    ((_, body),) = receiver.bodies
    assert receiver.changes, "it was taken"
    text = json.dumps(body)
    assert "javascript:" not in text
    assert len(text) < 8000
    assert "<script>alert(1)</script>" in text
    assert "\\r" not in text
    assert "\\u202e" not in text


@pytest.mark.parametrize("name", ["alertmanager", "pagerduty"])
@pytest.mark.parametrize(("answer", "permanent"), [(500, False), (429, False), (400, True), (404, False)])
def test_a_refusal_is_tried_again_or_given_up_and_shows_no_secret(
    receiver: Any, name: str, answer: int, permanent: bool
) -> None:
    receiver.answers = [answer]
    with pytest.raises(ChannelError) as caught:
        channel(name, receiver).send(sample(at("11:45")))
    assert caught.value.permanent is permanent
    assert "canary" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key"), [("alertmanager", "ALERTMANAGER_URL"), ("pagerduty", "PAGERDUTY_ROUTING_KEY")]
)
def test_a_pager_without_its_credential_is_refused_at_the_start(tmp_path: Path, name: str, key: str) -> None:
    from pipeline.config.load import load_config

    path = tmp_path / "c.toml"
    path.write_text(f'watch = ["claude"]\n[alerts]\nchannels = ["{name}"]\n')
    with pytest.raises(ConfigError, match=key):
        load_config(path, {})
    assert load_config(path, {f"GROUNDSWELL_{key}": "https://am.example.org"}).alerts.channels == (name,)


def test_a_message_about_no_single_incident_pages_nobody(receiver: Any) -> None:
    from pipeline.core.alert_facts import SystemFacts

    facts = SystemFacts(subject="s", heading="h", at=at("11:45"), sections=())
    note: Alert = replace(sample(at("11:45")), facts=facts, transition=Transition.TROUBLE)
    for name in ("alertmanager", "pagerduty"):
        channel(name, receiver).send(note)
    assert receiver.bodies == []


@pytest.mark.parametrize("name", ["alertmanager", "pagerduty"])
def test_a_test_alert_opens_nothing_that_stays_open(
    receiver: Any, name: str, groundswell: Groundswell, tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{receiver.server_port}"
    env = {"GROUNDSWELL_PAGERDUTY_ROUTING_KEY": "canary-key", "GROUNDSWELL_ALERTMANAGER_URL": f"{base}/am"}
    (tmp_path / "groundswell.toml").write_text(
        f'watch = ["claude"]\n[alerts]\nchannels = ["{name}"]\npagerduty_base = "{base}"\n'
        '[sources]\nallow_hosts = ["127.0.0.1"]\n'
    )
    receiver.now = at("12:00")
    done = groundswell("test-alert", "--now", "2026-03-02T12:00:00Z", env=env)
    assert (done.returncode, done.stdout) == (0, f"{name}: accepted\n"), done.stderr
    assert [change for _, change in receiver.changes] == ["open", "close"]
