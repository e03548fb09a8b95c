"""The singer's recordings contain the written notes; needs espeak-ng and pyworld.

Rooms, noise and microphones are tested on a tone and need neither (only babble needs espeak-ng).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from support.tunes import EXACT, tune

from appliance.errors import MachineError
from train.singer.augment import RecordingSettings, augment, room_response, sample_company, sample_recording
from train.singer.noise import NOISE_KINDS, NoiseKind, active_power, add_noise
from train.singer.render import render_songs
from train.singer.sing import Singing, sing
from train.singer.speech import speak
from train.singer.voices import TRAIN_VARIANTS, voices
from train.singer.words import spoken_syllables

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def singing() -> Singing:
    try:
        return sing(tune(), EXACT, 0)
    except MachineError as error:
        pytest.skip(str(error))


def pitch_by_autocorrelation(audio: NDArray[np.float32]) -> float:
    """Pitch in Hz (60 to 1000) of a steady sound (S,), measured by autocorrelation."""
    x = audio.astype(np.float64) * np.hanning(len(audio))
    spectrum = np.abs(np.fft.rfft(x, 4 * len(x))) ** 2
    window = np.abs(np.fft.rfft(np.hanning(len(x)), 4 * len(x))) ** 2
    curve = np.fft.irfft(spectrum)[:1000] / np.fft.irfft(window)[:1000]
    # Every multiple of the period is a peak; the first one nearly as high as the highest is the period.
    peaks = np.flatnonzero((curve[44:735] > curve[43:734]) & (curve[44:735] >= curve[45:736])) + 44
    lag = int(peaks[curve[peaks] > 0.9 * curve[peaks].max()][0])
    before, here, after = curve[lag - 1 : lag + 2]
    return RATE_HZ / (lag + 0.5 * (before - after) / (before - 2 * here + after))


def test_notes_are_in_tune_to_an_independent_ear(singing: Singing) -> None:
    for note in singing.notes:
        middle = (note.start_s + note.end_s) / 2
        heard_hz = pitch_by_autocorrelation(
            singing.audio[int((middle - 0.06) * RATE_HZ) : int((middle + 0.06) * RATE_HZ)]
        )
        assert abs(1200 * np.log2(heard_hz / (440 * 2 ** ((note.pitch - 69) / 12)))) < 8.0


def test_audio_is_as_long_as_the_song_and_silent_in_rests(singing: Singing) -> None:
    assert singing.rate_hz == RATE_HZ
    assert singing.audio.shape == (round(4.5009 * RATE_HZ),)
    assert singing.audio.dtype == np.float32
    assert np.abs(singing.audio[int(3.1 * RATE_HZ) : int(3.2 * RATE_HZ)]).max() < 1e-4
    assert 0.05 < np.abs(singing.audio).max() < 1.0


def test_vowels_start_on_the_note(singing: Singing) -> None:
    """Energy below 1 kHz, which a hissed consonant lacks, rises within 25 ms of the note's start."""
    for start_s in (0.5, 3.4):  # "sing" and "sass" follow silence
        low = np.convolve(singing.audio, np.hanning(88) / 44.0, "same")
        frames = [
            np.square(low[int((start_s + k / 1000 - 0.005) * RATE_HZ) :][:441]).mean()
            for k in range(-90, 120)
        ]
        risen = np.flatnonzero(np.array(frames) > 0.1 * max(frames))[0] - 90
        assert -25 <= risen <= 25


def test_level_curve_is_that_of_the_audio(singing: Singing) -> None:
    vowels = singing.curves.voiced > 0.5
    assert np.median(singing.curves.level_db[vowels]) == pytest.approx(EXACT.level_db, abs=3.0)
    hop = int(np.argmax(singing.curves.level_db))
    rms = np.sqrt(np.mean(np.square(singing.audio[hop * 512 : hop * 512 + 512], dtype=np.float64)))
    assert singing.curves.level_db[hop] == pytest.approx(20 * np.log10(rms), abs=1e-3)


def test_the_same_seed_gives_the_same_samples(singing: Singing) -> None:
    assert np.array_equal(sing(tune(), EXACT, 0).audio, singing.audio)
    assert not np.array_equal(sing(tune(), replace(EXACT, formant_ratio=1.1), 0).audio, singing.audio)


def test_a_word_is_spoken_whole_and_a_melisma_holds_its_vowel(singing: Singing) -> None:
    spoken = spoken_syllables(tune().voice, "en", "m1")
    assert spoken[1].word is spoken[3].word  # hea-ven
    assert spoken[1].word is not spoken[0].word
    assert spoken[2] is spoken[1]
    assert [s.voiced for s in spoken[0].consonants.onset] == [False]  # s
    assert [s.voiced for s in spoken[3].consonants.onset] == [True]  # v


def test_every_voice_holds_the_monotone(singing: Singing) -> None:
    for variant in (*TRAIN_VARIANTS, *voices("test")):
        samples = speak("ah", "en", variant).samples
        third = len(samples) // 3
        heard_hz = pitch_by_autocorrelation(np.repeat(samples[third : 2 * third], 2).astype(np.float32))
        assert heard_hz == pytest.approx(150.0, rel=0.03), variant


