"""Reads the reference of ``--like``: a MIDI file, or a recording of a band through the audio encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.audio.recording import AudioInfo, probe, read_mono
from appliance.composing.band_beats import band_beats
from appliance.composing.composer import listen, padded
from appliance.composing.manner import Manner
from appliance.composing.manner_reading import manner_of, played_by_its_groups, strokes_a_second
from appliance.composing.reference import is_midi, read_midi_reference
from appliance.composing.wishes import Wishes
from appliance.errors import InputError, UsageError
from appliance.files.hashes import file_sha256
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import BeatGrid, Note
from appliance.networks.graphs import Graphs
from appliance.playing.band_hearing import heard_score
from appliance.rendering.engine import Engine
from appliance.vocal.features import features_of
from appliance.vocal.tracker import track_pitch

HEARD_S = 300.0
"""Of a recording only so much is heard: a manner shows in minutes."""

NOT_READ = ("density", "syncopation", "doubling")
"""Dials that a recording does not show: the first two need sure beats, the last one needs the tune alone.
``docs/evaluation.md`` has the figures."""

_PEAK = 0.3
"""Peak to which a recording is scaled, that of the renders that the audio encoder was measured with."""

_BLOCK_SAMPLES = 1 << 16


def manner_wishes(engine: Engine, path: Path, name: str) -> dict[str, Any]:
    """The fields of :class:`appliance.composing.wishes.Wishes` that say what the file ``path`` plays.

    Raises:
        UsageError: it has too few notes, is not the MIDI file that its name says, or the pack hears nothing.
        InputError: the recording cannot be used.
    """
    if is_midi(path):
        manner = read_midi_reference(path, name)
    else:
        if engine.pack.manifest.graphs.audio_encoder is None:
            raise UsageError(f"{name}: the pack has no audio encoder to hear a recording; give a MIDI file.")
        manner = heard_manner(engine.graphs, path, name)
    said = {field: getattr(manner, field) for field in type(manner).model_fields}
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}.") from error
    return {
        **{field: value for field, value in said.items() if value or field == "like"},
        "like_name": name,
        "like_sha256": sha256,
    }


@dataclass(frozen=True, slots=True)
class HeardBand:
    """The first ``duration_s`` seconds of a recording: its notes, and its beats where they are sure."""

    notes: list[Note]
    grid: BeatGrid
    duration_s: float


def hear_band(graphs: Graphs, info: AudioInfo) -> HeardBand:
    """Hear the band in a recording."""
    audio = _start_of(info)
    duration_s = len(audio) / SAMPLE_RATE_HZ
    notes = played_by_its_groups(heard_score(graphs.hear, audio).notes)
    blocks = (audio[first : first + _BLOCK_SAMPLES] for first in range(0, len(audio), _BLOCK_SAMPLES))
    features = padded(features_of(track_pitch(blocks, len(audio))))
    counted = listen(graphs, features, duration_s, Wishes()).grid
    return HeardBand(notes, band_beats(notes, duration_s, counted), duration_s)


def heard_manner(graphs: Graphs, path: Path, name: str) -> Manner:
    """The manner of a recorded band. What cannot be heard well is left out, and a remark says so.

    Raises:
        InputError: the recording cannot be used.
        UsageError: there are too few notes.
    """
    info = probe(path)
    band = hear_band(graphs, info)
    manner = manner_of(band.notes, np.zeros((0, 3)), band.grid, band.duration_s, name)
    remarks = [
        f"{name}: from a recording, syncopation and doubling are not read, and density is that of strokes a "
        "second; a MIDI file shows more."
    ]
    if manner.like_groove is None:
        remarks.append(f"{name}: its beats are not sure, so its groove is not read.")
    if info.duration_s > HEARD_S:
        remarks.append(f"{name}: only its first {HEARD_S:.0f} s were heard.")
    return manner.model_copy(
        update={
            "like": {dial: x for dial, x in manner.like.items() if dial not in NOT_READ},
            "like_strokes_s": round(strokes_a_second(band.notes), 4),
            "like_remarks": remarks,
        }
    )


def _start_of(info: AudioInfo) -> NDArray[np.float32]:
    """The first :data:`HEARD_S` seconds as one channel at 44.1 kHz, scaled to a common peak."""
    most = round(HEARD_S * SAMPLE_RATE_HZ)
    blocks: list[NDArray[np.float32]] = []
    left = most
    for block in read_mono(info):
        blocks.append(block[:left])
        left -= len(blocks[-1])
        if left <= 0:
            break
    audio = np.concatenate(blocks)
    peak = float(np.abs(audio).max(initial=0.0))
    scaled: NDArray[np.float32] = audio * np.float32(_PEAK / peak if peak > 0 else 1.0)
    return scaled
