"""A band in another key than the singer's: its sound, its notes, and what the receipt says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
from support.vocals import sung

from appliance.composing.wishes import Wishes
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render

RATE_HZ = 44_100


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack)


@pytest.fixture(scope="module")
def vocal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocal") / "song.wav"
    soundfile.write(path, sung(4.0), RATE_HZ)
    return path


def rendered(engine: Engine, vocal: Path, out: Path, **wishes: object) -> dict[str, Any]:
    (receipt,) = render(engine, RenderJob(vocal, out, Wishes(style="jazz", tuning=440.0, **wishes)), "test")
    return receipt.facts


def chroma(path: Path) -> np.ndarray:
    """Power of each pitch class between 40 and 2000 Hz: (12,), sum 1."""
    sound = soundfile.read(path)[0].mean(axis=1)
    power = np.square(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))))
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    inside = (hz > 40) & (hz < 2000)
    classes = np.round(12 * np.log2(hz[inside] / 440.0) + 9).astype(int) % 12
    total = np.bincount(classes, power[inside], 12)
    return np.asarray(total / total.sum())


def notes(path: Path) -> dict[str, list[tuple[int, int]]]:
    """Track name to (tick, pitch) of its onsets."""
    found = {}
    for track in mido.MidiFile(path).tracks[1:]:
        tick, onsets = 0, []
        for message in track:
            tick += message.time
            if message.type == "note_on":
                onsets.append((tick, message.note))
        found[track.name] = onsets
    return found


@pytest.mark.slow
@pytest.mark.parametrize("semitones", [-2, 5])
def test_all_but_the_drums_move(engine: Engine, vocal: Path, tmp_path: Path, semitones: int) -> None:
    rendered(engine, vocal, tmp_path / "plain")
    rendered(engine, vocal, tmp_path / "moved", transpose=semitones)
    for group in ("keys", "bass"):
        plain, moved = (
            chroma(tmp_path / name / "stems" / f"song.{group}.wav") for name in ("plain", "moved")
        )
        lengths = np.linalg.norm(plain) * np.linalg.norm(moved)
        alike = [float(np.roll(plain, k) @ moved / lengths) for k in range(12)]
        assert int(np.argmax(alike)) == semitones % 12
        assert alike[semitones % 12] > 0.9  # the room colours each pitch a little differently
    before, after = (notes(tmp_path / name / "song.mid") for name in ("plain", "moved"))
    assert before.keys() == after.keys() and len(before) == 3
    for name, onsets in before.items():
        up = 0 if "kit" in name else semitones
        assert after[name] == [(tick, pitch + up) for tick, pitch in onsets]


@pytest.mark.slow
def test_the_receipt_says_what_sounds_and_what_is_sung(engine: Engine, vocal: Path, tmp_path: Path) -> None:
    plain = rendered(engine, vocal, tmp_path / "plain")
    facts = rendered(engine, vocal, tmp_path / "moved", transpose=-2)
    assert plain["transposed"] is None
    assert (plain["key"]["name"], facts["key"]["name"]) == ("C major", "Bb major")
    told = facts["transposed"]
    assert (told["semitones"], told["sung_key"]) == (-2, "C major")
    assert told["sung_chart_text"] == plain["chart_text"] != facts["chart_text"]
    assert facts["remarks"][-1] == (
        "The band plays 2 semitones lower than what is sung, in Bb major instead of C major; "
        "there is no mix, because the voice would be in another key."
    )
    assert json.loads((tmp_path / "moved" / "song.receipt.json").read_text()) == facts


@pytest.mark.slow
def test_there_is_a_mix_only_where_voice_and_band_agree(engine: Engine, vocal: Path, tmp_path: Path) -> None:
    for semitones, mixed in ((0, True), (-3, False), (12, True)):
        facts = rendered(engine, vocal, tmp_path / str(semitones), transpose=semitones)
        assert (tmp_path / str(semitones) / "song.mix.wav").exists() == mixed
        assert ("song.mix.wav" in facts["files"]) == mixed == (facts["levels"]["mix"] is not None)


@pytest.mark.slow
def test_a_given_chart_is_what_is_sung(engine: Engine, vocal: Path, tmp_path: Path) -> None:
    chart = "0 2 F\n2 4 G7\n"
    facts = rendered(engine, vocal, tmp_path / "out", transpose=2, chords=chart, key="C")
    assert [span[2] for span in facts["chart"]] == ["G", "A7"]
    assert facts["transposed"]["sung_chart_text"] == "0.000 2.000 F\n2.000 4.000 G7\n"
    again = rendered(
        engine,
        vocal,
        tmp_path / "again",
        transpose=2,
        chords=facts["transposed"]["sung_chart_text"],
        key=facts["transposed"]["sung_key"],
    )
    assert (again["chart"], again["key"]["name"]) == (facts["chart"], "D major")
