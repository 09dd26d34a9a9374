"""Who is meant and what is said: each service by its clauses; recovery, negation, conditions, plans, past, talk."""

from __future__ import annotations

import pytest

from pipeline.config.load import load_catalogue
from pipeline.text.services import ServiceMatcher
from pipeline.text.stances import UNLIKELY, reading

MATCHER = ServiceMatcher(load_catalogue())


def most(text: str, service: str) -> float:
    return reading(MATCHER.masked(text, service)).most


@pytest.mark.parametrize(
    ("text", "fails", "works"),
    [
        ("on Verizon because T-Mobile is down", "tmobile_us", "verizon"),
        ("Verizon is fine, AT&T is out", "att", "verizon"),
        ("GitHub is down but GitLab works fine", "github", "gitlab"),
        ("Posting on Bluesky while Reddit is broken", "reddit", "bluesky"),
        ("Vodafone geht nicht, aber Telekom läuft einwandfrei", "vodafone", "telekom_de"),
        ("WhatsApp no funciona, Telegram me funciona bien", "whatsapp", "telegram"),
        ("Instagram caiu mas o WhatsApp tá funcionando normal", "instagram", "whatsapp"),
        ("インスタが落ちてるけど、ツイッターは普通に使える", "instagram", "x"),
        ("Билайн не работает, а МТС работает нормально", "beeline_ru", "mts_ru"),
    ],
)
def test_of_two_services_each_is_judged_by_its_clause(text: str, fails: str, works: str) -> None:
    assert most(text, fails) == 1.0
    assert most(text, works) == UNLIKELY


@pytest.mark.parametrize(
    "text",
    ["Netflix and YouTube are down", "Netflix, Reddit and YouTube all down", "Netflix is down, YouTube too"],
)
def test_a_list_shares_one_verdict(text: str) -> None:
    assert most(text, "netflix") == most(text, "youtube") == 1.0


def test_the_clause_that_clears_another_service_is_not_read() -> None:
    masked = MATCHER.masked("Verizon is fine, AT&T is out", "att")
    assert "fine" not in reading(masked).text


NO_REPORT = {
    "recovery": [
        "Netflix is back",
        "Netflix works again",
        "Netflix wieder da",
        "Netflix geht wieder",
        "Netflix ya volvió",
        "Netflix voltou",
        "Netflix remarche",
        "Netflix è tornato",
        "Netflix doet het weer",
        "Netflix znowu działa",
        "Netflix düzeldi",
        "Netflix udah normal",
        "Netflix復旧した",
        "Netflix 恢复了",
        "Netflix 복구됐어요",
        "Netflix снова работает",
        "Netflix رجع يشتغل",
        "Netflix ठीक हो गया",
    ],
    "negation": [
        "Netflix isn't down",
        "no problems with Netflix here",
        "Netflix hat heute keine Störung",
        "Netflix no está caído",
        "Netflix não caiu",
        "pas de panne chez Netflix",
        "nessun problema con Netflix",
        "geen storing bij Netflix",
        "nie ma awarii Netflix",
        "Netflix sorun yok",
        "Netflix ga ada gangguan",
        "Netflixは落ちてない",
        "Netflix 没崩",
        "Netflix 장애 없어요",
        "Netflix не упал",
        "ما فيه عطل في Netflix",
        "Netflix डाउन नहीं है",
    ],
    "works": [
        "Netflix works fine for me",
        "Netflix up and running in London",
        "Netflix funktioniert bei mir einwandfrei",
        "a mí me funciona Netflix",
        "aqui tá funcionando normal o Netflix",
        "chez moi ça marche, Netflix",
        "a me Netflix funziona bene",
        "Netflix werkt hier prima",
        "u mnie Netflix działa",
        "bende Netflix çalışıyor",
        "Netflix lancar jaya",
        "Netflix普通に使える",
        "Netflix 能用",
        "Netflix 잘 돼요",
        "у меня Netflix работает",
        "Netflix شغال عندي",
        "मेरे यहाँ Netflix सही चल रहा है",
    ],
    "condition": [
        "if Netflix goes down we talk to each other",
        "whenever Netflix is down I read",
        "wenn Netflix mal ausfällt, lesen wir",
        "si Netflix se cae leo un libro",
        "se o Netflix cair eu leio",
        "si Netflix tombe je lis",
        "se Netflix cade leggo",
        "als Netflix uitvalt lees ik",
        "jeśli Netflix padnie, czytam",
        "Netflix çökerse kitap okurum",
        "kalau Netflix down aku baca buku",
        "Netflixが落ちたら本を読む",
        "如果Netflix崩了就看书",
        "Netflix 터지면 책 읽어야지",
        "если Netflix упадёт, почитаю",
        "اذا تعطل Netflix نقرا",
        "अगर Netflix डाउन हुआ तो पढ़ेंगे",
    ],
    "plan or fear": [
        "Netflix will be blocked here in March",
        "will they shut down Netflix? worried it gets banned",
        "Wird Netflix bei uns auch gesperrt?",
        "Netflix va a dejar de funcionar el domingo",
        "o Netflix vai parar de funcionar no domingo",
        "Netflix va être bloqué ici",
        "Netflix verrà bloccato?",
        "wordt Netflix hier ook geblokkeerd?",
        "Netflix zostanie zablokowany?",
        "Netflix kapatılacak mı?",
        "apa Netflix bakal diblokir?",
        "Netflixも規制されるのかな",
        "Netflix 会被封吗",
        "Netflix 차단될까요?",
        "Netflix заблокируют?",
        "هل سيتم حجب Netflix",
        "क्या Netflix बंद हो जाएगा?",
    ],
    "past": [
        "Netflix was down last week",
        "remember when Netflix went down",
        "letzte Woche war Netflix weg",
        "la semana pasada se cayó Netflix",
        "semana passada o Netflix caiu",
        "la semaine dernière Netflix a planté",
        "la settimana scorsa Netflix era giù",
        "vorige week lag Netflix plat",
        "w zeszłym tygodniu padł Netflix",
        "geçen hafta Netflix çöktü",
        "minggu lalu Netflix down",
        "先週のNetflixの障害",
        "上周Netflix崩了",
        "지난주에 Netflix 터졌지",
        "на прошлой неделе Netflix упал",
        "الاسبوع الماضي طاح Netflix",
        "पिछले हफ्ते Netflix डाउन था",
    ],
    "talk": [
        "Netflix outages cost a fortune",
        "an outage of Netflix would ruin my evening",
        "Ausfälle kosten Netflix Geld",
        "las caídas cuestan caro a Netflix",
        "les pannes coûtent cher à Netflix",
    ],
    "another's fault": [
        "Netflix had nothing to do with the outage",
        "the outage had nothing to do with Netflix",
        "Netflix non c'entra niente",
        "Netflix non c’entrava niente con il blocco",
        "Netflix no tiene nada que ver con la caída",
        "Netflix n'a rien à voir avec la panne",
        "Netflix hat mit der Störung nichts zu tun",
        "Netflix hat nichts damit zu tun",
        "die Störung hat nichts mit Netflix zu tun",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in NO_REPORT.items() for text in texts])
