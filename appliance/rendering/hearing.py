"""Hears a vocal: what is sung in it, its tuning, its level; the first steps of a render and of a redo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.audio.blocks import Block
from appliance.audio.recording import AudioInfo, probe, read_blocks, read_mono
from appliance.audio.voice_level import VoiceLevel, measure_voice
from appliance.composing.composer import padded
from appliance.composing.wishes import Wishes
from appliance.grid import SAMPLE_RATE_HZ
from appliance.rendering.job import HeardVocal
from appliance.rendering.stopwatch import LISTENING, Stopwatch
from appliance.system.threads import Aside
from appliance.vocal.check import VocalCheck, check_vocal
from appliance.vocal.features import features_of
from appliance.vocal.tracker import PitchTrack, track_pitch
from appliance.vocal.tuning import Tuning, cents_of, tuning_of


@dataclass(frozen=True, slots=True)
class TrackedVocal:
    """A vocal, its pitch track, and what the track says of it.

    ``tuning`` is the singer's, in the note names nearest to the band's A; ``band_cents`` is the band's, in
    cents above A = 440 Hz.
    """

    info: AudioInfo
    track: PitchTrack
    check: VocalCheck
    tuning: Tuning
    band_cents: float

    @property
    def duration_s(self) -> float:
        """Length at 44.1 kHz, in seconds."""
        return self.info.output_samples / SAMPLE_RATE_HZ

    def features(self) -> NDArray[np.float32]:
        """The features (64, T) that the networks hear, T a multiple of 4."""
        return padded(features_of(self.track, self.tuning.curve))

    def level(self, work: Aside[VoiceLevel]) -> VoiceLevel:
        """The level of the voice; reads the recording once more."""
        return measure_voice(work.through(read_blocks(self.info)), self.track.f0_hz > 0.0)

    def heard(self, level: VoiceLevel) -> HeardVocal:
        """All that is known of the vocal."""
        company = self.track.company
        return HeardVocal(self.info, self.check.sung_s, self.tuning, self.band_cents, level, company)


def tracked(path: Path, wishes: Wishes, watch: Stopwatch) -> TrackedVocal:
    """Decode and track a vocal.

    Raises:
        InputError: the recording cannot be used.
    """
    asked_cents = None if wishes.tuning == "singer" else cents_of(wishes.tuning)
    with watch.stage("read"):
        info = probe(path)

    def blocks() -> Iterator[Block]:
        for block in read_mono(info):
            watch.advance(LISTENING * len(block) / info.output_samples)
            yield block

    with watch.stage("listen"):
        track = track_pitch(blocks(), info.output_samples)
        tuning = tuning_of(track).near(0.0 if asked_cents is None else asked_cents)
        band_cents = tuning.cents if asked_cents is None else asked_cents
        return TrackedVocal(info, track, check_vocal(track), tuning, band_cents)
