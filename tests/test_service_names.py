"""A service may be called by id, name or alias wherever a command takes one; a typing error gets the nearest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue
from pipeline.core.catalogue import Service, resolve_service
from pipeline.core.errors import ConfigError
from tests.conftest import Groundswell

NOW = ("--now", "2026-03-02T12:00:00Z")


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("aws", "aws"),
        ("Amazon Web Services", "aws"),
        ("  gcp ", "google_cloud"),
        ("GOOGLE CLOUD", "google_cloud"),
        ("google-cloud", "google_cloud"),
        ("Ｃlaude", "claude"),
    ],
)
def test_ids_names_and_aliases_mean_their_service_in_any_case(name: str, service: str) -> None:
    assert resolve_service(load_catalogue(), name).id == service


def test_every_service_is_meant_by_its_own_id_and_name() -> None:
    catalogue = load_catalogue()
    for service in catalogue.values():
        assert resolve_service(catalogue, service.id) is service
        assert resolve_service(catalogue, service.name.upper()) is service


def test_an_id_wins_over_the_alias_of_another_service() -> None:
    catalogue = {
        "one": Service(id="one", name="One", aliases=("two",)),
        "two": Service(id="two", name="Other", aliases=("one",)),
    }
    assert resolve_service(catalogue, "two").id == "two"
    assert resolve_service(catalogue, "ONE").id == "one"


@pytest.mark.parametrize("name", ["cluade", "Cluade", "claud"])
def test_a_name_that_is_not_there_gets_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=r"not in the catalogue; near: claude.*service list"):
        resolve_service(load_catalogue(), name)


@pytest.mark.parametrize("name", ["", "zzzzzz", "myapp", "x" * 100_000])
def test_a_name_that_resembles_none_gets_no_guess(name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve_service(load_catalogue(), name)
    assert "near" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_every_command_that_takes_a_service_takes_its_name(groundswell: Groundswell, tmp_path: Path) -> None:
    assert groundswell("init", "--watch", "Amazon Web Services,Claude").returncode == 0
    assert 'watch = ["aws", "claude"]' in (tmp_path / "groundswell.toml").read_text()
    (tmp_path / "i.csv").write_text("id,name,started_at\na,One,2026-02-01T10:00:00Z\n")
    assert groundswell("import", "incidents", "i.csv", "--service", "Claude AI", *NOW).returncode == 0
    for command in (
        ("why", "Claude"),
        ("ledger", "--service", "CLAUDE"),
        ("silence", "add", "Claude", "--for", "2h", "--reason", "x"),
        ("silence", "preview", "Claude AI"),
        ("service", "show", "Claude"),
    ):
        done = groundswell(*command, *NOW)
        assert done.returncode == 0, (command, done.stderr)
    (silence,) = json.loads(groundswell("silence", "list", "--json", *NOW).stdout)["silences"]
    assert silence["service"] == "claude"


def test_every_command_that_takes_a_service_offers_the_nearest(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("id,name,started_at\na,One,2026-02-01T10:00:00Z\n")
    (tmp_path / "c.csv").write_text("timestamp_utc,value\n2026-02-01T10:00:00Z,4\n")
    for command in (
        ("init", "--watch", "claude,cluade"),
        ("why", "cluade"),
        ("ledger", "--service", "cluade"),
        ("silence", "add", "cluade", "--for", "2h", "--reason", "x"),
        ("silence", "preview", "cluade"),
        ("service", "show", "cluade"),
        ("import", "incidents", "i.csv", "--service", "cluade"),
        ("import", "counts", "c.csv", "--service", "cluade", "--interval", "900"),
    ):
        done = groundswell(*command)
        assert (done.returncode, "near: claude" in done.stderr) == (2, True), (command, done.stderr)
        assert len(done.stderr.splitlines()) == 1


def test_the_configuration_is_watched_by_name_and_offers_the_nearest(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "groundswell.toml").write_text('watch = ["Claude", "claude", "GCP"]\n')
    listed = json.loads(groundswell("service", "list", "--json").stdout)["services"]
    assert [service["id"] for service in listed if service["watched"]] == ["claude", "google_cloud"]
    (tmp_path / "groundswell.toml").write_text('watch = ["cluade"]\n')
    done = groundswell("check-config")
    assert (done.returncode, "near: claude" in done.stderr) == (2, True)


def test_the_list_of_services_names_all_with_their_sources(groundswell: Groundswell) -> None:
    listed = json.loads(groundswell("service", "list", "--json").stdout)
    assert listed["schema"] == 1
    assert [service["id"] for service in listed["services"]] == sorted(load_catalogue())
    assert all("Hacker News" in service["sources"] for service in listed["services"])
    lines = groundswell("service", "list").stdout.splitlines()
    assert len(lines) == len(listed["services"]) + 1, "a header"
    assert any(line.startswith("aws ") and "Amazon Web Services" in line for line in lines)
