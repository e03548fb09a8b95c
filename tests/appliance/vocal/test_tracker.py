"""The pitch tracker on voices of known pitch: synthesised from sines, and sung by a person."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from appliance.vocal.notes import notes_from_track
from appliance.vocal.tracker import PITCH_FRAME_S, PitchTrack, track_pitch

RATE = 44_100
HOP = 512
FORMANTS = ((700.0, 90.0, 1.0), (1200.0, 110.0, 0.5), (2600.0, 160.0, 0.2), (3300.0, 200.0, 0.1))


def vowel(f0_hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """An "ah" (n,) on the pitch curve (n,) in Hz at 44.1 kHz: harmonics through four formants."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    sound = np.zeros(len(f0_hz))
    for k in range(1, 1 + int(9000 / f0_hz.min())):
        frequency = k * f0_hz
        gain = 0.02 + sum(g / (1 + ((frequency - f) / width) ** 2) for f, width, g in FORMANTS)
        sound += np.where(frequency < 9000, gain / np.sqrt(k), 0.0) * np.sin(k * phase)
    edge = np.minimum(np.arange(len(sound)), np.arange(len(sound))[::-1]) / (0.01 * RATE)
    return (0.3 * sound / np.abs(sound).max() * np.clip(edge, 0, 1)).astype(np.float32)


def steady(hz: float, seconds: float) -> NDArray[np.float64]:
    return np.full(round(seconds * RATE), hz)


