"""A state kept in parts: a bin reads and writes the few it needs, and judges as one that is whole in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from detectors.contract import BinnedCounts, IncompatibleStateError
from detectors.packing import FIRST_PART, HEAD_PART, NAMES_PART, StateParts, read_head
from detectors.seasonal import needs
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.kernel import NO_RISE
from detectors.seasonal.layout import CHANNELS, RAISED, RINGS, SHIFT, KernelParams, row_length
from detectors.seasonal.parameters import VERSION
from detectors.seasonal.state import SeasonalState
from detectors.seasonal.table import FigureTable, StoredFigures
from pipeline.core.times import utc
from pipeline.detection.states import IN_PARTS, open_state

BEGIN = int(utc("2026-02-09T00:00:00Z").timestamp())  # four weeks before clocks change in America, seven in Europe
DAY_BINS = 48


class Kept:
    """Parts as a database keeps them, and the numbers of those that were read."""

    def __init__(self, parts: StateParts) -> None:
        self.content, self.taken = dict(parts.content), set[int]()

    def read(self, parts: Sequence[int]) -> dict[int, bytes]:
        self.taken.update(parts)
        return {part: self.content[part] for part in parts if part in self.content}


def opened_on_poison(kept: Kept, bin_s: int, *, talk: bool) -> SeasonalState:
    """Open a state whose figures are NaN until they are read: a figure that was forgotten spoils the verdicts."""
    header, sums = read_head(kept.read, detector=repr(SeasonalNB()), version=VERSION)
    bounds = needs.part_bounds(KernelParams.of(SeasonalNB(), bin_s, talk=talk), len(header.series))
    held = FigureTable(bounds, len(header.series), StoredFigures(kept.read, sums))
    held.figures[:] = np.nan
    state = SeasonalState(SeasonalNB(), bin_s, header.series, talk=talk, table=held)
    state.last = header.last
    return state


def world(days: int) -> npt.NDArray[np.float64]:
    """Half-hours of series with sharp days: as usual, an hour earlier from March on, higher for good, for days, new."""
    rng = np.random.default_rng(3)
    bins = np.arange(days * DAY_BINS)
    mean = np.where((bins % DAY_BINS >= 16) & (bins % DAY_BINS < 40), 40.0, 4.0)
    late = bins >= 27 * DAY_BINS
    earlier = np.where(late, np.roll(mean, -2), mean)
    higher = mean * np.where(bins >= 30 * DAY_BINS, 4.0, 1.0)
    outage = mean * np.where((bins >= 30 * DAY_BINS) & (bins < 34 * DAY_BINS), 6.0, 1.0)
    unused = np.where(bins >= 33 * DAY_BINS, 12.0, 0.0)
    counts = rng.poisson(np.stack([mean, earlier, higher, outage, unused], axis=1)).astype(float)
    counts[rng.random(counts.shape) < 0.01] = np.nan
    return counts


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make each figure a part, but for those that change together."""
    monkeypatch.setattr(needs, "PART_FLOATS", 1)
    needs.part_bounds.cache_clear()
    yield
    needs.part_bounds.cache_clear()


