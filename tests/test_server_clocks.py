"""What the Date headers and certificates of servers show of this machine's clock, and whom that takes."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.times import utc
from pipeline.http.retry import CertificateTime
from pipeline.http.server_clocks import ClockState, ServerClocks, answered_at, domain
from pipeline.http.session import HttpClient
from tests.fakes.base import Fake, Reply
from tests.test_fetch import secured
from tests.upstreams import NOW, serving

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
RIGHT, WRONG, DOUBTED, UNKNOWN = ClockState


def dated(moment: datetime, **more: str) -> Mapping[str, str]:
    return {"Date": format_datetime(moment, usegmt=True), **more}


def asked(*servers: tuple[str, str, timedelta | None], started: timedelta = timedelta(0)) -> ServerClocks:
    """Return the clocks of servers: (host, address, how far this machine is ahead; None: no answer)."""
    clocks = ServerClocks(lambda: NOW, NOW + started)
    for host, address, ahead in servers:
        clocks.note_asked(host)
        if ahead is not None:
            clocks.note_answer(host, address, dated(NOW - ahead))
    return clocks


def server(number: int, ahead: timedelta | None = DAY) -> tuple[str, str, timedelta | None]:
    return f"status.site{number}.com", f"203.0.113.{number}", ahead


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([], UNKNOWN),
        ([server(1)], DOUBTED),  # alone it proves nothing
        ([server(1), server(2)], WRONG),  # both that were asked
        ([server(1), server(2), server(3, None)], DOUBTED),  # two of three
        ([server(1), server(2), server(3)], WRONG),
        ([server(n) for n in range(1, 4)] + [server(n, None) for n in range(4, 30)], WRONG),  # nobody else answered
        ([server(n) for n in range(1, 9)] + [server(9, timedelta(0))], RIGHT),  # one that agrees refutes them all
        ([server(1), server(2, DAY + 3 * MINUTE)], DOUBTED),  # they do not agree with each other
        ([server(1), server(2, DAY + 2 * MINUTE)], WRONG),
        ([server(n) for n in range(1, 4)] + [server(n, n * HOUR) for n in range(4, 7)], DOUBTED),  # three of six
        ([server(n) for n in range(1, 5)] + [server(n, n * HOUR) for n in range(5, 8)], WRONG),  # four of seven
        ([server(1, 5 * MINUTE), server(2, 5 * MINUTE)], RIGHT),
        ([server(1, 6 * MINUTE), server(2, 6 * MINUTE)], WRONG),
        ([server(1, -6 * MINUTE), server(2, -6 * MINUTE)], WRONG),
        ([server(1, -5 * MINUTE), server(2, -6 * MINUTE)], RIGHT),
    ],
)
def test_a_clock_is_wrong_where_servers_agree_on_another_and_none_agrees_with_it(
    servers: list[tuple[str, str, timedelta | None]], expected: ClockState
) -> None:
    assert asked(*servers).finding().state is expected
    assert asked(*reversed(servers)).finding().state is expected, "in whatever order they answer"


@pytest.mark.parametrize(
    "servers",
    [
        [("a.evil.com", "203.0.113.1", DAY), ("b.evil.com", "203.0.113.2", DAY), ("evil.com", "203.0.113.3", DAY)],
        [("one.com", "203.0.113.1", DAY), ("two.com", "203.0.113.1", DAY), ("three.com", "203.0.113.1", DAY)],
    ],
    ids=["names of one domain", "a captive portal: every name is at one address"],
)
def test_several_names_of_one_server_count_once(servers: list[tuple[str, str, timedelta | None]]) -> None:
    assert asked(*servers).finding().state is DOUBTED


@pytest.mark.parametrize("late", [1, 3])
def test_an_answer_that_agrees_counts_also_after_another_of_its_domain(late: int) -> None:
    servers = [server(n) for n in range(1, 4)]
    agrees = ("api.site1.com", "203.0.113.9", timedelta(0))
    assert asked(*servers[:late], agrees, *servers[late:]).finding().state is RIGHT


def test_after_a_run_that_proved_the_clock_wrong_one_server_is_enough_until_one_agrees() -> None:
    clocks = ServerClocks(lambda: NOW, NOW, wrong_before=True)
    for number in range(1, 4):
        clocks.note_asked(f"status.site{number}.com")
    assert clocks.finding().state is UNKNOWN
    clocks.note_answer("status.site1.com", "203.0.113.1", dated(NOW - DAY))
    assert clocks.finding().state is WRONG
    clocks.note_answer("status.site2.com", "203.0.113.2", dated(NOW))
    assert clocks.finding().state is RIGHT


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (DAY, "1 day ahead of"),
        (-DAY, "1 day behind"),
        (7300 * DAY, "20 years ahead of"),
        (7 * MINUTE, "7 minutes ahead of"),
        (DAY - MINUTE, "1 day ahead of"),
        (-2 * HOUR - MINUTE, "2 hours behind"),
    ],
)
def test_the_finding_says_by_how_much_and_names_the_servers(ahead: timedelta, words: str) -> None:
    clocks = ServerClocks(lambda: NOW + ahead, NOW + ahead)
    for number in range(1, 6):
        clocks.note_asked(f"site{number}.com")
        clocks.note_answer(f"site{number}.com", f"203.0.113.{number}", dated(NOW))
    says = (NOW + ahead).isoformat().replace("+00:00", "Z")
    of = "that of 5 servers (site1.com, site2.com, site3.com, …)"
    assert clocks.finding().words == f"the clock of this machine says {says}, {words} {of}"


def test_a_clock_that_is_set_while_a_run_asks_is_judged_by_what_its_rows_are_dated() -> None:
    servers = [server(n, timedelta(0)) for n in range(1, 4)]
    assert asked(*servers, started=DAY).finding().state is WRONG, "it was ahead when the run began"
    assert asked(*servers, started=-8 * HOUR).finding().state is RIGHT, "the machine slept, and woke up"
    assert asked(*(server(n, DAY) for n in range(1, 4)), started=-DAY).finding().state is RIGHT, "set wrong meanwhile"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT"}, NOW),
        ({"Date": "Monday, 02-Mar-26 12:00:00 GMT"}, NOW),
        ({"Date": "Mon Mar  2 12:00:00 2026"}, NOW),
        ({"Date": "Mon, 02 Mar 2026 11:58:00 GMT", "Age": "120"}, NOW),
        ({"Date": "Mon, 02 Mar 2026 11:57:59 GMT", "Age": "121"}, None),  # nginx before a cache sets Date anew
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "Age": "-5"}, None),
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "Age": "1e9"}, None),
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "Age": "9" * 400}, None),
        ({"Date": "Mon, 02 Mar 2026 12:00:00 GMT, Mon, 02 Mar 2026 12:00:01 GMT"}, None),
        ({"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}, None),
        ({"Date": "Wed, 31 Dec 2025 23:59:59 GMT"}, None),
        ({"Date": "Fri, 01 Jan 2100 00:00:00 GMT"}, None),
        ({"Date": "Mon, 32 Mar 2026 12:00:00 GMT"}, None),
        ({"Date": "Mon, 02 Mar 99999999999999 12:00 GMT"}, None),
        ({"Date": "Mon, 02 Mar 2026 12:00:00 +999999"}, None),
        ({"Date": "now"}, None),
        ({"Date": ""}, None),
        ({}, None),
    ],
)
def test_a_date_is_read_in_all_forms_of_rfc_9110_and_what_is_none_is_ignored(
    headers: dict[str, str], expected: datetime | None
) -> None:
    assert answered_at(headers) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("status.claude.com", "claude.com"),
        ("Claude.COM.", "claude.com"),
        ("tickets", "tickets"),
        ("a.co.uk", "co.uk"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_hosts_of_one_owner_are_one_server(host: str, expected: str) -> None:
    assert domain(host) == expected


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        (["expired"] * 2, UNKNOWN),
        (["expired"] * 3, WRONG),
        (["not yet valid"] * 3, WRONG),
        (["expired", "expired", "not yet valid"], UNKNOWN),
    ],
)
def test_a_clock_that_is_years_off_is_known_by_certificates_that_are_all_invalid(
    problems: list[str], expected: ClockState
) -> None:
    clocks = ServerClocks(lambda: NOW, NOW)
    for number in range(1, 4):
        clocks.note_asked(f"site{number}.com")
    for number, problem in enumerate(problems, 1):
        clocks.note_certificate(f"site{number}.com", CertificateTime(problem))
    assert clocks.finding().state is expected
    clocks.note_answer("site8.com", "203.0.113.8", {"Date": "now"})
    assert clocks.finding().state is UNKNOWN, "a certificate was valid"
    clocks.note_answer("site9.com", "203.0.113.9", dated(NOW))
    assert clocks.finding().state is RIGHT, "a whole answer refutes them"


def fetched(fakes: list[Fake], allow: list[str], urls: list[str] | None = None) -> ServerClocks:
    """Return what the clocks of stand-ins show after a source's turn at each."""
    clocks = ServerClocks(lambda: NOW, NOW)
    client = HttpClient(allow=allow, pause=0.0, clocks=clocks)
    for number, url in enumerate(urls or [fake.url for fake in fakes]):
        with client.session_for(f"s{number}", {}, NOW) as session:
            try:
                session.fetch(f"{url}/tech-daily.xml")
            except SourceError:
                continue
    return clocks