def sung(
    *curves: NDArray[np.float64], rest_s: float = 0.4
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vowels on ``curves`` with rests between, and the true pitch (n,) of every sample, 0 in rests."""
    rest = np.zeros(round(rest_s * RATE))
    sounds: list[NDArray[np.floating]] = [rest]
    truth = [rest]
    for curve in curves:
        sounds += [vowel(curve), rest]
        truth += [curve, rest]
    return np.concatenate(sounds).astype(np.float32), np.concatenate(truth)


def tracked(sound: NDArray[np.float32]) -> PitchTrack:
    return track_pitch([sound], len(sound))


def at_frames(truth: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """The true pitch (N,) at the centre of each pitch frame."""
    return truth[np.minimum(np.arange(frames) * HOP + HOP // 2, len(truth) - 1)]


def cents_off(track: PitchTrack, truth_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Error in cents of every sung frame; a frame that the tracker takes for a rest has a huge error."""
    found, true = track.f0_hz[truth_hz > 0], truth_hz[truth_hz > 0]
    return 1200 * np.log2(np.maximum(found, 1e-3) / true)


@pytest.mark.slow
def test_steady_vowels_from_bass_to_soprano() -> None:
    for hz in (65.0, 80.0, 110.0, 196.0, 330.0, 523.0, 784.0, 1046.0):
        sound, truth = sung(steady(hz, 0.8))
        track = tracked(sound)
        error = np.abs(cents_off(track, at_frames(truth, len(track))))
        assert np.mean(error < 50) > 0.97, hz
        assert np.median(error) < 1.0, hz


@pytest.mark.slow
def test_glides_and_vibrato() -> None:
    time = np.arange(2 * RATE) / RATE
    glide = 110 * 2 ** (1.5 * time / 2)
    tenor, soprano = (hz * 2 ** (0.8 / 12 * np.sin(2 * np.pi * 6 * time)) for hz in (220.0, 800.0))
    sound, truth = sung(glide, glide[::-1], tenor, soprano)
    track = tracked(sound)
    error = np.abs(cents_off(track, at_frames(truth, len(track))))
    assert np.mean(error < 50) > 0.97
    assert np.median(error) < 5


def test_octave_leaps_are_leaps() -> None:
    leaps = np.concatenate([steady(hz, 0.4) for hz in (130.8, 261.6, 523.2, 261.6, 130.8, 523.2)])
    sound, truth = sung(leaps)
    track = tracked(sound)
    error = np.abs(cents_off(track, at_frames(truth, len(track))))
    assert np.mean(error < 50) > 0.92  # a window lies across each leap for four frames


def test_rests_are_unvoiced_and_vowels_voiced() -> None:
    rng = np.random.default_rng(1)
    sound, truth = sung(*(steady(hz, 0.7) for hz in (200, 240, 180, 300)), rest_s=0.6)
    sound = sound + rng.normal(0, 3e-4, len(sound)).astype(np.float32)
    track = tracked(sound)
    is_sung = at_frames(truth, len(track)) > 0
    # Frames whose window touches an edge may be either.
    near_edge = np.convolve(np.abs(np.diff(is_sung.astype(float), prepend=0)), np.ones(9), "same") > 0
    assert track.voiced[is_sung & ~near_edge].min() > 0.9
    assert track.voiced[~is_sung & ~near_edge].max() < 0.3
    np.testing.assert_array_equal(track.f0_hz > 0, track.voiced >= 0.5)


@lru_cache
def melody(seconds: float) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A phrase of eight notes with vibrato and a rest, repeated in other keys."""
    time = np.arange(round(0.45 * RATE)) / RATE
    wave = 2 ** (0.3 / 12 * np.sin(2 * np.pi * 5.5 * time))
    phrase = [0, 2, 4, 5, 7, 9, 7, 4]
    sound, truth = sung(
        *(
            np.concatenate([base * 2 ** (n / 12) * wave for n in phrase])
            for base in (150.0, 170.0, 200.0, 230.0, 180.0, 160.0)
        )
    )
    return sound[: round(seconds * RATE)], truth[: round(seconds * RATE)]


def hum(samples: int) -> NDArray[np.float64]:
    time = np.arange(samples) / RATE
    strengths = {1: 1.0, 2: 0.7, 3: 0.5, 4: 0.3, 5: 0.3, 7: 0.15}
    return sum((a * np.sin(2 * np.pi * 50 * k * time + k) for k, a in strengths.items()), np.zeros(samples))


def pink(samples: int) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(np.random.default_rng(2).normal(size=samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), samples * 30 / RATE))
    return np.fft.irfft(spectrum, samples)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "snr_db", "accuracy"), [(hum, 10, 0.95), (hum, 5, 0.92), (pink, 20, 0.97), (pink, 10, 0.95)]
)
def test_pitch_withstands_noise(noise, snr_db: float, accuracy: float) -> None:  # type: ignore[no-untyped-def]
    sound, truth = melody(20)
    added = noise(len(sound))
    added *= np.sqrt(np.mean(sound**2) / np.mean(added**2)) * 10 ** (-snr_db / 20)
    track = tracked((sound + added).astype(np.float32))
    assert np.mean(np.abs(cents_off(track, at_frames(truth, len(track)))) < 50) > accuracy


@pytest.mark.slow
def test_the_cut_into_blocks_changes_nothing() -> None:
    sound, _ = melody(25.3)  # more than two of the tracker's own chunks
    whole = tracked(sound)
    for size in (997, 524_288):
        pieces = track_pitch((sound[i : i + size] for i in range(0, len(sound), size)), len(sound))
        for name in ("f0_hz", "voiced", "level_db", "flux"):
            np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name), err_msg=name)


@pytest.mark.slow
def test_chunks_join_without_a_seam() -> None:
    """A recording with a different offset to the tracker's chunks gives the same track."""
    sound, _ = melody(25.3)
    shift = 300  # frames
    later = tracked(np.concatenate([np.zeros(shift * HOP, np.float32), sound]))
    plain = tracked(sound)
    both = (plain.f0_hz > 0) & (later.f0_hz[shift:] > 0)
    assert both.sum() > 0.99 * (plain.f0_hz > 0).sum()
    assert np.mean(np.abs(np.log2(plain.f0_hz[both] / later.f0_hz[shift:][both])) < 1e-3) > 0.99
    np.testing.assert_array_equal(plain.level_db, later.level_db[shift:])


@pytest.mark.parametrize("samples", [1, 511, 512, 513, 1024 * 512, 1024 * 512 + 1])
def test_frames_of_any_length(samples: int) -> None:
    track = track_pitch([np.zeros(samples, np.float32)], samples)
    for name in ("f0_hz", "voiced", "level_db", "flux"):
        assert getattr(track, name).shape == (-(-samples // 512),)
        assert getattr(track, name).dtype == np.float32
    assert not track.f0_hz.any()
    assert not track.flux.any()


def test_nothing_at_all() -> None:
    assert len(track_pitch([], 0)) == 0


@pytest.mark.parametrize("announced", [999, 1001])
def test_a_wrong_length_is_a_callers_mistake(announced: int) -> None:
    with pytest.raises(ValueError, match=f"{announced} were announced"):
        track_pitch([np.zeros(1000, np.float32)], announced)


def test_level_is_the_rms_of_each_hop() -> None:
    sine = (0.5 * np.sin(2 * np.pi * 441 * np.arange(100 * HOP) / RATE)).astype(np.float32)
    sound = np.concatenate([sine, np.zeros(50 * HOP + 100, np.float32)])
    track = tracked(sound)
    assert track.level_db[5:95] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.5)
    assert (track.level_db[100:] == -100).all()


@pytest.mark.slow
def test_loudness_of_the_recording_does_not_matter() -> None:
    sound, _ = melody(10)
    plain, quiet = tracked(sound), tracked(sound * np.float32(0.01))
    np.testing.assert_allclose(quiet.voiced, plain.voiced, atol=0.05)
    np.testing.assert_allclose(quiet.flux, plain.flux, atol=0.05)
    np.testing.assert_allclose(
        quiet.level_db[plain.level_db > -60] + 40, plain.level_db[plain.level_db > -60], atol=1e-2
    )


def test_flux_marks_onsets_and_nothing_else() -> None:
    legato = np.concatenate([steady(hz, 0.6) for hz in (220.0, 247.0, 262.0)])
    vibrato = 220 * 2 ** (0.5 / 12 * np.sin(2 * np.pi * 6 * np.arange(2 * RATE) / RATE))
    sound, _ = sung(legato, vibrato)
    flux = tracked(sound).flux
    onsets_s = (0.4, 1.0, 1.6, 2.6)
    at = [flux[round(t / PITCH_FRAME_S) - 5 : round(t / PITCH_FRAME_S) + 6].max() for t in onsets_s]
    assert min(at) > 0.7
    assert max(at) < 4  # out of digital silence, the steepest onset there is
    elsewhere = np.ones(len(flux), bool)
    for t in onsets_s:
        elsewhere[round(t / PITCH_FRAME_S) - 8 : round(t / PITCH_FRAME_S) + 9] = False
    assert flux[elsewhere].max() < 0.3


def test_notes_of_a_melody() -> None:
    steps = [0, 2, 4, 5, 7, 5, 4, 0]
    sound, _ = sung(
        np.concatenate([steady(220 * 2 ** (n / 12), 0.4) for n in steps[:4]]),
        *(steady(220 * 2 ** (n / 12), 0.3) for n in steps[4:]),
        rest_s=0.15,
    )
    notes = notes_from_track(tracked(sound))
    starts = [0.15, 0.55, 0.95, 1.35, 1.9, 2.35, 2.8, 3.25]
    assert len(notes) == len(steps)
    np.testing.assert_allclose([n.start_s for n in notes], starts, atol=0.05)
    np.testing.assert_allclose([n.midi_pitch for n in notes], 57 + np.array(steps), atol=0.1)
    assert all(a.end_s <= b.start_s for a, b in pairwise(notes))
    assert min(n.confidence for n in notes) > 0.8


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording() -> None:
    block = np.random.default_rng(3).normal(0, 0.01, 1 << 16).astype(np.float32)

    def peak_bytes(blocks: int) -> int:
        def stream() -> Iterator[NDArray[np.float32]]:
            for _ in range(blocks):
                yield block

        tracemalloc.start()
        track_pitch(stream(), blocks << 16)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    one_minute, three_minutes = peak_bytes(40), peak_bytes(120)
    assert three_minutes - one_minute < 1 << 20
    assert one_minute < 64 << 20


@pytest.fixture(scope="module")
def singer(shared: Path) -> tuple[NDArray[np.float32], PitchTrack]:
    sound, rate = sf.read(shared / "vocals" / "vocadito_1.wav", dtype="float32")
    assert rate == RATE
    return sound, tracked(sound)


@pytest.mark.slow
def test_a_real_singer_against_the_annotated_pitch(
    shared: Path, singer: tuple[NDArray[np.float32], PitchTrack]
) -> None:
    _, track = singer
    written = np.loadtxt(shared / "vocals" / "vocadito_1_f0.csv", delimiter=",")
    centre_s = (np.arange(len(track)) + 0.5) * PITCH_FRAME_S
    truth = written[np.abs(written[:, 0][:, None] - centre_s[None, :]).argmin(axis=0), 1]
    error = cents_off(track, truth)
    assert np.mean(np.abs(error) < 50) > 0.98
    octaves = np.round(error / 1200)
    assert np.mean((octaves != 0) & (np.abs(error - 1200 * octaves) < 50)) < 0.005
    found, sung_frames = track.f0_hz > 0, truth > 0
    f_score = 2 * np.sum(found & sung_frames) / (np.sum(found) + np.sum(sung_frames))
    assert f_score > 0.94


def test_a_real_singers_notes(shared: Path, singer: tuple[NDArray[np.float32], PitchTrack]) -> None:
    _, track = singer
    written = np.loadtxt(shared / "vocals" / "vocadito_1_notesA1.csv", delimiter=",")[:, 0].tolist()
    found = [note.start_s for note in notes_from_track(track)]
    hits, i, j = 0, 0, 0
    while i < len(written) and j < len(found):  # the largest matching of two sorted lists
        if abs(written[i] - found[j]) <= 0.1:
            hits, i, j = hits + 1, i + 1, j + 1
        elif written[i] < found[j]:
            i += 1
        else:
            j += 1
    assert 2 * hits / (len(written) + len(found)) > 0.88
