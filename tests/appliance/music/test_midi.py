"""MIDI files: times as an independent reader plays them, the song's bars, the same bytes twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest

from appliance.errors import OutputError
from appliance.music.midi import TempoMap, write_midi
from appliance.music.score import DRUM_KEYS, BeatGrid, Note, Score


@dataclass(frozen=True)
class Sound:
    name: str
    bank: int
    program: int


SOUNDS = {
    "keys": Sound("Grand piano", 0, 0),
    "pluck": Sound("Gitarre «Nylon»", 0, 24),
    "pad": Sound("Strings", 0, 48),
    "bass": Sound("Upright", 0, 32),
    "drums": Sound("Kit", 128, 0),
}


def grid(start_s: float, beat_s: float, count: int, first_bar: int = 0, meter: int = 4) -> BeatGrid:
    beats = tuple(start_s + beat_s * i for i in range(count))
    return BeatGrid(beats, tuple(range(first_bar, count, meter)), 0.9, meter)


def rubato(seed: int) -> BeatGrid:
    rng = np.random.default_rng(seed)
    gaps = rng.uniform(0.3, 1.4, 80)
    downbeats, beat = [], int(rng.integers(0, 4))
    while beat < 80:
        downbeats.append(beat)
        beat += int(rng.choice([3, 4, 4, 5]))
    beats = rng.uniform(0, 3) + np.cumsum(gaps)
    return BeatGrid(tuple(float(b) for b in beats), tuple(downbeats), 0.5)


GRIDS = {
    "unknown": BeatGrid(),
    "one beat": BeatGrid((1.0,), (0,), 0.1),
    "at zero": grid(0.0, 0.5, 60),
    "just after zero": grid(0.0004, 0.5, 60),
    "hardly after zero": grid(0.03, 0.5, 60),
    "pickup": grid(0.0, 0.6, 60, first_bar=1, meter=3),
    "late pickup": grid(0.21, 0.61234, 90, first_bar=3),
    "long rest": grid(31.7, 0.4321, 120, first_bar=2),
    "slow": grid(1.1, 1.9, 20),
    "fast": grid(0.9, 0.2, 300, first_bar=1),
    "five": grid(2.3, 0.55, 60, first_bar=2, meter=5),
    "no bars": BeatGrid(tuple(0.3 + 0.5 * i for i in range(30))),
    "six eighths": replace(grid(0.37, 0.9, 60, first_bar=1, meter=2), compound=True),
    "twelve eighths": replace(grid(0.0, 0.75, 60, meter=4), compound=True),
    "seven eighths": grid(0.5, 0.25, 140, first_bar=3, meter=7),
    "80, then 120": BeatGrid(
        tuple(0.3 + 0.75 * i for i in range(17)) + tuple(12.8 + 0.5 * i for i in range(60))
    ),
    "rubato": rubato(1),
    "more rubato": rubato(2),
}


BEAT_TICKS = {"six eighths": 1440, "twelve eighths": 1440, "seven eighths": 480}
"""Ticks of a beat that is no quarter."""


def score(seed: int = 0, duration_s: float = 60.0) -> Score:
    rng = np.random.default_rng(seed)
    notes = []
    for group in ("keys", "bass", "drums"):
        last_end: dict[int, float] = {}
        for start in np.sort(rng.uniform(0, duration_s - 3, 150)):
            pitch = int(rng.choice(DRUM_KEYS)) if group == "drums" else int(rng.integers(21, 109))
            if start < last_end.get(pitch, -1.0) + 0.01:
                continue
            last_end[pitch] = float(start + rng.uniform(0.05, 3))
            notes.append(Note(float(start), last_end[pitch], pitch, int(rng.integers(1, 128)), group))
    return Score.of(notes, duration_s)


def played(path: Path) -> list[tuple[float, float, int, int, int]]:
    """(start_s, end_s, pitch, velocity, channel), timed by mido's player, not by our tempo map."""
    now, open_notes, notes = 0.0, {}, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on":
            assert (message.channel, message.note) not in open_notes
            open_notes[message.channel, message.note] = (now, message.velocity)
        elif message.type == "note_off":
            start, velocity = open_notes.pop((message.channel, message.note))
            notes.append((start, now, message.note, velocity, message.channel))
    assert not open_notes
    return sorted(notes)