def test_answers_of_any_kind_show_the_clock_and_a_redirect_adds_no_server() -> None:
    hosts = ["127.0.0.1", "127.0.0.2"]
    with serving("feeds", host=hosts[0]) as one, serving("feeds", host=hosts[1]) as other:
        one.date = other.date = format_datetime(NOW - DAY, usegmt=True)
        assert fetched([one, other], hosts).finding().state is WRONG
        one.spoil(lambda handler, reply: handler.send(Reply(b"", 403)))  # type: ignore[attr-defined]
        assert fetched([one, other], hosts).finding().state is WRONG
        leads = {"Location": f"{other.url}/tech-daily.xml"}
        one.spoil(lambda handler, reply: handler.send(Reply(b"", 302, leads)))  # type: ignore[attr-defined]
        found = fetched([one], hosts).finding()
        assert (found.state, "1 server (127.0.0.1)" in found.words) == (DOUBTED, True)


def _connecting(where: Mapping[str, tuple[str, int]]) -> Callable[[socket.socket, Any], None]:
    connect = socket.socket.connect

    def to_stand_in(self: socket.socket, address: Any) -> None:
        connect(self, where.get(address[0], address))

    return to_stand_in


def test_over_plain_http_only_hosts_that_the_operator_named_count(monkeypatch: pytest.MonkeyPatch) -> None:
    public = ["93.184.216.34", "93.184.216.35"]
    with serving("feeds") as fake:
        fake.date = format_datetime(NOW - DAY, usegmt=True)
        port = int(fake.server_address[1])
        monkeypatch.setattr(socket.socket, "connect", _connecting(dict.fromkeys(public, ("127.0.0.1", port))))
        urls = [f"http://{address}" for address in public]
        assert fetched([], [], urls).finding().state is UNKNOWN
        assert len(fake.requests) == 2, "they were asked"
        assert fetched([], public, urls).finding().state is WRONG


