"""Checks that a recording contains singing, before minutes are spent on its accompaniment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.vocal.notes import notes_from_track
from appliance.vocal.tracker import PITCH_FRAME_S, PitchTrack

SILENT_DB = -75.0
"""A recording whose loudest frame (RMS of 11.6 ms) is below this is silent. Dither of 16 bits is at -93 dBFS;
a very quiet recording with peaks at -50 dBFS is at about -60."""

LEAST_SUNG_S = 0.5
"""Least seconds of sure singing: less could be a squeak."""

LEAST_SUNG_SHARE = 0.01
"""Least share of sure singing in a recording: noise has stray pitches, in proportion to its length."""

MOST_ASKED_S = 3.0
"""Seconds of sure singing that always suffice, also in an hour that is mostly pauses."""

SURE = 0.85
"""Least confidence of a surely sung note; noise that is mistaken for a note has less."""

_SHORTEST_SURE_S = 0.1
STEADY_SEMITONES = 0.08
"""Spread of nine tenths of the frames below which a sound is a steady tone: hum or a test tone, no voice."""

STEADY_S = 1.5
"""Least length of a steady tone: a short sung note can be as steady."""

Reason = Literal["silent", "noise", "tone"]


@dataclass(frozen=True)
class VocalCheck:
    """Seconds surely sung, share of voiced frames (0-1), and level of the loudest frame in dBFS.

    ``reason`` says why the recording cannot be accompanied; None if it can.
    """

    sung_s: float
    voiced_share: float
    peak_db: float
    reason: Reason | None

    @property
    def sentence(self) -> str | None:
        """``reason`` as a sentence that follows a file name and a colon; None without a reason."""
        if self.reason == "silent":
            return (
                f"the recording is silent, its loudest moment is at {self.peak_db:.0f} dBFS; "
                "check the microphone and the export"
            )
        if self.reason == "tone":
            return (
                "the recording holds one steady tone, such as hum, and no singing; "
                "check the cable and record again"
            )
        if self.reason == "noise":
            return (
                f"the recording sounds like noise, only {self.sung_s:.1f} s of it seem sung; "
                "check that this is the vocal"
            )
        return None


def check_vocal(track: PitchTrack) -> VocalCheck:
    """Look for singing in ``track``, as opposed to silence, noise or a steady tone.

    Only a recording without singing gets a reason: a few sung words in a long silence are enough, however
    quiet they are.
    """
    if not len(track):
        return VocalCheck(0.0, 0.0, -100.0, "silent")
    peak_db = float(track.level_db.max())
    voiced_share = float(np.mean(track.f0_hz > 0.0))
    sung_s = _surely_sung_s(track)
    reason: Reason | None = None
    if peak_db < SILENT_DB:
        reason = "silent"
    elif _is_steady_tone(track.f0_hz):
        reason = "tone"
    elif sung_s < _least_sung_s(len(track) * PITCH_FRAME_S):
        reason = "noise"
    return VocalCheck(sung_s, voiced_share, peak_db, reason)


def _least_sung_s(duration_s: float) -> float:
    """Least seconds of sure singing in a recording of this length."""
    if duration_s < 2.0 * LEAST_SUNG_S:
        return 0.5 * duration_s
    return min(max(LEAST_SUNG_S, LEAST_SUNG_SHARE * duration_s), MOST_ASKED_S)


def _surely_sung_s(track: PitchTrack) -> float:
    lengths = (note.end_s - note.start_s for note in notes_from_track(track) if note.confidence >= SURE)
    return float(sum(length for length in lengths if length >= _SHORTEST_SURE_S))


def _is_steady_tone(f0_hz: NDArray[np.float32]) -> bool:
    pitched = f0_hz[f0_hz > 0.0]
    if len(pitched) * PITCH_FRAME_S < STEADY_S:
        return False
    low, high = np.quantile(pitched, (0.05, 0.95))
    return bool(12.0 * np.log2(high / low) < STEADY_SEMITONES)
