"""Names that are ordinary words too: what stands beside them, or the language, tells that the service is meant."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.text.services import ServiceMatcher

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Notion has been unreachable since noon", "notion"),
        ("notion refuses to load", "notion"),
        ("discord keeps disconnecting everybody", "discord"),
        ("slack hasn't delivered anything today", "slack"),
        ("gemini returns nothing", "gemini"),
        ("steam fails to connect", "steam"),
        ("Telegram verbindet sich nicht", "telegram"),
        ("notion reagiert seit Stunden nicht mehr", "notion"),
        ("notion inaccessible depuis midi", "notion"),
        ("signal no conecta", "signal"),
        ("signal não conecta", "signal"),
        ("signal valt steeds weg", "signal"),
    ],
)
def test_words_of_a_failure_beside_it_tell_that_the_service_is_meant(text: str, service: str) -> None:
    assert service in MATCHER.about(text)


@pytest.mark.parametrize(
    "text",
    [
        "Zoom meeting won't connect",
        "the zoom call is silent",
        "la réunion Zoom commence",
        "la reunión de zoom",
        "reunião no zoom",
        "una riunione su zoom",
        "de vergadering via zoom",
        "spotkanie na zoom",
        "zoom toplantısı",
        "das Zoom-Meeting",
        "会議のZoom",
        "zoom会議",
        "zoom 회의",
        "zoom会议",
        "meeting zoom sore ini",
        "созвон в zoom",
    ],
)
def test_a_meeting_tells_that_zoom_is_the_service(text: str) -> None:
    assert "zoom" in MATCHER.about(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("steam nie chce pobierać gry koledze", "steam"),
        ("twitch zeigt heute seltsame Werbung vor jedem Video", "twitch"),
        ("el discord de mi clase tiene mucha gente", "discord"),
        ("on a tout mis dans slack la semaine dernière", "slack"),
        ("ho perso tutte le foto su telegram ieri sera", "telegram"),
    ],
)
def test_a_word_of_english_is_the_service_in_a_text_of_another_language(text: str, service: str) -> None:
    assert service in MATCHER.about(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("full steam ahead on the plan for spring", "steam"),
        ("there is slack in the schedule for next month", "slack"),
        ("he sent a telegram to his aunt in Boston", "telegram"),
        ("the decision spread discord through the village council", "discord"),
        ("ci vediamo dalle nove alle dieci", "chatgpt"),
    ],
)
def test_the_word_stays_a_word_in_its_own_language(text: str, service: str) -> None:
    assert service not in MATCHER.about(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("ニンテンドーオンラインに入れない", "nintendo"),
        ("شبكة زين مقطوعة", "zain"),
        ("디코 안 돼", "discord"),
        ("o zap não manda nada", "whatsapp"),
        ("ytube not loading", "youtube"),
    ],
)
def test_short_names_of_everyday_talk_name_their_service(text: str, service: str) -> None:
    assert list(MATCHER.about(text)) == [service]


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("LINE送信できない", "line"),
        ("さっきからLINEにログインできません", "line"),
        ("LINE 落ちてる", "line"),
        ("QQ登不上去了", "qq"),
    ],
)
def test_a_name_that_is_a_word_elsewhere_means_its_service_beside_kana_and_chinese_characters(
    text: str, service: str
) -> None:
    assert list(MATCHER.about(text)) == [service]


@pytest.mark.parametrize("text", ["the line is down again", "ONLINEで買えない", "waiting in line, nothing works"])
def test_such_a_name_is_a_word_in_other_writing_and_inside_another_word(text: str) -> None:
    assert "line" not in MATCHER.about(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("la freebox ne capte rien", "free"),
        ("ma Freebox clignote", "free"),
        ("msteams is slow today", "microsoft_teams"),
        ("timvision non parte", "tim_it"),
    ],
)
def test_a_name_that_is_no_word_of_its_own_needs_no_support(text: str, service: str) -> None:
    assert service in MATCHER.about(text)


@pytest.mark.parametrize("text", ["the trial is free", "found it in a twitter thread", "två att vara, att inte vara"])
def test_a_name_that_is_a_word_needs_support(text: str) -> None:
    assert not MATCHER.about(text)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Play nie ma zasięgu od rana", "play_pl"),
        ("internet w Play leży", "play_pl"),
        ("Orange est en panne à Lille", "orange_fr"),
        ("Vivo sem sinal em Santos", "vivo_br"),
        ("Claro caiu de novo", "claro"),
        ("A1 geht seit heute früh nicht", "a1_at"),
        ("KT 인터넷 안됨", "kt_kr"),
        ("VK не работает", "vk"),
        ("Rogers is down", "rogers"),
        ("Uber is down, no cars anywhere", "uber"),
        ("sky broadband and sky tv both dead", "sky_uk"),
    ],
)
def test_a_name_that_is_a_word_elsewhere_is_meant_in_the_languages_of_its_customers(text: str, service: str) -> None:
    assert set(MATCHER.about(text)) == {service}


@pytest.mark.parametrize(
    "text",
    [
        "the play button is broken, nothing loads",  # English
        "ça ne marche plus du tout",  # French for "no longer"
        "claro que não funciona",  # Portuguese for "of course"
        "o jogo ao vivo travou",  # "live"
        "Google Play nie działa",
        "le voyant orange clignote, plus rien ne marche",
        "uber geil, aber der Server ist down",
        "Orange to ładny kolor",  # no word of trouble
        "Samsung S24 Plus nie działa",  # a device
        "uber annoying that nothing loads",
        "Vivo sem pressa",
        "@plusnethelp my broadband is down",
        "No Man's Sky servers are down",
        "Mr. Rogers site is down",
    ],
)
def test_a_name_that_is_a_word_elsewhere_is_a_word_there(text: str) -> None:
    assert not {s.id for s in CATALOGUE.values() if s.named_in} & set(MATCHER.about(text))


def test_a_name_that_is_a_word_elsewhere_stays_readable_in_posts_about_another_service() -> None:
    assert MATCHER.masked("nie ma sieci Play, Netflix nie działa", "netflix").count("play") == 1
    assert "play" not in MATCHER.masked("w Play nie ma zasięgu", "play_pl")


def test_no_phrase_in_which_a_name_is_a_word_is_the_name_of_a_service() -> None:
    names = {alias for service in CATALOGUE.values() for alias in service.aliases}
    names |= {alias for service in CATALOGUE.values() for part in service.components for alias in part.aliases}
    clashes = {phrase for service in CATALOGUE.values() for phrase in service.ordinary if phrase in names}
    assert clashes == set()


@pytest.mark.parametrize(
    "text",
    [
        "Globe is down",
        "is Globe down in Cebu?",
        "no signal on Globe since this morning in Quezon City",
        "globe signal gone again here in Makati",
        "my Globe internet keeps disconnecting",
        "the Globe app is not working",
        "walang signal ang Globe dito sa Cavite",
    ],
)
def test_a_customer_of_globe_names_it_in_english_and_tagalog(text: str) -> None:
    assert list(MATCHER.about(text)) == ["globe_ph"]


@pytest.mark.parametrize(
    "text",
    [
        "servers are down around the globe",
        "users across the globe report an outage",
        "the outage hit people all over the globe, nothing loads",
        "outage hits users across globe",
        "my snow globe is broken",
        "the Boston Globe site is down",
        "Globe and Mail website not loading",
        "nothing on the globe works today",
        "el globo está caído",
        "Spotify is down and so is the entire globe",
        "YouTube not loading, the whole globe is affected",
        "Slack down for half the globe",
        "Discord outage, globe wide",
        "people in other parts of globe cannot log in to Spotify",
        "the globe key on my keyboard is not working",
        "globe icon does not load",
        "the globe in Google Earth is not loading",
        "Google Earth globe is broken",
        "Globe is a fine word",
    ],
)
def test_the_globe_that_people_live_on_is_no_carrier(text: str) -> None:
    assert "globe_ph" not in MATCHER.about(text)


def test_news_of_people_around_the_globe_name_no_carrier() -> None:
    assert "globe_ph" not in MATCHER.entities("Facebook down for users around the Globe")
    assert "globe_ph" in MATCHER.entities("Thousands offline as Globe suffers an outage in Metro Manila")
