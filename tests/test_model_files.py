"""Files of models: a damaged or foreign one is refused, and status, report and log say why."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from pathlib import Path

import pytest

from pipeline.config.paths import MODELS
from pipeline.core.times import utc
from pipeline.text.models import checks, kinds
from pipeline.text.models import files as modelfile
from pipeline.text.models import outage as classifier
from tests.conftest import Groundswell


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
