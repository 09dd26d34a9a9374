"""The HTTP client's limits: deadlines by the clock, caps, addresses, hosts, patience, secrets."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import SourceError
from pipeline.http.addresses import AddressPolicy
from pipeline.http.retry import retry_after
from pipeline.http.session import HttpClient
from tests.fakes import faults
from tests.fakes.base import Fake, Reply
from tests.upstreams import NOW, serving

LOCAL = ["127.0.0.1"]


def get(
    fake: Fake, *, state: dict[str, str] | None = None, allow: list[str] | None = None, deadline: float = 20.0
) -> bytes | None:
    client = HttpClient(allow=LOCAL if allow is None else allow, deadline=deadline, pause=0.01)
    with client.session_for("s", state or {}, NOW) as session:
        return session.fetch(f"{fake.url}/tech-daily.xml", conditional=True).body


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("drip", "no whole answer within 1 s"),
        ("drip of headers", "no whole answer within 1 s"),
        ("stall", "no whole answer within 1 s"),
        ("stall in body", "no whole answer within 1 s"),
        ("gzip bomb", "more than 10 MiB"),
        ("packed thrice", "which is not read"),
        ("unknown packing", "packed as 'br'"),
        ("broken packing", "cannot be unpacked"),
        ("truncated", "cut short"),
        ("150 headers", "not a proper HTTP answer"),
        ("not HTTP", "not a proper HTTP answer"),
        ("redirect in a circle", "more than 5 redirects"),
        ("redirect to a file", "only http and https"),
        ("redirect to a private host", "169.254.169.254, a private address"),
        ("401", "key or password"),
        ("304 unasked", "to a first request"),
    ],
)
def test_each_limit_is_told_in_words_that_name_it(name: str, words: str) -> None:
    slow = "within" in words
    with serving("feeds") as fake:
        fake.spoil(faults.FAULTS[name])
        began = time.monotonic()
        with pytest.raises(SourceError, match=words):
            get(fake, deadline=1.0 if slow else 20.0)
        if slow:
            assert time.monotonic() - began < 4


def test_a_passing_failure_is_asked_again_and_a_lasting_one_three_times() -> None:
    with serving("feeds") as fake:
        fake.spoil(faults.status(503), times=2)
        assert get(fake)
        assert len(fake.requests) == 3
        fake.spoil(faults.status(500))
        with pytest.raises(SourceError, match="answered 500"):
            get(fake)
        assert len(fake.requests) == 6
        fake.spoil(faults.status(404))
        with pytest.raises(SourceError, match="answered 404"):
            get(fake)
        assert len(fake.requests) == 7


def test_flapping_loses_nothing_and_an_outage_heals_at_the_first_good_answer() -> None:
    with serving("feeds") as fake:
        outcomes = []
        for run in range(40):
            fake.spoil(faults.status(404) if run % 2 else None)
            try:
                outcomes.append(get(fake) is not None)
            except SourceError:
                outcomes.append(False)
        assert outcomes == [True, False] * 20


def test_private_addresses_are_refused_whatever_they_are_written_as() -> None:
    with serving("feeds") as fake:
        with pytest.raises(SourceError, match="a private address; sources"):
            get(fake, allow=[])
        port = fake.server_address[1]
        hosts = (
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "169.254.169.254",
            "10.0.0.1",
            "[64:ff9b::7f00:1]",
            "[fec0::1]",
            "[fe80::1]",
            "0.0.0.0",
            "224.0.0.1",
            "[::]",
            "localhost",
        )
        for host in hosts:
            with pytest.raises(SourceError), HttpClient().session_for("s", {}, NOW) as session:
                session.fetch(f"http://{host}:{port}/tech-daily.xml")
        assert not fake.requests


def test_a_name_that_changes_between_look_ups_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was checked is the one that is dialled: a second look-up never happens."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *rest, **more)
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, more.get("port") or rest[0]))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with serving("feeds") as fake:
        url = f"http://rebinding.example:{fake.server_address[1]}/tech-daily.xml"
        # the public address is out of the tests' reach; what counts is that loopback is never dialled in its place
        for _ in range(2):
            with pytest.raises(SourceError), HttpClient(pause=0.01).session_for("s", {}, NOW) as session:
                session.fetch(url)
        assert not fake.requests
        assert len(asked) >= 2


def test_the_allow_list_takes_hosts_and_networks() -> None:
    allowed = AddressPolicy(["mirror.lan", "10.1.0.0/16", "::1"])
    for host, address in (("mirror.lan", "192.168.1.1"), ("x", "10.1.2.3"), ("x", "::1"), ("x", "8.8.8.8")):
        allowed.check(host, address)
    for host, address in (("other.lan", "192.168.1.1"), ("x", "10.2.0.1"), ("x", "::ffff:10.2.0.1")):
        with pytest.raises(SourceError):
            allowed.check(host, address)
    with pytest.raises(ValueError, match="neither a host nor a network"):
        AddressPolicy(["10.1.0.0/99"])


def test_two_connections_a_host_and_a_silent_host_is_left_alone() -> None:
    with serving("feeds", latency=0.05) as fake:
        client = HttpClient(allow=LOCAL, deadline=10.0)

        def ask(number: int) -> bool:
            with client.session_for(f"s{number}", {}, NOW) as session:
                return session.fetch(f"{fake.url}/tech-daily.xml").body is not None

        with ThreadPoolExecutor(12) as pool:
            assert all(pool.map(ask, range(24)))
        assert fake.most_at_once == 2
        fake.spoil(faults.stall)
        client.deadline, begun = 0.5, time.monotonic()
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda n: _words(ask, n), range(24)))
        assert time.monotonic() - begun < 4
        assert sum("in vain" in words for words in answers) >= 18


def _words(ask: Any, number: int) -> str:
    try:
        ask(number)
    except SourceError as error:
        return str(error)
    return ""


def test_redirects_keep_the_key_at_home() -> None:
    seen: list[str] = []
    with serving("feeds") as home, serving("feeds") as away:

        def elsewhere(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
            target = away.url.replace("127.0.0.1", "localhost")
            handler.send(Reply(b"", 302, {"Location": f"{target}/tech-daily.xml"}))  # type: ignore[attr-defined]

        home.spoil(elsewhere)
        with HttpClient(allow=["127.0.0.1", "localhost", "::1"]).session_for("s", {}, NOW) as session:
            session.fetch(f"{home.url}/x", headers={"Authorization": "Bearer secret-token"})
        seen = [request.headers.get("authorization", "") for request in away.requests]
        assert home.requests[0].headers["authorization"] == "Bearer secret-token"
        assert seen == [""]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 600),
        ("0", 60),
        ("90", 90),
        ("1e99", 3600),
        ("nan", 600),
        ("-5", 60),
        ("soon", 600),
        ("Mon, 02 Mar 2026 12:10:00 GMT", 600),
        ("inf", 3600),
        ("1\xa0", 60),
    ],
)
def test_retry_after_is_capped(value: str | None, seconds: int) -> None:
    assert retry_after(value, NOW) == timedelta(seconds=seconds)


def test_a_source_that_asked_to_wait_is_left_alone_but_not_for_ever() -> None:
    with serving("feeds") as fake:
        with pytest.raises(SourceError, match="asked to wait") as caught:
            get(fake, state={"retry_after": "2026-03-02T12:30:00Z"})
        assert (caught.value.outcome, fake.requests) == ("blocked", [])
        # the clock was set back by a year: what was asked then does not hold for a year
        assert get(fake, state={"retry_after": "2027-03-02T12:30:00Z"})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for loopback that nobody signed."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "certificate.pem"
    done = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            key,
            "-out",
            made,
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        capture_output=True,
    )
    if done.returncode:
        pytest.skip("openssl cannot make a certificate here")
    return key, made


def secured(fake: Fake, certificate: tuple[Path, Path]) -> str:
    """Put a stand-in behind TLS; return its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    fake.socket = context.wrap_socket(fake.socket, server_side=True, do_handshake_on_connect=False)
    return fake.url.replace("http:", "https:")


