"""Drummers: the mined file, and how arrangements use it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from statistics import fmean, pstdev

import pytest
from support.tiny_song import tiny_song

from appliance.music.score import DRUM_GROUP, DRUM_KEYS, Score
from train.arrange import arrange
from train.arrange.drum_mining import FILL_DRUMS, SWINGING, TAKES, as_text, mined, read_takes
from train.arrange.drummer import DRUMMERS_FILE, Drummer, attribution, swing_of
from train.corpus.ledger import read_ledger

BAR_S = 2.4
CHORDS = [[48, 64, 67, 72], [45, 64, 69, 72], [50, 65, 69, 74], [43, 65, 71, 74]] * 6
DRUMMED = ("pop", "jazz", "bossa", "ballad", "gospel", "reggae", "funk", "country", "latin")


def sung_song(meter: int = 4) -> object:
    """A line sung in every bar but the first four, with a breath of two beats every four bars."""
    bar_s, beats = 0.6 * meter, []
    for bar in range(4, 24):
        for beat in range(meter - (2 if bar % 4 == 3 else 0)):
            beats.append((bar_s * bar + 0.6 * beat, bar_s * bar + 0.6 * beat + 0.55, 67 + bar // 8))
    return tiny_song(CHORDS, beats_a_chord=meter, meter=(meter, 4), sung=beats)


def bars_of(score: Score, bar_s: float, steps: int) -> list[frozenset[tuple[int, int]]]:
    """Strokes of each bar as (step, drum), without crashes."""
    found: list[set[tuple[int, int]]] = [set() for _ in range(round(score.duration_s / bar_s))]
    for note in score.only(DRUM_GROUP).notes:
        place = round(note.start_s / bar_s * steps)
        if note.pitch != 49 and place < steps * len(found):
            found[place // steps].add((place % steps, note.pitch))
    return [frozenset(bar) for bar in found]


def test_the_file_is_small_and_names_its_source() -> None:
    contents = json.loads(DRUMMERS_FILE.read_text())
    assert DRUMMERS_FILE.stat().st_size < 64_000
    assert contents["licence"] == "CC-BY-4.0"
    assert "Groove MIDI Dataset" in attribution() and "CC BY 4.0" in attribution()
    ledger = {row.id: row for row in read_ledger(Path(__file__).parents[3] / "train" / "corpus")}
    for take, sha256 in contents["takes"].items():
        row = ledger[take]
        assert (row.sha256, row.split, row.licence) == (sha256, "train", "CC-BY-4.0")
    named = {g["take"] for kind in ("grooves", "fills") for gs in contents[kind].values() for g in gs}
    assert named | {f"gm_{take}" for take in SWINGING} == set(contents["takes"])


@pytest.mark.slow
def test_the_file_is_what_the_corpus_gives(shared: Path) -> None:
    corpus = shared / "corpus2"
    if not corpus.is_dir():
        pytest.skip("the shared folder has no corpus2")
    assert as_text(mined(list(read_takes(corpus)))) == DRUMMERS_FILE.read_text()


@pytest.mark.parametrize("style", TAKES)
def test_a_drummer_plays_one_groove_with_a_human_touch(style: str) -> None:
    drummer = Drummer(style, Random(3))
    bars = [drummer.bar() for _ in range(12)]
    assert len({tuple((s.step, s.drum) for s in bar) for bar in bars}) == 1
    strokes = [stroke for bar in bars for stroke in bar]
    assert {s.drum for s in strokes} <= set(DRUM_KEYS)
    assert all(0 <= s.step < 4 and 1 <= s.velocity <= 127 for s in strokes)
    late = [s.beat - s.step for s in strokes]
    assert 0.005 < pstdev(late) < 0.1 and max(map(abs, late)) < 0.2
    assert pstdev(s.velocity for s in strokes) > 5


def test_fills_are_played_on_snare_and_toms() -> None:
    for style in DRUMMED:
        drummer = Drummer(style, Random(1))
        for _ in range(10):
            fill = drummer.fill()
            assert sum(s.drum in FILL_DRUMS for s in fill) >= 4
            assert all(-0.2 < s.beat < 2.2 for s in fill)


def test_jazz_swings_as_the_drummers_did_and_not_beyond_the_recordings() -> None:
    known = json.loads(DRUMMERS_FILE.read_text())["swing"]
    for bpm, ratio in known:
        assert swing_of(60.0 / bpm) == pytest.approx(ratio)
    assert swing_of(2.0) == known[0][1] and swing_of(0.1) == known[-1][1]
    (slow, loose), (fast, even) = known
    assert slow < 100 and fast > 250 and 0.55 < even < loose < 0.72
    assert even < swing_of(60 / 180) < loose


@pytest.mark.parametrize("style", DRUMMED)
@pytest.mark.parametrize("meter", [4, 3])
def test_a_period_has_one_pattern_and_a_fill_at_its_end(style: str, meter: int) -> None:
    steps = meter * (3 if style == "jazz" else 4)
    same = ends = filled = 0
    for seed in range(3):
        score = arrange(sung_song(meter), style, seed)  # type: ignore[arg-type]
        bars = bars_of(score, 0.6 * meter, steps)
        for first in range(8, 20, 4):  # sung periods of four bars, all but the last
            pattern, times = Counter(bars[first : first + 4]).most_common(1)[0]
            if not any(bars[first : first + 4]):
                continue  # the drums rest in a quiet period
            same += times
            new = [
                s
                for s in bars[first + 3] - pattern
                if s[1] in FILL_DRUMS and s[0] >= steps * (meter - 2) / meter
            ]
            ends, filled = ends + 1, filled + (len(new) >= 2)
    assert ends >= 6
    assert same >= 0.7 * 4 * ends
    assert filled >= 0.6 * ends


def test_humans_are_not_on_the_grid_and_machines_are() -> None:
    def late(style: str) -> list[float]:
        places = [n.start_s / 0.15 for n in arrange(sung_song(), style, 2).only(DRUM_GROUP).notes]  # type: ignore[arg-type]
        return [place - round(place) for place in places]

    assert pstdev(late("pop")) > 0.03 and pstdev(late("funk")) > 0.03
    assert max(map(abs, late("synth"))) < 1e-6
    assert fmean(map(abs, late("pop"))) < 0.25