@pytest.fixture(scope="module")
def expired_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for loopback that its issuer is trusted for and that ended on 2 January 2020."""
    folder = tmp_path_factory.mktemp("expired")
    key, made, asks = folder / "key.pem", folder / "certificate.pem", folder / "request.pem"
    (folder / "index.txt").touch()
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index.txt\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
        "[names]\nsubjectAltName=IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3\nbasicConstraints=CA:true\n"
    )
    (folder / "serial").write_text("01\n")
    new = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", asks, "-subj", "/CN=127.0.0.1"]
    sign = ["ca", "-batch", "-selfsign", "-config", folder / "ca.cnf", "-keyfile", key, "-in", asks, "-out", made]
    span = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext"]
    for args in (new, [*sign, *span]):
        if subprocess.run(["openssl", *map(str, args)], capture_output=True).returncode:
            pytest.skip("openssl cannot make a certificate here")
    return key, made


def test_certificates_that_have_expired_at_three_servers_show_a_clock_that_is_far_ahead(
    expired_certificate: tuple[Path, Path],
) -> None:
    hosts = [f"127.0.0.{number}" for number in range(1, 4)]
    clocks = ServerClocks(lambda: NOW, NOW)
    client = HttpClient(allow=hosts, pause=0.0, clocks=clocks)
    for host in hosts:
        with serving("feeds", host=host) as fake, client.session_for(host, {}, NOW) as session:
            session.transport.verify = str(expired_certificate[1])
            url = secured(fake, expired_certificate)
            with pytest.raises(SourceError, match="its certificate is expired at this machine's time"):
                session.fetch(f"{url}/tech-daily.xml")
    found = clocks.finding()
    servers = "3 servers (127.0.0.1, 127.0.0.2, 127.0.0.3)"
    words = f"by the clock of this machine the certificates of {servers} are all expired: it is far ahead"
    assert (found.state, found.words) == (WRONG, words)


def test_a_certificate_nobody_trusts_says_nothing_of_the_clock(certificate: tuple[Path, Path]) -> None:
    clocks = ServerClocks(lambda: utc("2056-01-01T00:00:00Z"), utc("2056-01-01T00:00:00Z"))
    client = HttpClient(allow=["127.0.0.1"], pause=0.0, clocks=clocks)
    with (
        serving("feeds") as fake,
        client.session_for("s", {}, NOW) as session,
        pytest.raises(SourceError, match="cannot be trusted"),
    ):
        session.fetch(f"{secured(fake, certificate)}/tech-daily.xml")
    assert clocks.finding().state is UNKNOWN
