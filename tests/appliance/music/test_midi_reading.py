"""MIDI files that are read back: the same notes, and the same bytes when they are written again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import InputError
from appliance.music.beat_grid import one_at_a_time
from appliance.music.midi import TempoMap, write_midi
from appliance.music.midi_reading import read_take_midi
from appliance.music.score import BeatGrid, Note, Score

DURATION_S = 60.0


@dataclass(frozen=True)
class Sound:
    name: str
    bank: int
    program: int


SOUNDS = {"keys": Sound("Organ", 0, 19), "bass": Sound("Organ", 0, 19), "drums": Sound("Kit", 128, 0)}


def rubato(seed: int) -> BeatGrid:
    rng = np.random.default_rng(seed)
    beats_s = rng.uniform(0, 2) + np.cumsum(rng.uniform(0.3, 1.1, 80))
    return BeatGrid(tuple(map(float, beats_s)), tuple(range(int(rng.integers(0, 4)), 80, 4)), 0.9)


def score(seed: int) -> Score:
    """Notes that begin at least 5 ms apart: within one tick, MIDI has one note of a pitch."""
    rng = np.random.default_rng([seed, 1])
    notes = []
    for group in SOUNDS:
        starts_s = np.sort(rng.uniform(0.0, DURATION_S - 0.2, 150))
        for start_s in starts_s[np.diff(starts_s, prepend=-1.0) > 0.005].tolist():
            pitch = 36 if group == "drums" else int(rng.integers(40, 60))
            notes.append(Note(start_s, start_s + float(rng.uniform(0.05, 3)), pitch, 77, group))
    return Score.of(one_at_a_time(notes, DURATION_S), DURATION_S)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("cents", [0.0, -37.2])
def test_a_file_is_written_again_with_the_same_bytes(tmp_path: Path, seed: int, cents: float) -> None:
    written = score(seed)
    grid = BeatGrid() if seed == 0 else rubato(seed)
    write_midi(tmp_path / "a.mid", written, grid, SOUNDS, cents)
    song = read_take_midi(tmp_path / "a.mid", written.groups(), DURATION_S)
    write_midi(tmp_path / "b.mid", song.score, song.tempo_map, SOUNDS, cents)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert song.tempo_map == TempoMap.of(grid) or song.score.duration_s < grid.beats_s[-1]
    both = (sorted(s.notes, key=lambda n: (n.group, n.pitch, n.start_s)) for s in (written, song.score))
    for before, after in zip(*both, strict=True):
        assert (before.pitch, before.velocity, before.group) == (after.pitch, after.velocity, after.group)
        assert after.start_s == pytest.approx(before.start_s, abs=0.001)


def test_ticks_and_seconds_are_inverse() -> None:
    tempo_map = TempoMap.of(rubato(3))
    ticks = list(range(0, 80_000, 37))
    assert tempo_map.ticks(tempo_map.seconds(ticks)) == ticks


def test_another_file_is_refused(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", score(1), rubato(1), SOUNDS)
    with pytest.raises(InputError, match="is not the MIDI file of this take"):
        read_take_midi(tmp_path / "a.mid", ("keys", "bass"), DURATION_S)
    (tmp_path / "b.mid").write_bytes(b"MThd no such file")
    with pytest.raises(InputError, match=r"b\.mid cannot be read as a MIDI file"):
        read_take_midi(tmp_path / "b.mid", ("keys",), DURATION_S)
