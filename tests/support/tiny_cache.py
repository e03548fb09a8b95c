"""A training cache of a few made-up songs: chords that change with the bar, the root sung over them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_LATENT
from appliance.music.score import STYLES
from appliance.vocal.features import CHROMA, FEATURE_ROWS, ONSET, PITCH, VOICED

BAR_S = 2.0
BARS = 20
DURATION_S = BAR_S * BARS
LATENTS = 64


def write_tiny_cache(folder: Path, roots: dict[str, tuple[int, ...]], splits: dict[str, str]) -> Path:
    """Songs, melodies and latents of songs named by ``roots``: MIDI pitches, one a bar, again and again.

    Every bar holds a major triad on its root, struck once, and the root sung from a quarter of a second
    into the bar on; four beats a bar.
    """
    for name in ("songs", "melodies", "latents", "plans"):
        (folder / name).mkdir(parents=True)
    for song_id, pitches in roots.items():
        _write_song(folder, song_id, [pitches[bar % len(pitches)] for bar in range(BARS)])
    index = {"ledger_rows_sha256": "0" * 64, "songs": splits}
    (folder / "songs" / "index.json").write_text(json.dumps(index))
    return folder


def _write_song(folder: Path, song_id: str, roots: list[int]) -> None:
    triads = [
        (BAR_S * bar, BAR_S * (bar + 1) - 0.1, root + step, 80, 0)
        for bar, root in enumerate(roots)
        for step in (0, 4, 7)
    ]
    sung = [(BAR_S * bar + 0.25, BAR_S * (bar + 1), root, 1.0) for bar, root in enumerate(roots)]
    beats = np.arange(4 * BARS, dtype=np.float32) * BAR_S / 4
    np.savez(
        folder / "songs" / f"{song_id}.npz",
        **{f"score_{style}": np.array(triads, np.float32) for style in STYLES},
        voice=np.array(sung, np.float32),
        plan=np.zeros((24, int(np.ceil(DURATION_S * FRAME_RATE_HZ / 4))), np.float32),
        beats=beats,
        downbeats=np.arange(0, 4 * BARS, 4, dtype=np.float32),
        facts=np.array([DURATION_S, 0, 0.0, 4], np.float32),
    )
    frames = int(np.ceil(DURATION_S * FRAME_RATE_HZ))
    features = np.zeros((1, FEATURE_ROWS, frames), np.float16)
    for start, end, pitch, _ in sung:
        span = slice(int(start * FRAME_RATE_HZ), int(end * FRAME_RATE_HZ))
        features[0, [CHROMA.start + pitch % 12, PITCH.start + pitch - 36, VOICED], span] = 1.0
        features[0, ONSET, span.start] = 1.0
    np.save(folder / "melodies" / f"{song_id}.npy", features)
    rng = np.random.default_rng(len(song_id))
    count = frames // FRAMES_PER_LATENT
    np.savez(
        folder / "latents" / f"{song_id}.npz",
        latents=rng.standard_normal((1, LATENTS, count)).astype(np.float16),
        styles=np.array([0]),
        shifts=np.array([0]),
    )