def test_what_is_not_failing_now_is_no_report(kind: str, text: str) -> None:
    assert most(text, "netflix") == UNLIKELY, kind


@pytest.mark.parametrize(
    "text",
    [
        "Netflix is down",
        "Netflix is not back yet",
        "when will Netflix be back?",
        "does anyone know if Netflix is down?",
        "Netflix came back for a minute and died again",
        "they say Netflix is fixed, it is not working",
        "Netflix was back, now it's down again",
        "Netflix is not working",
        "Netflix doesn't work, everything else is fine",
        "nothing works on Netflix",
        "Netflix geht wieder nicht",
        "Netflix ist schon wieder weg, bei euch auch?",
        "Netflix volvió a caer",
        "Netflix ne marche pas chez moi",
        "Netflix non va",
        "Netflix doet het weer niet",
        "Netflix znowu nie działa",
        "Netflix hala düzelmedi",
        "Netflix belum pulih",
        "Netflixまだ復旧しない",
        "Netflix 还没恢复",
        "Netflix 아직 복구 안 됐어요",
        "Netflix до сих пор не заработал",
        "Netflix لسه ما رجع",
        "Netflix अभी तक ठीक नहीं हुआ",
        "yesterday it was fine, now Netflix won't load",
        "Netflix is down for you too? same here",
        "every time I open Netflix it crashes",
        "when I log in to Netflix I get error 500",
        "Netflix outage has nothing to do with my wifi",
        "the outage at Netflix has nothing to do with Reddit",
        "la caída de Netflix no tiene nada que ver con Reddit",
        "Netflix è giù, la mia linea non c'entra niente",
    ],
)
def test_what_fails_now_stays_a_report(text: str) -> None:
    assert most(text, "netflix") == 1.0


