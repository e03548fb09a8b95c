"""The soundfont band: in time, in tune, and the same for every block size."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from appliance.errors import PackError
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_KEYS, GROUPS, STYLES, Note, Score
from appliance.packs.sounds import DEFAULT_SOUNDS, BandSounds, Sound
from appliance.playing.reverb import PARTITION_SAMPLES, Reverb, impulse_response
from appliance.playing.soundfont_band import SoundFont, StemBlock, render_stems

TINY = Path(__file__).parents[2] / "data" / "tiny.sf2"
DRY = {
    **{g: Sound(bank=0, program=0, name="sine") for g in GROUPS},
    "drums": Sound(bank=128, program=0, name="clicks"),
}


def played(score: Score, samples: int, sounds=DRY, block: int = PARTITION_SAMPLES) -> dict[str, NDArray]:
    blocks = list(render_stems(score, sounds, TINY, samples, block))
    assert sum(b.samples for b in blocks) == samples
    assert [b.start for b in blocks] == list(range(0, samples, block))
    return {g: np.concatenate([b.stems[g] for b in blocks]) for g in score.groups()}


def note(start_s=0.5, end_s=1.0, pitch=69, velocity=100, group="keys") -> Note:
    return Note(start_s, end_s, pitch, velocity, group)


def frequency_hz(sound: NDArray) -> float:
    """The strongest partial, between the bins of a long spectrum (parabola through the logarithms)."""
    spectrum = np.log(np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 20)) + 1e-12)
    top = int(spectrum.argmax())
    left, peak, right = spectrum[top - 1 : top + 2]
    return (top + (left - right) / (2 * (left - 2 * peak + right))) * 44_100 / (1 << 20)


@pytest.mark.parametrize("cents", [-50.0, -18.8, 33.0])
def test_the_band_plays_at_the_singers_tuning_and_drums_stay(cents: float) -> None:
    score = Score.of([note(0.0, 2.0), note(0.5, 0.6, DRUM_KEYS[0], 90, "drums")], 2.0)
    (plain,), (tuned,) = (list(render_stems(score, DRY, TINY, 88_200, 88_200, c)) for c in (0.0, cents))
    ratio = frequency_hz(tuned.stems["keys"][:, 0]) / frequency_hz(plain.stems["keys"][:, 0])
    assert 1200 * np.log2(ratio) == pytest.approx(cents, abs=0.2)
    assert tuned.stems["drums"].tobytes() == plain.stems["drums"].tobytes()


def test_blocks_do_not_change_a_sample():
    rng = np.random.RandomState(7)
    notes = [
        note(t, t + d, int(p), int(v), g)
        for g in GROUPS
        for t, d, p, v in zip(
            rng.uniform(0, 2, 20),
            rng.uniform(0.01, 0.8, 20),
            rng.randint(30, 90, 20),
            rng.randint(1, 128, 20),
            strict=True,
        )
    ]
    notes += [note(t, t + 0.1, DRUM_KEYS[i % 10], 90, "drums") for i, t in enumerate(rng.uniform(0, 2, 30))]
    score, sounds = Score.of(notes, 2.0), DEFAULT_SOUNDS["pop"]
    whole = played(score, 88_211, sounds)
    assert list(whole) == [*GROUPS, "drums"]
    for block in (997, 16_384, 50_001, 88_211):
        for group, stem in played(score, 88_211, sounds, block).items():
            assert stem.tobytes() == whole[group].tobytes()
            assert np.abs(stem).max() > 0.01


@pytest.mark.parametrize("sample", [0, 1, 16_383, 16_384, 22_051, 40_000])
def test_a_note_starts_on_its_sample(sample):
    stem = played(Score.of([note(sample / SAMPLE_RATE_HZ, 2.0)], 2.0), 80_000)["keys"]
    assert np.flatnonzero(np.abs(stem).max(axis=1) > 0.01)[0] == sample


def test_a4_is_440_hz_and_centred():
    stem = played(Score.of([note(0.0, 3.0)], 3.0), 3 * SAMPLE_RATE_HZ)["keys"][: 2 * SAMPLE_RATE_HZ]
    windowed = stem[:, 0] * np.hanning(len(stem))
    spectrum = np.abs(np.fft.rfft(windowed, 16 * len(stem)))
    assert spectrum.argmax() * SAMPLE_RATE_HZ / (16 * len(stem)) == pytest.approx(440.0, abs=0.1)
    assert abs(stem.mean()) < 1e-4
    np.testing.assert_array_equal(stem[:, 0], stem[:, 1])


def test_loudness_goes_with_the_square_of_velocity():
    def peak(velocity: int) -> float:
        return float(np.abs(played(Score.of([note(velocity=velocity)], 1.0), 40_000)["keys"]).max())

    for velocity in (1, 40, 64, 100):
        assert peak(velocity) / peak(127) == pytest.approx((velocity / 127) ** 2, rel=2e-3)


def test_gain_and_pan():
    def levels(**place: float) -> NDArray:
        sounds = {**DRY, "keys": Sound(bank=0, program=0, name="sine", **place)}
        return np.abs(played(Score.of([note()], 1.0), 40_000, sounds)["keys"]).max(axis=0)

    centre = levels()
    np.testing.assert_allclose(levels(gain_db=-6.0206), centre / 2, rtol=1e-4)
    left = levels(pan=-0.5)
    assert left[0] > left[1]
    assert (left**2).sum() == pytest.approx((centre**2).sum(), rel=1e-4)  # equal power


def test_a_key_has_one_note_at_a_time():
    once = played(Score.of([note(0.2, 1.0)], 1.5), 60_000)["keys"]
    twice = played(Score.of([note(0.2, 0.6), note(0.2, 1.0, velocity=90)], 1.5), 60_000)["keys"]
    np.testing.assert_array_equal(once, twice)
    struck_again = played(Score.of([note(0.2, 1.2), note(0.6, 0.8)], 1.5), 60_000)["keys"]
    assert np.abs(struck_again[27_000:]).max() < 1.1 * np.abs(once).max()  # not two sines at once
    assert np.abs(struck_again[50_000:52_000]).max() > 0.5 * np.abs(once).max()  # still held
    assert np.abs(struck_again[55_000:]).max() < 1e-3  # and released


def test_it_ends_without_a_click_and_is_whole_before():
    score = Score.of([note(0.0, 9.0)], 9.0)
    short, long = played(score, 50_000)["keys"], played(score, 80_000)["keys"]
    np.testing.assert_array_equal(short[:48_600], long[:48_600])
    assert np.abs(short[-1]).max() < 1e-6
    assert np.abs(np.diff(short, axis=0)).max() <= np.abs(np.diff(long[:48_600], axis=0)).max() * 1.001


def test_stems_add_up_and_silence_has_its_length():
    score = Score.of([note(), note(group="bass", pitch=40)], 1.0)
    (block,) = render_stems(score, DRY, TINY, 10_000 + 22_050, 40_000)
    np.testing.assert_array_equal(block.mix(), block.stems["keys"] + block.stems["bass"])
    (empty,) = render_stems(Score((), 1.0), DRY, TINY, 1, 40_000)
    assert empty == StemBlock(0, 1, {})
    assert empty.mix().shape == (1, 2)
    assert list(render_stems(score, DRY, TINY, 0)) == []


def test_notes_outside_the_file_are_left_out():
    stem = played(Score.of([note(-0.1, 0.1), note(1.0, 2.0)], 2.0), 44_100)["keys"]
    assert not stem.any()


@pytest.mark.slow
def test_memory_does_not_grow_with_length():
    score = Score.of([note(float(t), t + 0.5, group=g) for t in range(0, 240, 10) for g in GROUPS], 240.0)
    font = SoundFont(TINY)
    tracemalloc.start()
    for _ in render_stems(score, DEFAULT_SOUNDS["pop"], font, 240 * SAMPLE_RATE_HZ):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6  # one stem of it would be 85 MB


def test_reverb_is_the_convolution_with_its_response():
    response = impulse_response()
    rng = np.random.RandomState(3)
    dry = np.zeros((7 * PARTITION_SAMPLES, 2), np.float32)
    dry[: 2 * PARTITION_SAMPLES] = rng.uniform(-1, 1, (2 * PARTITION_SAMPLES, 2))
    reverb = Reverb(response)
    blocks = dry.reshape(-1, PARTITION_SAMPLES, 2)
    wet = np.concatenate([reverb.process(block) for block in blocks])
    spectrum = np.fft.rfft(dry.mean(axis=1, dtype=float), 2 * len(dry))[:, None]
    expected = np.fft.irfft(spectrum * np.fft.rfft(response, 2 * len(dry), axis=0), axis=0)[: len(dry)]
    np.testing.assert_allclose(wet, expected, atol=2e-5)
    assert not wet[6 * PARTITION_SAMPLES + 1 :].any()  # silent once the room is


def test_the_room_decays_as_it_says():
    response = impulse_response().astype(float)
    np.testing.assert_allclose((response**2).sum(axis=0), 1.0, rtol=1e-5)
    assert not response[: int(0.018 * SAMPLE_RATE_HZ)].any()
    assert abs(np.corrcoef(response.T)[0, 1]) < 0.05
    energy = (response[::-1] ** 2).cumsum(axis=0)[::-1].sum(axis=1)  # Schroeder's backward integral
    level_db = 10 * np.log10(energy / energy[0] + 1e-12)
    at = {db: np.argmax(level_db < db) / SAMPLE_RATE_HZ for db in (-5, -25)}
    assert 0.7 < 3 * (at[-25] - at[-5]) < 1.4


def test_a_bad_soundfont_is_a_pack_error(tmp_path):
    file = tmp_path / "band.sf2"
    with pytest.raises(PackError, match="missing"):
        render_stems(Score((), 1.0), DRY, file, 100)
    for content in (b"", b"hello", TINY.read_bytes()[:3_000]):
        file.write_bytes(content)
        with pytest.raises(PackError, match="not a readable"):
            render_stems(Score((), 1.0), DRY, file, 100)


def test_missing_sounds_are_pack_errors():
    with pytest.raises(PackError, match="no preset 0:121"):
        render_stems(Score.of([note()], 1.0), {"keys": Sound(bank=0, program=121, name="x")}, TINY, 100)
    with pytest.raises(PackError, match="no sound for group pad"):
        render_stems(Score.of([note(group="pad")], 1.0), {"keys": DRY["keys"]}, TINY, 100)


def test_every_style_has_a_sound_for_every_group():
    assert tuple(DEFAULT_SOUNDS.root) == STYLES
    again = BandSounds.model_validate_json(DEFAULT_SOUNDS.model_dump_json())
    assert again == DEFAULT_SOUNDS
    table = DEFAULT_SOUNDS.model_dump()
    del table["pop"]["bass"]
    with pytest.raises(ValidationError, match="style pop must give"):
        BandSounds.model_validate(table)
    with pytest.raises(ValidationError, match="for drums"):
        BandSounds.model_validate({"pop": {**DEFAULT_SOUNDS["pop"], "drums": DRY["keys"]}})
    with pytest.raises(ValidationError, match="Extra inputs"):
        Sound.model_validate({"bank": 0, "program": 0, "name": "x", "volume": 3})


def test_the_band_plays_without_pyaudio():
    code = "import sys; sys.modules['pyaudio'] = None; import appliance.playing.soundfont_band, tinysoundfont"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


@pytest.fixture(scope="module")
def reference_font(root):
    file = root / "packs" / "reference" / "band.sf2"
    if not file.is_file():
        pytest.skip("packs/reference/band.sf2 is not built: python -m quantize.soundfont")
    return SoundFont(file)


@pytest.mark.slow
def test_reference_band_sounds_on_every_key(reference_font):
    seen = {(s.bank, s.program): (g, s) for st in STYLES for g, s in DEFAULT_SOUNDS[st].items()}
    for group, sound in seen.values():
        keys = DRUM_KEYS if group == "drums" else range(21, 109, 3)
        dry = {group: sound.model_copy(update={"reverb_db": None})}
        for key in keys:
            score = Score.of([note(0.0, 0.3, key, 90, group)], 0.3)
            (block,) = render_stems(score, dry, reference_font, 8_000)
            assert np.abs(block.mix()).max() > 1e-3, (sound.name, key)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_reference_band_is_in_tune(reference_font, style):
    """The strongest of the first harmonics lies on a multiple of 110 Hz (A2), within 12 cents."""
    for group in GROUPS:
        score = Score.of([note(0.0, 1.5, 45, 90, group)], 1.5)
        (block,) = render_stems(score, DEFAULT_SOUNDS[style], reference_font, 66_150, 66_150)
        sound = block.mix()[11_025:60_000].sum(axis=1)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 19))
        hz = np.fft.rfftfreq(1 << 19, 1 / SAMPLE_RATE_HZ)
        spectrum[(hz < 50) | (hz > 900)] = 0
        peak_hz = hz[spectrum.argmax()]
        harmonic = max(round(2 * peak_hz / 110), 1) / 2  # organs may sound an octave below
        assert abs(1200 * np.log2(peak_hz / (110 * harmonic))) < 12, (group, peak_hz)


def test_no_group_drowns_another(reference_font):
    pytest.importorskip("pyloudnorm")
    from train.band.balance import LOUDNESS_LUFS, loudness_lufs

    for group, wanted in LOUDNESS_LUFS["pop"].items():
        assert loudness_lufs("pop", group, reference_font) == pytest.approx(wanted, abs=1.0), group


@pytest.mark.slow
def test_training_render_balances_any_soundfont():
    pytest.importorskip("pyloudnorm")
    from train.band import render
    from train.band.balance import LOUDNESS_LUFS, balanced, loudness_lufs, typical_part

    font = SoundFont(TINY)
    sounds = balanced("piano", font)
    assert sounds["keys"].gain_db != DEFAULT_SOUNDS["piano"]["keys"].gain_db
    for group, wanted in LOUDNESS_LUFS["piano"].items():
        assert loudness_lufs("piano", group, font, sounds) == pytest.approx(wanted, abs=0.1), group
    score = typical_part("keys")
    mix = render(score, "piano", TINY)
    assert mix.shape == (round(score.duration_s * SAMPLE_RATE_HZ), 2)
    (block,) = render_stems(score, sounds, font, len(mix), len(mix))
    np.testing.assert_array_equal(mix, block.stems["keys"])
