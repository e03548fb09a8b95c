"""The phrases of the rhythm bank: typical of their songs, and different from each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import PackError
from appliance.music.keys import Key
from appliance.music.note_rows import note_rows
from appliance.music.score import BeatGrid, Note, Score
from appliance.packs.rhythm_bank import bank_text, read_bank
from train.data.rhythm_phrases import BARS, most_different, phrases
from train.data.song_cache import CachedSong

WALTZ = ((0.0, 40), (1.0, 60), (2.0, 60))
JIG = ((0.0, 40), (1 / 3, 60), (2 / 3, 60), (1.0, 60), (4 / 3, 60), (5 / 3, 60))


def song(bars: list[tuple[tuple[float, int], ...]], meter: int, name: str = "song") -> CachedSong:
    """A song at 120 beats a minute whose bars have these notes, (beat, pitch)."""
    beats = meter * len(bars)
    grid = BeatGrid(tuple(0.5 * k for k in range(beats)), tuple(range(0, beats, meter)), 1.0, meter)
    at = [(meter * bar + beat, pitch) for bar, notes in enumerate(bars) for beat, pitch in notes]
    notes = [Note(0.5 * beat, 0.5 * beat + 0.1, pitch, 80, "keys") for beat, pitch in at]
    rows = note_rows(Score.of(notes, 0.5 * beats), np.float32)
    none, no_plan = np.zeros((0, 4), np.float32), np.zeros((24, 1), np.float32)
    return CachedSong(name, "train", 0.5 * beats, Key(0, "major"), grid, none, no_plan, {"piano": rows})


def varied(count: int) -> list[CachedSong]:
    """Songs of a waltz with ever more notes on the second beat's parts."""
    more = [tuple((1.0 + k / 4, 60) for k in range(1, 1 + n % 4)) for n in range(count)]
    lows = [tuple((2.5, 40 + k) for k in range(n // 4)) for n in range(count)]
    return [song([WALTZ + a + b] * 20, 3, f"s{n}") for n, (a, b) in enumerate(zip(more, lows, strict=True))]


def test_a_phrase_is_the_songs_own_and_can_be_read_back() -> None:
    found = phrases(varied(12), ["piano"], kept=1)
    assert [(p.style, p.meter, p.compound, p.bpm, p.bars) for p in found] == [
        ("piano", 3, False, 120.0, BARS)
    ]
    text = "[" + ",".join(p.model_dump_json() for p in found) + "]"
    (phrase,) = read_bank(Path("rhythms.json"), text.encode()).all()
    assert phrase.bars[0].places[0][0] == 0
    assert set(phrase.bars[0].places[1]) >= {12, 24}


def test_the_most_typical_bars_are_taken() -> None:
    odd = ((0.0, 60),)
    songs = [song([odd] * 3 + [WALTZ] * 12 + [odd] * 5, 3, f"s{n}") for n in range(9)]
    (found,) = phrases(songs, ["piano"])
    assert found.rhythm == "1-8  low: 1  mid: 2 3\n"


def test_thirds_are_compound_time() -> None:
    songs = [song([JIG] * 20, 2, f"s{n}") for n in range(9)]
    (found,) = phrases(songs, ["piano"])
    assert found.compound and found.meter == 2


def test_few_songs_or_empty_bars_give_none() -> None:
    assert phrases(varied(7), ["piano"]) == []
    assert phrases([song([WALTZ, ()] * 10, 3, f"s{n}") for n in range(9)], ["piano"]) == []


def test_the_kept_ones_lie_far_apart() -> None:
    rng = np.random.default_rng(0)
    clusters = np.concatenate([centre + 0.01 * rng.standard_normal((30, 2)) for centre in np.eye(2) * 5])
    far = np.concatenate([clusters, [[-5.0, -5.0]]])
    chosen = most_different(far, 3)
    assert 60 in chosen and len({index // 30 for index in chosen}) == 3
    assert most_different(np.ones((5, 2)), 3) == [0]


@pytest.mark.parametrize("kept", [3, 5])
def test_no_more_than_asked(kept: int) -> None:
    assert len(phrases(varied(16), ["piano"], kept)) == kept


@pytest.mark.parametrize("longer", [2, 3, 4])
def test_a_song_that_changes_its_meter_gives_what_can_be_read_back(longer: int) -> None:
    """Four bars in ``longer`` beats among bars of three; only the stretch in three alone gives a phrase."""
    sung = song([WALTZ] * 30, 3)
    starts = [0, 3, 6, 9, *(12 + longer * k for k in range(4))]
    grid = replace(sung.grid, downbeats=(*starts, *range(12 + 4 * longer, 90, 3)))
    songs = [replace(sung, id=f"s{n}", grid=grid) for n in range(9)]
    (found,) = phrases(songs, ["piano"])
    (phrase,) = read_bank(Path("rhythms.json"), bank_text([found]).encode()).all()
    assert len(phrase.bars) == BARS


def test_a_phrase_that_cannot_be_read_back_is_not_written() -> None:
    (found,) = phrases([song([WALTZ] * 20, 3, f"s{n}") for n in range(9)], ["piano"])
    with pytest.raises(PackError, match="'3' is in no beat of a bar of 2"):
        bank_text([found.model_copy(update={"meter": 2})])
