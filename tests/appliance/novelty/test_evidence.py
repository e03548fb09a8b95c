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

BEATS = np.arange(8.0)
TUNE = np.array([60, 64, 62, 67, 61, 70, 66, 71])
"""One note a beat, two bars of four: no figure comes twice."""

HARMONY, VOICING = 3.0, 2.0


def originals(pitches: np.ndarray, beats: np.ndarray = BEATS) -> Originals:
    """One song in bars of four beats, whose onsets surprise by 3 bits each, and their voicings by 2."""
    notes = Notes(beats, pitches.astype(np.int64), np.array([0.0, 4.0]), 4)
    made = originals_of([WrittenSong("tune", notes.onsets(), notes)], NO_LIMITS)
    count = len(made.onsets)
    return replace(
        made,
        harmony_bits=np.full(count, HARMONY * BITS, np.uint8),
        voicing_bits=np.full(count, VOICING * BITS, np.uint8),
    )


def bits(original: Originals, part: Onsets) -> tuple[list[float], list[float]]:
    harmony, exact = Comparison(original).most_bits(part)
    return harmony.tolist(), exact.tolist()


def part(pitches: np.ndarray, beats: np.ndarray = BEATS) -> Onsets:
    return onsets_at(beats, pitches.astype(np.int64))


def test_every_onset_counts_what_it_surprises() -> None:
    harmony, exact = bits(originals(TUNE), part(TUNE + 5))
    assert harmony == [4 * HARMONY, 8 * HARMONY, 0.0, 0.0]  # one bar, two bars, and no longer window
    assert exact == [4 * (HARMONY + VOICING), 8 * (HARMONY + VOICING), 0.0, 0.0]


def test_other_octaves_are_evidence_of_harmony_alone() -> None:
    moved = TUNE + 12 * np.array([0, 1, 0, 1, 0, 1, 0, 1])
    harmony, exact = bits(originals(TUNE), part(moved))
    assert harmony == [4 * HARMONY, 8 * HARMONY, 0.0, 0.0]
    # Single notes: the first of a window has the same shape, the leaps to all others differ.
    assert exact[1] == max(0.0, 8 * HARMONY + VOICING - 7 * PENALTY_BITS)


@pytest.mark.parametrize("wrong", [3, 6])
def test_a_wrong_note_costs(wrong: int) -> None:
    pitches = TUNE.copy()
    pitches[wrong] += 1
    harmony, exact = bits(originals(TUNE), part(pitches))
    assert harmony[1] == 7 * HARMONY - PENALTY_BITS
    # Its voicing differs, and the leap to the next note, too.
    assert exact[1] == max(0.0, harmony[1] + 6 * VOICING - 2 * PENALTY_BITS)


def test_what_is_said_again_does_not_count_again() -> None:
    broken = np.array([60, 64, 67, 64, 60, 64, 67, 64])
    harmony, _ = bits(originals(broken), part(broken))
    # C E G are new. E is one of three chords: 1 + log2 3 bits. So is the C after G E. The rest was there.
    again = min(HARMONY, 1.0 + np.log2(3.0))
    assert harmony[1] == pytest.approx(3 * HARMONY + 3 * again)


def test_music_of_another_song_shares_nothing() -> None:
    harmony, exact = bits(originals(TUNE), part(np.array([50, 51, 53, 50, 57, 54, 52, 55])))
    assert harmony == exact == [0.0] * 4


def test_the_song_itself_can_be_left_out() -> None:
    harmony, _ = Comparison(originals(TUNE)).most_bits(part(TUNE), skipped_song=0)
    assert harmony.tolist() == [0.0] * 4
