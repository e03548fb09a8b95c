"""``--like`` takes the manner of a reference and never its notes, be it MIDI or a recording.

All that a take can know of a reference is its :class:`Manner`. So two references of one manner and different
notes make the same take; and the take shares no run of eight notes with either that the take without a
reference does not share.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.plain_song import BARS, GRID, reading, score
from support.references import midi

from appliance.composing.band_beats import plan_of
from appliance.composing.dials import turn_dials
from appliance.composing.manner import GROOVE_BARS, Manner
from appliance.composing.manner_reading import manner_of
from appliance.composing.reference import read_midi_reference
from appliance.composing.take_plans import planned
from appliance.composing.wishes import Wishes
from appliance.music.bar_lines import BarLines
from appliance.music.rhythm_plan import rhythm_of, rhythm_rows
from appliance.music.score import Note, Score
from appliance.networks.condition_rows import CONDITION_ROWS
from appliance.packs.dial_table import usual_table
from appliance.packs.pack import load_pack
from appliance.packs.rhythm_bank import RhythmBank

NEW: Any = SimpleNamespace(condition_rows=CONDITION_ROWS)
PACK: Any = SimpleNamespace(rhythms=RhythmBank, dials=usual_table, has_dials=False)


def runs(pitches: Sequence[int], length: int = 8) -> set[tuple[int, ...]]:
    """Intervals of all runs of ``length`` notes."""
    steps = np.diff(pitches).tolist()
    return {tuple(steps[k : k + length - 1]) for k in range(len(steps) - length + 2)}


def melodies(count: int = 2) -> list[list[int]]:
    """Sixty-four notes of the middle register, C4 to F#4, in different orders."""
    rng = np.random.default_rng(0)
    return [[60 + int(k) % 7 for k in rng.permutation(64)] for _ in range(count)]


def manners(tmp_path: Path, source: str) -> list[Manner]:
    """The manner of each melody, from a MIDI file, or from the notes that were heard in a recording."""
    found = []
    for number, melody in enumerate(melodies()):
        if source == "MIDI":
            notes = [(0.5 * k, 0.4, pitch) for k, pitch in enumerate(melody)]
            found.append(read_midi_reference(midi(tmp_path / f"{number}.mid", [("Piano", 0, notes)])))
        else:
            heard = [Note(0.25 * k, 0.25 * k + 0.2, p, 80, "keys") for k, p in enumerate(melody)]
            found.append(manner_of(heard, np.zeros((0, 3)), GRID, 16.0, "heard.wav"))
    return found


@pytest.mark.parametrize("source", ["MIDI", "recording"])
def test_references_of_one_manner_make_one_take(fake_pack: Path, tmp_path: Path, source: str) -> None:
    one, other = (
        # Which chords a chance melody suggests depends on its order: the only thing in which they differ.
        manner.model_copy(update={"like": {d: x for d, x in manner.like.items() if d != "colour"}})
        for manner in manners(tmp_path, source)
    )
    assert one == other and one.like and one.like_groove is not None
    pack = load_pack(fake_pack)
    like = Wishes(**dict(one), like_name="ref")
    plain, made = (turn_dials(pack, reading(), score(), wishes, 0)[0] for wishes in (Wishes(), like))
    assert made != plain
    tops = [[n.pitch for n in sorted(take.notes) if n.group == "keys"] for take in (plain, made)]
    for melody in melodies():
        assert len(runs(melody) & runs(tops[1])) <= len(runs(melody) & runs(tops[0]))


@pytest.mark.parametrize("source", ["MIDI", "recording"])
def test_the_rhythm_plan_of_a_take_has_no_pitch_of_the_reference(tmp_path: Path, source: str) -> None:
    """The networks see the groove as rows; all melodies of one rhythm give the same ones."""
    lines = BarLines.of(GRID, reading().duration_s)
    rows = []
    for manner in manners(tmp_path, source):
        take = planned(NEW, PACK, reading(), Wishes(**dict(manner), like_name="ref"), 0)
        rows.append(rhythm_rows(take.rhythm, lines, 344))
    assert rows[0].any() and np.array_equal(*rows)


def test_no_more_of_the_rhythm_than_a_phrase_is_taken() -> None:
    """A song of sixty-four different bars: the take repeats eight of them, whatever its own length."""
    rng = np.random.default_rng(1)
    notes = [
        Note(2.0 * bar + 0.125 * place, 2.0 * bar + 0.125 * place + 0.1, 60, 80, "keys")
        for bar in range(64)
        for place in np.sort(rng.permutation(16)[:6]).tolist()
    ]
    duration_s = 128.0
    beats_s = tuple(0.5 * k for k in range(257))
    grid = type(GRID)(beats_s, tuple(range(0, 257, 4)), 1.0, 4)
    manner = manner_of(notes, np.zeros((0, 3)), grid, duration_s, "ref")
    assert manner.like_groove is not None and manner.like_groove.bars == GROOVE_BARS
    song = reading()
    wide = planned(NEW, PACK, song, Wishes(**dict(manner), like_name="ref"), 0)
    written = rhythm_of(Score.of(notes, duration_s), BarLines.of(grid, duration_s))
    common = {bar for bar in wide.rhythm if bar in written}
    assert len(set(written)) > 60 and len(wide.rhythm) >= BARS
    assert len(common) <= GROOVE_BARS


def test_the_manner_of_a_recording_is_that_of_its_notes() -> None:
    """What is read of a recording has no other field than what is read of a MIDI file, and none for notes."""
    assert set(Manner.model_fields) == {
        "like",
        "like_strokes_s",
        "like_groove",
        "like_groups",
        "like_remarks",
    }
    notes = [Note(0.5 * k, 0.5 * k + 0.4, 60, 80, "keys") for k in range(32)]
    assert plan_of(notes, 16.0).shape == (24, 87)
