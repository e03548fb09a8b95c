"""Measures how much of a score survives encoding and decoding by the score VAE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_LATENT
from appliance.music.note_rows import score_of
from appliance.music.roll import Roll, notes_of
from appliance.music.score import STYLES
from train.data.crops import draw_rows
from train.data.song_cache import CachedSong
from train.evaluate.measures.roll_f1 import RollF1, roll_f1
from train.networks.vae import ScoreVae

LONGEST_S = 120.0


@torch.no_grad()
def reconstruction(vae: ScoreVae, songs: Sequence[CachedSong]) -> dict[str, RollF1]:
    """Comparison by style, pooled over the first two minutes of each song; ``all`` pools all styles."""
    vae.eval()
    by_style: dict[str, list[RollF1]] = {style: [] for style in STYLES}
    for song in songs:
        frames = int(min(song.duration_s, LONGEST_S) * FRAME_RATE_HZ) // FRAMES_PER_LATENT * FRAMES_PER_LATENT
        duration_s = frames / FRAME_RATE_HZ
        for style in song.scores:
            rows = torch.from_numpy(draw_rows(song.scores[style], 0, frames))[None]
            mean, _ = vae.encoder(rows)
            painted = torch.sigmoid(vae.decoder(mean))[0].numpy()
            decoded = notes_of(Roll.unstacked(painted), duration_s)
            inside = song.scores[style][song.scores[style][:, 0] < duration_s - 0.02].copy()
            inside[:, 1] = np.minimum(inside[:, 1], duration_s)
            by_style[style].append(roll_f1(score_of(inside, duration_s), decoded))
    pooled = {style: RollF1.pooled(results) for style, results in by_style.items() if results}
    return {**pooled, "all": RollF1.pooled(r for results in by_style.values() for r in results)}


def as_table(results: dict[str, RollF1]) -> str:
    """Markdown table of :func:`reconstruction`."""
    lines = [
        "| style | onset F1 | onset F1, 25 ms | sustain F1 | median onset error, ms |",
        "|---|---|---|---|---|",
    ]
    for style, r in results.items():
        figures = (r.onset.f1, r.onset_25ms.f1, r.sustain.f1)
        cells = " | ".join(f"{value:.4f}" for value in figures)
        lines.append(f"| {style} | {cells} | {r.median_onset_error_ms:.1f} |")
    return "\n".join(lines)
