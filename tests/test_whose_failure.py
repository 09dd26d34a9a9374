"""Whose failure a post speaks of: the author's own, another service's, or, after another clause, its own service's."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.text.masking import OTHER
from pipeline.text.services import ServiceMatcher
from pipeline.text.stances import UNLIKELY, Reading, reading

MATCHER = ServiceMatcher(load_catalogue())


def read(text: str, service: str) -> Reading:
    return reading(MATCHER.masked(text, service))


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("the deploy crashed twice today, Vercel is fine, we forgot an env var", "vercel"),
        ("three red builds in a row. GitHub is up and running, the error is ours", "github"),
        ("timeouts all morning and AWS works fine, so it is our own security group", "aws"),
        ("unser Build schlägt dauernd fehl, GitHub läuft aber einwandfrei", "github"),
        ("mon build a planté trois fois, GitHub marche très bien", "github"),
        ("mi script no funciona desde ayer, GitHub funciona bien", "github"),
        ("meu deploy falhou de novo, o GitHub tá funcionando normal", "github"),
        ("il mio server è giù da un'ora, Cloudflare funziona bene", "cloudflare"),
        ("onze pipeline ligt plat, GitHub werkt gewoon", "github"),
        ("nasz serwer padł, Cloudflare działa normalnie", "cloudflare"),
        ("自社のサーバーが落ちた、Cloudflareは問題なく動いてる", "cloudflare"),
        ("우리 서버가 죽었어요, 클라우드플레어는 정상입니다", "cloudflare"),
        ("我们的服务器挂了,Cloudflare没问题", "cloudflare"),
        ("у нас билд упал три раза, GitHub работает нормально", "github"),
    ],
)
def test_who_says_that_a_service_works_after_a_failure_of_their_own_reports_none(text: str, service: str) -> None:
    assert read(text, service).most == UNLIKELY


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("GitHub is up and running they say, but every push fails", "github"),
        ("the provider's page says Vodafone works fine. the phone is dead all the same", "vodafone"),
        ("my build fails because GitHub is down", "github"),
        ("la web no va pero la API de Claude me responde sin problema", "claude"),
        ("the website won't load, Spotify has no problems otherwise", "spotify"),
        ("Netflix no informa de ningún problema, pero no carga nada", "netflix"),
        ("laut Vodafone keine Störung, das Internet ist trotzdem tot", "vodafone"),
    ],
)
def test_what_fails_after_a_denial_or_because_of_the_service_is_a_report(text: str, service: str) -> None:
    assert read(text, service).most == 1.0


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("I'd send you the file but Slack is down", "but svctarget"),
        ("the standup is by phone today because Slack is down", "because svctarget"),
        ("we were on a call for an hour and then Discord stopped loading", "and then svctarget"),
        ("wollte gerade weiterschauen, aber Netflix ist tot", "aber svctarget"),
        ("iba a pagar la cena pero PayPal no funciona", "pero svctarget"),
        ("queria ouvir música mas o Spotify caiu", "mas o svctarget"),
        ("on regardait tranquillement mais Netflix est en panne", "mais svctarget"),
        ("ik wilde betalen maar PayPal werkt niet", "maar svctarget"),
        ("chciałem zapłacić ale PayPal nie działa", "ale svctarget"),
        ("film izleyecektim ama Netflix çöktü", "ama svctarget"),
        ("mau nonton film tapi Netflix error terus", "tapi svctarget"),
        ("映画を見ようと思ったけどNetflixが落ちてる", "svctarget"),
        ("想看电影但是Netflix崩了", "svctarget"),
        ("хотел фильм посмотреть, но Netflix не работает", "но svctarget"),
    ],
)
def test_a_post_that_turns_to_a_failure_is_read_from_there(text: str, begin: str) -> None:
    named = {"Slack": "slack", "Discord": "discord", "Netflix": "netflix", "PayPal": "paypal", "Spotify": "spotify"}
    service = next(each for name, each in named.items() if name in text)
    assert read(text, service).text.startswith(begin)


@pytest.mark.parametrize(
    "text",
    [
        "Netflix is down but I have books",
        "Netflix doesn't load and my phone is hot",
        "Netflix lädt nicht, aber ich hab Zeit",
    ],
)
def test_a_post_that_begins_with_the_failure_is_read_whole(text: str) -> None:
    assert read(text, "netflix").text == MATCHER.masked(text, "netflix")


UNRELATED = [
    "the outage at Spotify has nothing to do with Netflix",
    "Spotify's downtime is unrelated to Netflix",
    "die Störung bei Spotify hat nichts mit Netflix zu tun",
    "die Störung bei Spotify hat mit Netflix nichts zu tun",
    "la caída de Spotify no tiene nada que ver con Netflix",
    "a queda do Spotify não tem nada a ver com a Netflix",
    "la panne de Spotify n'a rien à voir avec Netflix",
    "il disservizio di Spotify non c'entra niente con Netflix",
    "de storing bij Spotify heeft niets met Netflix te maken",
    "awaria Spotify nie ma nic wspólnego z Netflix",
    "Spotify'deki kesintinin Netflix ile ilgisi yok",
    "gangguan Spotify tidak ada hubungannya dengan Netflix",
    "Spotifyの障害はNetflixと関係ない",
    "Spotify 장애는 Netflix랑 상관없음",
    "Spotify故障跟Netflix没关系",
    "сбой Spotify не связан с Netflix",
]


@pytest.mark.parametrize("text", UNRELATED)
def test_a_failure_that_has_nothing_to_do_with_a_service_does_not_count_for_it(text: str) -> None:
    assert read(text, "netflix").most == UNLIKELY


@pytest.mark.parametrize("text", UNRELATED[:1] + UNRELATED[2:4] + UNRELATED[12:13])
def test_it_still_counts_for_the_service_that_fails(text: str) -> None:
    spotify = read(text, "spotify")
    assert spotify.most == 1.0
    assert OTHER not in spotify.text


@pytest.mark.parametrize(
    "text", ["it's not Netflix, it's Spotify", "not Netflix this time. Spotify is down", "Netflix ist da nicht schuld"]
)
def test_what_is_said_not_to_be_the_cause_does_not_count(text: str) -> None:
    assert read(text, "netflix").most == UNLIKELY


def test_an_italian_word_names_no_product() -> None:
    assert "azure" not in MATCHER.about("il disservizio non c'entra niente con noi, server giù")
