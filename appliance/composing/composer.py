"""Composes the notes of a take: listen to the vocal, plan the harmony, denoise a latent, decode it.

Letters: F = 64 feature rows, T score frames of the song, P = T/4 plan frames, D dials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.composing.band_rules import play_as_a_band
from appliance.composing.bars import Accents
from appliance.composing.beat_tracker import double_time, half_time, track_beats, with_bars
from appliance.composing.chosen_harmony import likeliest
from appliance.composing.key_request import keep_in_key, plan_in_key
from appliance.composing.latent_drawing import LatentDrawing, decoded
from appliance.composing.plan_chart import chart_from_plan, plan_from_chart
from appliance.composing.plan_variation import decide
from appliance.composing.reading import Reading
from appliance.composing.sections import check_sections
from appliance.composing.windows import song_windows
from appliance.composing.wishes import Wishes
from appliance.grid import FRAME_RATE_HZ, FRAMES_PER_LATENT, FRAMES_PER_PLAN
from appliance.music.bar_lines import BarLines
from appliance.music.beat_file import parse_beats
from appliance.music.beat_grid import TRUSTED, phases, snap
from appliance.music.chart_keeping import follow_chart
from appliance.music.chord_chart import Chart, chart_remarks, fixed_chords, parse_chart
from appliance.music.chord_filling import sound_sevenths
from appliance.music.crumbs import without_crumbs
from appliance.music.keys import Key, signature_shift
from appliance.music.rhythm_plan import rhythm_rows
from appliance.music.roll import RollReader
from appliance.music.scale_degrees import SongKey
from appliance.music.score import STYLE_GROUPS, STYLES, BeatGrid, Score
from appliance.networks.condition_rows import PLAN_COMPOSED, PLAN_GIVEN, PLAN_PREDICTED, condition_rows
from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack
from appliance.vocal.features import ONSET, VOICED, transposed

Array = NDArray[np.float32]

LISTEN_FRAMES = 16_384
"""Score frames that the planner hears at once (12.7 minutes); longer songs are split."""


def listen(
    graphs: Graphs,
    features: Array,
    duration_s: float,
    wishes: Wishes,
    company: float = 0.0,
    grid: BeatGrid | None = None,
) -> Reading:
    """Estimate beats, key and plan of a vocal with ``features`` (F, T), T a multiple of 4.

    The planner runs twice: first for the beats, then, given the beats, for the harmony. ``wishes`` replace
    what the user gave, and ``grid`` the beats where they are known from before. ``company`` is the
    probability that there is more than one voice: then the pitch track says little of the key, and its
    confidence is lower.

    Raises:
        UsageError: the given key, beats or chart are invalid, or a section names bars that there are not.
    """
    if grid is None:
        unknown = np.zeros((5, features.shape[1]), np.float32)
        plan, _, beats = _run_planner(graphs, features, unknown)
        grid = _grid(beats, Accents.of(plan, features[ONSET]), duration_s, wishes)
    check_sections(wishes.section, grid, duration_s)
    plan, key_shares, _ = _run_planner(graphs, features, phases(grid, features.shape[1]))
    key, confidence = _likeliest_key(key_shares)
    confidence = (1.0 - company) * confidence + company / len(key_shares)
    heard = key
    if wishes.key is not None:
        key, confidence = Key.parse(wishes.key), 1.0
    certainty, remarks = PLAN_PREDICTED, _remarks_on_tempo(grid)
    probabilities, fixed = plan, Chart()
    if wishes.chords is not None:
        song = SongKey(key, given=wishes.key is not None)
        fixed = fixed_chords(parse_chart(wishes.chords, grid, duration_s, wishes.chords_name, song))
        remarks += chart_remarks(wishes.chords, song)
    if fixed:
        chart, certainty = fixed, PLAN_GIVEN
        plan = plan_from_chart(chart, plan.shape[1])
    elif wishes.key is not None:
        plan, chart, certainty = plan_in_key(plan, key, heard, grid, duration_s)
    else:
        chart = chart_from_plan(plan, grid, duration_s)
    found = Reading(features, duration_s, grid, key, confidence, plan, chart, certainty)
    found = replace(found, key_given=wishes.key is not None, heard=probabilities, fixed=fixed)
    return likeliest(graphs, replace(found, remarks=tuple(remarks)))


def _grid(beats: Array, accents: Accents, duration_s: float, wishes: Wishes) -> BeatGrid:
    """The given beats, or those found in the activations ``beats`` (2, T): beats and bar starts.

    With a given tempo the grid is always trusted, even if its phase is uncertain: a band in time but late can
    be shifted in the studio, one without a tempo cannot. So is one that the user asks to count otherwise.
    """
    if wishes.beats is not None:
        grid = parse_beats(wishes.beats, duration_s, wishes.beats_name)
        return grid if grid.downbeats else with_bars(grid, beats[1], FRAME_RATE_HZ, accents)
    grid = track_beats(beats[0], beats[1], FRAME_RATE_HZ, wishes.bpm, accents)
    if wishes.half_time:
        grid = half_time(grid, beats, accents)
    elif wishes.double_time:
        grid = double_time(grid, beats, accents)
    elif wishes.bpm is None:
        return grid
    return replace(grid, confidence=max(grid.confidence, TRUSTED))


def _remarks_on_tempo(grid: BeatGrid) -> list[str]:
    if len(grid.tempi) < 2 or grid.confidence < TRUSTED:
        return []
    (_, first), *others = grid.tempi
    then = ", then ".join(f"{bpm:.0f} from {start_s:.1f} s on" for start_s, bpm in others)
    return [
        f"The tempo changes: {first:.0f} beats per minute, then {then}. If that is wrong, give the beats: "
        "beats_text in the receipt is a list to correct."
    ]


def _run_planner(graphs: Graphs, features: Array, beat_phases: Array) -> tuple[Array, Array, Array]:
    """Run the planner over a song of any length; returns plan (24, P), key shares (24,), beats (2, T)."""
    plans, keys, beats = [], [], []
    for first in range(0, features.shape[1], LISTEN_FRAMES):
        part = slice(first, first + LISTEN_FRAMES)
        plan, key, beat = graphs.plan(features[:, part], beat_phases[:, part])
        plans.append(plan)
        keys.append(key * plan.shape[1])
        beats.append(beat)
    shares = np.sum(keys, axis=0)
    return np.concatenate(plans, axis=1), shares / shares.sum(), np.concatenate(beats, axis=1)


def _likeliest_key(shares: Array) -> tuple[Key, float]:
    best = int(shares.argmax())
    return Key(best % 12, "minor" if best >= 12 else "major"), float(shares[best])


def compose(
    graphs: Graphs,
    pack: Pack,
    reading: Reading,
    style: str,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> Score:
    """Compose a take: the notes of a band that plays in ``style`` to the vocal of ``reading``.

    The same graphs, reading, style and seed give the same notes. ``on_step`` is called after each of the
    :func:`steps_of` forward passes of the denoiser.
    """
    shift = signature_shift(reading.key)
    rows = _condition(reading, shift)
    drawing = LatentDrawing(graphs, pack.manifest.sampler, rows, STYLES.index(style), on_step)
    latent = drawing.of_song(pack.manifest.latent_channels, seed)
    reader = RollReader(pack.manifest.thresholds.for_roll())
    for roll in decoded(graphs, latent):
        reader.add(roll)
    score = reader.score(reading.duration_s).only(*STYLE_GROUPS[style])
    score = without_crumbs(snap(score.transposed(-shift), reading.grid))
    if reading.certainty == PLAN_GIVEN:
        score = follow_chart(score, reading.chart)
    elif reading.key_given:
        score = keep_in_key(score, reading.key, reading.chart)
    if reading.composed:
        # The denoiser takes composed chords as a hint, too. Listeners notice how a song ends, and sevenths.
        score = sound_sevenths(follow_chart(score, reading.chart[-1:]), reading.chart)
    obey = reading.certainty == PLAN_GIVEN or reading.key_given
    heard = (reading.grid, reading.chart, reading.key, reading.features[VOICED])
    return play_as_a_band(score, style, *heard, obey=obey, seed=seed)


def steps_of(pack: Pack, features: Array) -> int:
    """Number of forward passes of the denoiser for a take of a song with ``features`` (F, T)."""
    sampler = pack.manifest.sampler
    frames = features.shape[1] // FRAMES_PER_LATENT
    return sampler.steps * len(song_windows(frames, sampler.window_frames, sampler.context_frames))


def _condition(reading: Reading, shift: int) -> Array:
    """The condition (CONDITION_ROWS, T) of the whole song, transposed to a key without accidentals."""
    frames = reading.features.shape[1]
    plan, certainty = reading.plan, reading.certainty
    if reading.composed:
        certainty = PLAN_COMPOSED
    elif certainty == PLAN_PREDICTED:
        plan = decide(plan)
    plan = np.roll(plan.reshape(2, 12, -1), shift, axis=1).reshape(24, -1)
    features = transposed(reading.features, shift)
    rhythm = None
    if any(reading.rhythm):
        rhythm = rhythm_rows(reading.rhythm, BarLines.of(reading.grid, reading.duration_s), frames)
    beats = phases(reading.grid, frames)
    return condition_rows(frames, features, beats, plan, certainty, rhythm, reading.dials)


def padded(features: Array) -> Array:
    """``features`` (F, T), padded with zeros so that T is a multiple of 4."""
    return np.pad(features, ((0, 0), (0, -features.shape[1] % FRAMES_PER_PLAN)))
