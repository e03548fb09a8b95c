"""Samplers of the rectified flow: from noise to a latent in a few steps.

The path is x_t = (1 - t)·data + t·noise (Liu et al., arXiv 2209.03003); the velocity dx/dt is
noise - data, so sampling integrates it from t = 1 down to t = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Velocity = Callable[[Array, float, float], Array]
"""(latent x_t, timestep t, length of the step) -> mean dx/dt over the step, of the same shape."""


def timesteps(steps: int, shift: float = 1.0) -> Array:
    """(steps + 1,) times from 1 down to 0.

    ``shift`` > 1 spends more steps near the noise, where structure is decided: t' = s·t / (1 + (s-1)·t)
    (Esser et al., arXiv 2403.03206, section 5.3.2).
    """
    t = np.linspace(1.0, 0.0, steps + 1)
    shifted: Array = (shift * t / (1.0 + (shift - 1.0) * t)).astype(np.float32)
    return shifted


def euler(velocity: Velocity, noise: Array, times: Array) -> Array:
    """Euler's method along ``times``; one velocity a step. Any shape."""
    x = noise
    for t, following in pairwise(times):
        x = x + (following - t) * velocity(x, float(t), float(t - following))
    return x


def guided(with_condition: Array, without: Array, scale: float) -> Array:
    """Classifier-free guidance (Ho and Salimans, arXiv 2207.12598): 1 is no guidance."""
    return without + scale * (with_condition - without)
