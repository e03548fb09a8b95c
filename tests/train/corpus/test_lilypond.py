"""LilyPond scores from compiled MIDI: roles by track, divided voices, words, chords, pickup, key."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import mido
import pytest
from support.small_corpus import small_corpus

from appliance.music.keys import Key
from train.corpus.ledger import LedgerError
from train.corpus.lilypond_source import hyphenated, key_signature, pickup_quarters
from train.corpus.reader import read_song
from train.corpus.song import Song

TICKS = 384
Event = tuple[float, float, int]


def midi(
    tracks: dict[str, Sequence[Event]],
    lyrics: dict[str, Sequence[tuple[float, str]]] | None = None,
    meter: tuple[int, int] = (4, 4),
) -> bytes:
    """A MIDI file as LilyPond writes it: notes (start, end, pitch) in quarters, 60 quarters a minute."""
    file = mido.MidiFile(ticks_per_beat=TICKS)
    head = mido.MidiTrack([mido.MetaMessage("track_name", name="Title")])
    head.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    head.append(mido.MetaMessage("set_tempo", tempo=1_000_000))
    file.tracks.append(head)
    for name, notes in tracks.items():
        events = [(end, 0, pitch) for _, end, pitch in notes] + [
            (start, 90, pitch) for start, _, pitch in notes
        ]
        messages = [
            (at, mido.Message("note_on", note=pitch, velocity=velocity))
            for at, velocity, pitch in sorted(events)
        ]
        file.tracks.append(timed(name.rstrip("*"), messages))
    for name, words in (lyrics or {}).items():
        latin = [(at, mido.MetaMessage("lyrics", text=text.encode().decode("latin-1"))) for at, text in words]
        file.tracks.append(timed(name, latin))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def timed(name: str, messages: Sequence[tuple[float, mido.Message]]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for at, message in messages:
        tick = round(at * TICKS)
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def read(folder: Path, source: str, compiled: bytes, **changes: str) -> Song:
    row = small_corpus(folder, "song.ly", source.encode(), compiled, **changes)
    return read_song(folder, row)


SATB = {
    "sopranos:sopranos": [(0, 1, 67), (1, 2, 69), (2, 4, 71)],
    "altos:altos": [(0, 4, 62)],
    "tenors:tenors": [(0, 4, 59)],
    "basses:basses": [(0, 2, 43), (2, 4, 55)],
}
SOURCE = r"\tempo 4 = 60 \key g \major altWords = \lyricmode { Glo -- ry sing }"


def test_the_soprano_sings_what_hangs_under_the_alto(tmp_path: Path) -> None:
    later = [(0, "Peace"), (1, "be"), (2, "here")]
    compiled = midi(SATB, {"altosII:": later, "altos:": [(0, "Glo"), (1, "ry"), (2, "sing")]})
    song = read(tmp_path, SOURCE, compiled, voice_part="voice sopranos", role="satb")
    assert [(n.start_s, n.end_s, n.pitch, n.syllable, n.syllabic) for n in song.voice] == [
        (0.0, 1.0, 67, "Glo", "begin"),
        (1.0, 2.0, 69, "ry", "end"),
        (2.0, 4.0, 71, "sing", "single"),
    ]
    assert [(n.start_s, n.pitch) for n in song.written] == [(0.0, 43), (0.0, 59), (0.0, 62), (2.0, 55)]
    assert song.key == Key(7, "major")
    assert song.role == "satb"


def test_a_voice_that_splits_continues_in_short_lived_tracks(tmp_path: Path) -> None:
    soprano = [(0, 2, 67), (4, 6, 69)]
    tracks = {
        "sopranos:sopranos": soprano,
        "altos:altos": [(0, 2, 62), (2, 4, 60), (4, 6, 62)],
        "1:1": [(2, 3, 72), (3, 4, 74)],  # the soprano is silent: its upper half
        "2:2": [(2, 4, 65)],
        "1:1*": [(4, 6, 64)],  # the soprano sings: another voice has split
    }
    song = read(tmp_path, SOURCE, midi(tracks), voice_part="voice sopranos", role="satb")
    assert [n.pitch for n in song.voice] == [67, 72, 74, 69]
    assert sorted(n.pitch for n in song.written) == [60, 62, 62, 64, 65]


def test_a_chord_in_the_soprano_gives_its_lower_note_to_the_accompaniment(tmp_path: Path) -> None:
    tracks = {"sopranos:sopranos": [(0, 1, 67), (0, 1, 71)], "altos:altos": [(0, 1, 62)]}
    song = read(tmp_path, SOURCE, midi(tracks), voice_part="voice sopranos", role="satb")
    assert [n.pitch for n in song.voice] == [71]
    assert [n.pitch for n in song.written] == [62, 67]


@pytest.mark.parametrize("chord_track", ["", "Begleitung:"])
def test_the_track_without_a_name_is_chords(tmp_path: Path, chord_track: str) -> None:
    chords = [(0, 4, p) for p in (48, 52, 55)] + [(4, 6, p) for p in (47, 55, 62, 65)]
    tracks = {chord_track: chords, "Lied:Lied": [(1, 2, 67), (2, 4, 72), (4, 8, 74)]}
    song = read(tmp_path, SOURCE, midi(tracks), voice_part="voice Lied", role="leadsheet", has_chords="1")
    assert [n.pitch for n in song.voice] == [67, 72, 74]
    assert song.written == ()
    found = [(c.beat, c.chord and (c.chord.root, c.chord.quality, c.chord.bass)) for c in song.chords]
    assert found == [(0.0, (0, "", 0)), (4.0, (7, "7", 11)), (6.0, None)]  # they stop before the tune


def test_a_tune_without_a_name_is_the_track_without_chords(tmp_path: Path) -> None:
    tracks = {"": [(0, 4, p) for p in (48, 52, 55)], "*": [(0, 2, 67), (2, 4, 72)]}
    song = read(tmp_path, SOURCE, midi(tracks), voice_part="voice ", role="leadsheet", has_chords="1")
    assert [n.pitch for n in song.voice] == [67, 72]
    assert len(song.chords) == 1


def test_refrain_and_verse_are_one_tune(tmp_path: Path) -> None:
    tracks = {"": [(0, 4, p) for p in (48, 52, 55)], "R:R": [(0, 4, 67)], "S:S": [(4, 8, 72)]}
    song = read(tmp_path, SOURCE, midi(tracks), voice_part="voice R", role="leadsheet", has_chords="1")
    assert [n.pitch for n in song.voice] == [67, 72]


def test_the_first_bar_is_as_long_as_the_pickup(tmp_path: Path) -> None:
    tracks = {"sopranos:sopranos": [(0, 1, 62), (1, 4, 67), (4, 6, 69)], "altos:altos": [(1, 6, 62)]}
    source = r"\key g \major global = { \time 3/4 \partial 4 } \tempo 4 = 60"
    song = read(tmp_path, source, midi(tracks, meter=(3, 4)), voice_part="voice sopranos", role="satb")
    assert song.bars_s == (0.0, 1.0, 4.0, 6.0)
    assert song.downbeats == (1, 4)


def test_without_a_tempo_the_default_replaces_lilyponds(tmp_path: Path) -> None:
    song = read(tmp_path, r"\key g \major", midi(SATB), voice_part="voice sopranos", role="satb")
    assert song.duration_s == pytest.approx(4 * 60 / 90)


def test_a_transposed_song_gets_the_key_it_sounds_in(tmp_path: Path) -> None:
    scale = [(k, k + 1, p) for k, p in enumerate((63, 65, 67, 68, 70, 72, 74, 75))]
    tracks = {"sopranos:sopranos": scale, "altos:altos": [(0, 8, 51), (0, 8, 58)]}
    source = r"\transpose d es { \key d \major }"
    song = read(tmp_path, source, midi(tracks), voice_part="voice sopranos", role="satb")
    assert song.key == Key(3, "major")


def test_the_compiled_file_is_verified(tmp_path: Path) -> None:
    compiled = midi(SATB)
    row = small_corpus(tmp_path, "song.ly", b"x", compiled, voice_part="voice sopranos")
    (tmp_path / "song.mid").write_bytes(compiled + b"\0")
    with pytest.raises(
        LedgerError, match=r"song\.ly: the hash of its compiled song\.mid is not the ledger's"
    ):
        read_song(tmp_path, row)
    (tmp_path / "song.mid").unlink()
    with pytest.raises(LedgerError, match=r"its compiled song\.mid is not in"):
        read_song(tmp_path, row)


@pytest.mark.parametrize(
    ("source", "signature"),
    [
        (r"\key d \major", (2, "major")),
        (r"\key es \major", (-3, "major")),
        (r"\key fis \minor", (3, "minor")),
        (r"\key d \dorian", (0, "")),
        (r"% \key d \major" "\n" r"\key f \major", (-1, "major")),
        (r'\language "english" \key bf \major', (-2, "major")),
        (r"\c major", (0, "")),
    ],
)
def test_key_signatures(source: str, signature: tuple[int, str]) -> None:
    assert key_signature(source) == signature


@pytest.mark.parametrize(
    ("source", "quarters"),
    [
        (r"global = { \time 4/4 \partial 4 }", 1.0),
        (r"global = { \partial 8*5 s8*5 }", 2.5),
        (r"a = { \partial 4. c8 d e }", 1.5),
        (r"a = { c4 d e f \partial 4 g4 }", 0.0),
        (r"a = { c1 }", 0.0),
    ],
)
def test_pickups(source: str, quarters: float) -> None:
    assert pickup_quarters(source) == quarters


def test_hyphens_join_syllables() -> None:
    pairs = hyphenated('w = \\lyricmode { A -- men, \\set x = 1 \\"y\\" sing _ "so" __ low }')
    assert pairs["A", "men,"] > 0
    assert pairs["sing", "so"] < 0