def test_songs_are_rendered_once(singing: Singing, tmp_path: Path) -> None:
    seen: list[Path] = []
    paths = render_songs([tune()], tmp_path, [1], done=seen.append)
    assert paths == seen == [tmp_path / "tune-1.flac"]
    info = soundfile.info(paths[0])
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE_HZ, 1, 198490, "PCM_16")
    before = paths[0].stat().st_mtime_ns
    assert render_songs([tune()], tmp_path, [1]) == paths[:1]
    assert paths[0].stat().st_mtime_ns == before


def tone(seconds: float = 2.0) -> NDArray[np.float32]:
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return np.where(times_s < seconds / 2, 0.1 * np.sin(2 * np.pi * 440 * times_s), 0.0).astype(np.float32)


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_noise_has_the_stated_ratio_to_the_sung_part(kind: NoiseKind, request: pytest.FixtureRequest) -> None:
    if kind == "babble":
        request.getfixturevalue("singing")
    audio = tone()
    noise = add_noise(audio, RATE_HZ, kind, 10.0, np.random.default_rng(0)).astype(np.float64) - audio
    # The tone sounds half of the time, with a mean power of 0.1 ** 2 / 2.
    assert 10 * np.log10(0.005 / np.square(noise).mean()) == pytest.approx(10.0, abs=0.1)


def test_noise_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="hum, white, pink, babble"):
        add_noise(tone(), RATE_HZ, "rain", 10.0, np.random.default_rng(0))  # type: ignore[arg-type]


def test_pink_noise_falls_by_three_db_an_octave_and_hum_is_mains() -> None:
    silence_and_tone = tone(6.0)
    pink = add_noise(silence_and_tone, RATE_HZ, "pink", -40.0, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(pink.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(pink), 1 / RATE_HZ)
    bands = [10 * np.log10(power[(hz >= f) & (hz < 1.2 * f)].mean()) for f in (200, 800, 3200, 12800)]
    assert np.diff(bands) == pytest.approx([-6.0] * 3, abs=0.7)
    hum = add_noise(silence_and_tone, RATE_HZ, "hum", -40.0, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(hum.astype(np.float64) * np.hanning(len(hum)))) ** 2
    peak_hz = hz[np.argmax(power)]
    mains_hz = min((50.0, 60.0), key=lambda m: abs(peak_hz / m - round(peak_hz / m)))
    assert peak_hz / mains_hz == pytest.approx(round(peak_hz / mains_hz), abs=0.01)


def test_a_room_decays_as_stated_and_delays_nothing() -> None:
    response = room_response(0.5, 8.0, RATE_HZ, np.random.default_rng(2))
    assert response[0] == 1.0
    assert 10 * np.log10(np.square(response[1:]).sum()) == pytest.approx(-8.0, abs=1e-6)
    late = np.cumsum(np.square(response[::-1]))[::-1]  # Schroeder's backward integral
    decay_db = 10 * np.log10(late / late[int(0.06 * RATE_HZ)])
    rt60_s = 3 * (np.argmax(decay_db < -25) - np.argmax(decay_db < -5)) / RATE_HZ
    assert 0.35 < rt60_s < 0.55


def test_default_settings_change_nothing() -> None:
    assert np.array_equal(augment(tone(), RATE_HZ, RecordingSettings(), np.random.default_rng(0)), tone())


def test_level_clipping_and_filters_do_what_they_say() -> None:
    rng = np.random.default_rng(0)
    loud = augment(tone(), RATE_HZ, RecordingSettings(level_db=-12.0), rng)
    assert 10 * np.log10(active_power(loud, RATE_HZ)) == pytest.approx(-12.0, abs=0.05)
    clipped = augment(tone(), RATE_HZ, RecordingSettings(clip_db=6.0), rng)
    assert np.abs(clipped).max() == pytest.approx(0.1 * 10 ** (-6 / 20), rel=1e-3)
    thin = augment(tone(), RATE_HZ, RecordingSettings(high_pass_hz=440.0), rng)
    # A Butterworth filter passes half the power at its corner frequency.
    assert active_power(thin[11025:33075], RATE_HZ) == pytest.approx(0.0025, rel=0.02)


@pytest.mark.parametrize("seed", (0, 3))
def test_sampled_sessions_are_repeatable_and_in_range(seed: int, singing: Singing) -> None:
    settings = sample_recording(seed)
    first = augment(singing.audio, RATE_HZ, settings, np.random.default_rng(seed))
    assert first.shape == singing.audio.shape
    assert np.abs(first).max() <= 1.0
    assert np.array_equal(first, augment(singing.audio, RATE_HZ, settings, np.random.default_rng(seed)))


def test_company_talks_in_the_same_room_and_below_the_singer() -> None:
    for seed in range(20):
        alone, company = sample_recording(seed), sample_company(seed)
        assert replace(company, noise=alone.noise) == alone
        ((kind, snr_db),) = company.noise
        assert kind == "babble"
        assert 3.0 <= snr_db <= 20.0
