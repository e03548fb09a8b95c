"""Made-up songs as originals: random chords at random sixteenths, so that no two share a passage."""

from __future__ import annotations

import numpy as np

from appliance.music.score import BeatGrid, Note, Score
from appliance.packs.originals import Originals
from train.data.copy_limits import NO_LIMITS
from train.data.originals import WrittenSong, originals_of
from train.data.planted_copies import Notes

METER = 4


def made_up_notes(random: np.random.Generator, bars: int = 24) -> Notes:
    """A song of ``bars`` bars of four beats: six onsets a bar, each of one to four notes."""
    beats, pitches = [], []
    for bar in range(bars):
        for sixteenth in np.sort(random.choice(16, 6, replace=False)):
            for pitch in random.choice(np.arange(40, 80), random.integers(1, 5), replace=False):
                beats.append(METER * bar + sixteenth / 4)
                pitches.append(pitch)
    return Notes(np.array(beats), np.array(pitches, np.int64), np.arange(bars) * float(METER), METER)


def made_up_songs(count: int, seed: int = 0) -> list[WrittenSong]:
    """``count`` such songs, always the same ones for a seed."""
    random = np.random.default_rng(seed)
    notes = [made_up_notes(random) for _ in range(count)]
    return [WrittenSong(f"song{k}", its.onsets(), its) for k, its in enumerate(notes)]


def made_up_originals(count: int, seed: int = 0) -> Originals:
    """The originals that they are, with the lowest limits that there are."""
    return originals_of(made_up_songs(count, seed), NO_LIMITS)


def score_of(notes: Notes, beat_s: float = 0.5, group: str = "keys") -> tuple[Score, BeatGrid]:
    """The notes as a score with beats of ``beat_s`` seconds, and its beat grid."""
    last = int(notes.beats.max()) + METER + 1
    grid = BeatGrid(tuple(beat_s * k for k in range(last + 1)), tuple(range(0, last, METER)), 1.0, METER)
    made = [
        Note(beat_s * beat, beat_s * (beat + 0.2), int(pitch), 80, group)
        for beat, pitch in zip(notes.beats.tolist(), notes.pitches.tolist(), strict=True)
    ]
    return Score.of(made, beat_s * last), grid