def test_a_certificate_nobody_signed_is_refused(certificate: tuple[Path, Path]) -> None:
    with serving("feeds") as fake:
        url = secured(fake, certificate)
        with (
            pytest.raises(SourceError, match="certificate cannot be trusted"),
            HttpClient(allow=LOCAL).session_for("s", {}, NOW) as session,
        ):
            session.fetch(f"{url}/tech-daily.xml")
        assert not fake.requests


@pytest.mark.parametrize("name", ["drip", "drip of headers", "stall", "stall in body"])
def test_the_deadline_holds_behind_tls(name: str, certificate: tuple[Path, Path]) -> None:
    with serving("feeds") as fake:
        url = secured(fake, certificate)
        with HttpClient(allow=LOCAL).session_for("s", {}, NOW) as session:
            session.transport.verify = str(certificate[1])
            assert session.fetch(f"{url}/tech-daily.xml").body
        fake.spoil(faults.FAULTS[name])
        began = time.monotonic()
        with HttpClient(allow=LOCAL, deadline=1.0).session_for("s", {}, NOW) as session:
            session.transport.verify = str(certificate[1])
            with pytest.raises(SourceError, match="no whole answer within 1 s"):
                session.fetch(f"{url}/tech-daily.xml")
        assert time.monotonic() - began < 4


