"""Songs without a keyboard part: lead sheets by their symbols, four voices by their notes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from support.tiny_song import BEAT_S, check_rules, tiny_song

from appliance.music.score import STYLE_GROUPS, STYLES
from train.arrange import accompanied, arrange, read_chords
from train.arrange.symbols import ARRANGED
from train.corpus.chord_symbols import WRITTEN_QUALITIES, SongChord, WrittenChord
from train.corpus.song import Song

QUARTERS = [(k * BEAT_S, (k + 1) * BEAT_S) for k in range(32)]
TUNE = [(a, b, (60, 64, 67, 64, 65, 69, 72, 69)[k % 8]) for k, (a, b) in enumerate(QUARTERS)]


def lead_sheet(chords: tuple[SongChord, ...]) -> Song:
    """Eight bars of 4/4 with a tune in C that alternates between C and F, without accompaniment."""
    song = tiny_song([(60,)] * 8, sung=TUNE)
    return replace(song, written=(), role="leadsheet", chords=chords)


SYMBOLS = tuple(
    SongChord(4.0 * bar, WrittenChord(root, quality, bass))
    for bar, (root, quality, bass) in enumerate(
        [(0, "", 0), (5, "6", 9), (7, "7sus4", 7), (0, "maj9", 0)] * 2
    )
)


def test_symbols_are_the_harmony() -> None:
    chords = read_chords(lead_sheet(SYMBOLS))
    found = [(round(c.start_s / BEAT_S), c.root, c.quality, c.bass) for c in chords]
    assert found[:4] == [(0, 0, "maj", 0), (4, 5, "maj", 9), (8, 7, "sus4", 7), (12, 0, "maj7", 0)]
    assert chords[-1].end_s == pytest.approx(32 * BEAT_S)


def test_the_tune_gives_the_chords_where_symbols_stop() -> None:
    stopped = (*SYMBOLS[:2], SongChord(8.0, None))
    chords = read_chords(lead_sheet(stopped))
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in pairwise(chords))
    later = [c for c in chords if c.start_s > 8 * BEAT_S - 0.01]
    assert later[-1].end_s == pytest.approx(32 * BEAT_S)
    assert {0, 5} <= {c.root for c in later}


def test_a_short_silence_continues_the_chord() -> None:
    chords = read_chords(lead_sheet((SYMBOLS[0], SongChord(3.0, None), *SYMBOLS[1:])))
    assert chords[0].end_s == pytest.approx(4 * BEAT_S)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_a_lead_sheet(style: str) -> None:
    song = lead_sheet(SYMBOLS)
    score = arrange(song, style, 3)
    check_rules(score, song)
    assert set(score.groups()) <= set(STYLE_GROUPS[style])
    # Most notes are of the chord; jazz adds tensions and walks from chord to chord.
    for chord in read_chords(song):
        inside = [n for n in score.notes if n.start_s < chord.end_s - 0.05 and n.end_s > chord.start_s + 0.05]
        pitched = [n for n in inside if n.group != "drums"]
        assert (
            sum(n.pitch % 12 in (*chord.pitch_classes, chord.bass) for n in pitched) > 0.5 * len(pitched) > 0
        )


def test_the_same_song_gets_the_same_keyboard_part() -> None:
    song = lead_sheet(SYMBOLS)
    assert accompanied(song).written == accompanied(song).written != ()


def test_a_written_part_is_kept() -> None:
    song = tiny_song([(60, 64, 67)] * 4)
    assert accompanied(song) is song


def test_the_tune_of_four_voices_is_part_of_the_chord() -> None:
    # C and G below an E: major only if the soprano counts.
    sung = [(k * 4 * BEAT_S, (k + 1) * 4 * BEAT_S, 76) for k in range(4)]
    song = replace(tiny_song([(48, 55, 60)] * 4, sung=sung), role="satb")
    assert {c.quality for c in read_chords(song)} == {"maj"}


def test_every_written_quality_can_be_arranged() -> None:
    assert set(ARRANGED) == set(WRITTEN_QUALITIES)
