"""The grid of samples and frames that everything shares."""

from __future__ import annotations

SAMPLE_RATE_HZ = 44_100
"""Rate of every file Backline writes and of every frame grid below."""


FRAME_SAMPLES = 2048
"""Samples a score frame (46.4 ms): the grid of rolls and of vocal features."""


FRAMES_PER_LATENT = 2
"""Score frames a latent frame (92.9 ms)."""


FRAMES_PER_PLAN = 4
"""Score frames a plan frame (185.8 ms)."""


FRAME_RATE_HZ = SAMPLE_RATE_HZ / FRAME_SAMPLES
