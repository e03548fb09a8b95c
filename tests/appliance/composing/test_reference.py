"""``--like`` with a MIDI file: what is read of it, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.references import chords, midi

from appliance.cli.main import cli
from appliance.composing.dials import like_reference
from appliance.composing.manner import Groove
from appliance.composing.reference import read_midi_reference
from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.music.dials import DIALS
from appliance.packs.dial_table import Spread


def test_a_reference_is_measured(tmp_path: Path) -> None:
    tune = [(2.0 * k, 1.5, 72 if k % 2 else 74) for k in range(16)]
    bass = chords(pitches=[36])
    tracks = [("Piano", 0, chords()), ("Vocal", 52, tune), ("Bass", 33, bass)]
    found = read_midi_reference(midi(tmp_path / "ref.mid", tracks)).like
    # A stroke every two beats of which it sounds one; C, E and G; the tune's C is struck every other time.
    # The tune ends after 31.5 beats.
    assert found["density"] == pytest.approx(np.log2(16 / 31.5), abs=1e-4) and found["articulation"] == -1.0
    assert found["register"] == pytest.approx(191 / 3, abs=1e-3)
    assert found["voices"] == 3.0 and found["syncopation"] == found["colour"] == 0.0
    assert found["doubling"] == 0.5


def test_without_a_tune_doubling_is_left_open(tmp_path: Path) -> None:
    found = read_midi_reference(midi(tmp_path / "ref.mid", [("Piano", 0, chords())])).like
    assert set(found) == set(DIALS) - {"doubling"}


def test_the_tempo_does_not_count_but_the_meter_does(tmp_path: Path) -> None:
    slow = read_midi_reference(midi(tmp_path / "slow.mid", [("", 0, chords())], bpm=60.0)).like
    fast = read_midi_reference(midi(tmp_path / "fast.mid", [("", 0, chords())], bpm=180.0)).like
    assert slow == pytest.approx(fast)
    compound = read_midi_reference(midi(tmp_path / "compound.mid", [("", 0, chords())], meter=(6, 8))).like
    assert compound["density"] - slow["density"] == pytest.approx(np.log2(1.5), abs=0.03)  # longer beats


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"RIFF", r"not a MIDI file .*; give a reference as \.mid, or a recording\."),
        (None, r"the reference cannot be read \(No such file or directory\)\."),
        ("few", r"too few notes to say how they are played; give at least 16\."),
    ],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, content: bytes | str | None, said: str) -> None:
    path = tmp_path / "ref.mid"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        midi(path, [("", 0, chords(5))])
    with pytest.raises(UsageError, match=rf"ref\.mid: {said}$"):
        read_midi_reference(path)


def test_groove_and_instruments_are_read(tmp_path: Path) -> None:
    """Eight bars of a bass on the first beat, chords after it and drums; a guitar strikes once."""
    bars = range(8)
    bass = [(4.0 * bar, 1.0, 36) for bar in bars]
    keys = [(4.0 * bar + beat, 0.5, pitch) for bar in bars for beat in (1.5, 3.0) for pitch in (60, 64, 67)]
    drums = [(4.0 * bar + beat, 0.1, 38) for bar in bars for beat in (1.0, 3.0)]
    tracks = [("", 33, bass), ("", 0, keys), ("", -1, drums), ("", 25, [(0.0, 1.0, 60)])]
    manner = read_midi_reference(midi(tmp_path / "ref.mid", tracks, bpm=90.0))
    assert manner.like_groups == ["keys", "bass", "drums"]
    groove = manner.like_groove
    assert isinstance(groove, Groove) and (groove.meter, groove.compound, groove.bpm) == (4, False, 90.0)
    # C and E lie below G4, where the high register begins; the first bar also has the guitar on beat 1.
    assert groove.bars == 8 and groove.rhythm.splitlines()[1:] == ["2-8  low: 1  mid: 2& 4  high: 2& 4"]


def test_a_groove_is_a_pattern_and_not_the_whole_course(tmp_path: Path) -> None:
    """Of forty bars, thirty-two alike: eight of those are the groove."""
    alike = [(4.0 * bar + beat, 0.5, 60) for bar in range(8, 40) for beat in (0, 1, 2, 3)]
    others = [(4.0 * bar + 0.25 * bar, 0.5, 60) for bar in range(8)]
    manner = read_midi_reference(midi(tmp_path / "ref.mid", [("", 0, others + alike)]))
    assert manner.like_groove is not None and manner.like_groove.rhythm == "1-8  mid: 1 2 3 4\n"


@pytest.mark.slow
def test_hostile_files_are_refused(tmp_path: Path) -> None:
    """A few bytes that claim centuries, bars of no beats, and any damage: a sentence, at once."""
    long = midi(tmp_path / "long.mid", [("", 0, [*chords(), (1e5, 1.0, 60)])])
    with pytest.raises(UsageError, match=r"long\.mid: it lasts longer than any song"):
        read_midi_reference(long)
    data = midi(tmp_path / "plain.mid", [("", 0, chords())]).read_bytes()
    rng = np.random.default_rng(5)
    for k in range(60):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), 1 + k % 4):
            damaged[place] = rng.integers(256)
        (tmp_path / "damaged.mid").write_bytes(damaged)
        with suppress(UsageError):
            read_midi_reference(tmp_path / "damaged.mid")


def test_bars_without_beats_are_refused(tmp_path: Path) -> None:
    path = midi(tmp_path / "ref.mid", [("", 0, chords())])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\xff\x58\x04\x04", b"\xff\x58\x04\x00"))
    assert path.read_bytes() != data
    with pytest.raises(UsageError, match="it lasts longer than any song"):
        read_midi_reference(path)


def test_an_asked_dial_goes_before_the_reference_and_both_stay_in_range() -> None:
    spreads = {dial: Spread(mean=0.5, sd=0.5, bar_mean=0, bar_sd=1) for dial in DIALS}
    like = like_reference({"density": 1.0, "voices": 9.0, "colour": 0.0}, {"colour": 1.0}, spreads)
    assert like == {"density": 1.0, "voices": 2.0}


def test_the_journal_keeps_the_attributes_and_not_the_notes(tmp_path: Path) -> None:
    manner = read_midi_reference(midi(tmp_path / "ref.mid", [("", 0, chords())]))
    asked = Wishes(**dict(manner), like_name="ref.mid")
    assert Wishes.from_json(asked.to_json()) == asked and asked.like_groove is not None
    with pytest.raises(ValueError):
        Wishes.model_validate({"like": {"notes": 60.0}})


def test_the_option_reads_the_file_before_the_recording(tmp_path: Path) -> None:
    (tmp_path / "ref.mid").write_bytes(b"no")
    done = CliRunner().invoke(
        cli, ["render", "missing.wav", "--out", str(tmp_path), "--like", str(tmp_path / "ref.mid")]
    )
    assert isinstance(done.exception, UsageError) and "not a MIDI file" in str(done.exception)
