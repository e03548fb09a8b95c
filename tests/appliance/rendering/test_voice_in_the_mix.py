"""Where the singer stands in the mix, whatever else the recording holds: measured on the published files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from support.vocals import sung

from appliance.audio.mastering import ACCOMPANIMENT_UNDER_VOCAL_LU
from appliance.composing.wishes import Wishes
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render

RATE_HZ = 44_100
SUNG = slice(4 * RATE_HZ, 14 * RATE_HZ)


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack)


def quiet_voice() -> np.ndarray:
    return np.concatenate([np.zeros(3 * RATE_HZ), 0.05 * sung(12.0)])


def mixed(engine: Engine, tmp_path: Path, vocal: np.ndarray) -> tuple[dict, np.ndarray, np.ndarray]:
    """The receipt's facts, the mix and the accompaniment."""
    soundfile.write(tmp_path / "song.wav", vocal, RATE_HZ, "FLOAT")
    (receipt,) = render(engine, RenderJob(tmp_path / "song.wav", tmp_path / "out", Wishes()), "test")
    files = (tmp_path / "out" / f"song.{ending}.wav" for ending in ("mix", "accompaniment"))
    mix, band = (soundfile.read(file)[0] for file in files)
    return receipt.facts, mix, band


def voice_over_band_lu(mix: np.ndarray, band: np.ndarray, voice: np.ndarray, over_s: slice = SUNG) -> float:
    """Loudness of the voice over the band's, each with the gain that it has in the mix while it sings."""
    voice = np.stack([voice, voice], axis=1)
    parts = np.stack([voice[over_s].ravel(), band[over_s].ravel()], axis=1)
    gains, rest, _, _ = np.linalg.lstsq(parts, mix[over_s].ravel(), rcond=None)
    assert rest[0] < 1e-3 * np.square(mix[over_s]).sum()  # the limiter hardly acts there
    meter = pyloudnorm.Meter(RATE_HZ)
    voice_lufs, band_lufs = meter.integrated_loudness(voice[3 * RATE_HZ :]), meter.integrated_loudness(band)
    return float(voice_lufs - band_lufs + 20 * np.log10(gains[0] / gains[1]))


def clap() -> np.ndarray:
    time = np.arange(5_000) / RATE_HZ
    return 0.9 * np.random.default_rng(0).uniform(-1, 1, len(time)) * np.exp(-time / 0.02)


def bump() -> np.ndarray:
    time = np.arange(8_000) / RATE_HZ
    return 0.95 * np.sin(2 * np.pi * 45 * time) * np.exp(-time / 0.04)


NOISES = {
    "nothing": [],
    "claps before": [(clap(), s) for s in (0.3, 0.9, 1.5, 2.1)],
    "a bump before": [(bump(), 1.0)],
    "a bump while singing": [(bump(), 14.2)],
    "a pop": [(np.array([0.99]), 14.5)],
}


@pytest.mark.parametrize("name", NOISES)
def test_the_voice_stands_over_the_band_whatever_else_is_heard(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    vocal = quiet_voice()
    for noise, second in NOISES[name]:
        start = round(second * RATE_HZ)
        vocal[start : start + len(noise)] += noise
    facts, mix, band = mixed(engine, tmp_path, vocal)
    assert voice_over_band_lu(mix, band, quiet_voice()) == pytest.approx(
        ACCOMPANIMENT_UNDER_VOCAL_LU, abs=0.5
    )
    assert len(facts["vocal"]["outbursts"]) == len(NOISES[name])
    assert len(facts["remarks"]) == bool(NOISES[name])
    for remark in facts["remarks"]:
        assert "far louder than the singing" in remark


def test_a_pop_does_not_duck_the_mix(engine: Engine, tmp_path: Path) -> None:
    """Around the pop the mix is what it is without it, but for the milliseconds of the pop itself."""
    levels = {}
    for name, pop in (("without", 0.0), ("with", 0.99)):
        vocal = quiet_voice()
        vocal[8 * RATE_HZ] += pop
        (tmp_path / name).mkdir()
        _, mix, _ = mixed(engine, tmp_path / name, vocal)
        near = mix[8 * RATE_HZ + 2_000 : 8 * RATE_HZ + 2_000 + 22_050]
        levels[name] = 10 * np.log10(np.square(near).mean())
    assert levels["with"] == pytest.approx(levels["without"], abs=0.3)


def test_the_mix_of_a_defective_recording_is_that_of_the_clean_one(engine: Engine, tmp_path: Path) -> None:
    clean = quiet_voice()
    time = np.arange(len(clean)) / RATE_HZ
    defective = {
        "left": np.stack([clean, np.zeros_like(clean)], axis=1),
        "offset": clean + 0.4,
        "wind": clean + 0.03 * np.sin(2 * np.pi * 2.0 * time),
        "all of it": np.stack(
            [np.full_like(clean, 0.01), clean - 0.2 + 0.03 * np.sin(2 * np.pi * time)], axis=1
        ),
    }
    (tmp_path / "clean").mkdir()
    _, wanted, _ = mixed(engine, tmp_path / "clean", clean)
    for name, sound in defective.items():
        (tmp_path / name).mkdir()
        facts, mix, _ = mixed(engine, tmp_path / name, sound)
        assert np.abs(mix - wanted).max() < 0.03, name
        assert facts["vocal"]["only_side"] == {"left": "left", "all of it": "right"}.get(name)
        assert facts["vocal"]["high_pass_hz"] == (None if name == "left" else 10.0)
        assert len(facts["remarks"]) == (2 if name == "all of it" else 1)


def test_several_voices_are_said_and_make_the_key_unsure(engine: Engine, tmp_path: Path) -> None:
    alone, duet = sung(8.0), sung(8.0) + sung(8.0, semitones=-4, vibrato_hz=5.0)
    facts = {}
    for name, vocal in (("alone", alone), ("duet", 0.5 * duet)):
        (tmp_path / name).mkdir()
        facts[name], _, _ = mixed(engine, tmp_path / name, vocal)
    assert facts["alone"]["vocal"]["company"] < 0.1 and facts["alone"]["remarks"] == []
    assert facts["alone"]["key"]["confidence"] == pytest.approx(0.77, abs=0.05)
    assert facts["duet"]["vocal"]["company"] > 0.6
    (remark,) = facts["duet"]["remarks"]
    assert remark.startswith("There seems to be more than one voice, or instruments")
    assert facts["duet"]["key"]["confidence"] < 0.4
