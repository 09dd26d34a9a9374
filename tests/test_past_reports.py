"""Reports of a failure that is over, and of one that goes on since then, in nine languages and a few more."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.text import past_reports
from pipeline.text.lexicon import lexicon
from pipeline.text.masking import OTHER, TARGET
from pipeline.text.past_reports import LONGEST, is_over
from pipeline.text.services import ServiceMatcher
from pipeline.text.stances import UNLIKELY, reading

MATCHER = ServiceMatcher(load_catalogue())

OVER = {
    "sv": [
        "Spotify låg nere igår",
        "igår kväll funkade inte Spotify",
        "Spotify var nere en timme förra veckan men funkar nu",
        "minns ni när Spotify kraschade i somras",
        "för två månader sedan hade Spotify ett stort avbrott",
    ],
    "da": [
        "Spotify var nede i går",
        "i sidste uge virkede Spotify ikke",
        "Spotify lå ned en time i mandags, men nu kører det fint",
        "kan I huske dengang Spotify brød sammen",
        "for tre måneder siden havde Spotify et nedbrud",
    ],
    "no": [
        "Spotify var nede i går",
        "forrige uke fungerte ikke Spotify",
        "Spotify lå nede en time i går kveld, men nå går det fint",
        "husker dere da Spotify krasjet i fjor",
        "for to uker siden hadde Spotify driftsstans",
    ],
    "fi": [
        "Spotify oli eilen alhaalla",
        "viime viikolla Spotify ei toiminut",
        "Spotify oli tunnin nurin viime viikolla mutta toimii nyt",
        "muistatteko kun Spotify kaatui viime vuonna",
        "Spotify kaatui pari kuukautta sitten",
    ],
    "cs": [
        "Spotify včera nefungovalo",
        "minulý týden Spotify spadlo",
        "Spotify v úterý hodinu nešlo, ale teď už jede",
        "pamatujete, jak loni spadlo Spotify",
        "před dvěma měsíci mělo Spotify výpadek",
    ],
    "el": [
        "το Spotify έπεσε χθες",
        "την περασμένη εβδομάδα δεν δούλευε το Spotify",
        "το Spotify ήταν πεσμένο μία ώρα χτες αλλά τώρα δουλεύει",
        "θυμάστε όταν έπεσε το Spotify",
        "πριν από δύο μήνες είχε βλάβη το Spotify",
    ],
    "hu": [
        "tegnap leállt a Spotify",
        "múlt héten nem működött a Spotify",
        "a Spotify egy órára elszállt a múlt héten, de most megy",
        "emlékeztek, amikor lehalt a Spotify",
        "két hónappal ezelőtt leállt a Spotify",
    ],
    "ro": [
        "Spotify a picat ieri",
        "ieri nu mergea Spotify",
        "Spotify a fost picat o oră săptămâna trecută dar acum merge",
        "vă amintiți când a căzut Spotify",
        "acum două luni Spotify a avut o pană",
    ],
    "uk": [
        "Spotify вчора лежав",
        "минулого тижня Spotify не працював",
        "Spotify годину лежав у вівторок, але зараз усе працює",
        "пам'ятаєте, як Spotify впав",
        "два місяці тому у Spotify був збій",
    ],
}
GOES_ON = {
    "sv": [
        "Spotify ligger nere sedan igår",
        "Spotify gick ner igår och är fortfarande nere",
        "Spotify låg nere igår och nu ligger det nere igen",
        "betalade för Spotify förra veckan men det funkar inte",
        "igår funkade Spotify fint, idag laddar det inte",
        "Spotify var nere igår och idag igen",
    ],
    "da": [
        "Spotify har været nede siden i går",
        "Spotify gik ned i går og virker stadig ikke",
        "Spotify var nede i går, og nu er det nede igen",
        "i går virkede Spotify fint, i dag virker det ikke",
        "jeg betalte for Spotify i sidste uge men det virker ikke",
        "Spotify var nede i går, i dag igen",
    ],
    "no": [
        "Spotify har vært nede siden i går",
        "Spotify gikk ned i går og er fortsatt nede",
        "Spotify var nede i går, og nå er det nede igjen",
        "i går fungerte Spotify fint, i dag virker det ikke",
        "betalte for Spotify forrige uke, men det fungerer ikke",
        "Spotify var nede i går, heller ikke i dag",
    ],
    "fi": [
        "Spotify on ollut alhaalla eilisestä asti",
        "Spotify kaatui eilen eikä toimi vieläkään",
        "Spotify oli eilen alhaalla, ja nyt se on taas nurin",
        "eilen Spotify toimi hyvin, tänään ei toimi",
        "maksoin Spotifysta viime viikolla mutta se ei toimi",
        "Spotify kaatui eilen, ja tänään taas",
    ],
    "cs": [
        "Spotify nejde od včerejška",
        "Spotify včera spadlo a pořád nejde",
        "Spotify včera nefungovalo a dnes zase nefunguje",
        "včera Spotify jelo, dneska nejde",
        "minulý týden jsem zaplatil Spotify, ale nefunguje",
        "Spotify včera nešlo a dnes taky ne",
    ],
    "el": [
        "το Spotify είναι πεσμένο από χθες",
        "το Spotify έπεσε χθες και ακόμα δεν δουλεύει",
        "το Spotify έπεσε χθες και σήμερα έπεσε πάλι",
        "χθες το Spotify δούλευε, σήμερα δεν ανοίγει",
        "πλήρωσα το Spotify την περασμένη εβδομάδα αλλά δεν λειτουργεί",
        "το Spotify έπεσε χθες και τώρα πάλι",
    ],
    "hu": [
        "tegnap óta nem működik a Spotify",
        "tegnap leállt a Spotify és még mindig nem megy",
        "tegnap leállt a Spotify, ma megint nem működik",
        "tegnap még jó volt a Spotify, ma nem megy",
        "múlt héten fizettem a Spotify-ért, de nem működik",
        "tegnap nem ment a Spotify, ma sem",
    ],
    "ro": [
        "Spotify e picat de ieri",
        "Spotify a picat ieri și tot nu merge",
        "ieri a picat Spotify, azi iar nu merge",
        "ieri mergea Spotify, azi nu se încarcă",
        "am plătit Spotify săptămâna trecută dar nu funcționează",
        "ieri nu mergea Spotify, nici azi",
    ],
    "uk": [
        "Spotify лежить з учора",
        "Spotify вчора впав і досі не працює",
        "вчора Spotify лежав, сьогодні знову не працює",
        "вчора Spotify працював, сьогодні не відкривається",
        "минулого тижня заплатив за Spotify, але він не працює",
        "вчора Spotify лежав, сьогодні теж",
    ],
}


def most(text: str) -> float:
    return reading(MATCHER.masked(text, "spotify")).most


@pytest.mark.parametrize("text", [text for texts in OVER.values() for text in texts])
def test_a_failure_that_is_over_is_no_report(text: str) -> None:
    assert most(text) == UNLIKELY


@pytest.mark.parametrize("text", [text for texts in GOES_ON.values() for text in texts])
def test_a_failure_that_goes_on_stays_a_report(text: str) -> None:
    assert most(text) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Spotify ligt nu plat, gisteren ook storing",
        "gisteren storing bij Spotify en nu weer",
        "most outages of Spotify are down to this provider, it is down now",
    ],
)
def test_a_word_of_one_language_says_nothing_in_another(text: str) -> None:
    assert most(text) == 1.0


def test_every_language_of_the_lists_has_a_past() -> None:
    for name in ("failed", "day", "beside", "recalls", "works_now"):
        assert set(lexicon("past_reports").by_language(name)) == set(OVER)


@pytest.mark.parametrize(
    "text",
    [
        # yesterday and today
        "Spotify kraschade igår och idag",
        "Spotify svarede ikke i går og i dag",
        "Spotify svarte ikke i går og i dag",
        "eilen ja tänään Spotify ei auennut",
        "Spotify nejelo včera i dnes",
        "nu mergea Spotify aseară și azi",
        "nem töltött a Spotify tegnap és ma",
        "το Spotify δεν άνοιγε χθες και σήμερα",
        "Spotify не відкривався вчора та сьогодні",
        "Spotify was down yesterday and today",
        "Spotify crashed yesterday and again now",
        "Spotify war gestern down und heute auch",
        "gestern war Spotify weg und heute immer noch",
        "вчера упал Spotify и сегодня",
        "Spotify вчера лежал и сейчас тоже",
        "Spotify dün çöktü ve bugün yine",
        "Spotify down kemarin dan hari ini",
        # an error of now after it
        "Spotify strulade igår, kommer inte in",
        "Spotify brød sammen i går og jeg får fejl 500",
        "Spotify brøt sammen i går og jeg får ikke logget inn",
        "Spotify kaatui eilen enkä saa kirjauduttua sisään",
        "Spotify vypadlo včera a nejde mi přihlášení",
        "Spotify a căzut aseară și nu pot intra în cont",
        "lehalt a Spotify tegnap és hibát ír ki",
        "το Spotify έπεσε χτες και βγάζει σφάλμα",
        "Spotify упав учора і не пускає",
        "Spotify padło wczoraj i nie mogę się zalogować",
        "Spotify est tombé hier et je n'arrive pas à me connecter",
        # since then
        "avbrott hos Spotify sedan i tisdags",
        "driftsstans hos Spotify siden forrige måned",
        "nedbrud hos Spotify siden sidste uge",
        "Spotify lå nere i förrgår och gör det än",
        "Spotify elszállt tegnap, azóta csend",
        "Spotify a picat alaltăieri și tot așa e",
        "аварія Spotify з минулого місяця",
        "Spotify vypadlo včera, dodnes nic",
        "το Spotify έπεσε χθες και συνεχίζεται",
        # as it did then
        "Spotify nurin kuten eilen",
        "Spotify nere som igår",
        "leállt a Spotify mint tavaly",
        "Spotify впав як учора",
        "a picat Spotify ca ieri",
    ],
)
def test_a_failure_that_may_go_on_stays_a_report(text: str) -> None:
    assert most(text) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "gisteren storing Spotify streamen nu traag",
        "ieri giù Spotify il servizio ora bloccato",
        "Spotify giù ieri sera anche io ora bloccato",
    ],
)
def test_a_failure_of_yesterday_and_of_now_is_a_report_in_dutch_and_italian(text: str) -> None:
    assert most(text) == 1.0


def test_a_long_text_says_more_than_that_a_failure_is_over() -> None:
    assert is_over(f"{TARGET} var nere igår")
    assert not is_over(f"{TARGET} var nere igår{' ' * LONGEST}")
    assert not is_over(f"{TARGET} var nere igår och {OTHER} idag")
    assert not is_over(f"{TARGET} \ud800")


def test_the_expression_is_compiled_only_for_texts_that_hold_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling it takes a thirtieth of a run with a new post; an alternative without letters asks for it always."""
    monkeypatch.setattr(past_reports, "_said", lambda: pytest.fail("it is compiled"))
    assert not is_over(f"{TARGET} is down for me, cannot log in")
