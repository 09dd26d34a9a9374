"""A service on a shared page, or in some regions of a cloud: which incidents of the page are its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import load_config
from pipeline.core.errors import ConfigError
from pipeline.http.session import HttpClient
from pipeline.sources import build_sources
from pipeline.sources.status.platforms import BY_NAME
from pipeline.sources.status.reader import Answer
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from pipeline.store.official import official_incidents
from tests.fakes.scripted import Scripted
from tests.status_reading import NOW, context

AT = 1772449200  # 2026-03-02T11:00Z


def names(reader: str, body: bytes | list[Any] | dict[str, Any], *components: str) -> set[str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    reading = BY_NAME[reader].read(Answer(body=raw), context(components=components))
    assert not reading.rejected
    return {incident.name for incident in reading.incidents}


def aws(service: str, region: str, place: str) -> dict[str, Any]:
    arn = f"arn:aws:health:{region}::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/AWS_EC2_OPERATIONAL_ISSUE_{service}"
    event = {
        "arn": arn,
        "service": service,
        "service_name": "EC2",
        "region_name": place,
        "date": str(AT),
        "status": "2",
    }
    return {**event, "status": "2", "summary": region, "event_log": []}


def test_one_region_of_aws_is_read_of_the_list_of_open_events() -> None:
    body = [
        aws("ec2-us-east-1", "us-east-1", "N. Virginia"),
        aws("ec2", "us-east-2", "Ohio"),
        aws("iam", "global", ""),
        aws("multipleservices", "us-east-1", ""),
    ]
    assert names("aws", body, "us-east-1") == {"EC2 (N. Virginia): us-east-1", "us-east-1"}
    assert names("aws", body, "Ohio", "global") == {"EC2 (Ohio): us-east-2", "global"}
    assert len(names("aws", body)) == 4


def rss(home: str, *items: str) -> bytes:
    return f"<rss version='2.0'><channel>{home}{''.join(items)}</channel></rss>".encode()


def item(title: str, text: str = "", guid: str = "") -> str:
    when = "<pubDate>Mon, 02 Mar 2026 11:00:00 GMT</pubDate>"
    return f"<item><title>{title}</title><guid>{guid or title}</guid>{when}<description>{text}</description></item>"


def test_one_region_of_aws_is_read_of_its_feed() -> None:
    home = "<link>https://status.aws.amazon.com/</link>"
    body = rss(
        home,
        item("Service degradation: One", guid=f"https://status.aws.amazon.com/#ec2-us-east-1_{AT}"),
        item("Service degradation: Two", guid=f"https://status.aws.amazon.com/#ec2-us-east-2_{AT}"),
        item("Service degradation: Three"),
    )
    assert names("aws_rss", body, "us-east-1") == {"One", "Three"}


def test_one_region_of_azure_is_read_by_title_and_text_and_what_names_none_is_kept() -> None:
    home = "<title>Azure Status</title>"
    body = rss(
        home,
        item("Virtual Machines - East US - Investigating"),
        item("Storage - East US 2 - Investigating"),
        item("SQL Database", "Customers in West Europe and East US see errors."),
        item("Azure Front Door - Multiple regions"),
    )
    others = {"SQL Database", "Azure Front Door - Multiple regions"}
    assert names("azure_rss", body, "East US") == {"Virtual Machines - East US - Investigating", *others}
    assert names("azure_rss", body, "east us 2") == {
        "Storage - East US 2 - Investigating",
        "Azure Front Door - Multiple regions",
    }
    assert names("azure_rss", body, "Virtual Machines") == {"Virtual Machines - East US - Investigating"}


def google(name: str, product: str, *places: str) -> dict[str, Any]:
    return {
        "id": name,
        "begin": "2026-03-02T11:00:00+00:00",
        "external_desc": name,
        "status_impact": "SERVICE_DISRUPTION",
        "affected_products": [{"title": product, "id": "x"}] if product else [],
        "currently_affected_locations": [{"title": place, "id": "y"} for place in places],
        "updates": [],
    }


def test_one_region_or_product_of_google_cloud_is_read_of_its_list() -> None:
    body = [
        google("a", "Cloud Run", "Iowa (us-central1)", "Oregon (us-west1)"),
        google("b", "Cloud Run", "Belgium (europe-west1)"),
        google("c", "BigQuery", "Global"),
        google("d", ""),
    ]
    assert names("google", body, "us-central1") == {"a", "d"}
    assert names("google", body, "europe-west1", "global") == {"b", "c", "d"}
    assert names("google", body, "Cloud Run") == {"a", "b", "d"}


def test_one_region_or_product_of_google_cloud_is_read_of_its_feed() -> None:
    def entry(number: int, listed: str) -> str:
        return (
            f"<entry><title>UPDATE: T{number}</title><link href='https://status.cloud.google.com/incidents/i{number}'/>"
            f"<id>tag:status.cloud.google.com,2026:feed:i{number}.u</id><updated>2026-03-02T11:00:00+00:00</updated>"
            f"<content type='html'><![CDATA[<p>Trouble</p><hr>{listed}]]></content></entry>"
        )

    listed = "<p>Affected products: Cloud Run, BigQuery</p><p>Affected locations: Iowa (us-central1)</p>"
    home = "<id>https://status.cloud.google.com/feed.atom</id>"
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'>{home}{entry(1, listed)}{entry(2, '')}</feed>".encode()
    assert names("google_atom", body, "us-central1") == {"T1"}
    assert names("google_atom", body, "BigQuery") == {"T1"}
    assert names("google_atom", body, "us-west1") == set()
    assert names("google_atom", body, "T2") == {"T2"}


def history(*titles: str) -> bytes:
    block = "&lt;small&gt;Mar  2, 11:00 UTC&lt;/small&gt;&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - x"
    entries = [
        f"<entry><id>tag:s.example,2005:Incident/{number}</id><link href='https://s.example/incidents/{number}'/>"
        f"<published>2026-03-02T11:00:00Z</published><title>{title}</title>"
        f"<content type='html'>{block}</content></entry>"
        for number, title in enumerate(titles)
    ]
    return f"<feed xmlns='http://www.w3.org/2005/Atom'>{''.join(entries)}</feed>".encode()


def test_where_the_form_has_no_parts_the_title_names_them() -> None:
    assert names("statuspage_atom", history("Fortnite login", "Rocket League"), "Fortnite") == {"Fortnite login"}


def test_a_configured_service_names_the_parts_that_count(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "groundswell.toml"
    body = json.dumps([aws("ec2-us-east-1", "us-east-1", "N. Virginia"), aws("ec2-us-west-2", "us-west-2", "Oregon")])
    fake = Scripted({"/aws/public/currentevents": body.encode()})
    fake.start()
    file.write_text(
        f'watch = ["aws"]\n[sources]\nallow_hosts = ["127.0.0.1"]\nstatuspage_base = "{fake.url}"\n'
        '[services.aws]\nstatus_components = ["US-EAST-1"]\n'
    )
    config = load_config(file, {})
    (source,) = build_sources(config, HttpClient(allow=["127.0.0.1"], pause=0.0), file, ["status"])
    run, _ = run_collect(store, source, NOW)
    fake.close()
    assert run.outcome == "ok", run
    page = config.catalogue["aws"].page
    assert {incident.name for incident in official_incidents(store, page, NOW)} == {"EC2 (N. Virginia): us-east-1"}


@pytest.mark.parametrize(
    ("value", "words"),
    [('"us-east-1"', 'must be a list, as ["a", "b"]'), ("[1]", "must be text in quotes"), ('[" "]', "an empty name")],
)
def test_a_filter_that_is_none_is_refused_in_words_of_the_file(tmp_path: Path, value: str, words: str) -> None:
    file = tmp_path / "groundswell.toml"
    file.write_text(f"[services.aws]\nstatus_components = {value}\n")
    with pytest.raises(ConfigError, match=re.escape(words)):
        load_config(file, {})