@pytest.mark.usefixtures("small_parts")
def test_a_state_in_parts_begins_to_judge_as_one_in_memory() -> None:
    counts = np.random.default_rng(5).poisson([3.0, 40.0, 0.1, 9.0], (50, 4)).astype(float)
    counts[:20, 2] = np.nan
    whole = SeasonalNB().begin(300, list("abc"), talk=False)
    kept, taken = Kept(whole.parts(changed_only=False)), []
    for at, line in enumerate(counts):
        kept.taken.clear()
        state = opened_on_poison(kept, 300, talk=False)
        if at == 25:
            state, whole = (each.with_series("abcd") for each in (state, whole))
        bins = BinnedCounts(np.array([BEGIN + 300 * at]), line[None, : len(whole.series)])
        np.testing.assert_array_equal(state.extend_arrays(bins).scores, whole.extend_arrays(bins).scores)
        kept.content |= state.parts(changed_only=True).content
        taken.append(len(kept.taken))
        assert kept.content == whole.parts(changed_only=False).content
    wholly = [at for at, parts in enumerate(taken) if parts == max(taken)]
    assert wholly == [0, 15, 25, 35, 40], "at first, where there is one series more, and where one is first judged"


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("talk", [False, True])
def test_a_state_in_parts_judges_bin_by_bin_as_one_in_memory(talk: bool) -> None:
    counts, first = world(41), 26 * DAY_BINS
    starts = BEGIN + 1800 * np.arange(len(counts))
    whole = SeasonalNB().begin(1800, [f"s{n}" for n in range(counts.shape[1])], talk=talk)

    def bins(begin: int, end: int) -> BinnedCounts:
        return BinnedCounts(starts[begin:end], counts[begin:end], counts[begin:end] + 20 if talk else None)

    whole.extend_arrays(bins(0, first))
    kept = Kept(whole.parts(changed_only=False))
    wholly, most = 0, 0
    for at in range(first, len(counts)):
        kept.taken.clear()
        state = opened_on_poison(kept, 1800, talk=talk)
        verdicts, expected = state.extend_arrays(bins(at, at + 1)), whole.extend_arrays(bins(at, at + 1))
        for name in ("expected", "score"):
            np.testing.assert_array_equal(verdicts.values(name), expected.values(name))
        read, parts = len(kept.taken), state.parts(changed_only=True)
        wholly += read == parts.number
        most = max(most, read if read < parts.number else 0)
        kept.content |= parts.content
    assert kept.content == whole.parts(changed_only=False).content
    params = KernelParams.of(SeasonalNB(), 1800, talk=talk)
    assert most < row_length(params) / 3
    assert 15 < wholly < 15 + 5 * 4, "once a day, and where a height was taken on or given up"
    rows = whole.rows
    assert rows[1, SHIFT] != 0.0, "clocks were found to have changed"


def state_of(series: int, bins: int = 60) -> SeasonalState:
    counts = np.random.default_rng(1).poisson(5.0, (bins, series)).astype(float)
    state = SeasonalNB().begin(300, [("claude", f"part {n}") for n in range(series)], talk=False)
    state.extend_arrays(BinnedCounts(BEGIN + 300 * np.arange(bins), counts))
    return state


def test_a_bin_of_many_series_reads_and_writes_few_parts() -> None:
    series = 4096
    kept = Kept(state_of(series, 13).parts(changed_only=False))
    state = SeasonalNB().open(kept.read)
    state.extend_arrays(BinnedCounts(np.array([BEGIN + 13 * 300]), np.full((1, series), 5.0)))
    changed = state.parts(changed_only=True)
    assert len(kept.taken) < changed.number / 6
    assert len(changed.content) < changed.number / 20
    assert NAMES_PART not in changed.content
    assert HEAD_PART in changed.content


def test_a_state_that_was_not_stored_or_has_more_series_is_stored_wholly() -> None:
    state = state_of(3)
    parts = state.parts(changed_only=True)
    assert sorted(parts.content) == list(range(parts.number))
    kept = Kept(parts)
    wider = SeasonalNB().open(kept.read).with_series([*state.series, ("claude", "new")])
    again = wider.parts(changed_only=True)
    assert sorted(again.content) == list(range(again.number))
    assert SeasonalNB().open(Kept(again).read).series == wider.series


def test_several_bins_and_bins_left_out_are_judged_as_in_memory() -> None:
    whole = state_of(3, 40)
    kept = Kept(whole.parts(changed_only=False))
    state = opened_on_poison(kept, 300, talk=False)
    for at in (45, 46, 60):  # four left out, then the next, then thirteen left out
        bins = BinnedCounts(np.array([BEGIN + at * 300]), np.array([[4.0, np.nan, 9.0]]))
        np.testing.assert_array_equal(
            state.extend_arrays(bins).values("expected"), whole.extend_arrays(bins).values("expected")
        )
    assert state.to_bytes() == whole.to_bytes()


def test_a_figure_that_is_cut_down_to_its_first_word_is_damaged() -> None:
    state = state_of(4096)
    state.rows[:, CHANNELS + RINGS] = [7.0, *np.zeros(4095)]  # as if it were the same in all series
    kept = Kept(state.parts(changed_only=False))
    part = FIRST_PART + int(needs.part_bounds(state.params, 4096).searchsorted(CHANNELS + RINGS))
    kept.content[part] = kept.content[part][:8]
    with pytest.raises(IncompatibleStateError, match="damaged"):
        SeasonalNB().open(kept.read).unknown()


