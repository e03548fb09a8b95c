"""Sampler of the rectified flow: turns noise into a latent in a few steps.

The path is x_t = (1 - t)·data + t·noise (Liu et al., arXiv 2209.03003). Its velocity dx/dt is noise - data,
and sampling integrates it from t = 1 down to t = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Velocity = Callable[[Array, float, float], Array]
"""Takes the latent x_t, the timestep t and the step's length; returns the mean dx/dt over the step."""


def timesteps(steps: int, shift: float = 1.0) -> Array:
    """The times of a schedule, (steps + 1,), from 1 down to 0.

    ``shift`` s > 1 puts more steps near the noise, where the structure forms: t' = s·t / (1 + (s-1)·t)
    (Esser et al., arXiv 2403.03206, section 5.3.2).
    """
    t = np.linspace(1.0, 0.0, steps + 1)
    shifted: Array = (shift * t / (1.0 + (shift - 1.0) * t)).astype(np.float32)
    return shifted


def euler(velocity: Velocity, noise: Array, times: Array) -> Array:
    """Integrate with Euler's method along ``times``, one velocity per step; ``noise`` has any shape."""
    x = noise
    for t, following in pairwise(times):
        x = x + (following - t) * velocity(x, float(t), float(t - following))
    return x


def guided(with_condition: Array, without: Array, scale: float) -> Array:
    """Classifier-free guidance (Ho and Salimans, arXiv 2207.12598); a ``scale`` of 1 means no guidance."""
    return without + scale * (with_condition - without)