def _leading_to(url: str) -> faults.Fault:
    def fault(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send(Reply(b"", 307, {"Location": url}))  # type: ignore[attr-defined]

    return fault


def test_a_password_goes_to_one_host_and_no_key_from_https_to_http(certificate: tuple[Path, Path]) -> None:
    with serving("bluesky") as home, serving("feeds") as away:
        home.spoil(_leading_to(f"{away.url}/x"))
        with (
            pytest.raises(SourceError, match="answered 307"),
            HttpClient(allow=LOCAL).session_for("s", {}, NOW) as session,
        ):
            session.post(f"{home.url}/xrpc/com.atproto.server.createSession", data=b'{"password":"secret"}')
        assert not away.requests
    with serving("feeds") as home, serving("feeds") as away:
        url = secured(home, certificate)
        home.spoil(_leading_to(f"{away.url}/tech-daily.xml"))
        with HttpClient(allow=LOCAL).session_for("s", {}, NOW) as session:
            session.transport.verify = str(certificate[1])
            with pytest.raises(SourceError, match="from https to http"):
                session.fetch(f"{url}/tech-daily.xml", headers={"Authorization": "Bearer t"})
        assert not away.requests


def test_two_hosts_that_send_each_others_visitors_on_do_not_hold_each_other() -> None:
    hosts = ("127.0.0.1", "127.0.0.2")
    with serving("feeds", host=hosts[0]) as one, serving("feeds", host=hosts[1]) as other:
        one.spoil(_leading_to(f"{other.url}/tech-daily.xml"), times=4)
        other.spoil(_leading_to(f"{one.url}/tech-daily.xml"), times=4)
        client = HttpClient(allow=hosts, deadline=3.0)

        def ask(number: int) -> bool:
            with client.session_for(f"s{number}", {}, NOW) as session:
                return session.fetch(f"{(one, other)[number % 2].url}/tech-daily.xml").body is not None

        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(8)))
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("tag", ["\x0bx", "\x85x", "\xa0x", "x" * 400])
def test_a_tag_that_cannot_be_sent_back_is_not_remembered(tag: str) -> None:
    def tagged(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send(Reply(reply.body, 200, {"ETag": tag}))  # type: ignore[attr-defined]

    with serving("feeds") as fake:
        fake.spoil(tagged)
        state: dict[str, str] = {}
        for _ in range(2):
            with HttpClient(allow=LOCAL).session_for("s", state, NOW) as session:
                answer = session.fetch(f"{fake.url}/tech-daily.xml", conditional=True)
            state = dict(answer.state)
            assert answer.body


def test_scenarios_of_the_world_s_web_servers(eval_data: Path) -> None:
    """Recorded answers of other servers, replayed byte for byte: each gives one line, or rows, within the deadline."""
    import json
    import sys

    from pipeline.sources.feed import FeedSource

    folder = eval_data / "bad" / "http"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, folder.parent / "replay_server.py", folder, str(port), "60"], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        unmet = []
        for path in sorted(folder.glob("*.json")):
            expect = json.loads(path.read_text(encoding="utf-8"))["expect"]
            source = FeedSource(
                f"http://127.0.0.1:{port}/{path.stem}", HttpClient(allow=LOCAL, deadline=1.5, pause=0.01)
            )
            began = time.monotonic()
            try:
                batch = source.fetch(NOW - timedelta(hours=1), NOW, {})
                got, wait = batch.outcome, None
            except SourceError as error:
                got, wait = error.outcome, error.retry_after
            fine = {"parse": got == "ok", "backoff-capped": wait is not None, "either": True, "survive": True}.get(
                expect, got in ("blocked", "error")
            )
            if not fine or time.monotonic() - began > 5:
                unmet.append(f"{path.stem}: {expect}, got {got}")
        assert not unmet, "\n".join(unmet)
    finally:
        server.kill()
        server.communicate()
