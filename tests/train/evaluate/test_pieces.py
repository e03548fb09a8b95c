"""Pieces cut from songs: they start at a bar line, and notes and sound stay together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from appliance.errors import InputError
from appliance.music.score import Note
from train.evaluate.material.pieces import Sung, cut_piece


@dataclass(frozen=True)
class TinySong:
    id: str = "tiny"
    duration_s: float = 20.0
    voice: tuple[Sung, ...] = (Sung(9.5, 10.0, 60), Sung(13.0, 15.5, 62))
    written: tuple[Note, ...] = (
        Note(0.0, 5.0, 48, 80, "keys"),
        Note(3.0, 6.0, 52, 80, "keys"),
        Note(13.9, 14.1, 55, 80, "keys"),
    )
    bars_s: tuple[float, ...] = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0)


def test_a_piece_starts_at_a_bar_line_before_the_singer(tmp_path: Path) -> None:
    ramp = np.arange(20 * 8000) / (20 * 8000)
    soundfile.write(tmp_path / "whole.wav", ramp, 8000, subtype="FLOAT")
    piece = cut_piece(TinySong(), tmp_path / "whole.wav", tmp_path / "pieces", length_s=10.0)
    assert piece.duration_s == pytest.approx(10.0)  # 4 s to 14 s
    assert [(n.start_s, n.end_s, n.pitch) for n in piece.sung] == [(5.5, 6.0, 60), (9.0, 10.0, 62)]
    written = [(round(n.start_s, 6), round(n.end_s, 6), n.pitch) for n in piece.written.notes]
    assert written == [(0.0, 1.0, 48), (0.0, 2.0, 52), (9.9, 10.0, 55)]
    assert piece.bars_s[:4] == (-4.0, -2.0, 0.0, 2.0)
    samples, rate_hz = soundfile.read(piece.vocal)
    assert rate_hz == 8000 and len(samples) == 80_000
    np.testing.assert_allclose(samples, ramp[32_000:112_000], atol=1e-6)


def test_a_song_without_singing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tiny has no sung notes"):
        cut_piece(TinySong(voice=()), tmp_path / "none.wav", tmp_path)
