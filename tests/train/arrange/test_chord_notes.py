"""Chords as notes: voice leading, and guitar shapes that a hand can hold."""

from __future__ import annotations

import pytest

from train.arrange.chord import QUALITIES
from train.arrange.fretboard import HIGHEST_PITCH, OPEN_STRINGS, shapes
from train.arrange.voice_leading import lead


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
