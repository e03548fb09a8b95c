"""Rhythms of people's music, from which a take borrows its own.

A pack may hold phrases of a few bars, each the rhythm that a song of the training data has in a style. A take
borrows one phrase and plays it over and over, so that its rhythm has a pattern as a song's has; at the end it
comes to rest on the first beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from appliance.errors import PackError, UsageError
from appliance.files.refused_values import first_refusal
from appliance.music.rhythm_plan import PARTS, BarRhythm, RhythmPlan, parse_rhythm
from appliance.music.score import BeatGrid

CANDIDATES = 6
"""A take draws among so many phrases that suit it best."""

_TEMPO_WEIGHT = 2.0
"""Distance of phrases an octave of tempo apart, in standard deviations of density or syncopation."""

_LONGEST_BARS = 64


class StoredPhrase(BaseModel):
    """A phrase as the pack stores it; ``rhythm`` is a text of :func:`appliance.music.rhythm_plan.rhythm_text`
    with every bar."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    style: str
    meter: Annotated[int, Field(ge=1, le=16)]
    compound: bool
    bpm: Annotated[float, Field(gt=0)]
    bars: Annotated[int, Field(ge=1, le=_LONGEST_BARS)]
    rhythm: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase, ready to be played: ``density`` in onsets a beat, ``syncopation`` the share of them that no
    beat carries."""

    style: str
    meter: int
    compound: bool
    bpm: float
    bars: tuple[BarRhythm, ...]
    density: float
    syncopation: float


@dataclass(frozen=True)
class RhythmBank:
    """All phrases of a pack."""

    phrases: tuple[Phrase, ...] = ()

    @cached_property
    def _by_kind(self) -> dict[tuple[str, int, bool], tuple[Phrase, ...]]:
        kinds: dict[tuple[str, int, bool], list[Phrase]] = {}
        for phrase in self.phrases:
            kinds.setdefault((phrase.style, phrase.meter, phrase.compound), []).append(phrase)
        return {kind: tuple(phrases) for kind, phrases in kinds.items()}

    def borrow(
        self, style: str, grid: BeatGrid, seed: int, density: float = 0.0, syncopation: float = 0.0
    ) -> RhythmPlan:
        """A rhythm for every bar of ``grid``; empty if no phrase has its meter.

        ``density`` and ``syncopation`` are asked for in standard deviations of the phrases of this style and
        meter. The same arguments give the same rhythm.
        """
        phrases = self._by_kind.get((style, grid.meter, grid.compound), ())
        if not phrases or not grid.downbeats:
            return ()
        asked = np.array([density, syncopation, 0.0])
        known = np.array([[p.density, p.syncopation] for p in phrases])
        scores = (known - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-6)
        octaves = np.log2([p.bpm / grid.bpm for p in phrases])[:, None]
        distance = np.abs(np.concatenate([scores, _TEMPO_WEIGHT * octaves], axis=1) - asked).sum(axis=1)
        nearest = np.argsort(distance, kind="stable")[:CANDIDATES]
        chosen = phrases[int(nearest[np.random.default_rng([seed, 0x21]).integers(len(nearest))])]
        return spread(chosen.bars, len(grid.downbeats))


def spread(phrase: Sequence[BarRhythm], bars: int) -> RhythmPlan:
    """The rhythm of ``bars`` bars that repeat ``phrase``; the last one has its first places only."""
    whole = [phrase[bar % len(phrase)] for bar in range(bars)]
    whole[-1:] = [replace(bar, places=tuple(places[:1] for places in bar.places)) for bar in whole[-1:]]
    return tuple(whole)


def density_of(bars: Sequence[BarRhythm], meter: int) -> float:
    """Onsets for each beat, all registers together; onsets at one place of a bar count once."""
    onsets = sum(len(set(chain(*bar.places))) for bar in bars)
    return onsets / max(1, meter * len(bars))


def syncopation_of(bars: Sequence[BarRhythm]) -> float:
    """Share of the onsets that lie off the beat while nothing begins on the next beat of their bar.

    The definition of Longuet-Higgins and Lee (Music Perception 1984), at the level of the beat.
    """
    onsets = syncopes = 0
    for bar in bars:
        places = set(chain(*bar.places))
        onsets += len(places)
        for place in places:
            following = (place // len(PARTS) + 1) * len(PARTS)
            syncopes += place % len(PARTS) != 0 and following not in places
    return syncopes / max(1, onsets)


def read_bank(file: Path, text: bytes) -> RhythmBank:
    """The bank in ``text``, the content of ``file``: a JSON list of phrases.

    Raises:
        PackError: it is not such a list.
    """
    try:
        stored = TypeAdapter(list[StoredPhrase]).validate_json(text, strict=True)
        return RhythmBank(tuple(map(_phrase, stored)))
    except ValidationError as error:
        raise PackError(f"{file}: {first_refusal(error)}; fetch the pack again.") from None
    except UsageError as error:
        raise PackError(f"{file}: {error} Fetch the pack again.") from None


def _phrase(stored: StoredPhrase) -> Phrase:
    beats = stored.meter * stored.bars
    times_s = tuple(float(beat) for beat in range(beats + 1))
    grid = BeatGrid(times_s, tuple(range(0, beats, stored.meter)), 1.0, stored.meter)
    plan = parse_rhythm(stored.rhythm, grid, f"the {stored.style} phrase at {stored.bpm:g} bpm")
    bars = tuple(bar or BarRhythm() for bar in plan)
    return Phrase(
        stored.style,
        stored.meter,
        stored.compound,
        stored.bpm,
        bars,
        density_of(bars, stored.meter),
        syncopation_of(bars),
    )
