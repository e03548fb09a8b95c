"""Singers who are out of tune with A = 440 Hz: is the music as good as that for the same singer in tune?

The band's notes are compared with the written ones in the singer's own tuning. Letters: N pitch frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import fmean

import numpy as np

from appliance.composing.composer import padded
from appliance.music.score import Note
from appliance.vocal.features import features_of
from appliance.vocal.tracker import PitchTrack
from appliance.vocal.tuning import tuning_of
from train.corpus.song import Song
from train.evaluate.control.subjects import Composer, Request, Subject, excerpt, heard_singer
from train.evaluate.measures.metrics import consonance, harmony
from train.evaluate.processes.progress import steps

CENTS = tuple(range(-50, 51, 10))
PLAYED_AT_440 = (-50, -20, 20, 50)
"""Offsets at which a band that stays at A = 440 Hz is measured, too."""

Measures = dict[str, float]


def measure_tuning(composer: Composer, songs: Sequence[Song], length_s: float) -> dict[str, object]:
    """Harmony and consonance (means over songs) by the singer's offset in cents, and in tune.

    The singer's slow drift and errors stay; only the offset is what the row says.
    """
    rows: dict[str, list[Measures]] = {}
    for song in steps(songs, "singers out of tune", lambda s: s.id):
        sung = _singer(song)
        judged = partial(_judged, composer, song, length_s)
        rows.setdefault("in tune", []).append(judged(sung(0), 0, followed=False))
        for cents in CENTS:
            rows.setdefault(f"{cents:+d}", []).append(judged(sung(cents), cents, followed=True))
        for cents in PLAYED_AT_440:
            rows.setdefault(f"{cents:+d}, band at 440 Hz", []).append(
                judged(sung(cents), cents, followed=False)
            )
    return {
        "songs": len(songs),
        "rows": {
            name: {
                "harmony": fmean(one["harmony"] for one in found),
                "consonance": fmean(one["consonance"] for one in found),
                "estimate_off_cents": max(one["estimate_off_cents"] for one in found),
            }
            for name, found in rows.items()
        },
    }


def _singer(song: Song) -> Callable[[float], PitchTrack]:
    """The track of the song's singer at any offset in cents from A = 440 Hz."""
    voice, heard = heard_singer(song)

    def at(cents: float) -> PitchTrack:
        factor = np.float32(2.0 ** ((cents - voice.tuning_cents) / 1200.0))
        return PitchTrack(heard.f0_hz * factor, heard.voiced, heard.level_db, heard.flux)

    return at


def _judged(
    composer: Composer, song: Song, length_s: float, track: PitchTrack, cents: int, *, followed: bool
) -> Measures:
    """The take for the singer of ``track``, who is ``cents`` off; ``followed``: played at that tuning."""
    tuning = tuning_of(track)
    features = padded(features_of(track, tuning.curve if followed else 0.0))
    subject = excerpt(Subject(song, 0.0, features), length_s)
    asked = Request(tag=f"{cents:+d} cents, {'followed' if followed else '440 Hz'}")
    # A quarter tone off, the singer's notes may have the names of their neighbours.
    shift = round((tuning.cents - cents) / 100.0) if followed else 0
    notes = composer.take(subject, asked).score.transposed(shift).notes
    off = abs((tuning.cents - cents + 50.0) % 100.0 - 50.0)
    return {**_measures(subject, notes), "estimate_off_cents": off}


def _measures(subject: Subject, notes: Sequence[Note]) -> Measures:
    written = subject.notes(subject.song.written).notes
    voice = subject.notes([Note(n.start_s, n.end_s, n.pitch, 80, "keys") for n in subject.song.voice]).notes
    return {
        "harmony": harmony(notes, written, subject.duration_s),
        "consonance": consonance(voice, notes),
    }
