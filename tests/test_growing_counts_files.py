"""Files of counts that a run reads while they grow, as the configuration says what they count."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.count_kinds import CountKind
from detectors.seasonal.detector import SeasonalNB
from pipeline.config.load import load_catalogue
from pipeline.config.settings import Config, Sources
from pipeline.core.errors import SourceError
from pipeline.core.records import ComplaintCount
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.sources import (
    counts_file,
)
from pipeline.stages.collect import run_collect
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store

NOW = utc("2026-03-02T12:00:00Z")


def test_a_file_that_grows_brings_no_service_that_the_catalogue_lacks(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "service,ts,count,interval_s\nClaude,2026-03-02T10:00:00Z,1,900\ncluade,2026-03-02T10:00:00Z,2,900\n"
    )
    batch = counts_file.CountsFileSource(path, catalogue=load_catalogue()).fetch(NOW, NOW, {})
    assert [(c.service, c.total) for c in batch.rows if isinstance(c, ComplaintCount)] == [("claude", 1)]
    assert [bad.where for bad in batch.rejected] == [f"{path}:3"]
    assert "near: claude" in batch.rejected[0].reason
    assert "[services.<id>] table" in batch.rejected[0].reason


def test_series_of_a_growing_file_that_differ_in_width_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = [f"a,2026-03-01T{i:02}:00:00Z,{i}\n" for i in range(12)]
    rows += [f"b,2026-03-01T00:{i:02}:00Z,{i}\n" for i in range(0, 60, 5)]
    path.write_text("service,ts,count\n" + "".join(rows))
    with pytest.raises(SourceError, match="its series differ in what a count covers; add a column interval_s"):
        counts_file.CountsFileSource(path).fetch(NOW, NOW, {})


def test_a_file_that_grows_is_read_to_its_last_whole_line_and_keeps_its_interval(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    rows = [f"a,2026-03-02T0{i}:00:00Z,{i}\n" for i in range(9)]
    source = counts_file.CountsFileSource(path)
    path.write_text("service,ts,count\n" + "".join(rows[:2]))
    with pytest.raises(SourceError, match="too few rows"):
        source.fetch(NOW, NOW, {})
    path.write_text("service,ts,count\n" + "".join(rows) + "a,2026-03-02T09:00:00Z,12")
    batch = source.fetch(NOW, NOW, {})
    assert (len(batch.rows), batch.state) == (9, {"interval_s": "3600", "kind": "reports"})
    path.write_text(
        "service,ts,count\n" + "".join(rows) + "".join(f"a,2026-03-02T09:{m:02}:00Z,1\n" for m in range(30))
    )
    with pytest.raises(SourceError, match="rows 1 min apart, so that counts of 1 h would overlap"):
        source.fetch(NOW, NOW, batch.state)


def test_a_file_is_judged_as_what_the_configuration_says_it_counts(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "tweets.csv"
    path.write_text("service,start_utc,interval_s,total\nclaude,2026-02-01T00:00:00Z,900,4\n")
    config = Config(
        catalogue=load_catalogue(), sources=Sources(counts=(str(path),), counts_kind={str(path): CountKind.TALK})
    )
    (source,) = counts_file.SPEC.build(config, HttpClient(), None)
    run_collect(store, source, NOW)
    run_detect(store, SeasonalNB(), [], NOW)
    (name,) = store.rows("SELECT detector FROM detector_state")[0]
    assert "kind='talk'" in name


def test_what_a_run_says_of_a_file_offers_no_option_that_a_run_lacks(tmp_path: Path) -> None:
    path = tmp_path / "zahlen.csv"
    source = counts_file.CountsFileSource(path, catalogue=load_catalogue())
    path.write_text("Zeit,Zahl,Dienst\n2026-03-01T00:00:00Z,4,claude\n")
    with pytest.raises(SourceError) as caught:
        source.fetch(NOW, NOW, {})
    assert "needs the columns timestamp_utc, value and has no timestamp_utc and no value" in str(caught.value)
    assert "rename the columns, or read the file by `groundswell import counts`" in str(caught.value)
    path.write_text("time,total\n2026-03-01T00:00:00Z,4\n")
    with pytest.raises(SourceError) as without_service:
        source.fetch(NOW, NOW, {})
    path.write_text("service,time,total,interval_s\ncloude,2026-03-01T00:00:00Z,4,900\n")
    (refused,) = source.fetch(NOW, NOW, {}).rejected
    assert "a [services.<id>] table takes it" in refused.reason
    for message in (str(caught.value), str(without_service.value), refused.reason):
        assert "--" not in message


@pytest.mark.parametrize("written", ["2026-03-01T00:00:00", "11/20/2025 12:00 AM"])
def test_a_time_that_needs_an_option_is_refused_by_a_run_with_the_command_that_has_it(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(f"service,time,total,interval_s\nclaude,{written},4,900\n")
    (refused,) = counts_file.CountsFileSource(path).fetch(NOW, NOW, {}).rejected
    assert refused.reason.endswith("; a run has no options, `groundswell import counts` has")
