"""The mel scale, compared with values of its definition and with its inverse."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.numerics.mel import hz_of, mel_of


@pytest.mark.parametrize(("hz", "mel"), [(0.0, 0.0), (700.0, 781.17), (1000.0, 999.99), (6300.0, 2595.0)])
def test_known_values(hz: float, mel: float) -> None:
    assert float(mel_of(hz)) == pytest.approx(mel, abs=0.01)


def test_there_and_back() -> None:
    hz = np.linspace(0.0, 22_050.0, 200).reshape(2, 100)
    assert mel_of(hz).shape == (2, 100)
    np.testing.assert_allclose(hz_of(mel_of(hz)), hz, rtol=1e-12, atol=1e-9)
    assert (np.diff(mel_of(hz.ravel())) > 0).all()
