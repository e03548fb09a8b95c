"""The chord network's stage: the written chords of a song, given its melody and some of these chords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from appliance.networks.chord_rows import (
    CHORD_STATES,
    NO_CHORD_STATE,
    GivenChords,
    chord_rows,
    slot_edges,
)
from appliance.vocal.features import transposed
from train.data.song_cache import CachedSong
from train.data.written_chords import chord_slots
from train.networks.chords import ChordConfig, ChordNetwork, log_partition, sequence_score
from train.training.stage import Batch

BASS_WEIGHT = 0.3
"""Weight of the bass in the loss."""

GIVEN_SHARE = 0.5
"""Share of the training examples in which some chords are given."""

UNHEARD_SHARE = 0.1
"""Share in which nothing of the vocal is shown. So the network also knows what is likely in any song."""


class ChordStage:
    """Random stretches of random performances, in all twelve transpositions."""

    name = "chords"

    def __init__(
        self,
        config: ChordConfig,
        train: Sequence[CachedSong],
        val: Sequence[CachedSong],
        cache: Path,
        batch: int = 16,
        slots: int = 96,
    ) -> None:
        self.model: nn.Module = ChordNetwork(config)
        self.train, self.cache = [s for s in train if s.chords], cache
        self.batch, self.slots = batch, slots
        rng = np.random.default_rng(3)
        held_out = [s for s in val if s.chords]
        self._held_out = [self._batch(held_out, rng, transpose=False) for _ in range(6)] if held_out else []

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            yield self._batch(self.train, rng)

    def _batch(self, songs: Sequence[CachedSong], rng: np.random.Generator, transpose: bool = True) -> Batch:
        items = [
            self.item(songs[rng.integers(len(songs))], self.cache, self.slots, rng, transpose)
            for _ in range(self.batch)
        ]
        return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]}

    @staticmethod
    def item(
        song: CachedSong, cache: Path, slots: int, rng: np.random.Generator, transpose: bool
    ) -> dict[str, NDArray[np.generic]]:
        """A random stretch of a song with written chords, as its melodies and plans in ``cache`` have it.

        Returns:
            circle (CIRCLE_ROWS, 12, S), plain (PLAIN_ROWS, S), states, basses and given (S,), where S =
            ``slots``; of these only the first ``length`` () are the song's.
        """
        states, basses = chord_slots(song)
        first = int(rng.integers(max(1, len(states) - slots // 2)))
        part = slice(first, first + slots)
        shift = int(rng.integers(12)) if transpose else 0
        takes = np.load(cache / "melodies" / f"{song.id}.npy", mmap_mode="r")
        plans = np.load(cache / "plans" / f"{song.id}.npy", mmap_mode="r")
        take = int(rng.integers(len(takes)))
        features = transposed(np.asarray(takes[take], np.float32), shift)
        plan = np.roll(np.asarray(plans[take], np.float32).reshape(2, 12, -1), shift, axis=1).reshape(24, -1)
        if rng.uniform() < UNHEARD_SHARE:
            features, plan = np.zeros_like(features), np.zeros_like(plan)
        states = np.where(states == NO_CHORD_STATE, states, states // 12 * 12 + (states + shift) % 12)
        basses = np.where(basses < 0, -1, (basses + shift) % 12)
        given = np.zeros(len(states), bool)
        if rng.uniform() < GIVEN_SHARE:
            given[part] = _random_given(states[part], rng)
        edges_s = slot_edges(song.grid, song.duration_s)
        told = GivenChords(np.where(given, states, -1), np.where(given, basses, -1))
        circle, plain = chord_rows(features, plan, edges_s, song.grid, told)
        count = len(states[part])
        pad = slots - count
        return {
            "circle": np.pad(circle[:, :, part], ((0, 0), (0, 0), (0, pad))),
            "plain": np.pad(plain[:, part], ((0, 0), (0, pad))),
            "states": np.pad(states[part], (0, pad)),
            "basses": np.pad(basses[part], (0, pad), constant_values=-1),
            "given": np.pad(given[part], (0, pad)),
            "length": np.array(count),
        }

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        chords, change, bass = (x.float() for x in model(batch["circle"], batch["plain"]))
        states, given, lengths = batch["states"], batch["given"], batch["length"]
        valid = (torch.arange(states.shape[1], device=states.device) < lengths[:, None]).float()
        table = model.transitions().float()
        right = nn.functional.one_hot(states, CHORD_STATES).transpose(1, 2).bool()
        clamped = chords.masked_fill(given.unsqueeze(1) & ~right, -1e4)
        best = sequence_score(chords, change, table, states, valid)
        free = (valid * ~given).sum()
        sequence = (log_partition(clamped, change, table, lengths) - best).sum() / free
        roots = states % 12
        counted = (batch["basses"] >= 0) & (valid > 0) & (states != NO_CHORD_STATE)
        interval = (batch["basses"].clamp_min(0) - roots) % 12
        by_interval = bass.gather(2, roots[:, None, None].expand(-1, 12, 1, -1)).squeeze(2)
        log_bass = by_interval.gather(1, interval.unsqueeze(1)).squeeze(1)
        bass_loss = -(log_bass * counted).sum() / counted.sum().clamp_min(1)
        return {"loss": sequence + BASS_WEIGHT * bass_loss, "sequence": sequence, "bass": bass_loss}

    def validate(self, model: nn.Module) -> dict[str, float]:
        sums: dict[str, float] = {}
        for batch in self._held_out:
            for name, value in self.loss(model, batch).items():
                sums[name] = sums.get(name, 0.0) + float(value) / len(self._held_out)
        return sums


def _random_given(states: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Whole chords that are given, as in a chart with gaps: each with a random probability, or a stretch."""
    starts = np.flatnonzero(np.diff(states, prepend=-1))
    chord_of = np.searchsorted(starts, np.arange(len(states)), side="right") - 1
    if rng.uniform() < 0.3:
        first, stop = np.sort(rng.integers(0, len(starts) + 1, 2))
        chosen = (np.arange(len(starts)) >= first) & (np.arange(len(starts)) < stop)
        chosen = chosen if rng.uniform() < 0.5 else ~chosen
    else:
        chosen = rng.uniform(size=len(starts)) < rng.uniform()
    picked: NDArray[np.bool_] = chosen[chord_of]
    return picked
