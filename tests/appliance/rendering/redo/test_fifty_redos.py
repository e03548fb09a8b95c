"""Fifty random redos, each compared with its parent byte by byte: outside what was named, nothing changes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from support.random_band import play_at_random
from support.redone_files import conductor, midi_notes, same_outside, sample_span, sound, ticks_s
from support.vocals import sung

from appliance.composing.wishes import Wishes
from appliance.music.score import STYLE_GROUPS
from appliance.rendering import hearing
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.redo import redo as redo_module
from appliance.rendering.redo.redo import redo
from appliance.rendering.redo.request import GivenChords, RedoRequest
from appliance.rendering.render import render
from appliance.rendering.stopwatch import Stopwatch

REDOS = 50
SONGS = (
    {"style": "jazz", "seed": 3},
    {"style": "guitar", "variety": 0.8, "seed": 2},
    {"style": "organ", "tuning": 442.0},
    {"style": "strings", "sound": "neural"},
    {"style": "folk", "transpose": -2, "key": "C major"},
)

BEATS = "".join(f"{0.25 + 0.32 * k:.2f} {k % 3 + 1}\n" for k in range(12))
"""Four bars of three beats, after a pickup."""


class Take(NamedTuple):
    """A take. ``adds_up``: no stem was ever lost and played again, so that all still give the whole."""

    receipt: Path
    facts: dict[str, Any]
    adds_up: bool = True

    @property
    def name(self) -> str:
        return self.receipt.name.removesuffix(".receipt.json")

    def file(self, ending: str) -> Path:
        return self.receipt.parent / f"{self.name}.{ending}"

    def stem(self, group: str) -> Path:
        return self.receipt.parent / "stems" / f"{self.name}.{group}.wav"

    @property
    def bars(self) -> int:
        return len(self.facts["downbeats"])


def random_request(rng: np.random.Generator, take: Take) -> RedoRequest:
    """Bars, parts, chords, or some of them; now and then another seed."""
    first = int(rng.integers(1, take.bars + 1))
    last = int(rng.integers(first, take.bars + 1))
    kind = int(rng.integers(0, 5))
    groups = STYLE_GROUPS[take.facts["style"]]
    parts = tuple(g for g in groups if rng.random() < 0.5) or groups[:1] if kind in (1, 2) else ()
    labels = [str(rng.choice(["Dm7", "G7", "C", "Ab", "N", "4", "F#m7b5/E"])) for _ in range(first, last + 1)]
    chords = (GivenChords(first, f"| {' | '.join(labels)} |"),) if kind == 3 else ()
    seed = int(rng.integers(0, 1000)) if rng.random() < 0.3 else None
    return RedoRequest((first, last) if kind in (0, 2, 4) else None, parts, chords, seed)


def check(before: Take, after: Take, request: RedoRequest) -> None:
    """That nothing but what was named has changed."""
    facts = after.facts
    first, stop = sample_span(facts)
    samples = facts["samples"]
    assert facts["redo"]["parent"] == {
        "receipt": before.receipt.name,
        "sha256": hashlib.sha256(before.receipt.read_bytes()).hexdigest(),
    }
    named = set(facts["redo"]["groups"])
    assert named == (set(request.parts) or set(STYLE_GROUPS[facts["style"]]))
    for group in before.facts["groups"]:
        old, new = before.stem(group), after.stem(group)
        if old.exists() and group not in named:
            assert old.read_bytes() == new.read_bytes()
        elif old.exists() and new.exists():
            assert same_outside(old, new, first, stop, samples)
    for ending in ("accompaniment.wav", "mix.wav"):
        old, new = before.file(ending), after.file(ending)
        if old.exists():
            assert same_outside(old, new, first, stop, samples)
    stems = [sound(p) for g in STYLE_GROUPS[facts["style"]] if (p := after.stem(g)).exists()]
    inner = slice(first + 221, stop - 1765)  # between the joins
    whole = sound(after.file("accompaniment.wav"))
    if len(whole[inner]):
        assert np.abs(sum(stems) - whole)[inner].max() < 2 / 2**23
    if after.adds_up:
        assert np.abs(sum(stems) - whole).max() < 6 / 2**23
    check_notes(before, after, named)
    check_chart(before.facts, facts)
    same = ("vocal", "pack", "key", "tempo", "beats_s", "downbeats", "tuning", "style", "sound", "variety")
    assert [n for n in same if n != "vocal" and facts[n] != before.facts[n]] == []
    for name, digest in facts["files"].items():
        assert hashlib.sha256((after.receipt.parent / name).read_bytes()).hexdigest() == digest


def check_notes(before: Take, after: Take, named: set[str]) -> None:
    assert conductor(before.file("mid")) == conductor(after.file("mid"))
    old, new = midi_notes(before.file("mid")), midi_notes(after.file("mid"))
    old_of = dict(zip(before.facts["groups"], old.values(), strict=True))
    new_of = dict(zip(after.facts["groups"], new.values(), strict=True))
    span = after.facts["redo"]["span_s"] or [0.0, 1e9]

    def outside(notes: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        starts = ticks_s(before.file("mid"), [note[0] for note in notes])
        return [
            note
            for note, start_s in zip(notes, starts, strict=True)
            if not span[0] - 0.0011 <= start_s < span[1] - 0.0009
        ]

    for group in {*old_of, *new_of}:
        was, now = old_of.get(group, []), new_of.get(group, [])
        if group not in named:
            assert was == now
            continue
        around = outside(now)
        assert outside(was) == around
        inside = [note for note in now if note not in around]
        ends = ticks_s(before.file("mid"), [end for _, end, _, _ in inside])
        late = [(note, end_s) for note, end_s in zip(inside, ends, strict=True) if end_s > span[1] + 0.001]
        assert late == []


def check_chart(before: dict[str, Any], after: dict[str, Any]) -> None:
    span = after["redo"]["span_s"] or [0.0, after["samples"] / 44_100]
    steps = np.arange(0.0, after["samples"] / 44_100, 0.01)
    for time_s in steps[(steps < span[0] - 0.002) | (steps >= span[1] + 0.002)]:
        assert chord_at(before["chart"], time_s) == chord_at(after["chart"], time_s)


def chord_at(chart: list[list[Any]], time_s: float) -> str | None:
    return next((label for start_s, end_s, label in chart if start_s <= time_s < end_s), None)


def lose_some_file(take: Take, rng: np.random.Generator) -> None:
    """Now and then, as users do, delete sound files that are not needed."""
    kind = int(rng.integers(0, 6))
    for group in take.facts["groups"]:
        if kind == 0 or (kind == 1 and rng.random() < 0.5):
            take.stem(group).unlink(missing_ok=True)
    if kind == 2:
        take.file("mix.wav").unlink(missing_ok=True)
    if kind in (2, 3):
        take.file("accompaniment.wav").unlink(missing_ok=True)


@pytest.mark.slow
def test_only_what_was_named_changes(
    fake_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_at_random(monkeypatch)
    heard: dict[object, hearing.TrackedVocal] = {}  # the vocal is the same every time

    def tracked(path: Path, wishes: Wishes, watch: Stopwatch) -> hearing.TrackedVocal:
        if wishes.tuning not in heard:
            heard[wishes.tuning] = hearing.tracked(path, wishes, watch)
        return heard[wishes.tuning]

    monkeypatch.setattr(redo_module, "tracked", tracked)
    engine = Engine(fake_pack)
    vocal = tmp_path / "song.wav"
    soundfile.write(vocal, sung(4.1), 44_100)
    rng = np.random.default_rng(17)
    takes = []
    for k, wishes in enumerate(SONGS):
        job = RenderJob(vocal, tmp_path / str(k), Wishes(beats=BEATS, **wishes))  # type: ignore[arg-type]
        (made,) = render(engine, job, "test")
        takes.append(Take(tmp_path / str(k) / "song.receipt.json", made.facts))
    kinds = set()
    for k in range(REDOS):
        before = takes[int(rng.integers(0, len(takes)))]
        lose_some_file(before, rng)
        request = replace(random_request(rng, before), out=tmp_path / f"redo{k}")
        facts = redo(engine, before.receipt, request, "test").facts
        kept = before.adds_up and all(before.stem(group).exists() for group in before.facts["groups"])
        adds_up = kept or not before.file("accompaniment.wav").exists()
        after = Take(tmp_path / f"redo{k}" / "song.receipt.json", facts, adds_up)
        check(before, after, request)
        takes.append(after)
        kinds.add((request.bars is None, bool(request.parts), bool(request.chords)))
    assert len(kinds) == 4
