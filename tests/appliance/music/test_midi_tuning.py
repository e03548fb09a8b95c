"""MIDI files carry the singer's tuning, as a receiver of channel tuning hears it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import mido
import pytest

from appliance.music.midi import write_midi
from appliance.music.score import BeatGrid, Note, Score

GRID = BeatGrid(tuple(0.5 * k for k in range(12)), (0, 5, 10), 0.9, 5)
SOUNDS = {
    "keys": SimpleNamespace(name="Grand piano", bank=0, program=0),
    "bass": SimpleNamespace(name="Upright", bank=0, program=32),
    "drums": SimpleNamespace(name="Kit", bank=128, program=0),
}


def score() -> Score:
    notes = [Note(0.5, 1.0, 60, 80, "keys"), Note(0.5, 2.0, 36, 90, "bass"), Note(1.0, 1.1, 36, 99, "drums")]
    return Score.of(notes, 6.0)


def channel_cents(path: Path) -> dict[int, float]:
    """Channel fine tuning as a receiver of RPN 1 and 2 hears it; 0 for channels that are not tuned."""
    cents: dict[int, float] = {}
    chosen: dict[int, dict[int, int]] = {}
    for message in mido.MidiFile(path):
        if message.type == "note_on":
            cents.setdefault(message.channel, 0.0)
        elif message.type == "control_change" and message.control in (100, 101, 6, 38):
            state = chosen.setdefault(message.channel, {})
            state[message.control] = message.value
            chosen_now = state.get(101), state.get(100)
            if message.control == 38 and chosen_now == (0, 1):
                fine = 100.0 * ((state[6] << 7 | state[38]) - 8192) / 8192
                cents[message.channel] = cents.get(message.channel, 0.0) + fine
            elif message.control == 6 and chosen_now == (0, 2):
                cents[message.channel] = 100.0 * (state[6] - 64)
    assert all((state[101], state[100]) == (127, 127) for state in chosen.values())
    return cents


@pytest.mark.parametrize("cents", [-101.0, -50.0, -18.8, 7.3, 50.0, 149.0])
def test_the_singers_tuning_is_in_the_file(tmp_path: Path, cents: float) -> None:
    path = tmp_path / "x.mid"
    write_midi(path, score(), GRID, SOUNDS, cents)
    found = channel_cents(path)
    assert found.pop(9) == 0.0  # drums
    assert len(found) == 2 and list(found.values()) == pytest.approx([cents] * 2, abs=0.01)
    (text,) = [m.text for m in mido.MidiFile(path).tracks[0] if m.type == "text"]
    assert text == f"A = {440 * 2 ** (cents / 1200):.2f} Hz ({cents:+.1f} cents)"


def test_in_tune_nothing_is_said_of_tuning(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", score(), GRID, SOUNDS)
    write_midi(tmp_path / "b.mid", score(), GRID, SOUNDS, 0.0)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert set(channel_cents(tmp_path / "a.mid").values()) == {0.0}
