"""The neural sound: sources in tune and in time, an exact inverse, blocks that join."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.vocals import sung

from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_KEYS, GROUPS, Note, Score
from appliance.packs.sounds import DEFAULT_SOUNDS
from appliance.playing.excitation import SOURCES, Excitation
from appliance.playing.neural_band import CHUNK_FRAMES, MARGIN_FRAMES, neural_stems
from appliance.playing.source_filter import BANDS, HOP_SAMPLES, bands, filtered, istft, sources_of, stft
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import check_pack_can, render

SECOND = SAMPLE_RATE_HZ


def note(start_s=0.0, end_s=2.0, pitch=69, velocity=127, group="pad") -> Note:
    return Note(start_s, end_s, pitch, velocity, group)


def many(seed: int = 5) -> Score:
    rng = np.random.RandomState(seed)
    notes = [
        note(t, t + d, int(p), int(v), g)
        for g in GROUPS
        for t, d, p, v in zip(
            rng.uniform(0, 4, 12), rng.uniform(0.05, 1, 12), rng.randint(30, 90, 12), rng.randint(1, 128, 12),
            strict=True,
        )
    ]  # fmt: skip
    notes += [note(t, t + 0.1, DRUM_KEYS[i % 10], 90, "drums") for i, t in enumerate(rng.uniform(0, 4, 20))]
    return Score.of(notes, 5.0)


@pytest.mark.parametrize("cents", [-50.0, 17.0])
def test_tones_follow_the_singers_tuning(cents: float) -> None:
    def tone(tuning_cents: float) -> np.ndarray:
        excitation = Excitation([note(end_s=3.0)], "organ", "pad", tuning_cents=tuning_cents)
        return excitation.sources(0, 2 * SECOND)[0]

    def fundamental_hz(sound: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 20))
        return float(spectrum.argmax()) * SECOND / (1 << 20)

    ratio = fundamental_hz(tone(cents)) / fundamental_hz(tone(0.0))
    assert 1200 * np.log2(ratio) == pytest.approx(cents, abs=0.5)


@pytest.mark.parametrize("pitch", [21, 36, 45, 60, 69, 84, 108])
def test_a_tone_is_in_tune(pitch):
    tone = Excitation([note(end_s=3.0, pitch=pitch)], "organ", "pad").sources(0, 2 * SECOND)[0]
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 8 * len(tone)))
    found_hz = spectrum.argmax() * SAMPLE_RATE_HZ / (8 * len(tone))
    wanted_hz = 440.0 * 2 ** ((pitch - 69) / 12)
    assert abs(1200 * np.log2(found_hz / wanted_hz)) < max(1.0, 1200 * np.log2(1 + 0.06 / wanted_hz))


def test_nothing_folds_back_from_above_the_nyquist_frequency():
    tone = Excitation([note(end_s=3.0, pitch=108)], "organ", "pad").sources(SECOND, SECOND)[0]
    power = np.square(np.abs(np.fft.rfft(tone * np.blackman(len(tone)))))
    hz = np.arange(len(power))
    f0 = 440.0 * 2 ** ((108 - 69) / 12)
    harmonic = np.abs(hz / f0 - np.rint(hz / f0)) * f0 < 5
    assert power[~harmonic].sum() < 1e-7 * power.sum()


@pytest.mark.parametrize("group", [*GROUPS, "drums"])
@pytest.mark.parametrize("sample", [0, 1, 4_095, 30_000])
def test_a_note_starts_on_its_sample(group, sample):
    pitch = 38 if group == "drums" else 60
    sources = Excitation([note(sample / SECOND, 2.0, pitch, 100, group)], "pop", group).sources(0, SECOND)
    for source in sources:
        assert np.flatnonzero(source)[0] == pytest.approx(sample, abs=1)


def test_loudness_goes_with_the_square_of_velocity():
    def peak(velocity: int) -> float:
        sources = Excitation([note(velocity=velocity)], "organ", "pad").sources(0, SECOND)
        return float(np.abs(sources[0]).max())

    for velocity in (1, 40, 100):
        assert peak(velocity) / peak(127) == pytest.approx((velocity / 127) ** 2, rel=1e-5)


def test_any_stretch_of_the_sources_is_the_same():
    score = many()
    for group in score.groups():
        excitation = Excitation(score.only(group).notes, "pop", group)
        whole = excitation.sources(0, 150_000)
        parts = [excitation.sources(first, 30_000) for first in range(0, 150_000, 30_000)]
        assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


def test_gains_of_one_give_back_the_sources():
    sound = np.random.default_rng(0).standard_normal((SOURCES, 40 * HOP_SAMPLES)).astype(np.float32)
    back = istft(filtered(stft(sound), np.zeros((SOURCES * BANDS, 39), np.float32)))
    np.testing.assert_allclose(back, sound.sum(axis=0)[HOP_SAMPLES:-HOP_SAMPLES], atol=1e-5)


def test_a_gain_is_a_gain_in_its_band_only():
    np.testing.assert_allclose(bands().sum(axis=0), 1.0, atol=1e-6)
    sound = np.zeros((SOURCES, 40 * HOP_SAMPLES), np.float32)
    sound[0] = np.sin(2 * np.pi * 1000 / SECOND * np.arange(sound.shape[1]))
    gains = np.zeros((SOURCES * BANDS, 39), np.float32)
    inside = np.flatnonzero(bands()[:, round(1000 * 2 * HOP_SAMPLES / SECOND)])
    gains[inside[0] - 4 : inside[-1] + 5] = np.log(0.5)  # the window's main lobe spans several bands
    gains[BANDS:] = 3.0  # other sources are silent
    shaped = istft(filtered(stft(sound), gains))
    plain = sound[0, HOP_SAMPLES:-HOP_SAMPLES]
    assert np.std(shaped) / np.std(plain) == pytest.approx(0.5, rel=0.02)


def test_a_sharp_gain_does_not_smear_an_attack():
    """A hit stays in place although a frame is 23 ms long, because band gains are short filters."""
    hit = Excitation([note(0.5, 0.6, 42, 127, "drums")], "pop", "drums")
    spectrum, _ = sources_of(hit, 0, 100)
    gains = np.random.default_rng(1).uniform(-2, 2, (SOURCES * BANDS, 1)).astype(np.float32)
    sound = istft(filtered(spectrum, np.repeat(gains, 100, axis=1)))
    before = np.square(sound[: SECOND // 2 - round(0.003 * SECOND)]).sum()
    assert before < 0.01 * np.square(sound).sum()


def neighbours(rows, style, group):
    """Gains that depend on neighbouring frames, as a network's do: a running mean of loudness."""
    width = 2 * MARGIN_FRAMES - 9
    loud = rows[: SOURCES * BANDS] - 0.5
    kernel = np.ones(width, np.float32) / width
    return np.stack([np.convolve(row, kernel, mode="same") for row in loud]).astype(np.float32)


