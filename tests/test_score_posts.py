"""`score-posts`: any CSV of posts in, tags out, same rows, same order."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.conftest import Groundswell

HEADER = "id,p_outage,outage,service,component,symptom,language"


def scored(groundswell: Groundswell, path: Path, body: bytes) -> tuple[int, str, list[dict[str, str]]]:
    path.write_bytes(body)
    done = groundswell("score-posts", str(path))
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[0] == HEADER
    return done.returncode, done.stderr, list(csv.DictReader(io.StringIO(done.stdout)))


def test_rows_come_out_in_their_order_with_what_they_say(groundswell: Groundswell, tmp_path: Path) -> None:
    body = (
        "score,id,service,text,title\n"
        "9,a,,cannot log in to claude code since this morning it throws 500,\n"
        '9,b,claude,"how do I set up a project, any tips?",\n'
        "9,c,Blorbnet,Blorbnet is down again here in Leeds nothing loads,\n"
        "9,d,,,Spotify se cayó otra vez y no carga nada\n"
    )
    code, errors, rows = scored(groundswell, tmp_path / "p.csv", body.encode())
    assert (code, errors) == (0, "")
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert [row["outage"] for row in rows] == ["1", "0", "1", "1"]
    assert [row["service"] for row in rows] == ["claude", "claude", "Blorbnet", "spotify"]
    assert rows[0]["component"] == "code"
    assert rows[0]["symptom"] == "login"
    assert (rows[1]["symptom"], rows[1]["component"]) == ("", "")
    assert [row["language"] for row in rows] == ["en", "en", "en", "es"]
    assert all(0 <= float(row["p_outage"]) <= 1 and len(row["p_outage"]) == 6 for row in rows)
    assert all((float(row["p_outage"]) >= 0.5) == (row["outage"] == "1") for row in rows)


def test_bad_rows_keep_their_place_and_their_id(groundswell: Groundswell, tmp_path: Path) -> None:
    code, errors, rows = scored(
        groundswell, tmp_path / "p.csv", b"id,text\n1,github is down\n2,\n3,a,b\n4,gitlab is down\n"
    )
    assert code == 3
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert (rows[1]["p_outage"], rows[2]["outage"]) == ("", "")
    assert "line 3: no text" in errors
    assert "line 4: 3 cells" in errors


def test_hostile_texts_are_read_as_text(groundswell: Groundswell, tmp_path: Path) -> None:
    texts = [
        b"\x00down\x00",
        b"\xff\xfe slack \xc3\x28",
        "\ud800".encode("utf-8", "surrogatepass"),
        "\u202eslack is down".encode(),
        "sl\u200back is down".encode(),
        b"=HYPERLINK(1)",
        b"down " * 400_000,
        "👩‍👩‍👧‍👦".encode() * 3000,
    ]
    body = b"id,text\n" + b"".join(b'=%d,"%s"\n' % (i, text) for i, text in enumerate(texts))
    code, _, rows = scored(groundswell, tmp_path / "p.csv", body)
    assert code == 0
    assert len(rows) == len(texts)
    assert rows[0]["id"] == "'=0", "a spreadsheet would run it"
    assert rows[3]["service"] == rows[4]["service"] == "slack"


@pytest.mark.parametrize("body", [b"", b"text\nhello\n", b"id\n1\n"])
def test_a_file_without_its_columns_ends_in_one_line(body: bytes, groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(body)
    done = groundswell("score-posts", str(tmp_path / "p.csv"))
    assert done.returncode == 1
    assert done.stderr.strip().endswith("needs the columns id, text")


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("Slack is up and running, Slack calls too, but GitHub is down", "github"),
        ("moved the standup to Zoom because Slack is down, Zoom works great, Zoom is easy", "slack"),
        ("Netflix me funciona bien, en Netflix todo normal, pero Spotify se cayó", "spotify"),
        ("WhatsApp läuft, WhatsApp geht gut, nur Instagram ist komplett down", "instagram"),
        ("GitLab работает нормально, GitLab в порядке, а GitHub лежит", "github"),
    ],
)
def test_the_service_of_a_post_is_the_one_that_it_says_fails(
    text: str, fails: str, groundswell: Groundswell, tmp_path: Path
) -> None:
    _, _, (row,) = scored(groundswell, tmp_path / "p.csv", f'id,text\n1,"{text}"\n'.encode())
    assert (row["service"], row["outage"]) == (fails, "1")
