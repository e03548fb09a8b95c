"""Two harmonisations of one tune, on hand-made songs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.tiny_song import tiny_song

from train.corpus.chord_symbols import SongChord, WrittenChord
from train.corpus.song import Song
from train.evaluate.material.harmonised_twice import TwoHarmonies, aligned, set_twice, two_sets
from train.evaluate.measures.metrics import harmony
from train.evaluate.sections.bounds import people, shared

C, F, G = (48, 55, 64), (53, 57, 60), (43, 59, 62)
TUNE = (67, 69, 67, 65, 64, 65, 67, 72, 71, 69, 67, 65, 64, 62, 64, 60)


def hymn(chords: list[tuple[int, ...]], beat_s: float = 0.5, semitones: int = 0, upbeat: int = 0) -> Song:
    """The tune, a note a beat from beat ``upbeat`` on, over chords of four beats, all moved by semitones."""
    sung = [
        ((k + upbeat) * beat_s, (k + upbeat + 1) * beat_s, pitch + semitones) for k, pitch in enumerate(TUNE)
    ]
    moved = [tuple(pitch + semitones for pitch in chord) for chord in chords]
    return replace(tiny_song(moved, beat_s=beat_s, sung=sung), role="satb")


def test_a_setting_in_another_key_and_tempo_is_the_same_setting() -> None:
    one, other = hymn([C, F, G, C]), hymn([F, C, F, G, C], beat_s=0.8, semitones=3, upbeat=4)
    found = aligned(one.voice, other.voice)
    assert found.semitones == -3 and found.notes == len(TUNE)
    ((ours, theirs),) = found.runs
    assert ours == pytest.approx(0.5 * np.arange(17)) and theirs == pytest.approx(0.8 * np.arange(4, 21))
    pair = set_twice(one, other)
    assert pair is not None
    # What sounds before the tune begins is not compared.
    assert harmony(pair.other, pair.one, pair.duration_s) == pytest.approx(1.0)
    assert [c.root for c in pair.chords_other] == [c.root for c in pair.chords_one] == [0, 5, 7, 0]


def test_another_setting_shares_what_its_chords_share() -> None:
    pair = set_twice(hymn([C, F, G, C]), hymn([C, F, C, F]))
    assert pair is not None
    # C and F have one of three tones in common, C and G too: two bars of 1 and two of 1/3.
    assert harmony(pair.other, pair.one, pair.duration_s) == pytest.approx((1 + 1 + 1 / 3 + 1 / 3) / 4)


def test_other_tunes_are_not_compared() -> None:
    one = hymn([C, F, G, C])
    other = replace(one, voice=tuple(replace(n, pitch=60 + 7 * k % 11) for k, n in enumerate(one.voice)))
    assert set_twice(one, other) is None


def lead_sheet(other: list[SongChord]) -> Song:
    sung = [(0.5 * k, 0.5 * k + 0.5, pitch) for k, pitch in enumerate(TUNE)]
    song = tiny_song([C, C, C, C], beat_s=0.5, sung=sung)
    chords = tuple(SongChord(4.0 * k, WrittenChord(0, "", 0)) for k in range(4))
    return replace(song, written=(), role="leadsheet", chords=chords, other_chords=tuple(other))


def test_a_second_set_of_chords_counts_where_it_is_written() -> None:
    f, c = WrittenChord(5, "", 5), WrittenChord(0, "", 0)
    pair = two_sets(lead_sheet([SongChord(4.0, f), SongChord(6.0, c)]))
    assert pair is not None
    # From beat 4 to 6 there is an F, from 6 to 10 a C, which holds for one bar; a beat lasts half a second.
    assert [(x.start_s, x.end_s, x.root) for x in pair.chords_other] == [(2.0, 3.0, 5), (3.0, 5.0, 0)]
    for notes in (pair.one, pair.other):
        assert min(n.start_s for n in notes) >= 2.0 and max(n.end_s for n in notes) <= 5.0
    assert two_sets(lead_sheet([])) is None


def pair_of(name: str, chords: list[tuple[int, ...]]) -> TwoHarmonies:
    found = set_twice(hymn([C, F, G, C]), hymn(chords))
    assert found is not None
    return replace(found, work=name)


def test_of_a_work_the_median_pair_counts_and_reprints_do_not() -> None:
    same, near, far = (
        pair_of(name, chords)
        for name, chords in (("same", [C, F, G, C]), ("near", [C, F, C, C]), ("far", [F, C, C, F]))
    )
    found = people([], {"reprint": [same], "often": [far, same, near], "once": [near]})
    assert "lead sheets" not in found and found["reprints"] == 1
    assert found["four parts"]["tunes"] == 2
    # "often" keeps far and near, the lower of which is the median; near shares 1, 1, 1/3 and 1.
    assert found["four parts"]["harmony"]["value"] == pytest.approx((1 / 3 + 10 / 12) / 2)


def test_shared_harmony_lies_between_other_tunes_and_the_same_chords() -> None:
    pairs = [pair_of("a", [C, F, C, C]), pair_of("b", [C, F, G, C])]
    found = shared(pairs)
    # Shuffled: a's second with b's first is 10/12, b's second with a's first is 1.
    assert found["harmony"]["value"] == found["shuffled"]["value"] == pytest.approx((10 / 12 + 1) / 2)
    assert found["gap_closed"]["value"] == pytest.approx(0.0, abs=1e-9)
    # One bar of four has another chord in one of the two pairs.
    assert found["chords"]["value"] == pytest.approx((0.75 + 1.0) / 2)