def test_a_part_that_works_does_not_clear_the_service() -> None:
    assert most("Is Netflix down? the app works fine", "netflix") == 1.0


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("no internet for a day, I'm switching to Verizon", "verizon"),
        ("seit gestern kein Netz, ich wechsle zu Vodafone", "vodafone"),
        ("otra vez sin señal, me paso a Movistar", "movistar"),
        ("ligne coupée, je vais passer chez Orange", "orange_fr"),
        ("dozens report errors on Twitter, Netflix must be out", "x"),
        ("pas de connexion, aucune réponse sur votre WhatsApp, SFR", "whatsapp"),
    ],
)
def test_a_rival_and_the_place_of_talk_do_not_fail(text: str, service: str) -> None:
    assert most(text, service) == UNLIKELY


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("errors all over Twitter, anyone else?", "x"),
        ("people report that Twitter won't load", "x"),
        ("dozens report errors on Twitter, Netflix must be out", "netflix"),
        ("switched to Verizon last year and Verizon is down", "verizon"),
    ],
)
def test_a_place_of_talk_that_fails_itself_may_be_reported(text: str, service: str) -> None:
    assert most(text, service) == 1.0


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("no lag at all in Diablo once you are past the queue", "blizzard"),
        ("cannot play for hours because of the queue, Steam says 190 minutes", "steam"),
        ("stuck before the Fortnite lobby, is that the queue?", "fortnite"),
        ("two hours in the queue for Battle.net and I regret nothing", "blizzard"),
        ("Overwatch realm full again, picked another one", "blizzard"),
        ("Steam queue moves, give it time, 4000 people in the queue", "steam"),
        ("longue file d'attente pour Steam mais ça avance", "steam"),
        ("Warteschlange bei Steam, ich hole mir Kaffee", "steam"),
    ],
)
def test_a_line_of_people_who_get_in_is_no_report(text: str, service: str) -> None:
    assert most(text, service) == UNLIKELY


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("is Steam down or is it only the login queue?", "steam"),
        ("Steam login queue crashed, everybody gets error 503", "steam"),
        ("GitHub Actions jobs sit in the queue for an hour", "github"),
        ("my Spotify queue does not load", "spotify"),
        ("Vueling colapsado en El Prat, dos horas de cola, PayPal no funciona", "paypal"),
    ],
)
def test_a_queue_beside_a_failure_clears_nothing(text: str, service: str) -> None:
    assert most(text, service) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Slack geht bei niemandem",
        "Slack geht seit dem Update heute Morgen bei allen nicht",
        "Slack läuft hier auf keinem Gerät",
        "Slack marche chez personne ce matin",
        "Slack works for nobody in the office",
        "Slack funciona pra ninguém",
    ],
)
def test_what_works_for_nobody_is_not_said_to_work(text: str) -> None:
    assert most(text, "slack") > UNLIKELY


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Nubank, meu pix não caiu", "nubank"),
        ("o pix que mandei pelo Nubank ainda não caiu", "nubank"),
        ("fiz pix no Nubank e não caiu na conta", "nubank"),
        ("não caiu o salário no Nubank", "nubank"),
        ("PayPal: o reembolso não caiu até agora", "paypal"),
        ("le virement PayPal n'est pas tombé", "paypal"),
        ("mon salaire n'est pas tombé sur Revolut", "revolut"),
        ("перевод через PayPal не упал на карту", "paypal"),
        ("PayPal, деньги так и не упали", "paypal"),
        ("PayPalの引き落としが落ちてない", "paypal"),
        ("KT 데이터가 안 터짐", "kt_kr"),
        ("Movistar no me da señal", "movistar"),
        ("el internet de Movistar no tira", "movistar"),
        ("no me cayó la plata en PayPal", "paypal"),
        ("przelew z PayPal nie wpadł na konto", "paypal"),
        ("Nubank caiu na minha conta não entra", "nubank"),
        ("o Nubank caiu e na conta não vejo o saldo", "nubank"),
        ("Nubank caiu hoje na conta dá erro", "nubank"),
        ("Nubank caiu agora na minha conta PJ e nada de voltar", "nubank"),
        ("a transferência do Nubank ainda não caiu", "nubank"),
        ("зарплата на карту через PayPal не упала", "paypal"),
    ],
)
def test_what_did_not_arrive_is_no_denial_of_a_failure(text: str, service: str) -> None:
    assert most(text, service) == 1.0


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("o Nubank não caiu", "nubank"),
        ("fiz um pix agora, o Nubank não caiu", "nubank"),
        ("mandei pix e o Nubank não caiu", "nubank"),
        ("PayPal n'est pas tombé", "paypal"),
        ("PayPal не упал, деньги идут", "paypal"),
        ("PayPalは落ちてない", "paypal"),
        ("KT 안 터졌어요", "kt_kr"),
        ("Movistar no me da errores", "movistar"),
        ("o pix do Nubank caiu na conta em um segundo", "nubank"),
        ("o salário que mandaram pelo Nubank já caiu na conta", "nubank"),
        ("o pix de ontem pelo Nubank não caiu, aqui tudo certo", "nubank"),
        ("переводчики говорят, PayPal не упал", "paypal"),
        ("переводы ходят PayPal не упал", "paypal"),
        ("переводчик в PayPal не упал, у меня работает", "paypal"),
        ("Orange pour mes sms n'est pas tombé ici", "orange_fr"),
        ("口座からPayPalは落ちてない、問題ない", "paypal"),
        ("Movistar no da nada de errores", "movistar"),
    ],
)
def test_what_is_not_down_stays_no_report(text: str, service: str) -> None:
    assert most(text, service) == UNLIKELY
