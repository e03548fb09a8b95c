"""Valid recordings in every container and encoding that libsndfile writes, about a second each."""

from __future__ import annotations

import io
import random
from functools import cache

import numpy as np
import soundfile

from support.vocals import sung

RATE_HZ = 8_000


@cache
def recordings(seed: int) -> dict[str, bytes]:
    """Recordings by name with ending. A third is sung, the rest is noise, which is rejected sooner."""
    choice = random.Random(seed)
    made: dict[str, bytes] = {}
    # Sound Designer II writes its header to a second file, which would be left in the test's folder.
    for container in sorted(set(soundfile.available_formats()) - {"SD2"}):
        for encoding in sorted(soundfile.available_subtypes(container)):
            if (data := _written(container, encoding, choice)) is not None:
                made[f"{encoding.lower()}.{container.lower()}"] = data
    made |= _relatives(made)
    return made


def _written(container: str, encoding: str, choice: random.Random) -> bytes | None:
    channels = choice.choice((1, 1, 2))
    rate_hz = 48_000 if encoding == "OPUS" else RATE_HZ
    file = io.BytesIO()
    sound = _sound(choice, rate_hz, channels)
    try:
        soundfile.write(file, sound, rate_hz, format=container, subtype=encoding)
    except (soundfile.LibsndfileError, ValueError, AssertionError):  # not all pairs are valid
        return None
    return file.getvalue()


def _sound(choice: random.Random, rate_hz: int, channels: int) -> np.ndarray:
    seconds = choice.uniform(1.05, 1.3)
    mono = sung(seconds, rate_hz)
    if choice.random() > 1 / 3:
        mono = np.random.default_rng(choice.getrandbits(32)).normal(0, 0.1, len(mono)).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)


def _relatives(made: dict[str, bytes]) -> dict[str, bytes]:
    """Recordings with tags before, chunks inside and garbage after the sound, which must not matter."""
    tag = b"ID3\x04\x00\x00" + bytes((0, 0, 7, 104)) + bytes(1000)
    wav, flac, mp3 = made["pcm_16.wav"], made["pcm_16.flac"], made["mpeg_layer_iii.mp3"]
    notes = b"LIST" + (1000).to_bytes(4, "little") + b"INFO" + bytes(996)
    return {
        "tagged.mp3": tag + mp3,
        "tagged.flac": tag + flac,
        "twice tagged.mp3": tag + tag + mp3,
        "notes.wav": wav[:12] + notes + wav[12:],
        "much behind.wav": wav + bytes(range(256)) * 40,
        "two in one.flac": flac + flac,
        "chained.ogg": made["vorbis.ogg"] + made["opus.ogg"],
    }