def bar_lines(path: Path) -> list[float]:
    """Times of all bar lines, from the time signatures and tempi alone."""
    file = mido.MidiFile(path)
    meters, tempi, tick = [], [], 0
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "time_signature":
            meters.append((tick, 4 * message.numerator * file.ticks_per_beat // message.denominator))
        elif message.type == "set_tempo":
            tempi.append((tick, message.tempo))
    lines = []
    for (start, bar), (end, _) in pairwise([*meters, (tick + 1, 0)]):
        assert end == tick + 1 or (end - start) % bar == 0, "a signature changes inside a bar"
        lines += range(start, end, bar)

    def seconds(at: int) -> float:
        total = 0.0
        for (start, tempo), (end, _) in pairwise([*tempi, (1 << 60, 0)]):
            total += max(0, min(at, end) - start) * tempo / file.ticks_per_beat / 1e6
        return total

    return [seconds(line) for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("name", GRIDS)
def test_notes_sound_within_a_millisecond_of_the_score(tmp_path: Path, name: str) -> None:
    written = score()
    write_midi(tmp_path / "a.mid", written, GRIDS[name], SOUNDS)
    channels = {"keys": 0, "bass": 1, "drums": 9}
    wanted = sorted((n.start_s, n.end_s, n.pitch, n.velocity, channels[n.group]) for n in written.notes)
    heard = played(tmp_path / "a.mid")
    assert len(heard) == len(wanted) > 300
    by_place = lambda note: (note[4], note[2], note[0])  # noqa: E731
    for one, other in zip(sorted(heard, key=by_place), sorted(wanted, key=by_place), strict=True):
        assert one[2:] == other[2:]
        assert one[0] == pytest.approx(other[0], abs=0.0015)
        assert one[1] == pytest.approx(other[1], abs=0.0015)


@pytest.mark.parametrize("name", [n for n in GRIDS if len(GRIDS[n].downbeats) > 1])
def test_downbeats_fall_on_bar_lines(tmp_path: Path, name: str) -> None:
    beats = GRIDS[name]
    end_s = beats.beats_s[-1] + 1
    write_midi(tmp_path / "a.mid", Score((), end_s), beats, SOUNDS)
    lines = np.array(bar_lines(tmp_path / "a.mid"))
    downbeats = [beats.beats_s[i] for i in beats.downbeats]
    assert lines[0] == 0.0
    for downbeat in downbeats:
        assert np.abs(lines - downbeat).min() < 0.001
    # And between the first and the last downbeat there are no other bar lines.
    inside = (lines > downbeats[0] - 0.001) & (lines < downbeats[-1] + 0.001)
    assert inside.sum() == len(downbeats)


@pytest.mark.parametrize("name", GRIDS)
def test_beats_fall_on_whole_ticks(name: str) -> None:
    beats = GRIDS[name]
    if len(beats.beats_s) < 2:
        assert TempoMap.of(beats).tempi == ((0, 500_000),)
        return
    ticks = np.array(TempoMap.of(beats).ticks(beats.beats_s))
    assert set(np.diff(ticks[1:])) == {BEAT_TICKS.get(name, 960)}
    assert (
        abs(ticks[1] - ticks[0] - BEAT_TICKS.get(name, 960)) <= 1
    )  # a first beat closer to 0 than a tick counts as 0


def test_a_steady_song_has_one_tempo() -> None:
    assert len(TempoMap.of(grid(0.0, 60 / 97, 400)).tempi) == 1
    assert len(TempoMap.of(grid(1.3, 60 / 97, 400)).tempi) == 2  # and one for the leading bar
    assert len(TempoMap.of(grid(31.7, 0.4321, 400)).tempi) == 2


def test_no_error_adds_up_over_an_hour() -> None:
    beats = grid(0.0, 60 / 97.3, 5800)
    ticks = np.array(TempoMap.of(beats).ticks(beats.beats_s))
    assert np.array_equal(ticks, 960 * np.arange(5800))


def test_leading_bar_keeps_the_songs_tempo_about(tmp_path: Path) -> None:
    """A rest of 3.4 beats before a song in 4/4 becomes a bar of three beats, not a far slower tempo."""
    tempo_map = TempoMap.of(grid(3.4 * 0.5, 0.5, 40))
    assert tempo_map.meters == ((0, 3, 4), (3 * 960, 4, 4))
    assert tempo_map.tempi[0][1] == pytest.approx(500_000 * 3.4 / 3, abs=1)
    # One beat and a pickup of two: the leading bar has three beats at the song's tempo.
    tempo_map = TempoMap.of(grid(0.5, 0.5, 40, first_bar=2))
    assert tempo_map.meters == ((0, 3, 4), (3 * 960, 4, 4))
    assert len(tempo_map.tempi) == 1


def test_tracks_names_and_instruments(tmp_path: Path) -> None:
    groups = ("keys", "pluck", "pad", "bass", "drums")
    notes = [Note(0.5, 1.0, 36 if g == "drums" else 60, 80, g) for g in groups]
    write_midi(tmp_path / "a.mid", Score.of(notes, 12.5), GRIDS["late pickup"], SOUNDS)
    file = mido.MidiFile(tmp_path / "a.mid", charset="utf-8")
    assert file.type == 1 and len(file.tracks) == 6
    for track, group in zip(file.tracks[1:], groups, strict=True):
        sound = SOUNDS[group]
        assert track.name == sound.name
        channels = {m.channel for m in track if not m.is_meta}
        assert len(channels) == 1 and (channels == {9}) == (group == "drums")
        assert [m.program for m in track if m.type == "program_change"] == [sound.program]
        assert [m.value for m in track if m.type == "control_change"] == [sound.bank] * (group != "drums")


def test_the_file_is_as_long_as_the_vocal(tmp_path: Path) -> None:
    for duration_s in (200.0, 9.0):  # the beats end at 21 s
        written = Score.of([Note(1, 2, 60, 90, "keys")], duration_s)
        write_midi(tmp_path / "a.mid", written, grid(1.3, 0.5, 40), SOUNDS)
        assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(duration_s, abs=0.002)


def test_notes_of_one_pitch_do_not_overlap(tmp_path: Path) -> None:
    notes = [
        Note(0.0, 2.0, 60, 50, "keys"),
        Note(1.0, 3.0, 60, 60, "keys"),
        Note(3.0, 3.5, 60, 70, "keys"),
        Note(4.0, 4.1, 61, 80, "keys"),
        Note(4.0, 5.0, 61, 90, "keys"),
        Note(6.0, 6.0, 62, 90, "keys"),
    ]
    write_midi(tmp_path / "a.mid", Score.of(notes, 8), BeatGrid(), SOUNDS)
    heard = [(round(s, 2), round(e, 2), p, v) for s, e, p, v, _ in played(tmp_path / "a.mid")]
    assert heard == [
        (0.0, 1.0, 60, 50), (1.0, 3.0, 60, 60), (3.0, 3.5, 60, 70), (4.0, 5.0, 61, 90), (6.0, 6.0, 62, 90),
    ]  # fmt: skip


def test_same_arguments_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_midi(tmp_path / name, score(3), rubato(3), SOUNDS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_refusals(tmp_path: Path) -> None:
    for beats in ((0.0, 1.0, 1.0), (0.0, 1.0, 0.5), (-0.1, 0.5, 1.0), (0.0, 1.0, 20.0)):
        with pytest.raises(ValueError, match="beats must ascend"):
            TempoMap.of(BeatGrid(beats, (0,)))
    with pytest.raises(OutputError, match=r"a\.mid cannot be written"):
        write_midi(tmp_path / "none" / "a.mid", score(), BeatGrid(), SOUNDS)


@pytest.mark.parametrize(
    ("name", "signature", "quarters_per_minute"),
    [
        ("five", (5, 4), 60 / 0.55),
        ("six eighths", (6, 8), 60 / 0.9 * 1.5),
        ("twelve eighths", (12, 8), 60 / 0.75 * 1.5),
        ("seven eighths", (7, 8), 60 / 0.25 / 2),
    ],
)
def test_a_bar_has_its_time_signature_and_a_quarter_its_tempo(
    tmp_path: Path, name: str, signature: tuple[int, int], quarters_per_minute: float
) -> None:
    path = tmp_path / "song.mid"
    write_midi(path, score(), GRIDS[name], SOUNDS)
    conductor = mido.MidiFile(path).tracks[0]
    signatures = [(m.numerator, m.denominator) for m in conductor if m.type == "time_signature"]
    tempi = [mido.tempo2bpm(m.tempo) for m in conductor if m.type == "set_tempo"]
    assert signatures[-1] == signature
    assert len(signatures) <= 2  # a leading bar may differ
    assert tempi[-1] == pytest.approx(quarters_per_minute, rel=1e-3)