@pytest.mark.slow
def test_blocks_and_chunks_join():
    score, total = many(), 2 * CHUNK_FRAMES * HOP_SAMPLES + 12_345
    sounds = DEFAULT_SOUNDS["pop"]

    def played(block: int) -> dict[str, np.ndarray]:
        blocks = list(neural_stems(score, "pop", sounds, neighbours, total, block))
        assert sum(b.samples for b in blocks) == total
        return {g: np.concatenate([b.stems[g] for b in blocks]) for g in score.groups()}

    once = played(total)
    for block in (999, 65_536):
        for group, stem in played(block).items():
            assert stem.tobytes() == once[group].tobytes()
            assert np.abs(stem).max() > 0.01
            assert np.abs(stem[-1]).max() < 1e-6


def test_chunks_are_as_one_long_decoding():
    score, frames = many(), 2 * CHUNK_FRAMES
    dry = {g: s.model_copy(update={"reverb_db": None, "pan": 0.0}) for g, s in DEFAULT_SOUNDS["pop"].items()}
    total = frames * HOP_SAMPLES
    blocks = neural_stems(score.only("keys"), "pop", dry, neighbours, total)
    stem = np.concatenate([block.stems["keys"] for block in blocks])[:, 0]
    spectrum, rows = sources_of(
        Excitation(score.only("keys").notes, "pop", "keys"), -MARGIN_FRAMES, frames + 2 * MARGIN_FRAMES
    )
    whole = istft(filtered(spectrum, neighbours(rows, None, None)))[MARGIN_FRAMES * HOP_SAMPLES :][:total]
    kept = total - SECOND // 10  # the end fades
    np.testing.assert_allclose(stem[:kept], whole[:kept], atol=1e-6)


@pytest.mark.slow
def test_a_job_with_the_neural_sound(fake_pack: Path, tmp_path: Path) -> None:
    vocal = tmp_path / "song.wav"
    soundfile.write(vocal, sung(4.0), 44_100)
    engine = Engine(fake_pack)
    said = {}
    for sound in ("band", "neural"):
        (receipt,) = render(engine, RenderJob(vocal, tmp_path / sound, Wishes(sound=sound)), "test")
        receipt_file = json.loads((tmp_path / sound / "song.receipt.json").read_text())
        assert receipt_file["sound"] == receipt.facts["sound"] == sound
        said[sound], _ = soundfile.read(tmp_path / sound / "song.accompaniment.wav")
    (again,) = render(engine, RenderJob(vocal, tmp_path / "again", Wishes(sound="neural")), "test")
    assert again.facts["files"] == receipt.facts["files"]
    assert said["band"].shape == said["neural"].shape == (4 * 44_100, 2)
    assert (tmp_path / "band" / "song.mid").read_bytes() == (tmp_path / "neural" / "song.mid").read_bytes()
    assert not np.allclose(said["band"], said["neural"], atol=0.01)


def test_a_sound_that_is_not_there(fake_pack: Path) -> None:
    pack = Engine(fake_pack).pack
    check_pack_can(pack, Wishes(sound="neural"))
    graphs = pack.manifest.graphs.model_copy(update={"audio_decoder": None})
    without = replace(pack, manifest=pack.manifest.model_copy(update={"graphs": graphs}))
    check_pack_can(without, Wishes(sound="band"))
    with pytest.raises(UsageError, match=r"has no audio decoder .* use the sound 'band'"):
        check_pack_can(without, Wishes(sound="neural"))
