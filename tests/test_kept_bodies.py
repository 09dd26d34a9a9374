"""Raw answers kept on request: every source's, without keys, within bounds, and read again to the same rows."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.__main__ import cli
from pipeline.core.errors import SourceError
from pipeline.core.records import ComplaintCount, Record
from pipeline.http.kept_bodies import BodyKeeper, read_kept
from pipeline.http.session import HttpClient
from pipeline.sources import downstatus
from pipeline.sources.body_readers import KINDS, read_body
from tests.fakes.base import Fake, Reply, Request
from tests.fakes.recording import Recording
from tests.test_sources import KINDS as SOURCE_KINDS
from tests.upstreams import KEYS, NOW, TWO_HOURS, config_for, serving, source_of


def keeping(keeper: BodyKeeper) -> HttpClient:
    return HttpClient(allow=["127.0.0.1"], pause=0.01, deadline=20.0, keeper=keeper)


def without_what_other_answers_tell(rows: tuple[Record, ...]) -> set[str]:
    """Return rows as text; a count's baseline and counts worked out over time are not in one answer."""
    return {
        repr(row).replace(f"baseline={getattr(row, 'baseline', None)}", "")
        for row in rows
        if not (isinstance(row, ComplaintCount) and row.window == "recovered")
    }


@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_the_answers_of_every_source_are_kept_and_read_again_to_the_same_rows(kind: str, tmp_path: Path) -> None:
    keeper = BodyKeeper(tmp_path, NOW, KEYS.values())
    with serving(kind) as fake:
        batch = source_of(kind, fake.url, keeping(keeper)).fetch(TWO_HOURS, NOW, {})
        asked = len(fake.requests)
        config = config_for(kind, fake.url)
    kept = [read_kept(path, NOW) for path in sorted(tmp_path.glob("*.body"))]
    assert len(kept) == keeper.kept == asked > 0
    assert {answer.source for answer in kept} == {batch.source}
    assert all(answer.url.startswith(fake.url) for answer in kept)
    again = {text for answer in kept for one in read_body(answer, config) for text in _rows(one.batch.rows)}
    assert batch.rows
    assert without_what_other_answers_tell(batch.rows) <= again
    secrets = [*KEYS.values(), base64.b64encode(b"reddit-id:reddit-secret").decode()]
    text = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [secret for secret in secrets if secret.encode() in text]


def _rows(rows: tuple[Record, ...]) -> set[str]:
    return without_what_other_answers_tell(rows)


def test_each_kind_of_source_that_asks_has_a_reader() -> None:
    assert set(KINDS) == {
        "status",
        "feed",
        "google_news",
        "downstatus",
        "downdetector",
        "hacker_news",
        "reddit",
        "mastodon",
        "bluesky",
        "charts",
    }


class Echo(Fake):
    """Throws back what it was sent, in body and headers, and sets a cookie."""

    def reply(self, request: Request) -> Reply:
        told = {"path": request.path, "query": request.query, "headers": request.headers, "accessJwt": "a-new-token"}
        headers = {
            "Set-Cookie": "session=cookie-of-theirs",
            "X-Echo": request.headers.get("authorization", ""),
            "X-Api-Key": "key-of-theirs",
            "Location": f"{self.url}/next?token=token-of-theirs&page=2",
        }
        return Reply(json.dumps(told).encode(), 200, headers)


def test_an_answer_that_repeats_keys_tokens_and_cookies_is_kept_without_them(tmp_path: Path) -> None:
    secrets = ["password/with+signs", 'quote"d-secret']
    keeper = BodyKeeper(tmp_path, NOW, secrets)
    basic = base64.b64encode(b"client-id:client-secret").decode()
    fake = Echo(Recording())
    fake.start()
    try:
        with keeping(keeper).session_for("feed:x", {}, NOW, limit=9) as session:
            for header in ("Bearer one-bearer-token", f"Basic {basic}", "password/with+signs", 'quote"d-secret'):
                session.fetch(
                    f"{fake.url}/a?q=status&api_key=in-the-address",
                    headers={"Authorization": header, "Cookie": "sid=cookie-of-ours"},
                )
            session.post(f"{fake.url}/login", data={"password": "posted-password"})
            session.fetch(f"{fake.url}/b?q=password%2Fwith%2Bsigns")
            session.fetch(f"http://user:url-password@{fake.url.removeprefix('http://')}/c")
    finally:
        fake.close()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(files) == 2 * 7
    text = b"".join(files.values()).decode()
    hidden = (
        "one-bearer-token",
        basic,
        "client-secret",
        *secrets,
        "with+signs",
        "with%2Bsigns",
        'quote\\"d',
        "in-the-address",
        "cookie-of",
        "posted-password",
        "url-password",
        "a-new-token",
        "token-of-theirs",
        "key-of-theirs",
    )
    assert [secret for secret in hidden if secret in text] == []
    assert "page=2" in text
    assert "q=status" in text
    posted = next(json.loads(body) for name, body in files.items() if name.endswith(".json") and b'"POST"' in body)
    assert posted["left_out"] == "the answer to a sign-in"
    assert {name for name, body in files.items() if not body} == {"20260302T120000Z-feed_x-0005.body"}


