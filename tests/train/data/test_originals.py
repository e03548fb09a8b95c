"""What is surprising in the originals, the limits of the copy gate, and the copies that test it."""

from __future__ import annotations

import numpy as np
import pytest
from support.made_up_songs import made_up_notes, made_up_originals, made_up_songs

from appliance.novelty.comparison import Comparison
from appliance.novelty.onsets import Ints
from appliance.packs.originals import BITS
from train.data.copy_limits import NO_LIMITS, TELLING, limits_of, nearness, shared_bits
from train.data.originals import originals_of
from train.data.planted_copies import CHANGES, EMBEDDED, FEWEST_CHORDS, Notes, planted
from train.data.surprise import harmony_bits

COMMON = [1, 16, 128, 32, 512, 4]
RARE = [1, 2, 64, 8]


def bits_of(songs: list[list[int]]) -> list[Ints]:
    """Bits of the onsets of songs of single notes in even rhythm."""
    chords = np.array([chord for song in songs for chord in song])
    owners = np.repeat(np.arange(len(songs)), [len(song) for song in songs])
    paces = np.concatenate([[0, 0] + [8] * (len(song) - 2) for song in songs]).astype(np.int64)
    found = harmony_bits(chords, paces, owners)
    return np.split(found, np.cumsum([len(song) for song in songs])[:-1])


def test_what_all_songs_do_surprises_least() -> None:
    found = bits_of([COMMON] * 9 + [COMMON + RARE])
    assert found[9][2:6].max() < found[9][8:].min()
    assert (found[0][:2] == 0.0).all() and (found[0][2:] > 0.0).all()


def test_what_one_song_repeats_does_not_become_common() -> None:
    once = bits_of([COMMON] * 9 + [COMMON + RARE])[9]
    often = bits_of([COMMON] * 9 + [COMMON + RARE * 8])[9]
    assert often[9] == pytest.approx(once[9], abs=0.2)  # the end of its figure
    shared = bits_of([COMMON + RARE] * 10)[9]
    assert shared[9] < once[9] - 1.0


def test_the_key_does_not_matter() -> None:
    moved = [(chord << 3 | chord >> 9) & 4095 for chord in COMMON]
    songs = bits_of([COMMON, moved, COMMON])
    assert songs[0].tolist() == songs[1].tolist() == songs[2].tolist()


def test_originals_lie_song_after_song() -> None:
    songs = made_up_songs(4)
    made = originals_of(songs, NO_LIMITS)
    assert made.songs.tolist() == np.cumsum([0] + [len(song.onsets) for song in songs]).tolist()
    for k, song in enumerate(songs):
        inside = slice(int(made.songs[k]), int(made.songs[k + 1]))
        assert (made.onsets[inside] & 4095).tolist() == song.onsets.pitch_classes.tolist()
        # Six onsets a bar, so that bar b begins with onset 6 b.
        assert Comparison(made).bars_of[k].tolist() == [inside.start + 6 * bar for bar in range(25)]
    assert made.harmony_bits.max() <= 255 and made.harmony_bits[2] > 3 * BITS


def test_limits_keep_the_share_of_false_alarms() -> None:
    bits = np.random.default_rng(0).exponential(15.0, (1000, 8)) + 20.0
    limits = limits_of(bits, false_alarms=0.005)
    assert 1 <= (nearness(bits, limits) > 1.0).sum() <= 5
    alone = np.sort(bits[:, TELLING[0]])[::-1][5]
    assert limits.harmony[3] >= alone and limits.songs == 1000
    assert limits.harmony[0] == pytest.approx(1.25 * bits[:, 0].max(), abs=0.01)


def test_songs_that_share_little_have_the_lowest_limits() -> None:
    bits = shared_bits(made_up_originals(5), [song.onsets for song in made_up_songs(5, seed=9)])
    limits = limits_of(bits)
    assert limits.harmony == limits.exact == NO_LIMITS.harmony


def test_copies_are_what_they_say() -> None:
    random = np.random.default_rng(5)
    songs, others = [[made_up_notes(random) for _ in range(6)] for _ in range(2)]
    copies = list(planted(songs, others, count=3, seed=0))
    assert [kind for kind, _ in copies] == [kind for kind in (*CHANGES, EMBEDDED) for _ in range(3)]
    for kind, notes in copies:
        beats = 8 * 4 * (2.0 if kind == "other tempo" else 1.0)
        assert notes.beats.min() >= 0.0 and notes.beats.max() < beats
    again = planted(songs, others, count=3, seed=0)
    assert all(a.pitches.tolist() == b.pitches.tolist() for (_, a), (_, b) in zip(copies, again, strict=True))


def test_a_chord_struck_again_and_again_is_not_planted() -> None:
    beats = np.repeat(np.arange(96) / 2.0, 3)
    chord = Notes(beats, np.tile([48, 52, 55], 96), np.arange(12) * 4.0, 4)
    assert FEWEST_CHORDS > 1
    with pytest.raises(ValueError, match="to plant"):
        list(planted([chord], [chord], count=1, seed=0))
