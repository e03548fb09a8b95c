"""The sample rate and the frame grids that all rooms share."""

from __future__ import annotations

SAMPLE_RATE_HZ = 44_100
"""Sample rate of every file that Backline writes; the frames below are counted in its samples."""

FRAME_SAMPLES = 2048
"""Samples per score frame (46.4 ms): the grid of rolls and of vocal features."""

FRAMES_PER_LATENT = 2
"""Score frames per latent frame (92.9 ms)."""

FRAMES_PER_PLAN = 4
"""Score frames per plan frame (185.8 ms): the grid of harmony."""

FRAME_RATE_HZ = SAMPLE_RATE_HZ / FRAME_SAMPLES
"""Score frames per second (21.5)."""
