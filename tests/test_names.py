"""Names as people write them: hashtags, handles, spellings, other scripts, vendors, and words that are names too."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import MODELS, PLACES
from pipeline.core.records import Post
from pipeline.core.vocabulary import PostKind
from pipeline.stages.tag import tagged
from pipeline.text.extract import PostText, read_posts
from pipeline.text.lexicon import lexicon
from pipeline.text.masking import TARGET
from pipeline.text.models import outage
from pipeline.text.names import spellings
from pipeline.text.reactions import has_words
from pipeline.text.services import LISTED, MOST_SERVICES, ServiceMatcher
from tests.copies import replace

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("#ChatGPTDown", "chatgpt"),
        ("#claudedown", "claude"),
        ("#IsDiscordDown", "discord"),
        ("#steam_down what now", "steam"),
        ("#verizonoutage2026", "verizon"),
        ("@SpotifyCares it skips", "spotify"),
        ("@AskPayPal my money", "paypal"),
        ("@AmericanAir hello", "american_airlines"),
        ("@TMobileHelp no data", "tmobile_us"),
        ("@cash_app_support hi", "cash_app"),
    ],
)
def test_hashtags_and_handles_are_taken_apart(text: str, service: str) -> None:
    assert list(MATCHER.about(text)) == [service]


@pytest.mark.parametrize("text", ["#breakdown", "#countdown", "#slackline", "#steampunk", "mail me at a@xdown.example"])
def test_words_that_only_hold_a_name_name_nothing(text: str) -> None:
    assert not MATCHER.about(text)


def test_the_words_of_a_hashtag_are_read_as_words() -> None:
    assert MATCHER.masked("#ChatGPTDown again", "chatgpt") == f"#{TARGET} down again"


def test_an_account_that_a_post_addresses_is_no_part_of_what_it_says() -> None:
    assert MATCHER.masked("@SpotifyCares it skips", "spotify") == "@spotifycares it skips"


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Chat-GPT won't answer", "chatgpt"),
        ("chat gtp down?", "chatgpt"),
        ("t mobile is dead", "tmobile_us"),
        ("tmobile is dead", "tmobile_us"),
        ("wpp caiu", "whatsapp"),
        ("watsap no anda", "whatsapp"),
        ("OpenAI is down", "chatgpt"),
        ("anthropic servers don't respond", "claude"),
        ("apple is down, cannot log in", "icloud"),
        ("Claude kaputt", "claude"),
    ],
)
def test_spellings_short_names_and_vendors(text: str, service: str) -> None:
    assert list(MATCHER.about(text)) == [service]


@pytest.mark.parametrize("text", ["OpenAI hires a lawyer", "apple pie for everybody", "Microsoft is down in trading"])
def test_a_vendor_without_trouble_or_with_many_services_names_none(text: str) -> None:
    assert not MATCHER.about(text)


def test_an_alias_is_known_with_blanks_hyphens_underscores_and_nothing() -> None:
    assert set(spellings("Cash App")) == {"cash app", "cash-app", "cash_app", "cashapp"}


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Клод не отвечает", "claude"),
        ("в телеграме тишина", "telegram"),
        ("ватсап лежит", "whatsapp"),
        ("Claude не работает", "claude"),
        ("クロード落ちてる？", "claude"),
        ("ディスコードに入れない", "discord"),
        ("클로드가 안돼요", "claude"),
        ("유튜브는 왜 이래", "youtube"),
        ("claude가 안 돼요", "claude"),
        ("推特崩了吗", "x"),
        ("微信发不出去", "wechat"),
        ("الواتساب معطل", "whatsapp"),
        ("وانستقرام واقف", "instagram"),
        ("व्हाट्सएप डाउन है", "whatsapp"),
        ("इंस्टाग्राम नहीं खुल रहा", "instagram"),
    ],
)
def test_names_in_other_scripts(text: str, service: str) -> None:
    assert list(MATCHER.about(text)) == [service]


@pytest.mark.parametrize("text", ["オンライン会議", "ガイドラインを読む", "телеграфный столб", "инстанция отказала"])
def test_a_name_inside_a_longer_word_of_its_script_names_nothing(text: str) -> None:
    assert not MATCHER.about(text)


def test_grammar_that_is_written_onto_a_name_does_not_hide_it() -> None:
    assert MATCHER.masked("в телеграме не грузит", "telegram").startswith(f"в {TARGET}")


@pytest.mark.parametrize(
    "text",
    [
        "signal down for anyone else?",
        "is signal down",
        "messages on the signal app don't send",
        "my slack won't load",
        "can't connect to zoom",
        "the teams app is broken",
        "anyone else's discord not connecting",
        "is X down",
        "steam is down",
        "cursor is down again",
        "chase app won't let me log in",
        "delta app keeps crashing",
        "perplexity not loading",
        "gemini is not responding",
    ],
)
def test_an_ordinary_word_beside_trouble_names_its_service(text: str) -> None:
    assert len(MATCHER.about(text)) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Claude leads the chart of free-app downloads in the US", ["claude"]),
        ("the app of claude is the most wanted free one of the store", ["claude"]),
        ("Claude offers a toll-free number for its app", ["claude"]),
        ("the operator free is down, its app does not load", ["free"]),
        ("Panne chez Free: des milliers de clients sans réseau mobile", ["free"]),
    ],
)
def test_news_mean_a_service_of_an_ordinary_name_only_where_it_is_written_as_a_name(
    text: str, named: list[str]
) -> None:
    assert sorted(MATCHER.entities(text)) == named


def test_a_list_of_services_is_read_for_the_first_few_and_a_catalogue_for_none() -> None:
    names = [service.aliases[0] for service in CATALOGUE.values() if not service.homograph]
    assert len(MATCHER.about(", ".join(names[:LISTED]))) == MOST_SERVICES
    assert not MATCHER.about(", ".join(names[: LISTED + 1]))


def test_a_post_that_names_everything_and_a_hashtag_without_end_cost_little() -> None:
    model = outage.load(MODELS)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    texts = [
        ", ".join(service.aliases[0] for service in CATALOGUE.values() if service.aliases) + " are down",
        "#" + "down" * 2_500,
        "#" + "x" * 10_000,
        "@" + "isclaude" * 1_250,
        "svctarget " * 400,
        "if " * 1_300 + "claude is down",
    ]

    def post(text: str) -> Post:
        return Post(
            source="s",
            native_id="1",
            kind="post",
            community="",
            author_key="a",
            author_created=None,
            created=now,
            collected=now,
            text=text,
        )

    list(tagged([post("claude is down, isn't it?")], MATCHER, model))
    for text in texts:
        best = min(_seconds(lambda text=text: list(tagged([post(text)], MATCHER, model))) for _ in range(3))
        assert best < 0.05, text[:40]
        read_posts([PostText(text)], MATCHER, model, PLACES)


def _seconds(call: object) -> float:
    started = time.process_time()
    call()  # type: ignore[operator]
    return time.process_time() - started


def test_the_words_around_a_name_in_a_handle_do_not_repeat() -> None:
    for name in lexicon("handles"):
        words = lexicon("handles").words(name)
        assert len(set(words)) == len(words), name


def test_utilities_railways_and_networks_of_many_countries_are_in_the_catalogue() -> None:
    kinds = [service.kind for service in CATALOGUE.values()]
    assert kinds.count("railway") >= 10
    assert kinds.count("utility") >= 10
    assert kinds.count("network") >= 60


@pytest.mark.parametrize("text", ["👍", "?", "…", ".", "k", "hi"])
def test_a_comment_without_words_is_talk_and_no_report(text: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    comment = Post(
        source="s",
        native_id="1",
        kind=PostKind.COMMENT,
        community="ClaudeAI",
        author_key="a",
        author_created=None,
        created=now,
        collected=now,
        title="Claude is down",
        text=text,
    )
    model = outage.load(MODELS)
    assert [(one.tag.service, one.tag.p_outage) for one in tagged([comment], MATCHER, model)] == [("claude", 0.0)]
    (agreeing,) = tagged([replace(comment, text="same here")], MATCHER, model)
    assert agreeing.tag.p_outage > 0.5


@pytest.mark.parametrize("text", ["lol", "Hahaha!!", "LMAO wow", "jajaja", "kkkkk", "ого", "草", "wwww", "ㅋㅋㅋ"])
def test_laughter_says_nothing_of_a_failure(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize("text", ["same", "崩了", "落ちた", "down", "여기도", "lol same", "hahaha down again"])
def test_a_word_is_enough(text: str) -> None:
    assert has_words(text)
