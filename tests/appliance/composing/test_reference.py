"""``--like``: a MIDI file turns the dials, and none of its notes reaches the take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import pytest
from click.testing import CliRunner
from support.plain_song import reading, score

from appliance.cli.main import cli
from appliance.composing.dials import like_reference, turn_dials
from appliance.composing.reference import read_reference
from appliance.composing.wishes import Wishes
from appliance.errors import UsageError
from appliance.music.dials import DIALS
from appliance.packs.dial_table import Spread
from appliance.packs.pack import load_pack

TICKS = 480


def midi(
    path: Path,
    tracks: Sequence[tuple[str, int, Sequence[tuple[float, float, int]]]],
    bpm: float = 120.0,
    meter: tuple[int, int] = (4, 4),
) -> Path:
    """Write tracks of (name, program, notes: start and length in quarters, pitch)."""
    file = mido.MidiFile(ticks_per_beat=TICKS)
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("set_tempo", tempo=round(60e6 / bpm)))
    head.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    file.tracks.append(head)
    for channel, (name, program, notes) in enumerate(tracks):
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("track_name", name=name))
        track.append(mido.Message("program_change", channel=channel, program=program))
        events = [(round(TICKS * a), "note_on", p) for a, _, p in notes]
        events += [(round(TICKS * (a + b)), "note_off", p) for a, b, p in notes]
        now = 0
        for at, kind, pitch in sorted(events, key=lambda e: (e[0], e[1] == "note_on")):
            track.append(mido.Message(kind, channel=channel, note=pitch, velocity=64, time=at - now))
            now = at
        file.tracks.append(track)
    file.save(path)
    return path


def chords(count: int = 16, pitches: Sequence[int] = (60, 64, 67)) -> list[tuple[float, float, int]]:
    """Half notes, each as long as a quarter."""
    return [(2.0 * k, 1.0, pitch) for k in range(count) for pitch in pitches]


def test_a_reference_is_measured(tmp_path: Path) -> None:
    tune = [(2.0 * k, 1.5, 72 if k % 2 else 74) for k in range(16)]
    bass = chords(pitches=[36])
    tracks = [("Piano", 0, chords()), ("Vocal", 52, tune), ("Bass", 33, bass)]
    found = read_reference(midi(tmp_path / "ref.mid", tracks))
    # A stroke every two beats of which it sounds one; C, E and G; the tune's C is struck every other time.
    # The tune ends after 31.5 beats.
    assert found["density"] == pytest.approx(np.log2(16 / 31.5), abs=1e-4) and found["articulation"] == -1.0
    assert found["register"] == pytest.approx(191 / 3, abs=1e-3)
    assert found["voices"] == 3.0 and found["syncopation"] == found["colour"] == 0.0
    assert found["doubling"] == 0.5


def test_without_a_tune_doubling_is_left_open(tmp_path: Path) -> None:
    found = read_reference(midi(tmp_path / "ref.mid", [("Piano", 0, chords())]))
    assert set(found) == set(DIALS) - {"doubling"}


def test_the_tempo_does_not_count_but_the_meter_does(tmp_path: Path) -> None:
    slow = read_reference(midi(tmp_path / "slow.mid", [("", 0, chords())], bpm=60.0))
    fast = read_reference(midi(tmp_path / "fast.mid", [("", 0, chords())], bpm=180.0))
    assert slow == pytest.approx(fast)
    compound = read_reference(midi(tmp_path / "compound.mid", [("", 0, chords())], meter=(6, 8)))
    assert compound["density"] - slow["density"] == pytest.approx(np.log2(1.5), abs=0.03)  # longer beats


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"RIFF", r"not a MIDI file .*; give a reference as \.mid\."),
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
        read_reference(path)


def test_an_asked_dial_goes_before_the_reference_and_both_stay_in_range() -> None:
    spreads = {dial: Spread(mean=0.5, sd=0.5, bar_mean=0, bar_sd=1) for dial in DIALS}
    like = like_reference({"density": 1.0, "voices": 9.0, "colour": 0.0}, {"colour": 1.0}, spreads)
    assert like == {"density": 1.0, "voices": 2.0}


def test_the_journal_keeps_the_attributes_and_not_the_notes(tmp_path: Path) -> None:
    like = read_reference(midi(tmp_path / "ref.mid", [("", 0, chords())]))
    text = Wishes(like=like, like_name="ref.mid").to_json()
    assert Wishes.from_json(text).like == like
    with pytest.raises(ValueError):
        Wishes.model_validate({"like": {"notes": 60.0}})


def runs(pitches: Sequence[int], length: int = 8) -> set[tuple[int, ...]]:
    """Intervals of all runs of ``length`` notes."""
    steps = np.diff(pitches).tolist()
    return {tuple(steps[k : k + length - 1]) for k in range(len(steps) - length + 2)}


def test_none_of_its_notes_is_played(fake_pack: Path, tmp_path: Path) -> None:
    """Two references of equal attributes and different notes make the same take; none shares a run of eight
    notes with it that the take without a reference does not share."""
    rng = np.random.default_rng(0)
    order = [rng.permutation(64) for _ in range(2)]
    pitches = [55 + int(k) % 24 for k in range(64)]
    references, melodies = [], []
    for number, permuted in enumerate(order):
        melody = [pitches[k] for k in permuted]
        notes = [(0.5 * k, 0.4, pitch) for k, pitch in enumerate(melody)]
        references.append(read_reference(midi(tmp_path / f"{number}.mid", [("Piano", 0, notes)])))
        melodies.append(melody)
    same = {dial: references[0][dial] for dial in DIALS if dial in references[0] and dial != "colour"}
    assert {dial: references[1][dial] for dial in same} == pytest.approx(same)
    pack = load_pack(fake_pack)
    plain, *made = (
        turn_dials(pack, reading(), score(), Wishes(like=like), 0)[0]
        for like in (None, *({d: x for d, x in ref.items() if d in same} for ref in references))
    )
    assert made[0] == made[1] != plain
    tops = [[n.pitch for n in sorted(take.notes) if n.group == "keys"] for take in (plain, made[0])]
    for melody in melodies:
        assert len(runs(melody) & runs(tops[1])) <= len(runs(melody) & runs(tops[0]))


def test_the_option_reads_the_file_before_the_recording(tmp_path: Path) -> None:
    (tmp_path / "ref.mid").write_bytes(b"no")
    done = CliRunner().invoke(
        cli, ["render", "missing.wav", "--out", str(tmp_path), "--like", str(tmp_path / "ref.mid")]
    )
    assert isinstance(done.exception, UsageError) and "not a MIDI file" in str(done.exception)
