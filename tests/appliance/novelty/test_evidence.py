"""Evidence of a shared passage, reckoned by hand from the stored surprise of each onset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.novelty.comparison import Comparison
from appliance.novelty.evidence import PENALTY_BITS
from appliance.novelty.onsets import Onsets, onsets_at
from appliance.packs.originals import BITS, Originals
from train.data.copy_limits import NO_LIMITS
from train.data.originals import WrittenSong, originals_of
from train.data.planted_copies import Notes

BEATS = np.arange(16) / 2.0
TUNE = np.array([67, 72, 68, 74, 63, 58, 62, 66, 65, 62, 61, 63, 71, 59, 61, 66])
"""Two notes a beat, two bars of four beats: no figure comes twice."""

HARMONY, SPACING = 3.0, 2.0


def originals(pitches: np.ndarray, beats: np.ndarray = BEATS) -> Originals:
    """One song in bars of four beats, whose onsets surprise by 3 bits each, and their spacings by 2."""
    notes = Notes(beats, pitches.astype(np.int64), np.array([0.0, 4.0]), 4)
    made = originals_of([WrittenSong("tune", notes.onsets(), notes)], NO_LIMITS)
    count = len(made.onsets)
    return replace(
        made,
        harmony_bits=np.full(count, HARMONY * BITS, np.uint8),
        spacing_bits=np.full(count, SPACING * BITS, np.uint8),
    )


def bits(original: Originals, part: Onsets) -> tuple[list[float], list[float]]:
    harmony, exact = Comparison(original).most_bits(part)
    return harmony.tolist(), exact.tolist()


def part(pitches: np.ndarray, beats: np.ndarray = BEATS) -> Onsets:
    return onsets_at(beats, pitches.astype(np.int64))


def new(pitches: np.ndarray, without: tuple[int, ...] = ()) -> int:
    """Number of onsets whose pitch is heard for the first time, not counting those ``without``."""
    firsts = {int(pitches[k]): k for k in reversed(range(len(pitches)))}
    return len(set(firsts.values()) - set(without))


def test_every_onset_counts_what_it_surprises() -> None:
    harmony, exact = bits(originals(TUNE), part(TUNE + 5))
    assert harmony == [8 * HARMONY, 16 * HARMONY, 0.0, 0.0]  # one bar, two bars, and no longer passage
    best = max(new(TUNE[:8]), new(TUNE[8:]))  # a spacing that comes again does not count again
    assert exact == [8 * HARMONY + best * SPACING, 16 * HARMONY + new(TUNE) * SPACING, 0.0, 0.0]


def test_other_octaves_are_evidence_of_harmony_alone() -> None:
    moved = TUNE + 12 * (np.arange(16) % 2)
    harmony, exact = bits(originals(TUNE), part(moved))
    assert harmony == [8 * HARMONY, 16 * HARMONY, 0.0, 0.0]
    assert exact == [0.0] * 4  # the leaps differ, and cost more than the harmony counts


def test_one_leap_to_another_octave_costs_once() -> None:
    moved = TUNE + 12 * (np.arange(16) >= 4)
    harmony, exact = bits(originals(TUNE), part(moved))
    assert harmony[1] == 16 * HARMONY
    assert exact[1] == 16 * HARMONY + new(moved, without=(4,)) * SPACING - PENALTY_BITS


@pytest.mark.parametrize("wrong", [3, 6])
def test_a_wrong_note_costs(wrong: int) -> None:
    pitches = TUNE.copy()
    pitches[wrong] += 1
    harmony, exact = bits(originals(TUNE), part(pitches))
    assert harmony[1] == 15 * HARMONY - PENALTY_BITS
    # Its spacing differs, and the leap to the next note, too.
    again = new(pitches, without=(wrong, wrong + 1))
    assert exact[1] == harmony[1] + again * SPACING - 2 * PENALTY_BITS


def test_what_is_said_again_does_not_count_again() -> None:
    broken = np.array([60, 64, 67, 64] * 4)
    harmony, _ = bits(originals(broken), part(broken))
    # C E G are new. E is one of three chords: 1 + log2 3 bits. So are the C and the E after it, because they
    # end other figures. Then all was there.
    again = min(HARMONY, 1.0 + np.log2(3.0))
    assert harmony[1] == pytest.approx(3 * HARMONY + 3 * again)


def test_music_of_another_song_shares_nothing() -> None:
    harmony, exact = bits(originals(TUNE), part(TUNE[::-1] - 3))
    assert harmony == exact == [0.0] * 4


def test_short_passages_are_not_compared() -> None:
    few = BEATS * 2.0  # four notes a bar: eight in two bars, too few in one
    harmony, _ = bits(originals(TUNE[:8], few[:8]), part(TUNE[:8], few[:8]))
    assert harmony == [0.0, 8 * HARMONY, 0.0, 0.0]


def test_the_song_itself_can_be_left_out() -> None:
    harmony, _ = Comparison(originals(TUNE)).most_bits(part(TUNE), skipped_song=0)
    assert harmony.tolist() == [0.0] * 4
