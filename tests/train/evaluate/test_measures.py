"""The judges of the music: numbers worked out by hand, and a network asked about a chord we synthesised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from appliance.errors import InputError
from appliance.grid import FRAME_RATE_HZ
from appliance.music.score import Note, Score
from train.data.rhythm import rhythm
from train.evaluate.judges.chord_judge import HeardChord, chord_agreement, root_and_third
from train.evaluate.judges.note_creation import create_notes
from train.evaluate.judges.note_judge import transcribe
from train.evaluate.material.pieces import Sung, cut_piece
from train.evaluate.measures.gap import gap_closed, gap_difference, mean, shuffled_mean
from train.evaluate.measures.metrics import consonance, coverage, harmony, pitch_class_vectors
from train.evaluate.measures.roll_f1 import RollF1, roll_f1, roll_f1_by_group

needs_basic_pitch = pytest.mark.skipif(
    find_spec("basic_pitch") is None or find_spec("onnxruntime") is None, reason="no basic-pitch"
)


def sung(start_s: float, end_s: float, pitch: int) -> Sung:
    return Sung(start_s, end_s, pitch)


def keys(start_s: float, end_s: float, pitch: int, group: str = "keys") -> Note:
    return Note(start_s, end_s, pitch, 80, group)


# harmony


def test_pitch_class_vectors_hold_seconds_per_class() -> None:
    vectors = pitch_class_vectors([sung(0.25, 1.1, 60), sung(0.0, 0.5, 72), sung(0.9, 9.0, 67)], 1.2)
    expected = np.zeros((3, 12))
    expected[:, 0] = [0.25 + 0.5, 0.5, 0.1]
    expected[:, 7] = [0.0, 0.1, 0.2]
    np.testing.assert_allclose(vectors, expected, atol=1e-12)


def test_harmony_is_the_mean_cosine_of_windows_where_both_sound() -> None:
    written = [sung(0.0, 1.0, 60), sung(0.0, 1.0, 64), sung(1.5, 2.0, 60)]
    result = [sung(0.0, 0.5, 48), sung(0.5, 1.0, 60), sung(0.5, 1.0, 64), sung(1.0, 1.5, 61)]
    # C against C E: 1/sqrt 2; C E against C E: 1; then one side is silent.
    assert harmony(result, written, 2.0) == pytest.approx((1 / math.sqrt(2) + 1) / 2)
    assert coverage(result, written, 2.0) == pytest.approx(2 / 3)


def test_harmony_of_silence_is_nought_and_of_nothing_written_undefined() -> None:
    assert harmony([], [sung(0, 1, 60)], 1.0) == 0.0
    assert coverage([], [sung(0, 1, 60)], 1.0) == 0.0
    assert math.isnan(harmony([sung(0, 1, 60)], [], 1.0))
    assert math.isnan(coverage([sung(0, 1, 60)], [], 1.0))


# consonance


def test_consonance_counts_sung_time_within_a_tenth_of_a_second() -> None:
    voice = [sung(1.0, 2.0, 60), sung(2.0, 3.0, 62)]
    # An octave away, 0.3 s plus 0.1 s on both sides; D only until 2.1 s; E never sung.
    result = [sung(1.3, 1.6, 48), sung(1.5, 2.0, 74), sung(2.0, 3.0, 64)]
    assert consonance(voice, result) == pytest.approx((0.5 + 0.1) / 2.0)


def test_consonance_does_not_count_a_moment_twice() -> None:
    result = [sung(0.0, 0.9, 60), sung(0.2, 0.4, 72), sung(0.3, 0.9, 48)]
    assert consonance([sung(0.0, 1.0, 60)], result) == pytest.approx(1.0)


def test_consonance_of_silence_is_nought_and_of_nothing_sung_undefined() -> None:
    assert consonance([sung(0, 1, 60)], []) == 0.0
    assert math.isnan(consonance([], [sung(0, 1, 60)]))


# rhythm


def test_rhythm_uses_the_bar_each_onset_falls_into() -> None:
    bars = [0.0, 1.2, 3.6]  # steps of 0.1 s, then of 0.2 s
    on = [0.0, 0.124, 0.476, 1.2, 1.449, 3.59]
    off = [0.126, 0.45, 1.30, 1.451]
    outside = [-0.01, 3.6, 4.0]
    assert rhythm([*on, *off, *outside], bars) == pytest.approx(6 / 10)


def test_rhythm_of_random_onsets_is_chance() -> None:
    onsets = np.random.default_rng(1).uniform(0.0, 48.0, 40_000)
    assert rhythm(onsets.tolist(), np.arange(0.0, 49.0, 2.0).tolist()) == pytest.approx(0.5, abs=0.01)
    assert rhythm([], [0.0, 2.0]) == 0.5
    assert math.isnan(rhythm([0.5], []))


# the gap and its interval


def test_gap_closed_is_a_ratio_of_means() -> None:
    estimate = gap_closed([0.6, 0.8], [0.2, 0.4], [1.0, 0.8])
    assert estimate.value == pytest.approx(0.4 / 0.6)  # not the mean of 1/2 and 1
    assert (estimate.low, estimate.high) == pytest.approx((0.5, 1.0))
    assert estimate.n == 2


def test_gap_closed_leaves_undefined_songs_out() -> None:
    nan = float("nan")
    estimate = gap_closed([0.6, nan, 0.5], [0.2, 0.0, 0.3], [1.0, 1.0, nan])
    assert estimate.n == 1 and estimate.value == pytest.approx(0.5)
    assert math.isnan(gap_closed([0.5], [0.3], [0.3]).value)
    assert gap_closed([nan], [0.0], [1.0]).n == 0


def test_bootstrap_interval_agrees_with_the_normal_one() -> None:
    values = np.random.default_rng(5).normal(0.4, 0.1, 200)
    estimate = mean(values.tolist())
    half = 1.96 * values.std() / math.sqrt(200)
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.002)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.002)
    assert estimate == mean(values.tolist())


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        shuffled = rng.uniform(0.2, 0.4, 30)
        true = rng.uniform(0.8, 1.0, 30)
        ours = shuffled + 0.5 * (true - shuffled) + rng.normal(0.0, 0.1, 30)
        estimate = gap_closed(ours.tolist(), shuffled.tolist(), true.tolist(), resamples=500)
        hits += estimate.low <= 0.5 <= estimate.high
    assert 175 <= hits <= 199


def test_a_paired_difference_is_narrower_than_the_two_gaps() -> None:
    rng = np.random.default_rng(9)
    ours = rng.uniform(0.3, 0.9, 40)
    less = ours - 0.07
    shuffled, true = np.full(40, 0.2), np.full(40, 0.9)
    difference = gap_difference(less.tolist(), ours.tolist(), shuffled.tolist(), true.tolist())
    assert difference.value == pytest.approx(-0.1)
    assert difference.high - difference.low == pytest.approx(0.0, abs=1e-9)
    gap = gap_closed(ours.tolist(), shuffled.tolist(), true.tolist())
    assert gap.high - gap.low > 0.1


@pytest.mark.parametrize("songs", [2, 3, 6, 20])
def test_shuffled_pairs_each_song_with_several_others(songs: int) -> None:
    pairs: list[tuple[int, int]] = []

    def score(song: int, result: int) -> float:
        pairs.append((song, result))
        return float(result)

    anchors = shuffled_mean(list(range(songs)), score)
    partners = [[b for a, b in pairs if a == song] for song in range(songs)]
    for song, others in enumerate(partners):
        assert song not in others
        assert len(others) == len(set(others)) == min(5, songs - 1)
        assert anchors[song] == pytest.approx(np.mean(others))


def test_one_song_cannot_be_shuffled() -> None:
    assert math.isnan(shuffled_mean([0], lambda a, b: 1.0)[0])


# rolls


def test_roll_f1_of_a_score_with_itself_is_one() -> None:
    notes = [keys(0.1 * k, 0.1 * k + 0.3, 60 + k % 5, ("keys", "bass")[k % 2]) for k in range(40)]
    result = roll_f1(Score.of(notes, 5.0), Score.of(notes, 5.0))
    assert (result.onset.f1, result.onset_25ms.f1, result.sustain.f1) == (1.0, 1.0, 1.0)
    assert result.median_onset_error_ms == 0.0


def test_roll_f1_by_hand() -> None:
    frame_s = 1 / FRAME_RATE_HZ
    at = lambda frame: (frame + 0.2) * frame_s  # noqa: E731
    true = Score.of(
        [
            keys(at(10), at(14), 60),
            keys(at(20), at(24), 60),
            keys(at(30), at(34), 64),
            keys(at(40), at(44), 67, "bass"),
            Note(at(10), at(11), 36, 90, "drums"),
        ],
        3.0,
    )
    decoded = Score.of(
        [
            keys(at(10) + 0.010, at(14), 60),  # found, 10 ms late
            keys(at(21), at(25), 60),  # a frame late: found, but by 46 ms
            keys(at(32), at(34), 64),  # two frames late: not found
            keys(at(40), at(44), 67),  # the wrong group
            Note(at(10) + 0.020, at(11), 36, 90, "drums"),
        ],
        3.0,
    )
    result = roll_f1(true, decoded)
    assert result.onset.both == 3 and result.onset.f1 == pytest.approx(3 / 5)
    assert result.onset_25ms.both == 2
    assert result.median_onset_error_ms == pytest.approx(20.0)
    assert (result.sustain.true, result.sustain.decoded) == (16, 14)
    assert result.sustain.both == 4 + 3 + 2
    assert roll_f1_by_group(true, decoded)["bass"].onset.f1 == 0.0
    assert roll_f1_by_group(true, decoded)["drums"].onset.f1 == 1.0
    twice = RollF1.pooled([result, result])
    assert twice.onset.both == 6 and twice.onset.f1 == result.onset.f1


def test_roll_onsets_match_one_to_one() -> None:
    true = Score.of([keys(1.00, 1.02, 60), keys(1.03, 1.05, 60)], 2.0)
    once = roll_f1(true, Score.of([keys(1.015, 1.05, 60)], 2.0))
    assert once.onset_25ms.both == 1
    assert once.onset_25ms.f1 == pytest.approx(2 / 3)


def test_roll_f1_agrees_with_mir_eval() -> None:
    transcription = pytest.importorskip("mir_eval.transcription")
    rng = np.random.default_rng(3)
    notes = [
        keys(float(s), float(s) + 0.2, int(p))
        for s, p in zip(rng.uniform(0, 20, 200), rng.integers(50, 70, 200), strict=True)
    ]
    moved = [
        keys(n.start_s + float(rng.normal(0, 0.02)), n.end_s, n.pitch) for n in notes if rng.random() < 0.9
    ]
    ours = roll_f1(Score.of(notes, 21.0), Score.of(moved, 21.0)).onset_25ms.f1

    def arrays(notes: list[Note]) -> tuple[np.ndarray, np.ndarray]:
        hz = 440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12)
        return np.array([[n.start_s, max(n.end_s, n.start_s + 0.01)] for n in notes]), hz

    _, _, theirs, _ = transcription.precision_recall_f1_overlap(
        *arrays(notes), *arrays(moved), onset_tolerance=0.025, offset_ratio=None
    )
    assert ours == pytest.approx(theirs, abs=0.005)


# hearing notes


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


# hearing chords


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


# pieces


@dataclass(frozen=True)
class TinySong:
    id: str = "tiny"
    duration_s: float = 20.0
    voice: tuple[Sung, ...] = (Sung(9.5, 10.0, 60), Sung(13.0, 15.5, 62))
    written: tuple[Note, ...] = (keys(0.0, 5.0, 48), keys(3.0, 6.0, 52), keys(13.9, 14.1, 55))
    bars_s: tuple[float, ...] = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0)


def test_a_piece_starts_at_a_bar_line_before_the_singer(tmp_path: Path) -> None:
    ramp = np.arange(20 * 8000) / (20 * 8000)
    soundfile.write(tmp_path / "whole.wav", ramp, 8000, subtype="FLOAT")
    piece = cut_piece(TinySong(), tmp_path / "whole.wav", tmp_path / "pieces", length_s=10.0)
    assert piece.duration_s == pytest.approx(10.0)  # 4 s to 14 s
    assert [(n.start_s, n.end_s, n.pitch) for n in piece.sung] == [(5.5, 6.0, 60), (9.0, 10.0, 62)]
    written = [(round(n.start_s, 6), round(n.end_s, 6), n.pitch) for n in piece.written.notes]
    assert written == [(0.0, 1.0, 48), (0.0, 2.0, 52), (9.9, 10.0, 55)]
    assert piece.bars_s[:4] == (-4.0, -2.0, 0.0, 2.0)
    samples, rate_hz = soundfile.read(piece.vocal)
    assert rate_hz == 8000 and len(samples) == 80_000
    np.testing.assert_allclose(samples, ramp[32_000:112_000], atol=1e-6)


def test_a_song_without_singing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tiny has no sung notes"):
        cut_piece(TinySong(voice=()), tmp_path / "none.wav", tmp_path)
