"""Names with the case endings and articles that a language writes onto them, and words that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis.strategies import from_regex, sampled_from

from pipeline.config.load import load_catalogue
from pipeline.text.lexicon import lexicon
from pipeline.text.masking import TARGET
from pipeline.text.mention_prefilter import MentionPrefilter
from pipeline.text.name_endings import LONGEST, names_with_endings
from pipeline.text.services import ServiceMatcher

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)
PREFILTER = MentionPrefilter(CATALOGUE)
NAMED = [
    ("nie mogę wejść do discordu od rana", "discord"),
    ("na facebooku nic się nie ładuje", "facebook"),
    ("w telegramie nie wysyła wiadomości", "telegram"),
    ("czy na steamie też macie błąd przy logowaniu", "steam"),
    ("netflixa nie da się dziś obejrzeć", "netflix"),
    ("na instagramu se mi nenačítají fotky", "instagram"),
    ("do gmailu se nemůžu přihlásit", "gmail"),
    ("spotifyn palvelimet eivät vastaa", "spotify"),
    ("spotifyssä ei kuulu mitään tänään", "spotify"),
    ("netflixiin ei pääse kirjautumaan", "netflix"),
    ("eikä instagramissakaan näy mitään kuvia tänään", "instagram"),
    ("discordról nem tölt be semmi", "discord"),
    ("nem tudok belépni az instagramba", "instagram"),
    ("WHATSAPP'TA MESAJLAR GİTMİYOR", "whatsapp"),
    ("instagramda hikayeler yüklenmiyor", "instagram"),
    ("whatsapptan mesaj gelmiyor bugün", "whatsapp"),
    ("discordul nu mai merge de dimineață", "discord"),
    ("spotifynya ga bisa diputar dari tadi", "spotify"),
    ("Spotifys servrar svarar inte idag", "spotify"),
]


@pytest.mark.parametrize(("text", "service"), NAMED)
def test_a_name_with_an_ending_of_its_texts_language_names_its_service(text: str, service: str) -> None:
    assert list(MATCHER.about(text)) == [service]
    assert PREFILTER.candidates(["", text]) == {1}


def test_the_ending_is_part_of_the_name() -> None:
    assert MATCHER.masked("nie mogę wejść do discordu od rana", "discord") == f"nie mogę wejść do {TARGET} od rana"


@pytest.mark.parametrize(
    "text",
    [
        "przez megafony słychać komunikat o awarii pociągu",  # megaphones
        "dawniej ludzie wysyłali telegramy na poczcie",  # telegrams
        "ten sygnał w signalu zegara nie działa",  # Signal is a word, with and without an ending
        "chodzę na zoomie aparatu i nic nie widać",  # of a camera
        "v eshopu s botami nejde zaplatit kartou",  # a shop
        "a tanár ma nem oktat, mert beteg lett",  # teaches
        "mobilya mağazasının kapısı bozuk, açılmıyor",  # furniture
        "tien sorassa on kuoppia, auto ei mene eteenpäin",  # gravel
        "hon köpte nya slacks och en blus på rean igår",  # trousers
        "vår lärare säger att canvas inte fungerar för oss",  # another service
        "the discordant notes of the spotifying crowd do not stop",  # English
        "facebookism is down to a few people in this office",
        "die Netflixserie läuft bei uns nicht mehr im Fernsehen",
        "discordianismo é uma religião que não funciona",
        "Türk Telekomda kesinti mi var, internet gitti",  # a name of two words takes no ending, nor does its last word
        "Türk Telekomun modemi bağlanmıyor bugün",
        "A1 Telekomu nejde internet celý den",
        "moji roditelji imaju frontier fiosu i ništa ne radi",
        "Telekomda internet yok sabahtan beri",  # another company in Turkey, Slovakia, Hungary
        "Telekomnál megint nincs internet nálunk",
        "v Telekomu ma nechali čakať hodinu na linke",
        "Oktaya söyleyin, sunucu yine çöktü bugün",  # a man
        "Oktayla konuştum, sistem açılmıyor dedi",
        "entelin biri yine internetin bozuk olduğunu yazmış",  # a know-all
        "a 95 oktan benzin ára megint nem csökken, elfogyott a kúton",
        "discordul dintre partide nu se mai oprește, guvernul a picat",  # strife
        "hulunya sungai itu mati, air tidak mengalir lagi",  # upper course
        "w naszym coworku znowu nie działa internet",
        "v coworku dnes nejde internet ani tiskárna",
        "v groku je rum a cukr, ale nefunguje to",
        "codexul vechi s-a stricat, pagina lui nu se deschide",
        "moje chromecasty i starlinki zepsuły się, nic nie działa",
        "mám doma dva xboxy a ani jeden nefunguje",
        "tři playstationy v servisu a žádná nefunguje",
        "na spotifajnowej liście nic nie działa od rana",
        "w ubiegłym roku claudeowski styl nie działał",
    ],
)
def test_other_letters_after_a_name_make_another_word(text: str) -> None:
    assert not MATCHER.about(text)


@pytest.mark.parametrize("text", ["discordu", "the discordu of the netflixu", "facebookssa is what he typed today"])
def test_an_ending_counts_in_its_own_language_only(text: str) -> None:
    assert not MATCHER.about(text)


def test_an_ordinary_word_and_a_short_name_take_no_ending() -> None:
    names = names_with_endings(CATALOGUE.values())
    assert {"discord", "spotify", "telegram", "outlook"} <= names
    assert names.isdisjoint({"signal", "zoom", "claude", "teams", "orange", "play", "free", "line", "x", "vk", "tim"})


@settings(max_examples=300, deadline=None)
@given(sampled_from(lexicon("name_endings").words("ending")).flatmap(lambda word: from_regex(word, fullmatch=True)))
def test_no_ending_is_longer_than_what_the_search_through_many_texts_allows(ending: str) -> None:
    assert len(ending) <= LONGEST


def test_a_name_and_letters_that_are_another_name_are_that_name() -> None:
    assert "chatgp" in names_with_endings(CATALOGUE.values())
    assert MATCHER.masked("ChatGPT nem válaszol ma senkinek", "chatgpt") == f"{TARGET} nem válaszol ma senkinek"
