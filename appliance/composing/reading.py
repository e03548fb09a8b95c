"""What is known of a vocal before a take is composed.

Letters: F = 64 feature rows, T score frames of the song, P = T/4 plan frames, D dials.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from appliance.music.chord_chart import Chart
from appliance.music.keys import Key
from appliance.music.rhythm_plan import RhythmPlan
from appliance.music.score import BeatGrid
from appliance.networks.condition_rows import PLAN_GIVEN

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the planner heard in the vocal, what the user gave, and the harmony between them."""

    features: Array
    """Features of the vocal, (F, T)."""
    duration_s: float
    grid: BeatGrid
    key: Key
    key_confidence: float
    plan: Array
    """The harmony, (24, P): the planner's probabilities, or the plan of :attr:`chart`."""
    chart: Chart
    certainty: float
    """Whether the plan was predicted or given: PLAN_PREDICTED or PLAN_GIVEN."""
    key_given: bool = False
    heard: Array | None = None
    """The planner's probabilities, (24, P), where :attr:`plan` is something else."""
    fixed: Chart = field(default_factory=list)
    """Chords that the harmony must keep; the time between them is free."""
    composed: bool = False
    """Whether the chord network composed all of :attr:`chart`, of which :attr:`plan` is the plan."""
    rhythm: RhythmPlan = ()
    """The rhythm of the take, bar by bar; free where it says nothing."""
    dials: Array | None = None
    """The dials of the take, (D, T); see :func:`appliance.composing.take_plans.dial_rows`."""
    remarks: tuple[str, ...] = ()
    """What the user should know of how the wishes were understood, in sentences."""

    @property
    def chart_given(self) -> bool:
        """Whether the user gave a chart, be it with gaps."""
        return self.certainty == PLAN_GIVEN and bool(self.fixed)

    @property
    def probabilities(self) -> Array:
        """The planner's probabilities, (24, P), or what replaces them where a chart was given."""
        return self.plan if self.heard is None else self.heard
