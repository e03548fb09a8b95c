"""The key of notes as listeners judge it: an estimate independent of the appliance's.

Krumhansl and Kessler's probe-tone ratings, *Psychological Review* 89(4), 1982; correlated with how long
each pitch class sounds (Krumhansl and Schmuckler). The appliance uses another profile.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from appliance.keys import Key
from train.evaluate.metrics import Sounding

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def heard_key(notes: Iterable[Sounding]) -> Key | None:
    """The likeliest key of ``notes``; None if there are none."""
    chroma = np.zeros(12)
    for note in notes:
        chroma[note.pitch % 12] += min(note.end_s - note.start_s, 2.0)
    return key_of_chroma(chroma)


def key_of_chroma(chroma: NDArray[np.float64]) -> Key | None:
    """The likeliest key of a pitch-class distribution (12,); None for a flat one."""
    if np.ptp(chroma) < 1e-9:
        return None
    rows = np.array([np.roll(profile, k) for profile in (MAJOR, MINOR) for k in range(12)])
    best = int(np.argmax([np.corrcoef(row, chroma)[0, 1] for row in rows]))
    return Key(best % 12, "minor" if best >= 12 else "major")


def relation(found: Key | None, wanted: Key) -> str:
    """How ``found`` lies to ``wanted``: same, relative, parallel, fifth, or other."""
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
