"""Chooses one pitch candidate per frame: the most continuous path.

The search is Viterbi's, as in RAPT (Talkin, in *Speech Coding and Synthesis*, 1995). It always finds a pitch;
:mod:`appliance.vocal.voicing` decides afterwards whether the frame is sung.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.numerics.viterbi import Trellis, from_anywhere
from appliance.vocal.candidates import CANDIDATES, Candidates

PERIODICITY_SHARE = 0.2
"""Weight of the periodicity relative to the template match."""

JUMP_COST_PER_OCTAVE = 4.0
JUMP_COST_LIMIT = 2.0
_LOOKAHEAD_FRAMES = 256
_NEVER = -1e3


@dataclass(frozen=True)
class Path:
    """The chosen candidate of T frames: ``f0_hz``, ``match``, ``periodicity`` and ``band_db``, each (T,).

    :class:`appliance.vocal.candidates.Candidates` defines them.
    """

    f0_hz: NDArray[np.float32]
    match: NDArray[np.float32]
    periodicity: NDArray[np.float32]
    band_db: NDArray[np.float32]


def best_path(chunks: Iterable[Candidates]) -> Iterator[Path]:
    """The Viterbi path through the candidates, as a stream with bounded memory.

    The choice in a frame is final once 256 later frames (3 s) are known: by then all surviving paths agree.
    """
    trellis = Trellis(CANDIDATES, np.float32)
    last_octave = np.zeros(CANDIDATES, np.float32)
    last_strength = np.zeros(CANDIDATES, np.float32)
    held: Candidates | None = None
    for chunk in chunks:
        strength = _strength(chunk)
        octave = np.log2(np.maximum(chunk.f0_hz, 1.0))
        cost = _jump_cost(np.vstack([last_octave, octave]), np.vstack([last_strength, strength]))
        for frame_cost, frame_strength in zip(cost, strength, strict=True):
            trellis.step(from_anywhere(trellis.scores, frame_cost), frame_strength)
            trellis.scores -= trellis.scores.max()  # keeps single precision exact enough in long songs
        last_octave, last_strength = octave[-1], strength[-1]
        held = chunk if held is None else _joined(held, chunk)
        settled = len(trellis) - _LOOKAHEAD_FRAMES
        if settled > 0:
            yield _chosen(_part(held, slice(None, settled)), trellis.take(settled))
            held = _part(held, slice(settled, None))
    if held is not None:
        yield _chosen(held, trellis.take())


def _strength(candidates: Candidates) -> NDArray[np.float32]:
    strength = candidates.match + PERIODICITY_SHARE * candidates.periodicity
    return np.where(candidates.f0_hz > 0.0, strength, _NEVER).astype(np.float32)


def _jump_cost(octave: NDArray[np.float32], strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cost (T, K to, K from) of each move between the K candidates of consecutive frames, (T + 1, K).

    A jump between two weak candidates is cheap: pitch is not continuous across a breath.
    """
    jump = np.abs(octave[1:, :, None] - octave[:-1, None, :])
    certainty = np.clip(np.minimum(strength[1:, :, None], strength[:-1, None, :]), 0.0, 1.0)
    return np.asarray(np.minimum(JUMP_COST_PER_OCTAVE * jump, JUMP_COST_LIMIT) * certainty, np.float32)


def _part(candidates: Candidates, frames: slice) -> Candidates:
    c = candidates
    return Candidates(c.f0_hz[frames], c.match[frames], c.periodicity[frames], c.band_db[frames])


def _joined(first: Candidates, second: Candidates) -> Candidates:
    return Candidates(
        np.concatenate([first.f0_hz, second.f0_hz]),
        np.concatenate([first.match, second.match]),
        np.concatenate([first.periodicity, second.periodicity]),
        np.concatenate([first.band_db, second.band_db]),
    )


def _chosen(candidates: Candidates, choice: NDArray[np.intp]) -> Path:
    frame = np.arange(len(choice))
    return Path(
        f0_hz=candidates.f0_hz[frame, choice],
        match=candidates.match[frame, choice],
        periodicity=candidates.periodicity[frame, choice],
        band_db=candidates.band_db,
    )
