"""Posts as short as people write them, in many languages, each counted for exactly the services that it says fail."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import MODELS, PLACES
from pipeline.text.extract import ExtractionRequest, extract
from pipeline.text.models import outage
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher

MATCHER = ServiceMatcher(load_catalogue())


@pytest.fixture(scope="module")
def model() -> OutageModel:
    return outage.load(MODELS)


def counted(text: str, model: OutageModel) -> set[str]:
    requests = [ExtractionRequest(text=text, service=s, matches=m) for s, m in MATCHER.about(text).items()]
    return {each.service for each in extract(requests, MATCHER, model, PLACES) if each.outage}


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Heute schon wieder Discord Störung", "discord"),
        ("Netflix ne veut plus rien lire", "netflix"),
        ("se cayó wasap otra vez o soy yo", "whatsapp"),
        ("spotify parou de tocar do nada", "spotify"),
        ("tim down in tutta Milano, zero linea", "tim_it"),
        ("weer storing bij ziggo", "ziggo"),
        ("discord znowu nie działa", "discord"),
        ("instagram yine çöktü", "instagram"),
        ("telkomsel ilang sinyal se kota bandung", "telkomsel"),
        ("Spotifyが再生できなくなった", "spotify"),
        ("GitHubまた障害", "github"),
        ("인스타 또 터짐", "instagram"),
        ("유튜브 안 열려요", "youtube"),
        ("github打不开", "github"),
        ("телега опять не грузит", "telegram"),
        ("السناب طايح عندكم؟", "snapchat"),
        ("व्हाट्सएप नहीं चल रहा", "whatsapp"),
        ("I'd send you the doc but Slack is down", "slack"),
        ("nice and quiet friday and then stripe starts declining every card", "stripe"),
    ],
)
def test_a_short_report_counts_for_its_service(text: str, service: str, model: OutageModel) -> None:
    assert counted(text, model) == {service}


@pytest.mark.parametrize(
    "text",
    [
        "my build failed three times, GitHub is fine",
        "Bei mir läuft WhatsApp einwandfrei, liegt wohl an deinem WLAN",
        "ya volvió Instagram, menos mal",
        "mi código fallaba, github no tiene nada que ver",
        "aqui o Instagram tá normal, deve ser seu wifi",
        "Ieri Netflix era giù, oggi guardo tutto senza problemi",
        "ING doet het weer",
        "LINE復旧したっぽい",
        "GitHubは落ちてない、うちのCIが壊れてるだけ",
        "네이버 웹툰 재밌다",
        "微博热搜又是明星离婚",
        "у меня ютуб норм грузит, проверь интернет",
        "انستا صار ممل",
        "PagerDuty paged me at 3am for a disk alert",
    ],
)
def test_a_short_post_that_reports_nothing_counts_for_none(text: str, model: OutageModel) -> None:
    assert counted(text, model) == set()


def test_an_outage_at_another_service_counts_for_that_one_alone(model: OutageModel) -> None:
    text = "the outage at Rogers has nothing to do with Netflix, Netflix streams fine here"
    assert counted(text, model) == {"rogers"}


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("freebox en boucle de redémarrage depuis ce soir, ras le bol", "free"),
        ("PayPal fails at every checkout, card is fine, balance is fine", "paypal"),
        ("helpdesk queue went from 3 to 140, all Okta login tickets", "okta"),
    ],
)
def test_what_is_well_besides_and_who_is_fed_up_does_not_speak_against_a_report(
    text: str, service: str, model: OutageModel
) -> None:
    assert counted(text, model) == {service}