def test_a_run_keeps_so_many_answers_and_bytes_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    with serving("hacker_news") as fake:
        few = BodyKeeper(tmp_path / "few", NOW, most_answers=1)
        small = BodyKeeper(tmp_path / "small", NOW, most_bytes=100)
        for keeper in (few, small):
            for _ in range(2):
                assert source_of("hacker_news", fake.url, keeping(keeper)).fetch(TWO_HOURS, NOW, {}).rows
    assert (few.kept, few.left_out, len(list((tmp_path / "few").iterdir()))) == (1, 1, 2)
    assert (small.kept, small.left_out, (tmp_path / "small").exists()) == (0, 2, False)


def test_a_folder_that_cannot_be_written_costs_no_rows(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keeper = BodyKeeper(tmp_path / "file", NOW)
    with serving("hacker_news") as fake:
        assert source_of("hacker_news", fake.url, keeping(keeper)).fetch(TWO_HOURS, NOW, {}).rows
    assert (keeper.kept, keeper.left_out) == (0, 1)


def test_two_runs_of_one_second_overwrite_nothing(tmp_path: Path) -> None:
    with serving("hacker_news") as fake:
        for _ in range(2):
            source_of("hacker_news", fake.url, keeping(BodyKeeper(tmp_path, NOW))).fetch(TWO_HOURS, NOW, {})
    assert len(list(tmp_path.glob("*.body"))) == len(list(tmp_path.glob("*.json"))) == 2


def run(*arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(cli, [*arguments, "--now", "2026-03-02T12:00:00Z"], obj=None)
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told.exit_code, told.output


def test_collect_keeps_and_parse_shows_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving("hacker_news") as fake:
        (tmp_path / "groundswell.toml").write_text(
            f'watch = ["claude"]\n[sources]\nhacker_news_base = "{fake.url}"\nallow_hosts = ["127.0.0.1"]\n'
        )
        code, told = run("collect", "--source", "hacker_news", "--keep-bodies", "kept")
    assert code == 0
    assert "1 answers kept in kept" in told
    (body,) = (tmp_path / "kept").glob("*.body")
    for file in (body, body.with_suffix(".json")):
        code, told = run("parse", str(file))
        assert code == 0
        assert "status 200" in told
        assert "hacker_news: ok: " in told
        assert "more rows; --json shows all" in told
    stored = json.loads(run("sql", "SELECT count(*) AS n FROM posts", "--json")[1])
    shown = json.loads(run("parse", str(body), "--json")[1])
    assert (shown["source"], shown["fetched_at"]) == ("hacker_news", "2026-03-02T12:00:00Z")
    (reader,) = shown["readers"]
    assert reader["rows"][0]["record"] == "Post"
    assert f'"n": {len(reader["rows"])}' in json.dumps(stored)


def test_parse_asks_every_reader_about_a_body_of_unknown_origin(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text(
        '{"hits": [{"objectID": "1", "created_at_i": 1772449200, "title": "Slack is down"}, 7]}'
    )
    code, told = run("parse", str(tmp_path / "odd.txt"))
    assert code == 0
    assert "hacker_news: ok: 1 Post, 1 refused" in told
    assert "mastodon: blocked: no rows, 0 refused; no list of statuses" in told
    assert run("parse", str(tmp_path / "odd.txt"), "--source", "mastodon")[0] == 1
    assert "--source: pigeons is not one of status" in str(
        CliRunner().invoke(cli, ["parse", str(tmp_path / "odd.txt"), "--source", "pigeons"]).exception
    )


@pytest.mark.parametrize(("status", "outcome"), [(403, "blocked"), (500, "error"), (304, "not_modified")])
def test_parse_tells_an_answer_that_was_none(status: int, outcome: str, tmp_path: Path) -> None:
    (tmp_path / "a.body").write_bytes(b"[]")
    sidecar = {"source": "mastodon:x", "url": "", "fetched_at": "2026-03-02T12:00:00Z", "status": status, "headers": {}}
    (tmp_path / "a.json").write_text(json.dumps(sidecar))
    assert f"mastodon: {outcome}: no rows" in run("parse", str(tmp_path / "a.body"))[1]


@pytest.mark.parametrize("text", ["[]", "{}", "not json", '{"fetched_at": "yesterday", "source": "", "url": ""}'])
def test_a_broken_description_is_named_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.body").write_bytes(b"[]")
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SourceError, match="no description of an answer"):
        read_kept(tmp_path / "a.body", NOW)
    with pytest.raises(SourceError, match="cannot be read"):
        read_kept(tmp_path / "b.body", NOW)


def test_downstatus_rolling_day_and_what_it_reads_on_the_providers_page_are_kept_apart() -> None:
    data = {"slug": "claude", "status": "degraded", "official_indicator": "none", "report_count_1h": 7}
    for day, expected in ((40, [40]), (None, []), (3, []), ("9", []), (True, [])):
        body = json.dumps({"ok": True, "data": {**data, "report_count_24h": day}}).encode()
        rows = downstatus.parse_downstatus(body, source="downstatus:claude", fetched_at=NOW).rows
        days = [r for r in rows if isinstance(r, ComplaintCount) and r.interval_s == 86400]
        assert [(row.total, row.window, row.start) for row in days] == [
            (total, "rolling", NOW - timedelta(days=1)) for total in expected
        ]
        verdicts = {row.source: row.verdict for row in rows if not isinstance(row, ComplaintCount)}  # type: ignore[union-attr]
        assert verdicts == {"downstatus": "degraded", "downstatus:official": "none"}
