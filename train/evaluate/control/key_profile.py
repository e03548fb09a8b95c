"""Estimates the key of notes, independently of the appliance.

It correlates the durations of pitch classes with Temperley's revision of the Krumhansl-Schmuckler key
profiles (*The Cognition of Basic Musical Structures*, MIT Press 2001, chapter 7). The appliance uses two
other key profiles, so its results do not fit this judge by construction.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from appliance.music.keys import Key
from train.corpus.timeline import Sounding

MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)


def heard_key(notes: Iterable[Sounding]) -> Key | None:
    """The most likely key of ``notes``; None if there are none."""
    chroma = np.zeros(12)
    for note in notes:
        chroma[note.pitch % 12] += min(note.end_s - note.start_s, 2.0)
    return key_of_chroma(chroma)


def key_of_chroma(chroma: NDArray[np.float64]) -> Key | None:
    """The most likely key of a pitch-class distribution (12,); None for a flat one."""
    if np.ptp(chroma) < 1e-9:
        return None
    rows = np.array([np.roll(profile, k) for profile in (MAJOR, MINOR) for k in range(12)])
    best = int(np.argmax([np.corrcoef(row, chroma)[0, 1] for row in rows]))
    return Key(best % 12, "minor" if best >= 12 else "major")


def relation(found: Key | None, wanted: Key) -> str:
    """Relation of ``found`` to ``wanted``: same, relative, parallel, fifth, other, or none."""
    if found is None:
        return "none"
    if found == wanted:
        return "same"
    if found.mode != wanted.mode:
        relative = (wanted.tonic + (9 if wanted.mode == "major" else 3)) % 12
        return (
            "relative" if found.tonic == relative else "parallel" if found.tonic == wanted.tonic else "other"
        )
    return "fifth" if (found.tonic - wanted.tonic) % 12 in (5, 7) else "other"
