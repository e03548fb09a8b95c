"""The singer's notes, curves and syllables; none of these tests needs espeak-ng."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from support.tunes import EXACT, song_of, tune

from appliance.errors import MachineError
from train.corpus.song import SungNote
from train.singer import speech
from train.singer.perform import HOP_SAMPLES, Performance, perform
from train.singer.schedule import melody, octave_shift
from train.singer.syllables import guess
from train.singer.voices import sample_voice, sex_of, voices


def median_cents(performance: Performance, note: int) -> float:
    """How far the pitch curve is from the note, in cents, over the middle of its vowel."""
    n = performance.notes[note]
    hops = np.arange(len(performance.curves.f0_hz))
    at = (hops * HOP_SAMPLES + HOP_SAMPLES / 2) / 44100
    f0 = performance.curves.f0_hz[(at > n.start_s + 0.15) & (at < n.end_s - 0.1)]
    return float(1200 * np.log2(np.median(f0) / (440 * 2 ** ((n.pitch - 69) / 12))))


def test_an_exact_singer_hits_every_note() -> None:
    performance = perform(tune(), EXACT, 0)
    assert [n.pitch for n in performance.notes] == [48, 52, 55, 53, 50]  # a man: an octave lower
    assert [n.start_s for n in performance.notes] == pytest.approx([0.5, 1.1, 1.7, 2.3, 3.4])
    assert [abs(median_cents(performance, i)) < 1.0 for i in range(5)] == [True] * 5


def test_curves_cover_the_song() -> None:
    performance = perform(tune(), EXACT, 0)
    assert performance.total_samples == round(4.5009 * 44100)
    for curve in (
        performance.curves.f0_hz,
        performance.curves.voiced,
        performance.curves.level_db,
        performance.curves.flux,
    ):
        assert curve.shape == (-(-performance.total_samples // HOP_SAMPLES),)
        assert curve.dtype == np.float32
        assert np.isfinite(curve).all()
    assert ((performance.curves.f0_hz > 0) == (performance.curves.voiced > 0.5)).all()


def test_consonants_come_before_the_vowel_and_stop_the_voice() -> None:
    curves = perform(tune(), EXACT, 0).curves

    def voiced_at(seconds: float) -> bool:
        return bool(curves.voiced[int(seconds * 44100 / HOP_SAMPLES)] > 0.5)

    assert not voiced_at(0.45)  # the s of "sing"
    assert voiced_at(0.55)
    assert not voiced_at(1.06)  # the h of "hea"
    assert voiced_at(1.70)  # no consonant inside the held vowel
    assert voiced_at(2.27)  # the v of "ven" is voiced
    assert not voiced_at(3.1)  # the rest
    assert curves.level_db[int(3.1 * 44100 / HOP_SAMPLES)] == -100.0


def test_onsets_show_in_the_flux() -> None:
    curves = perform(tune(), EXACT, 0).curves
    for start_s in (0.5, 1.1, 2.3, 3.4):
        hop = int(start_s * 44100 / HOP_SAMPLES)
        steady = curves.flux[hop + 20 : hop + 30].max()
        assert curves.flux[hop - 10 : hop + 4].max() > 0.3 + steady


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_sings_the_same_and_another_does_not(seed: int) -> None:
    voice = sample_voice(seed)
    first, again, other = perform(tune(), voice, 1), perform(tune(), voice, 1), perform(tune(), voice, 2)
    assert np.array_equal(first.curves.f0_hz, again.curves.f0_hz)
    assert np.array_equal(first.curves.level_db, again.curves.level_db)
    assert not np.array_equal(first.curves.f0_hz, other.curves.f0_hz)


def test_any_voice_keeps_notes_in_order_and_apart() -> None:
    rng = np.random.default_rng(0)
    for seed in range(40):
        starts = np.cumsum(rng.uniform(0.05, 0.6, 60))
        notes = tuple(
            SungNote(float(a), float(b), int(p), "strengths", "single")
            for a, b, p in zip(starts, starts[1:], rng.integers(55, 80, 59), strict=False)
        )
        placed = perform(song_of(notes, float(starts[-1])), sample_voice(seed), seed).notes
        assert placed[0].first_s >= -1e-9
        assert placed[-1].last_s <= starts[-1] + 1e-9
        for a, b in pairwise(placed):
            assert a.first_s <= a.start_s < a.end_s <= a.last_s <= b.first_s + 1e-9


def test_vibrato_has_its_rate_and_depth() -> None:
    notes = (SungNote(0.2, 8.2, 60, "ah", "single"),)
    voice = replace(EXACT, vibrato_cents=60.0, vibrato_hz=5.5, vibrato_delay_s=0.2)
    performance = perform(song_of(notes, 8.5), voice, 3)
    f0 = performance.curves.f0_hz[100:650].astype(np.float64)
    cents = 1200 * np.log2(f0 / np.median(f0))
    spectrum = np.abs(np.fft.rfft(cents * np.hanning(len(cents)), 8192))
    peak_hz = float(np.argmax(spectrum) * 44100 / HOP_SAMPLES / 8192)
    assert 5.5 * 0.88 < peak_hz < 5.5 * 1.12
    assert 0.55 * 60 < cents.max() < 1.25 * 60


def test_errors_are_as_large_as_stated() -> None:
    notes = tuple(SungNote(0.5 * i + 0.5, 0.5 * i + 1.0, 60, "la", "single") for i in range(300))
    song = song_of(notes, 151.0)
    placed = perform(song, replace(EXACT, timing_error_s=0.02), 1).notes
    late = np.array([p.start_s - n.start_s for p, n in zip(placed, notes, strict=True)])
    assert late.std() == pytest.approx(0.02, rel=0.15)
    performance = perform(song, replace(EXACT, pitch_error_cents=20.0, glide_s=0.01), 1)
    assert np.std([median_cents(performance, i) for i in range(300)]) == pytest.approx(20.0, rel=0.15)


def test_a_song_without_notes_is_silent() -> None:
    performance = perform(song_of((), 2.0), EXACT, 0)
    assert performance.notes == ()
    assert not performance.curves.voiced.any()
    assert (performance.curves.level_db == -100.0).all()


def test_of_notes_that_start_together_the_highest_is_sung() -> None:
    chord = (SungNote(0.0, 1.0, 60, "a", "single"), SungNote(0.0, 1.0, 67, "a", "single"))
    assert [n.pitch for n in melody(chord)] == [67]


@pytest.mark.parametrize(("tessitura", "shift"), [(72.0, 0), (66.0, 0), (58.0, -12), (47.0, -24)])
def test_octaves_follow_the_singer(tessitura: float, shift: int) -> None:
    assert octave_shift([69, 71, 72], tessitura) == shift


@pytest.mark.parametrize(
    ("text", "language", "voiced_before", "voiced_after"),
    [
        ("sing", "en", [False], [True]),
        ("zart", "de", [False, False], [True, False, False]),
        ("les", "fr", [True], []),
        ("tes,", "en", [False, False], [False]),
        ("O", "it", [], []),
    ],
)
def test_spelling_tells_consonants(
    text: str, language: str, voiced_before: list[bool], voiced_after: list[bool]
) -> None:
    syllable = guess(text, language)
    assert [s.voiced for s in syllable.onset] == voiced_before
    assert [s.voiced for s in syllable.coda] == voiced_after


def test_held_out_voices_never_train() -> None:
    assert not set(voices("train")) & set(voices("test"))
    assert {sample_voice(seed, "train").variant for seed in range(300)} == set(voices("train"))
    assert {sample_voice(seed, "test").variant for seed in range(300)} == set(voices("test"))
    assert {sex_of(v) for v in voices("test")} == {"female", "male"}


def test_a_missing_espeak_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech.ctypes, "CDLL", lambda _: (_ for _ in ()).throw(OSError("not found")))
    with pytest.raises(MachineError, match="apt install espeak-ng"):
        speech._Espeak()
