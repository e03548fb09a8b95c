"""The copy gate: is a take nearer to an original than unrelated songs are to each other?

The limits of the pack say how many bits unrelated songs share by chance, by the length of the passage. At the
limits one real song in 200 is mistaken for a copy.

The method follows SSIMuse (arXiv 2509.13658) and the Originality Report (Yin et al., SN Computer Science
2022, 10.1007/s42979-022-01220-y) in comparing short passages in every key with the whole training set, and
calibrating with real songs. Here passages are compared onset by onset, and count as much as they surprise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from appliance.music.bar_lines import UNKNOWN_BEAT_S
from appliance.music.beat_grid import extrapolated, trusted
from appliance.music.score import DRUM_GROUP, BeatGrid, Score
from appliance.novelty.comparison import Comparison
from appliance.novelty.evidence import Passage
from appliance.novelty.onsets import Onsets, onsets_of
from appliance.packs.originals import LENGTHS, Originals

REPORTED = 0.5
"""Passages below this share of the limit are too common to be worth a comparison."""

BASS = "bass"


@dataclass(frozen=True, slots=True)
class Originality:
    """How near a take is to the nearest original.

    ``nearness`` is its evidence as a share of the limit; 0 if it is below :data:`REPORTED`. The passage has
    ``bars`` bars, begins and ends at ``span_s``, and is in the original ``song``.
    """

    nearness: float = 0.0
    song: str = ""
    bars: int = 0
    span_s: tuple[float, float] = (0.0, 0.0)

    @property
    def copied(self) -> bool:
        """Whether the take is nearer to the original than unrelated songs are."""
        return self.nearness > 1.0

    @property
    def sentence(self) -> str:
        """What the user should know of a take that is a copy."""
        first, last = self.span_s
        return (
            f"From {first:.1f} to {last:.1f} s the band plays nearly the notes of a song that the pack was "
            f"trained on ({self.song}); use another seed, or check its rights before you publish it."
        )

    def to_json(self, withheld: Originality | None) -> dict[str, Any]:
        """The originality for the receipt; ``withheld`` is that of a first try which was a copy."""
        return {**self._facts(), "withheld": None if withheld is None else withheld._facts()}

    def _facts(self) -> dict[str, Any]:
        return {
            "nearness": round(self.nearness, 3),
            "copy": self.copied,
            "nearest": self.song or None,
            "bars": self.bars,
            "span_s": [round(second, 2) for second in self.span_s],
        }


def originality(originals: Originals, score: Score, grid: BeatGrid) -> Originality:
    """How near ``score`` is to the nearest original: all its parts together, or one of the upper parts."""
    compared = Comparison(originals)
    limits = originals.limits
    harmony, exact = np.array(limits.harmony), np.array(limits.exact)
    found = Originality()
    for part in _parts(score, grid):
        for passage in compared.shared(part, (REPORTED * harmony, REPORTED * exact)):
            k = LENGTHS.index(passage.bars)
            nearness = max(passage.harmony_bits / harmony[k], passage.exact_bits / exact[k])
            if nearness > found.nearness:
                name = originals.names[passage.song]
                found = Originality(float(nearness), name, passage.bars, _span_s(part, passage, grid))
    return found


def _parts(score: Score, grid: BeatGrid) -> Iterator[Onsets]:
    yield onsets_of(score, grid)
    pitched = [group for group in score.groups() if group != DRUM_GROUP]
    if len(pitched) > 1:
        for group in pitched:
            if group != BASS:
                yield onsets_of(score.only(group), grid)


def _span_s(part: Onsets, passage: Passage, grid: BeatGrid) -> tuple[float, float]:
    beats = part.beats[[passage.first, passage.first + passage.onsets - 1]]
    if trusted(grid):
        beats_s = np.asarray(grid.beats_s, np.float64)
        seconds = extrapolated(beats, np.arange(len(beats_s), dtype=np.float64), beats_s)
    else:
        seconds = beats * UNKNOWN_BEAT_S
    return float(seconds[0]), float(seconds[1])
