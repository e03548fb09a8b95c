"""Vocal features, compared with known pitches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from appliance.vocal.features import (
    CHROMA,
    FEATURE_ROWS,
    LOUDNESS,
    LOWEST_SUNG_PITCH,
    ONSET,
    PITCH,
    VOICED,
    features_of,
    transposed,
)


@dataclass(frozen=True)
class Curves:
    f0_hz: np.ndarray
    voiced: np.ndarray
    level_db: np.ndarray
    flux: np.ndarray


def sung(midi: float, hops: int = 40) -> Curves:
    ones = np.ones(hops, np.float32)
    flux = np.zeros(hops, np.float32)
    flux[9] = 1.0
    return Curves((440 * 2 ** ((midi - 69) / 12)) * ones, ones, -20 * ones, flux)


@pytest.mark.parametrize("midi", [36, 52, 60, 69, 83])
def test_a_note_sounds_in_its_row_and_pitch_class(midi: int) -> None:
    features = features_of(sung(midi))
    assert features.shape == (FEATURE_ROWS, 10)
    assert features[CHROMA].argmax(axis=0).tolist() == [midi % 12] * 10
    assert features[PITCH].argmax(axis=0).tolist() == [midi - LOWEST_SUNG_PITCH] * 10
    assert features[CHROMA].sum(axis=0) == pytest.approx(1.0)
    assert features[VOICED] == pytest.approx(1.0)
    assert features[LOUDNESS] == pytest.approx(1.0)


def test_a_quarter_tone_is_shared() -> None:
    chroma = features_of(sung(60.5))[CHROMA, 0]
    assert chroma[0] == pytest.approx(0.5, abs=1e-3)
    assert chroma[1] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("cents", [-50.0, -20.0, 35.0])
def test_a_singer_out_of_tune_has_the_features_of_one_in_tune(cents: float) -> None:
    flat = features_of(sung(60 + cents / 100), cents)
    assert flat == pytest.approx(features_of(sung(60)), abs=1e-4)
    drifting = np.full(40, cents, np.float32)
    assert features_of(sung(60 + cents / 100), drifting) == pytest.approx(flat, abs=1e-6)


@pytest.mark.parametrize(("midi", "row"), [(30, 42), (96, 84)])
def test_pitches_outside_the_range_move_by_octaves(midi: int, row: int) -> None:
    moved = features_of(sung(midi))[PITCH].argmax(axis=0) + LOWEST_SUNG_PITCH
    assert moved[0] % 12 == midi % 12
    assert 36 <= moved[0] < 84


def test_onsets_keep_their_half_of_the_frame() -> None:
    features = features_of(sung(60))
    assert features[ONSET].nonzero()[1].tolist() == [2]
    assert features[ONSET, 2].tolist() == [1.0, 0.0]


def test_transposing_features_is_transposing_the_singer() -> None:
    assert transposed(features_of(sung(60)), 5) == pytest.approx(features_of(sung(65)), abs=1e-5)
    assert transposed(features_of(sung(60)), -7) == pytest.approx(features_of(sung(53)), abs=1e-5)


def test_silence_is_zero() -> None:
    nothing = np.zeros(8, np.float32)
    features = features_of(Curves(nothing, nothing, nothing - 100, nothing))
    assert not features[CHROMA].any() and not features[PITCH].any() and not features[VOICED].any()
