"""Arrangements: chords read from tiny scores written by hand, and eight styles of real songs by numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import UsageError
from appliance.music.keys import Key
from appliance.music.score import DRUM_GROUP, DRUM_KEYS, STYLES, Note, Score
from train.arrange import arrange, read_chords
from train.arrange.chords import QUALITIES
from train.arrange.fretboard import HIGHEST_PITCH, OPEN_STRINGS, shapes
from train.arrange.grid import read_grid
from train.arrange.groove import Groove, GrooveBook
from train.arrange.measure import agreement
from train.arrange.voicing import lead
from train.corpus.ledger import read_ledger
from train.corpus.reader import read_song
from train.corpus.song import Song, SungNote

BEAT_S = 0.6


def tiny_song(
    chords: Sequence[Sequence[int]],
    beats_a_chord: int = 4,
    meter: tuple[int, int] = (4, 4),
    beat_s: float = BEAT_S,
    key: Key | None = None,
    sung: Sequence[tuple[float, float, int]] = (),
) -> Song:
    """Block chords of ``beats_a_chord`` beats; bars of ``meter`` (counted in its own unit)."""
    written = [
        Note(k * beats_a_chord * beat_s, (k + 1) * beats_a_chord * beat_s, pitch, 80, "keys")
        for k, chord in enumerate(chords)
        for pitch in chord
    ]
    beats = len(chords) * beats_a_chord
    bars = beats // meter[0]
    return Song(
        id="tiny",
        title="Tiny",
        split="train",
        language="en",
        duration_s=beats * beat_s,
        voice=tuple(SungNote(a, b, p, "la", "single") for a, b, p in sung),
        written=tuple(sorted(written)),
        beats_s=tuple(k * beat_s for k in range(beats)),
        downbeats=tuple(range(0, beats, meter[0])),
        bars_s=tuple(k * meter[0] * beat_s for k in range(bars + 1)),
        meters=(meter,) * bars,
        key=key or Key(0, "major"),
        tempo=((0.0, 60.0 / beat_s),),
        sha256="",
    )


def named(song: Song) -> list[tuple[int, str, int]]:
    return [(chord.root, chord.quality, chord.bass) for chord in read_chords(song)]


@pytest.mark.parametrize("tonic", [0, 2, 3, 6, 9, 11])
def test_cadence_is_read_in_any_key(tonic: int) -> None:
    cadence = [[48, 64, 67, 72], [53, 65, 69, 72], [43, 62, 67, 71, 77], [48, 64, 67, 72]]
    song = tiny_song([[p + tonic for p in chord] for chord in cadence], key=Key(tonic, "major"))
    expected = [(0, "maj"), (5, "maj"), (7, "7"), (0, "maj")]
    assert named(song) == [((r + tonic) % 12, q, (r + tonic) % 12) for r, q in expected]


def test_inversions_and_qualities_are_read() -> None:
    chords = [
        [52, 60, 67, 72],  # C/E
        [45, 60, 64, 69],  # Am
        [50, 60, 65, 69],  # Dm7
        [47, 62, 65, 69],  # Bm7b5
        [52, 62, 68, 71],  # E7
        [45, 60, 64, 69],  # Am
        [50, 67, 69, 74],  # Dsus4
        [43, 59, 62, 67],  # G
    ]
    assert named(tiny_song(chords)) == [
        (0, "maj", 4),
        (9, "min", 9),
        (2, "m7", 2),
        (11, "hdim", 11),
        (4, "7", 4),
        (9, "min", 9),
        (2, "sus4", 2),
        (7, "maj", 7),
    ]


def test_broken_chord_with_passing_notes_is_one_chord() -> None:
    song = tiny_song([[48], [43], [48]])
    figure = [60, 64, 67, 65, 64, 62, 60, 64]
    eighth_s = BEAT_S / 2
    written = list(song.written)
    for bar, transposition in enumerate((0, 7, 0)):
        for k, pitch in enumerate(figure):
            start_s = bar * 4 * BEAT_S + k * eighth_s
            written.append(Note(start_s, start_s + eighth_s, pitch + transposition, 80, "keys"))
    broken = Song(
        **{name: getattr(song, name) for name in Song.__slots__} | {"written": tuple(sorted(written))}
    )
    assert named(broken) == [(0, "maj", 0), (7, "maj", 7), (0, "maj", 0)]


def test_chords_touch_and_cover_the_song_even_where_nothing_is_written() -> None:
    song = tiny_song([[], [48, 64, 67], [], [43, 59, 62], []])
    chords = read_chords(song)
    assert chords[0].start_s == 0.0
    assert chords[-1].end_s == pytest.approx(song.duration_s)
    assert all(a.end_s == b.start_s for a, b in pairwise(chords))
    assert [c.root for c in chords] == [0, 7]


@pytest.mark.parametrize(
    ("meter", "beat_s", "pulses", "ternary"),
    [
        ((4, 4), 0.5, 4, False),
        ((3, 4), 0.5, 3, False),
        ((4, 4), 1.2, 8, False),  # a slow bar is counted in eighths
        ((4, 8), 0.25, 2, False),  # a quick one in quarters
        ((6, 8), 0.2, 2, True),
        ((3, 8), 0.2, 2, True),  # two bars are one
        ((5, 8), 0.2, 2, False),
        ((7, 4), 0.5, 7, False),
    ],
)
def test_pulses_walk_whatever_the_meter(
    meter: tuple[int, int], beat_s: float, pulses: int, ternary: bool
) -> None:
    song = tiny_song([[48, 64, 67]] * 8, beats_a_chord=meter[0], meter=meter, beat_s=beat_s)
    grid = read_grid(song)
    assert {(bar.pulses, bar.ternary) for bar in grid.bars} == {(pulses, ternary)}
    assert grid.bars[0].start_s == 0.0
    assert grid.bars[-1].end_s == song.duration_s
    for style in STYLES:
        check_rules(arrange(song, style, 0), song)


def test_pickup_takes_the_end_of_a_groove() -> None:
    song = tiny_song([[48, 64, 67]] * 3)
    shifted = {"downbeats": (1, 5, 9), "meters": ((4, 4),) * 4, "bars_s": (0.0, 0.6, 3.0, 5.4, 7.2)}
    grid = read_grid(Song(**{name: getattr(song, name) for name in Song.__slots__} | shifted))
    assert grid.bars[0].pickup
    assert [bar.pulses for bar in grid.bars] == [1, 4, 4, 3]
    book = GrooveBook.of({4: ("kick A|B|C|D",)}, {})
    assert book.cells(grid.bars[0], "kick", 0) == ("D",)
    assert book.cells(grid.bars[1], "kick", 0) == ("A", "B", "C", "D")


def test_groove_with_rows_of_two_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Groove.of("kick X.|..\nsnare ..|X.|..")


def test_voices_lead_to_the_nearest_position() -> None:
    c_major = lead((0, 4, 7), (), 55, 76)
    f_major = lead((5, 9, 0), c_major, 55, 76)
    moved = sum(abs(a - b) for a, b in zip(c_major, f_major, strict=True))
    assert moved <= 4  # one common tone, two steps
    assert {p % 12 for p in f_major} == {5, 9, 0}


@pytest.mark.parametrize("quality", ["maj", "min", "7", "m7", "maj7", "hdim", "dim", "aug", "sus4"])
def test_guitar_shapes_can_be_held(quality: str) -> None:
    for root in range(12):
        tones = {(root + step) % 12 for step in QUALITIES[quality]}
        for shape in shapes(root, quality, root):
            played = [(s, p) for s, p in enumerate(shape) if p is not None]
            assert len(shape) == 6
            assert {p % 12 for _, p in played} <= tones
            assert played[0][1] % 12 == root
            assert all(OPEN_STRINGS[0] <= p <= HIGHEST_PITCH for _, p in played)


def check_rules(score: Score, song: Song) -> None:
    """What every score must keep."""
    assert score.notes
    assert score.duration_s == song.duration_s
    ends: dict[tuple[str, int], float] = defaultdict(float)
    for note in score.notes:
        assert 0.0 <= note.start_s < note.end_s <= song.duration_s
        assert 1 <= note.velocity <= 127
        assert note.start_s >= ends[note.group, note.pitch]
        ends[note.group, note.pitch] = note.end_s
        assert note.pitch in (DRUM_KEYS if note.group == DRUM_GROUP else range(21, 109))


@pytest.fixture(scope="module")
def songs(shared: Path) -> list[Song]:
    rows = [row for row in read_ledger(shared / "corpus") if row.split == "train"]
    return [read_song(shared / "corpus", row) for row in rows[7 :: len(rows) // 6][:6]]


@pytest.fixture(scope="module")
def scores(songs: list[Song]) -> dict[str, list[Score]]:
    return {style: [arrange(song, style, seed=1) for song in songs] for style in STYLES}


# Measured over 20 train songs by `python -m train.arrange.measure`, less a margin for the six songs here.
LEAST_AGREEMENT = {
    "piano": 0.97,
    "strings": 0.92,
    "organ": 0.94,
    "guitar": 0.74,
    "pop": 0.80,
    "folk": 0.72,
    "jazz": 0.55,
    "synth": 0.78,
}


def test_real_songs_keep_the_rules(songs: list[Song], scores: dict[str, list[Score]]) -> None:
    for style in STYLES:
        for song, score in zip(songs, scores[style], strict=True):
            check_rules(score, song)


@pytest.mark.parametrize("style", STYLES)
def test_style_plays_the_written_harmony(
    songs: list[Song], scores: dict[str, list[Score]], style: str
) -> None:
    true = np.mean([agreement(score, song) for song, score in zip(songs, scores[style], strict=True)])
    wrong = np.mean([agreement(score, song, 6) for song, score in zip(songs, scores[style], strict=True)])
    assert true > LEAST_AGREEMENT[style]
    assert true > wrong + 0.3


def test_piano_keeps_every_note_and_shapes_the_loudness(
    songs: list[Song], scores: dict[str, list[Score]]
) -> None:
    for song, score in zip(songs, scores["piano"], strict=True):
        written, played = [n.pitch for n in song.written], [n.pitch for n in score.notes]
        assert len(played) > 0.99 * len(written)
        assert set(played) == set(written)
        assert np.std([n.velocity for n in score.notes]) > 4


def notes_a_second(score: Score, *groups: str) -> float:
    return sum(n.group in groups for n in score.notes) / score.duration_s


def mean_length_s(score: Score) -> float:
    pitched = [n for n in score.notes if n.group != DRUM_GROUP]
    return float(np.mean([n.end_s - n.start_s for n in pitched]))


def test_styles_differ_in_instruments_density_and_register(scores: dict[str, list[Score]]) -> None:
    expected = {
        "piano": {"keys"},
        "strings": {"pad", "bass"},
        "organ": {"pad", "bass"},
        "guitar": {"pluck"},
        "folk": {"pluck", "bass", DRUM_GROUP},
        "jazz": {"keys", "bass", DRUM_GROUP},
        "synth": {"pad", "pluck", "bass", DRUM_GROUP},
    }
    for style, groups in expected.items():
        assert {g for score in scores[style] for g in score.groups()} == groups
    for k, piano in enumerate(scores["piano"]):
        assert notes_a_second(scores["strings"][k], "pad", "bass") < 1.05 * notes_a_second(piano, "keys")
        assert mean_length_s(scores["strings"][k]) > mean_length_s(piano)
        assert {"keys", "bass", "pad", DRUM_GROUP} <= set(scores["pop"][k].groups())
        assert notes_a_second(scores["synth"][k], DRUM_GROUP) > notes_a_second(scores["folk"][k], DRUM_GROUP)
        assert all(40 <= n.pitch <= HIGHEST_PITCH for n in scores["guitar"][k].notes)
        for style in ("pop", "folk", "jazz", "synth"):
            low = np.mean([n.pitch for n in scores[style][k].notes if n.group == "bass"])
            high = np.mean([n.pitch for n in scores[style][k].notes if n.group not in ("bass", DRUM_GROUP)])
            assert low < 45 < high - 8


def test_band_plays_on_where_nobody_sings_and_ends_on_a_held_chord(
    songs: list[Song], scores: dict[str, list[Score]]
) -> None:
    for style in ("guitar", "pop", "folk", "jazz", "synth"):
        for song, score in zip(songs, scores[style], strict=True):
            ends = [0.0, *(n.end_s for n in song.voice)]
            starts = [*(n.start_s for n in song.voice), song.duration_s]
            for rest_start_s, rest_end_s in zip(ends, starts, strict=True):
                if rest_end_s - rest_start_s > 4.0:
                    assert any(rest_start_s < n.start_s < rest_end_s for n in score.notes)
            last = [n for n in score.notes if n.end_s == song.duration_s]
            assert len(last) >= 3
            assert max(n.start_s for n in last) > max(n.start_s for n in score.notes) - 0.2


@pytest.mark.parametrize("style", ["pop", "folk", "jazz", "synth"])
def test_bass_player_knows_the_inversions(
    songs: list[Song], scores: dict[str, list[Score]], style: str
) -> None:
    right = total = 0
    for song, score in zip(songs, scores[style], strict=True):
        chords = read_chords(song)
        for note in score.only("bass").notes:
            begun = [c for c in chords if abs(c.start_s - note.start_s) < 0.02]
            right += sum(note.pitch % 12 == c.bass for c in begun)
            total += len(begun)
    assert total > 100
    assert right > 0.98 * total


def test_introduction_is_thinner_than_the_song() -> None:
    line = [
        (2.4 * bar + 0.6 * beat, 2.4 * bar + 0.6 * beat + 0.55, 67)
        for bar in range(4, 16)
        for beat in range(4)
    ]
    song = tiny_song([[48, 64, 67, 72], [53, 65, 69, 72], [43, 62, 67, 71], [48, 64, 67, 72]] * 4, sung=line)
    for style in ("pop", "folk", "jazz", "synth"):
        for seed in range(4):
            notes = arrange(song, style, seed).notes
            before = sum(n.start_s < 9.5 for n in notes) / 4
            during = sum(9.6 <= n.start_s < 28.7 for n in notes) / 8
            assert 0 < before < 0.8 * during


def test_seed_decides_and_repeats_across_processes(songs: list[Song], shared: Path, root: Path) -> None:
    assert len({arrange(songs[0], "pop", seed).notes for seed in range(4)}) == 4
    code = (
        "import sys, json; from pathlib import Path\n"
        "from train.arrange import arrange; from train.corpus.ledger import read_ledger\n"
        "from train.corpus.reader import read_song\n"
        "corpus = Path(sys.argv[1])\n"
        "row = next(r for r in read_ledger(corpus) if r.id == sys.argv[2])\n"
        "score = arrange(read_song(corpus, row), 'jazz', 5)\n"
        "print(json.dumps([[n.start_s, n.pitch, n.velocity] for n in score.notes]))\n"
    )
    command = [sys.executable, "-c", code, str(shared / "corpus"), songs[0].id]
    other = json.loads(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)
    here = arrange(songs[0], "jazz", 5)
    assert other == [[n.start_s, n.pitch, n.velocity] for n in here.notes]


def test_unknown_style_is_named_in_the_error() -> None:
    with pytest.raises(UsageError, match="polka"):
        arrange(tiny_song([[48, 64, 67]]), "polka", 0)


def test_styles_write_for_their_groups_alone(shared: Path) -> None:
    from appliance.music.score import STYLE_GROUPS

    rows = [row for row in read_ledger(shared / "corpus") if row.split == "val"][::20]
    found: dict[str, set[str]] = {style: set() for style in STYLES}
    for seed, row in enumerate(rows):
        song = read_song(shared / "corpus", row)
        for style in STYLES:
            found[style] |= set(arrange(song, style, seed).groups())
    assert {style: set(groups) for style, groups in STYLE_GROUPS.items()} == found
