"""A singer out of tune with A = 440 Hz gets a band in tune with them."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
import soxr
from support.vocals import sung

from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render


def rendered(engine: Engine, folder: Path, cents: float, **wishes: object) -> dict[str, object]:
    """Facts of the receipt of a vocal that is sung ``cents`` off and rendered into ``folder``."""
    folder.mkdir()
    rate_hz = round(44_100 * 2 ** (cents / 1200))  # said to be 44,100: higher by ``cents``
    sound = soxr.resample(sung(6.0), rate_hz, 44_100)
    soundfile.write(folder / "vocal.wav", sound, 44_100)
    job = RenderJob(folder / "vocal.wav", folder / "out", Wishes.from_options(**wishes))
    (receipt,) = render(engine, job, "0")
    return receipt.facts


def midi_texts(folder: Path) -> list[str]:
    file = mido.MidiFile(folder / "out" / "vocal.mid")
    return [message.text for message in file.tracks[0] if message.type == "text"]


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack)


@pytest.mark.slow
def test_the_band_follows_the_singer_unless_told_otherwise(engine: Engine, tmp_path: Path) -> None:
    in_tune = rendered(engine, tmp_path / "in tune", 0.0)["tuning"]
    flat = rendered(engine, tmp_path / "flat", -30.0)["tuning"]
    assert isinstance(in_tune, dict) and isinstance(flat, dict)
    assert flat["singer_cents"] - in_tune["singer_cents"] == pytest.approx(-30.0, abs=3.0)
    assert flat["cents"] == flat["singer_cents"] and not flat["given"]
    assert flat["reference_hz"] == pytest.approx(440 * 2 ** (flat["cents"] / 1200), abs=0.02)
    assert midi_texts(tmp_path / "flat")[0].startswith(f"A = {flat['reference_hz']:.2f} Hz")


@pytest.mark.slow
def test_at_440_the_band_stays_there_and_the_singer_is_still_understood(
    engine: Engine, tmp_path: Path
) -> None:
    facts = rendered(engine, tmp_path / "flat", -30.0, tuning=440.0)
    tuning = facts["tuning"]
    assert isinstance(tuning, dict)
    assert (tuning["reference_hz"], tuning["cents"], tuning["given"]) == (440.0, 0.0, True)
    assert tuning["singer_cents"] == pytest.approx(
        rendered(engine, tmp_path / "again", -30.0)["tuning"]["singer_cents"]  # type: ignore[index]
    )
    assert midi_texts(tmp_path / "flat") == []


@pytest.mark.slow
def test_the_sound_is_the_same_music_higher_or_lower(engine: Engine, tmp_path: Path) -> None:
    """At 440 Hz and at 442 Hz the notes are the same; the stems differ by 7.85 cents."""
    plain = rendered(engine, tmp_path / "a", 0.0, tuning=440.0)
    higher = rendered(engine, tmp_path / "b", 0.0, tuning=442.0)
    assert plain["chart"] == higher["chart"]
    notes = [
        [
            (m.note, m.velocity)
            for m in mido.MidiFile(tmp_path / name / "out" / "vocal.mid")
            if m.type == "note_on"
        ]
        for name in "ab"
    ]
    assert notes[0] == notes[1]
    sounds = [soundfile.read(tmp_path / name / "out" / "vocal.accompaniment.wav")[0] for name in "ab"]
    assert len(sounds[0]) == len(sounds[1]) and not np.array_equal(*sounds)


@pytest.mark.parametrize("tuning", ["flat", 399.0, 481.0, True, None])
def test_a_tuning_that_makes_no_sense_is_refused(tuning: object) -> None:
    with pytest.raises(UsageError, match="--tuning"):
        Wishes.from_options(tuning=tuning)
