"""The mel scale, on which equal steps sound equally far apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mel_of(hz: float | NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Convert frequencies in Hz to mel; any shape.

    Source: O'Shaughnessy, *Speech Communication: Human and Machine*, 1987, p. 150.

    >>> float(mel_of(1000.0).round(1))
    1000.0
    """
    mels: NDArray[np.floating[Any]] = np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0))
    return mels


def hz_of(mel: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Convert mel to Hz, the inverse of :func:`mel_of`; any shape."""
    hz: NDArray[np.floating[Any]] = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return hz
