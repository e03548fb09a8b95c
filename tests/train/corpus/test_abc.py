"""ABC lead sheets: notes, ties, repeats, both sets of chords, remarks, several chords over one note."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("music21")

from support.small_corpus import small_corpus

from appliance.music.keys import Key
from train.corpus.abc import symbol_of
from train.corpus.chord_symbols import SongChord
from train.corpus.reader import read_song
from train.corpus.song import Song

HEAD = "X:1\nT:Test\nR:{rhythm}\nM:4/4\nL:1/4\nK:F\n"


def read(folder: Path, body: str, rhythm: str = "folk") -> Song:
    row = small_corpus(
        folder,
        "song.abc",
        (HEAD.format(rhythm=rhythm) + body).encode(),
        voice_part="melody",
        role="leadsheet",
        note="60 bpm assumed",
    )
    return read_song(folder, row)


def names(chords: tuple[SongChord, ...]) -> list[tuple[float, int, str, int]]:
    return [(c.beat, c.chord.root, c.chord.quality, c.chord.bass) for c in chords if c.chord]


def test_both_harmonies_of_one_tune(tmp_path: Path) -> None:
    song = read(tmp_path, '"F""^Verse" A2 "C7/E""^G¨7" G2 | "^B¨º" B2- "F" B A | F4 |]\n')
    assert [(n.start_s, n.end_s, n.pitch) for n in song.voice] == [
        (0.0, 2.0, 69),
        (2.0, 4.0, 67),
        (4.0, 7.0, 70),
        (7.0, 8.0, 69),
        (8.0, 12.0, 65),
    ]
    assert names(song.chords) == [(0.0, 5, "", 5), (2.0, 0, "7", 4), (6.0, 5, "", 5)]
    assert names(song.other_chords) == [(2.0, 6, "7", 6), (4.0, 10, "dim", 10)]
    assert song.written == ()
    assert song.key == Key(5, "major")
    assert song.bars_s == (0.0, 4.0, 8.0, 12.0)
    assert not song.swung


def test_repeats_and_endings_carry_their_chords(tmp_path: Path) -> None:
    song = read(tmp_path, '|: "F" A4 |1 "C7" G4 :|2 "Dm" F4 |]\n', rhythm="jazz")
    assert [n.pitch for n in song.voice] == [69, 67, 69, 65]
    assert names(song.chords) == [(0.0, 5, "", 5), (4.0, 0, "7", 0), (8.0, 5, "", 5), (12.0, 2, "m", 2)]
    assert song.swung


def test_chords_over_one_note_share_its_length(tmp_path: Path) -> None:
    # Four over a whole note; one after the last note of a bar; one that no key of music21 knows.
    song = read(tmp_path, '"F""Bb""Am7""Gm7" A4 | "C7" G2 F2"F/C" | "^DmŒ„Š7" F4 |]\n')
    assert names(song.chords) == [
        (0.0, 5, "", 5),
        (1.0, 10, "", 10),
        (2.0, 9, "m7", 9),
        (3.0, 7, "m7", 7),
        (4.0, 0, "7", 0),
        (7.0, 5, "", 0),
    ]
    assert names(song.other_chords) == [(8.0, 2, "mmaj7", 2)]


def test_contradictory_repeats_are_played_once(tmp_path: Path) -> None:
    song = read(tmp_path, "|: F4 | G4 :: A4 | B4 |]\n")
    assert [n.pitch for n in song.voice] == [65, 67, 69, 70]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("G7", "G7"),
        ("^D¨7", "Db7"),
        ("^F#m7€5", "F#m7b5"),
        ("^A7&5", "A7#5"),
        ("^B¨º", "Bbdim"),
        ("^CŒ„Š7", "Cmaj7"),
        ("C743", "C7"),
        ("^Chorus", None),
        ("_A long remark about the song.", None),
    ],
)
def test_symbols_in_the_code_of_a_music_font(text: str, symbol: str | None) -> None:
    assert symbol_of(text) == symbol
