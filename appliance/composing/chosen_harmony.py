"""Chooses the harmony of a song: the likeliest one, and another for each take that draws its own.

A pack with a chord network composes chords around those that the user fixed. What the planner heard between
the chords, passing notes for example, colours the likeliest harmony. With an earlier pack that harmony is the
planner's, and takes vary its probabilities.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from appliance.composing.harmony import harmonise
from appliance.composing.key_request import heard_in, in_scale
from appliance.composing.plan_chart import chart_from_plan, plan_from_chart
from appliance.composing.plan_variation import decide, vary
from appliance.composing.reading import Reading
from appliance.music.chord_chart import Chart
from appliance.networks.condition_rows import PLAN_PREDICTED
from appliance.networks.graphs import Graphs

USUAL_VARIETY = 0.25
"""Variety of takes where the user asks for none and the pack has a chord network."""

HEARD_SHARE = 2 / 3
"""Share of the planner's own plan in the likeliest harmony; the rest is the plan of the composed chords."""

WARMEST = 2.0
"""Temperature at which chords are drawn at a variety of 1."""


def variety_of(graphs: Graphs, asked: float | None) -> float:
    """The variety of a job. Packs without a chord network play the likeliest harmony unless asked."""
    if asked is not None:
        return asked
    return USUAL_VARIETY if graphs.composes_chords else 0.0


def likeliest(graphs: Graphs, reading: Reading) -> Reading:
    """``reading`` with the likeliest chords where the pack composes them and the user leaves them free.

    If they are all free, the plan of the chords is mixed with the planner's.
    """
    if not graphs.composes_chords:
        return reading
    found = _composed(graphs, reading)
    if not found.composed or found.key_given or found.fixed:
        return found
    plan = HEARD_SHARE * decide(found.probabilities) + (1.0 - HEARD_SHARE) * found.plan
    return replace(found, plan=plan.astype(np.float32))


def keeping(graphs: Graphs, reading: Reading, fixed: Chart) -> Reading:
    """``reading`` with the chords ``fixed`` and the likeliest around them; the pack must compose chords."""
    return _composed(graphs, replace(reading, fixed=fixed))


def redraw(graphs: Graphs, reading: Reading, seed: int, asked: float | None) -> Reading:
    """The reading with another plausible harmony, drawn by ``seed``; seed 0 and variety 0 draw none.

    ``asked`` is the variety that the user asked for. Given chords stay. So does, with a pack without a chord
    network, the harmony in a given key.
    """
    variety = variety_of(graphs, asked)
    if seed == 0 or variety == 0.0:
        return reading
    if graphs.composes_chords:
        return _composed(graphs, reading, seed, WARMEST * variety)
    if reading.certainty != PLAN_PREDICTED or reading.key_given:
        return reading
    plan = vary(reading.plan, reading.features, seed, variety)
    return replace(reading, plan=plan, chart=chart_from_plan(plan, reading.grid, reading.duration_s))


def _composed(graphs: Graphs, reading: Reading, seed: int = 0, temperature: float = 0.0) -> Reading:
    """The reading with composed chords; unchanged if none is free, or if they miss the given key."""
    in_key = reading.key_given and not reading.fixed
    heard = reading.probabilities
    probabilities = in_scale(heard, reading.key) if in_key else heard
    about = (reading.features, probabilities, reading.grid, reading.duration_s, reading.key)
    chart = harmonise(graphs, *about, reading.fixed, seed, temperature)
    plan = plan_from_chart(chart, heard.shape[1])
    if (reading.chart_given and chart == reading.fixed) or (in_key and not heard_in(reading.key, plan)):
        return reading
    found = replace(reading, chart=chart, plan=plan, heard=heard)
    return found if reading.chart_given else replace(found, certainty=PLAN_PREDICTED, composed=True)