@pytest.mark.parametrize("part", [NAMES_PART, HEAD_PART, FIRST_PART])
@pytest.mark.parametrize("damage", ["absent", "cut short", "a byte more", "one bit"])
def test_damage_of_a_part_is_noticed_when_it_is_read(part: int, damage: str) -> None:
    kept = Kept(state_of(3).parts(changed_only=False))
    blob = kept.content.pop(part)
    if damage == "cut short":
        kept.content[part] = blob[:-8]
    elif damage == "a byte more":
        kept.content[part] = blob + b"\0"
    elif damage == "one bit":
        kept.content[part] = blob[:40] + bytes([blob[40] ^ 1]) + blob[41:]
    with pytest.raises(IncompatibleStateError):
        SeasonalNB().open(kept.read).unknown()


def test_a_figure_that_is_the_same_in_all_series_is_stored_once() -> None:
    state = state_of(4096)
    kept = Kept(state.parts(changed_only=False))
    stored = sum(map(len, kept.content.values()))
    assert stored < len(state.to_bytes()) / 3
    assert SeasonalNB().open(kept.read).to_bytes() == state.to_bytes()


def test_zeros_of_either_sign_and_values_that_are_no_number_are_stored_to_the_bit() -> None:
    state = state_of(2)
    state.rows[0, :3] = 0.0, np.nan, np.nan
    state.rows[1, :3] = -0.0, np.nan, -np.nan
    kept = Kept(state.parts(changed_only=False))
    assert SeasonalNB().open(kept.read).to_bytes() == state.to_bytes()


@pytest.mark.parametrize("word", [2, 1 << 63])
def test_a_part_that_does_not_say_which_figures_it_has_is_damaged(word: int) -> None:
    kept = Kept(state_of(400).parts(changed_only=False))
    words = np.frombuffer(kept.content[FIRST_PART], np.uint64).copy()
    words[0] = word
    kept.content[FIRST_PART] = words.tobytes()
    with pytest.raises(IncompatibleStateError, match="cut short"):
        SeasonalNB().open(kept.read).unknown()


def test_parts_of_a_form_that_is_no_longer_read_are_learned_again() -> None:
    content = state_of(3).parts(changed_only=False).content
    assert open_state(SeasonalNB(), IN_PARTS, lambda *_: content, list) is not None
    assert open_state(SeasonalNB(), IN_PARTS - 1, lambda *_: content, list) is None


def test_a_state_in_parts_of_another_detector_or_of_other_series_is_refused() -> None:
    kept = Kept(state_of(3).parts(changed_only=False))
    with pytest.raises(IncompatibleStateError):
        SeasonalNB(alarm=99.0).open(kept.read)
    kept.content[NAMES_PART] = state_of(500).parts(changed_only=False).content[NAMES_PART]
    with pytest.raises(IncompatibleStateError):
        SeasonalNB().open(kept.read).unknown()


def test_damage_that_is_found_while_judging_leaves_the_state_as_it_was() -> None:
    kept = Kept(state_of(3).parts(changed_only=False))
    kept.content[FIRST_PART] = b""
    state = SeasonalNB().open(kept.read)
    before = state.last
    with pytest.raises(IncompatibleStateError):
        state.extend_arrays(BinnedCounts(np.array([BEGIN + 60 * 300]), np.full((1, 3), 5.0)))
    assert state.last == before


@pytest.mark.parametrize(("mean", "part"), [(0.4, 1.0), (5.0, 1.0), (300.0, 1.7)])
def test_windows_that_are_not_looked_at_would_not_have_passed(mean: float, part: float) -> None:
    """A score is the same where the bound on the last hour's excess is forgotten before each bin."""
    rng = np.random.default_rng(4)
    heights = np.repeat(rng.choice([1.0, 1.0, 1.6, 2.0, 4.0, 0.2], (200, 4)), 6, axis=0)
    counts = rng.poisson(mean * heights) * part
    counts[rng.random(counts.shape) < 0.02] = np.nan
    bounded, looking = (SeasonalNB().begin(300, list("abcd"), talk=False) for _ in range(2))
    skipped = scored = 0
    for at, row in enumerate(counts):
        bins = BinnedCounts(np.array([BEGIN + 300 * at]), row[None])
        score = bounded.extend_arrays(bins).scores
        looking.rows[:, RAISED] = 0.0
        np.testing.assert_array_equal(score, looking.extend_arrays(bins).scores)
        skipped += int((bounded.rows[:, RAISED] == NO_RISE).sum())
        scored += int((score > 0.0).sum())
    assert scored > 200
    assert skipped > 200
