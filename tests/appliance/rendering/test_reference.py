"""``--like`` with a recording: the audio encoder hears its notes, and what is not heard well is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from numpy.typing import NDArray
from support.recordings import tone, write
from support.references import chords, midi
from support.vocals import sung

from appliance.cli.main import cli
from appliance.composing.manner_reading import manner_of, strokes_a_second
from appliance.composing.wishes import Wishes
from appliance.errors import InputError, UsageError
from appliance.grid import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from appliance.music.roll import roll_of
from appliance.music.score import BeatGrid, Note, Score
from appliance.playing.soundfont_band import render_stems
from appliance.rendering import reference
from appliance.rendering.engine import Engine
from appliance.rendering.redo.parent import read_parent
from appliance.rendering.reference import HEARD_S, NOT_READ, heard_manner, manner_wishes

SECONDS = 32.0
GRID = BeatGrid(tuple(0.5 * k for k in range(65)), tuple(range(0, 65, 4)), 1.0, 4)
NO_TUNE = np.zeros((0, 3))


def band() -> Score:
    """Bass on the first beat of a bar, triads after it, drums on two and four; sixteen bars."""
    notes = []
    for bar in range(16):
        at_s, root = 2.0 * bar, (36, 41, 43, 36)[bar % 4]
        notes.append(Note(at_s, at_s + 1.8, root, 90, "bass"))
        for beat in (1.0, 2.0, 2.5, 3.0):
            start_s = at_s + 0.5 * beat
            notes += [Note(start_s, start_s + 0.3, root + 24 + up, 80, "keys") for up in (0, 4, 7)]
        notes += [Note(at_s + s, at_s + s + 0.1, 38, 90, "drums") for s in (0.5, 1.5)]
    return Score.of(notes, SECONDS)


class Ear:
    """Graphs that hear :func:`band` in any sound, and in which the planner counts ``grid``."""

    composes_chords = False

    def __init__(self, grid: BeatGrid = GRID) -> None:
        self.grid = grid

    def hear(self, spectrum: NDArray[np.float32], style: NDArray[np.float32]) -> NDArray[np.float32]:
        assert style[-1] == 1.0  # no style is told: nobody knows it
        return roll_of(band(), spectrum.shape[1]).stacked()

    def plan(self, features: NDArray[np.float32], beat_phases: NDArray[np.float32]) -> tuple[Any, ...]:
        frames = features.shape[1]
        beats = np.zeros((2, frames), np.float32)
        at = (np.array(self.grid.beats_s) * FRAME_RATE_HZ).astype(int)
        beats[0, at[at < frames]] = 1.0
        bars = at[list(self.grid.downbeats)]
        beats[1, bars[bars < frames]] = 1.0
        return np.full((24, frames // 4), 0.5, np.float32), np.full(24, 1 / 24, np.float32), beats


def recording(path: Path, seconds: float = SECONDS) -> Path:
    return write(path, tone(seconds, 22_050), 22_050)


@pytest.mark.slow
def test_what_is_heard_is_measured_and_the_rest_is_told(tmp_path: Path) -> None:
    heard = heard_manner(Ear(), recording(tmp_path / "band.wav"), "band.wav")  # type: ignore[arg-type]
    written = manner_of(band().notes, NO_TUNE, GRID, SECONDS, "")
    assert (
        set(heard.like)
        == set(written.like) - set(NOT_READ)
        == {"register", "articulation", "voices", "colour"}
    )
    assert heard.like == pytest.approx({dial: written.like[dial] for dial in heard.like}, abs=0.15)
    assert heard.like_strokes_s == pytest.approx(strokes_a_second(band().notes), rel=0.02)
    assert heard.like_groups == ["keys", "bass", "drums"]
    kinds = [
        {line.partition("  ")[2] for line in manner.like_groove.rhythm.splitlines()}
        for manner in (heard, written)
        if manner.like_groove is not None
    ]
    assert kinds[0] == kinds[1] and "low: 1  mid: 2 3 3& 4  high: 2 3 3& 4" in kinds[0]
    (remark,) = heard.like_remarks
    assert "syncopation and doubling are not read" in remark and "strokes a second" in remark


@pytest.mark.slow
def test_beats_that_are_not_sure_give_no_groove(tmp_path: Path) -> None:
    other = BeatGrid(tuple(0.61 * k for k in range(53)), tuple(range(0, 53, 3)), 1.0, 3)
    heard = heard_manner(Ear(other), recording(tmp_path / "band.wav"), "band.wav")  # type: ignore[arg-type]
    assert heard.like_groove is None and set(heard.like) == {"register", "articulation", "voices", "colour"}
    assert heard.like_remarks[1:] == ["band.wav: its beats are not sure, so its groove is not read."]


def test_only_the_first_minutes_are_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "HEARD_S", 4.0)
    heard = heard_manner(Ear(), recording(tmp_path / "band.wav", 6.0), "band.wav")  # type: ignore[arg-type]
    assert heard.like_remarks[-1] == "band.wav: only its first 4 s were heard."
    assert HEARD_S == 300.0


def test_a_pack_without_an_encoder_says_so(fake_pack: Path, tmp_path: Path) -> None:
    engine = Engine(fake_pack)
    with pytest.raises(UsageError, match=r"^band\.wav: the pack has no audio encoder .* give a MIDI file\.$"):
        manner_wishes(engine, recording(tmp_path / "band.wav", 2.0), "band.wav")


def test_a_damaged_recording_is_refused_before_the_pack_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "band.wav").write_bytes(b"RIFF????WAVE")
    done = CliRunner().invoke(
        cli,
        ["render", "a.wav", "--out", str(tmp_path), "--like", str(tmp_path / "band.wav"), "--pack", "none"],
    )
    assert isinstance(done.exception, InputError) and "band.wav" in str(done.exception)


@pytest.mark.slow
def test_the_receipt_holds_all_that_a_redo_needs(fake_pack: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "vocal.wav", sung(6.0), SAMPLE_RATE_HZ)
    ref = midi(
        tmp_path / "ref.mid", [("Piano", 0, chords()), ("", -1, [(2.0 * k, 0.1, 38) for k in range(16)])]
    )
    paths = [str(tmp_path / "vocal.wav"), "--out", str(tmp_path / "out"), "--like", str(ref)]
    done = CliRunner().invoke(cli, ["render", *paths, "--pack", str(fake_pack), "--style", "jazz", "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "out" / "vocal.receipt.json").read_text())
    assert facts["like"] == "ref.mid" and "bass" not in facts["groups"]
    asked = facts["asked"]
    assert asked["like_groups"] == ["keys", "drums"] and asked["like_groove"]["meter"] == 4
    assert len(asked["like_sha256"]) == 64
    wishes = read_parent(tmp_path / "out" / "vocal.receipt.json").wishes
    told = {name: value for name, value in dict(wishes).items() if name.startswith("like")}
    expected = manner_wishes(Engine(fake_pack), ref, "ref.mid")
    assert told == {**{name: getattr(Wishes(), name) for name in told}, **expected}


@pytest.mark.slow
def test_the_reference_pack_hears_a_band(reference_pack: Path, tmp_path: Path) -> None:
    """Played by the soundfont and heard again: dials, strokes and instruments are those of the notes."""
    engine = Engine(reference_pack)
    sounds = engine.pack.manifest.sounds["jazz"]
    samples = round(SECONDS * SAMPLE_RATE_HZ)
    sound = np.concatenate([b.mix() for b in render_stems(band(), sounds, engine.soundfont, samples)])
    path = tmp_path / "band.mp3"
    soundfile.write(path, 0.5 * sound / np.abs(sound).max(), SAMPLE_RATE_HZ)
    found = manner_wishes(engine, path, path.name)
    written = manner_of(band().notes, NO_TUNE, GRID, SECONDS, "")
    assert found["like_groups"] == ["keys", "bass", "drums"]
    assert found["like_strokes_s"] == pytest.approx(strokes_a_second(band().notes), rel=0.1)
    assert found["like"]["register"] == pytest.approx(written.like["register"], abs=1.0)
    assert found["like"]["voices"] == pytest.approx(written.like["voices"], abs=0.5)
    assert found["like"]["articulation"] == pytest.approx(written.like["articulation"], abs=0.5)
    assert not set(found["like"]) & set(NOT_READ)
    assert Wishes(**found).like_name == path.name
