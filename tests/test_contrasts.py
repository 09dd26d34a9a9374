"""One service fails and another works, with few words; conditions; "works again": what each post is counted for."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import MODELS, PLACES
from pipeline.text.extract import ExtractionRequest, PostText, extract, read_posts
from pipeline.text.models import outage
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher
from pipeline.text.stances import UNLIKELY, reading

MATCHER = ServiceMatcher(load_catalogue())


@pytest.fixture(scope="module")
def model() -> OutageModel:
    return outage.load(MODELS)


def counted(text: str, model: OutageModel) -> set[str]:
    requests = [ExtractionRequest(text=text, service=s, matches=m) for s, m in MATCHER.about(text).items()]
    return {each.service for each in extract(requests, MATCHER, model, PLACES) if each.outage}


def cleared(text: str, service: str) -> bool:
    return reading(MATCHER.masked(text, service)).most == UNLIKELY


WITHOUT_A_VERB = [
    ("Netflix non si apre, TikTok invece sì", "netflix", "tiktok"),
    ("TikTok va, PayPal invece no", "paypal", "tiktok"),
    ("Reddit non carica, Netflix però sì", "reddit", "netflix"),
    ("Netflix doet het niet, Reddit wel", "netflix", "reddit"),
    ("Reddit laadt, Netflix niet", "netflix", "reddit"),
    ("Netflix ne charge plus, TikTok oui", "netflix", "tiktok"),
    ("TikTok fonctionne, PayPal non", "paypal", "tiktok"),
    ("Netflix lädt nicht, Reddit schon", "netflix", "reddit"),
    ("Reddit lädt, Netflix nicht", "netflix", "reddit"),
    ("TikTok me carga, PayPal no", "paypal", "tiktok"),
    ("Netflix no abre, Reddit sí", "netflix", "reddit"),
    ("TikTok abre, Netflix não", "netflix", "tiktok"),
    ("Reddit działa, Netflix nie", "netflix", "reddit"),
    ("Нетфликс не открывается, а Тикток да", "netflix", "tiktok"),
    ("Telegram открывается, Reddit нет", "reddit", "telegram"),
]


@pytest.mark.parametrize(("text", "fails", "works"), WITHOUT_A_VERB)
def test_a_clause_without_a_verb_says_the_contrary_of_the_one_before(
    text: str, fails: str, works: str, model: OutageModel
) -> None:
    assert cleared(text, works)
    assert counted(text, model) == {fails}
    assert read_posts([PostText(text)], MATCHER, model, PLACES)[0].service == fails


SAID_TO_WORK = [
    ("Reddit正常，Netflix崩了", "netflix", "reddit"),
    ("微信没事，微博打不开", "weibo", "wechat"),
    ("넷플릭스는 되는데 유튜브는 안 열려요", "youtube", "netflix"),
    ("유튜브는 괜찮은데 넷플릭스 접속이 안 돼요", "netflix", "youtube"),
    ("Netflix معطل وReddit شغال", "netflix", "reddit"),
    ("Reddit يعمل لكن Netflix لا يفتح", "netflix", "reddit"),
    ("Reddit funguje, Netflix nejede", "netflix", "reddit"),
    ("Reddit відкривається, а Netflix не працює", "netflix", "reddit"),
    ("Reddit ठीक है, Netflix नहीं चल रहा", "netflix", "reddit"),
    ("Netflixが落ちてるけどRedditは使える", "netflix", "reddit"),
    ("Redditは平気なのにNetflixが繋がらない", "netflix", "reddit"),
    ("Reddit loads, Netflix won't open", "netflix", "reddit"),
    ("Reddit responde, Netflix no carga", "netflix", "reddit"),
    ("Reddit risponde, Netflix è giù", "netflix", "reddit"),
    ("Reddit läuft, Netflix ist tot", "netflix", "reddit"),
    ("Reddit çalışıyor, Netflix açılmıyor", "netflix", "reddit"),
]


@pytest.mark.parametrize(("text", "fails", "works"), SAID_TO_WORK)
def test_a_service_said_to_work_in_one_word_is_not_taken_for_the_one_that_fails(
    text: str, fails: str, works: str, model: OutageModel
) -> None:
    assert cleared(text, works)
    assert counted(text, model) == {fails}
    assert read_posts([PostText(text)], MATCHER, model, PLACES)[0].service == fails


@pytest.mark.parametrize(
    ("text", "fails", "refuge"),
    [
        ("with Reddit down we are all on Telegram", "reddit", "telegram"),
        ("Netflix is down, everyone is on TikTok", "netflix", "tiktok"),
        ("Weil Telegram nicht lädt, sind jetzt alle auf Reddit", "telegram", "reddit"),
    ],
)
def test_where_all_have_gone_is_no_report_of_that_place(text: str, fails: str, refuge: str, model: OutageModel) -> None:
    assert cleared(text, refuge)
    assert counted(text, model) == {fails}


@pytest.mark.parametrize(
    ("text", "fail"),
    [
        ("netflix and tiktok both broken for me, reddit ok", {"netflix", "tiktok"}),
        ("PayPal and Venmo both down here, Reddit works", {"paypal", "venmo"}),
        ("Netflix打不开了，Reddit没问题", {"netflix"}),
    ],
)
def test_a_service_that_works_does_not_clear_the_others(text: str, fail: set[str], model: OutageModel) -> None:
    assert counted(text, model) == fail


@pytest.mark.parametrize(
    "text",
    [
        "Netflix ist nicht erreichbar, auch Reddit nicht",
        "Netflix no funciona, Reddit tampoco",
        "Netflix ne marche pas, Reddit non plus",
        "Netflix non funziona, neanche Reddit",
        "Netflix doet het niet, Reddit ook niet",
        "Netflix nie działa, Reddit też nie",
        "Netflix не работает, Reddit тоже нет",
        "Netflix打不开，Reddit也不行",
    ],
)
def test_a_clause_that_says_neither_takes_the_verdict_of_the_one_before(text: str, model: OutageModel) -> None:
    assert counted(text, model) == {"netflix", "reddit"}


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("Is Netflix down? Nope. Is Reddit down? Yep.", "reddit"),
        ("Reddit down? Yes. Netflix down? No.", "reddit"),
        ("TikTok kaputt? Nein. Netflix kaputt? Ja.", "netflix"),
    ],
)
def test_a_question_means_what_its_answer_says(text: str, fails: str, model: OutageModel) -> None:
    assert counted(text, model) == {fails}


def test_the_service_that_a_text_does_not_clear_is_the_one_it_is_read_about(model: OutageModel) -> None:
    text = "Reddit fungerar men Netflix ligger nere"  # in words that the model does not know
    assert read_posts([PostText(text)], MATCHER, model, PLACES)[0].service == "netflix"


@pytest.mark.parametrize(
    "text",
    [
        "Se Reddit non carica leggo un libro",
        "Se Reddit non dovesse andare vi scrivo",
        "Si Reddit ne charge pas je vais dormir",
        "Si Reddit reste en panne on jouera aux cartes",
        "Si Reddit no abre leemos un libro",
        "En caso de que Reddit no responda... si Reddit no responde llamo yo",
        "Se o Reddit não abrir eu vou dormir",
        "Wenn Reddit nicht lädt, gehen wir raus",
        "If Reddit doesn't load we go outside",
    ],
)
def test_a_condition_is_no_report(text: str, model: OutageModel) -> None:
    assert counted(text, model) == set()


@pytest.mark.parametrize(
    "text",
    [
        "qualcuno sa se Reddit non va oppure sono solo io?",
        "non capisco se Reddit non va o è il mio telefono, qui è tutto bloccato",
        "alguien sabe si Reddit no funciona?",
        "como Reddit no carga, me fui a dormir",
    ],
)
def test_who_asks_whether_or_gives_a_reason_states_no_condition(text: str) -> None:
    assert not cleared(text, "reddit")


WORKS_AGAIN = [
    ("cs", "Reddit už zase funguje"),
    ("cs", "Reddit jede znovu"),
    ("fi", "Reddit pelittää taas"),
    ("fi", "Reddit on takaisin linjoilla"),
    ("no", "Reddit virker igjen"),
    ("no", "Reddit er oppe igjen"),
    ("sv", "Reddit fungerar igen"),
    ("sv", "nu är Reddit uppe igen"),
    ("da", "Reddit fungerer igen"),
    ("da", "Reddit er oppe igen"),
    ("ro", "Reddit funcționează din nou"),
    ("ro", "Reddit și-a revenit"),
    ("hu", "Reddit újra működik"),
    ("hu", "A Reddit ismét elérhető"),
    ("el", "Το Reddit δουλεύει ξανά"),
    ("el", "Το Reddit λειτουργεί πάλι"),
    ("uk", "Reddit знову працює"),
]


@pytest.mark.parametrize(("language", "text"), WORKS_AGAIN)
def test_what_works_again_is_no_report(language: str, text: str) -> None:
    assert cleared(text, "reddit"), language


@pytest.mark.parametrize(
    "text",
    [
        "Reddit zase nefunguje",
        "Reddit ei toimi taas",
        "Reddit virker ikke igjen",
        "Reddit fungerar inte igen",
        "Reddit er ikke oppe igen",
        "Reddit nu merge din nou",
        "Reddit megint nem működik",
        "Το Reddit δεν δουλεύει πάλι",
        "Reddit знову не працює",
    ],
)
def test_what_fails_again_is_not_cleared(text: str) -> None:
    assert not cleared(text, "reddit")


@pytest.mark.parametrize(
    "text",
    [
        "no idea why everyone says Reddit is down, scrolling it as we speak",
        "I don't get why people keep saying Reddit is broken, mine works fine",
        "keine Ahnung warum alle schreiben Reddit sei down, hier alles da",
        "Reddit padł przedwczoraj, dzisiaj spokój",
        "Reddit leżał wczoraj, dziś czytam normalnie",
    ],
)
def test_a_doubted_report_and_one_of_the_day_before_do_not_count(text: str, model: OutageModel) -> None:
    assert counted(text, model) == set()


def test_who_doubts_what_others_say_but_sees_it_fail_too_reports_it(model: OutageModel) -> None:
    assert counted("not sure why people say Reddit is fine, it won't load for me", model) == {"reddit"}
