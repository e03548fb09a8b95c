"""Writes ``tiny.sf2``: every preset of the default band as one looped sine or a few clicks.

``python -m tests.data.make_tiny_sf2`` from the root of the checkout; the same bytes each time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appliance.packs.sounds import DEFAULT_SOUNDS, DRUM_BANK
from quantize.riff import TABLES, Tables, write_tables

FILE = Path(__file__).with_name("tiny.sf2")
UNUSED = (0, 120)
"""A preset that no style plays."""

SINE_CYCLE = 100
SINE_RATE_HZ = 44_000  # 100 samples a cycle: exactly 440 Hz
SHORT = 43
"""The program whose highest key is :data:`SHORT_TOP`, like a contrabass."""
SHORT_TOP = 57
HAT = 42

_SAMPLE_MODES, _ROOT = 54, 58
_KEYS, _INSTRUMENT, _SAMPLE, _PAN, _CLASS, _ATTENUATION = 43, 41, 53, 17, 57, 48


def build() -> Tables:
    """The soundfont as tables."""
    cycle = np.cos(2 * np.pi * np.arange(12 * SINE_CYCLE) / SINE_CYCLE)
    burst = np.exp(-np.arange(800) / 100) * cycle[:800]
    sounds = [("sine", 10_000 * cycle), ("burst L", 16_000 * burst), ("burst R", 16_000 * burst),
              ("unused", 9_000 * burst[:500])]  # fmt: skip
    guard = np.zeros(46)
    samples, headers = [], []
    position = 0
    for index, (name, sound) in enumerate(sounds):
        looped = name == "sine"
        start, end = position, position + len(sound)
        loop = (start + SINE_CYCLE, start + 11 * SINE_CYCLE) if looped else (start + 8, end - 8)
        kind, link = {1: (4, 2), 2: (2, 1)}.get(index, (1, 0))
        headers.append((name.encode(), start, end, *loop, SINE_RATE_HZ, 69, 0, link, kind))
        samples.extend([sound, guard])
        position = end + 46
    drums = [[(_KEYS, 36 | 60 << 8), (_PAN, 0), (_ATTENUATION, 100), (_SAMPLE, 1)]]
    drums += [
        [(_KEYS, HAT | HAT << 8), (_PAN, pan & 0xFFFF), (_CLASS, 1), (_SAMPLE, sample)]
        for pan, sample in ((-500, 1), (500, 2))
    ]
    drums[0][0] = (_KEYS, 43 | 60 << 8)
    drums.insert(0, [(_KEYS, 36 | 41 << 8), (_PAN, 0), (_ATTENUATION, 100), (_SAMPLE, 1)])
    instruments = {
        "sine": [[(_KEYS, 0 | 127 << 8), (_SAMPLE_MODES, 1), (_SAMPLE, 0)]],
        "short": [[(_KEYS, 0 | SHORT_TOP << 8), (_SAMPLE_MODES, 1), (_SAMPLE, 0)]],
        "drums": drums,
        "unused": [[(_KEYS, 0 | 127 << 8), (_SAMPLE, 3)]],
    }
    presets = [(preset, "drums" if preset[0] == DRUM_BANK else "short" if preset[1] == SHORT else "sine")
               for preset in DEFAULT_SOUNDS.presets()]  # fmt: skip
    presets.append((UNUSED, "unused"))
    numbers = {name: index for index, name in enumerate(instruments)}
    rows = {table: np.zeros(1, dtype) for table, dtype in TABLES.items()}
    rows["shdr"] = np.array([*headers, (b"EOS", *[0] * 9)], TABLES["shdr"])
    rows["phdr"] = np.array(
        [(f"{bank}:{program}".encode(), program, bank, i, (0, 0, 0))
         for i, ((bank, program), _) in enumerate(presets)] + [(b"EOP", 0, 0, len(presets), (0, 0, 0))],
        TABLES["phdr"],
    )  # fmt: skip
    rows["pbag"] = np.array([(i, 0) for i in range(len(presets) + 1)], TABLES["pbag"])
    rows["pgen"] = np.array([(_INSTRUMENT, numbers[name]) for _, name in presets] + [(0, 0)], TABLES["pgen"])
    heads, bags, generators = [], [], []
    for name, zones in instruments.items():
        heads.append((name.encode(), len(bags)))
        for zone in zones:
            bags.append((len(generators), 0))
            generators.extend(zone)
    rows["inst"] = np.array([*heads, (b"EOI", len(bags))], TABLES["inst"])
    rows["ibag"] = np.array([*bags, (len(generators), 0)], TABLES["ibag"])
    rows["igen"] = np.array([*generators, (0, 0)], TABLES["igen"])
    info = {b"ifil": b"\2\0\1\0", b"isng": b"EMU8000\0", b"INAM": b"Backline tiny\0"}
    return Tables(info, np.concatenate(samples).astype("<i2"), rows)


if __name__ == "__main__":
    write_tables(build(), FILE)
