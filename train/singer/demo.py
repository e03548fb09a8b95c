"""Makes the demo vocal: ``python -m train.singer.demo CORPUS`` writes ``demo/vocal.flac`` again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile

from train.corpus.ledger import read_ledger
from train.corpus.reader import read_song
from train.singer.augment import RecordingSettings, augment
from train.singer.sing import sing
from train.singer.voices import VoiceSettings

SONG = "oh_To_God_Be_the_Glory_To_God_Be_the_Glory"
"""A song of the test split, which no model was trained on."""

SEED = 7

VOICE = VoiceSettings(
    variant="m7",  # held out from training
    tessitura_midi=56.0,
    formant_ratio=1.03,
    breathiness=0.02,
    vibrato_hz=5.4,
    vibrato_cents=28.0,
    vibrato_delay_s=0.3,
    glide_s=0.07,
    scoop_probability=0.2,
    scoop_cents=80.0,
    tuning_cents=-6.0,
    drift_cents=4.0,
    pitch_error_cents=6.0,
    timing_error_s=0.01,
    legato=0.9,
    breath_level_db=-34.0,
    dynamics_db=4.0,
)
"""A good amateur singer."""

ROOM = RecordingSettings(
    rt60_s=0.25, direct_to_reverb_db=22.0, high_pass_hz=70.0, low_pass_hz=6000.0, level_db=-32.0
)
"""A dry room, a dull microphone and a low level, so that the 16-bit FLAC stays below 1 MB."""


def write_demo_vocal(corpus: Path, path: Path) -> None:
    """Sing :data:`SONG` to ``path`` as 44.1 kHz mono 16-bit FLAC; the bytes are the same every time.

    Raises:
        LedgerError: the song's file is missing in ``corpus``, or differs from the ledger.
        MachineError: espeak-ng or pyworld is not installed.
    """
    row = next(row for row in read_ledger(corpus) if row.id == SONG)
    singing = sing(read_song(corpus, row), VOICE, SEED)
    audio = augment(singing.audio, singing.rate_hz, ROOM, np.random.default_rng(SEED))
    soundfile.write(path, audio, singing.rate_hz, format="FLAC", subtype="PCM_16", compression_level=1.0)


if __name__ == "__main__":
    write_demo_vocal(Path(sys.argv[1]), Path("demo/vocal.flac"))
