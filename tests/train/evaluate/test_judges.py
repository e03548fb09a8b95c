"""The note and chord judges: notes from activations, a synthesised chord, and chord labels."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import pytest

from train.evaluate.judges.chord_judge import HeardChord, chord_agreement, root_and_third
from train.evaluate.judges.note_creation import create_notes
from train.evaluate.judges.note_judge import transcribe

needs_basic_pitch = pytest.mark.skipif(
    find_spec("basic_pitch") is None or find_spec("onnxruntime") is None, reason="no basic-pitch"
)


def test_notes_are_created_from_onsets_and_from_what_is_left() -> None:
    notes = np.zeros((100, 88), np.float32)
    onsets = np.zeros((100, 88), np.float32)
    notes[10:40, 39] = 0.8  # middle C, struck twice
    onsets[10, 39] = onsets[25, 39] = 0.9
    notes[50:65, 43] = np.linspace(0.0, 0.62, 15)  # E swells in without an onset, above 0.3 from frame 57
    notes[65:80, 43] = 0.6
    notes[60:68, 60] = 0.9  # too short
    found = create_notes(notes, onsets)
    assert [note[:3] for note in found] == [(10, 25, 60), (25, 40, 60), (57, 79, 64)]
    assert [note[3] for note in found] == pytest.approx([0.8, 0.8, float(notes[57:79, 43].mean())])
    assert create_notes(np.zeros((50, 88), np.float32), onsets[:50]) == []


@needs_basic_pitch
def test_a_c_major_triad_is_heard_as_c_e_g() -> None:
    rate_hz = 44_100
    time_s = np.arange(4 * rate_hz) / rate_hz
    struck = np.where(time_s < 1.0, 0.0, np.exp(-1.2 * (time_s - 1.0)))
    audio = np.zeros_like(time_s)
    for pitch in (60, 64, 67):
        f0_hz = 440.0 * 2 ** ((pitch - 69) / 12)
        audio += sum(np.sin(2 * np.pi * k * f0_hz * time_s) / k**2 for k in range(1, 7))
    heard = transcribe((0.1 * struck * audio).astype(np.float32), rate_hz)
    assert {note.pitch % 12 for note in heard} == {0, 4, 7}  # the shared overtone G5 may be heard too
    struck_notes = {note.pitch: note for note in heard if abs(note.start_s - 1.0) < 0.05}
    assert {60, 64, 67} <= set(struck_notes)
    for pitch in (60, 64, 67):
        assert struck_notes[pitch].end_s > 2.0
        assert 0.3 < struck_notes[pitch].confidence <= 1.0


@needs_basic_pitch
def test_times_do_not_drift_over_windows() -> None:
    """A note every second for half a minute (19 windows), each within two frames of its time."""
    rate_hz = 22_050
    time_s = np.arange(30 * rate_hz) / rate_hz
    since = time_s % 1.0
    tone = sum(np.sin(2 * np.pi * k * 440.0 * time_s) / k**2 for k in range(1, 5))
    audio = (0.2 * tone * np.exp(-6 * since) * np.minimum(1.0, since / 0.005)).astype(np.float32)
    starts = [note.start_s for note in transcribe(audio, rate_hz) if note.pitch == 69]
    for second in range(1, 29):
        assert min(abs(start - second) for start in starts) < 0.025


@needs_basic_pitch
def test_nothing_is_heard_in_silence() -> None:
    assert transcribe(np.zeros((44_100, 2), np.float32), 44_100) == ()


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("C:maj", (0, "major")),
        ("Bb:7/3", (10, "major")),
        ("F#:min7/b3", (6, "minor")),
        ("Cb:hdim7", (11, "minor")),
        ("G:sus4(b7)", (7, "open")),
        ("E", (4, "major")),
        ("N", None),
    ],
)
def test_chord_labels_reduce_to_root_and_third(label: str, expected: tuple[int, str] | None) -> None:
    assert root_and_third(label) == expected


def test_chord_agreement_counts_where_the_truth_has_a_chord() -> None:
    true = [HeardChord(0.0, 1.0, "C:maj"), HeardChord(1.0, 1.5, "N"), HeardChord(1.5, 2.0, "A:min7")]
    ours = [HeardChord(0.0, 0.6, "C:7/3"), HeardChord(0.6, 1.7, "A:min"), HeardChord(1.7, 2.0, "A:maj")]
    assert chord_agreement(ours, true, 2.0) == pytest.approx((6 + 2) / 15)
    assert math.isnan(chord_agreement(ours, [HeardChord(0.0, 2.0, "N")], 2.0))
