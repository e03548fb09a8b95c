"""Calibration inputs of the audio networks, from renders of validation songs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.music.note_rows import ALL_GROUPS
from appliance.music.score import STYLES
from appliance.networks.condition_rows import known_style_rows, style_row
from appliance.playing.excitation import Excitation
from appliance.playing.neural_band import group_row
from appliance.playing.source_filter import HOP_SAMPLES, sources_of
from train.data.renders import CROP_SAMPLES, LOUDEST, Render

Inputs = dict[str, NDArray[np.float32]]

UNKNOWN_STYLE_EVERY = 4
"""One recording in this many is given without its style."""


def write_audio_calibration(networks: Mapping[str, Any], renders: Sequence[Render], folder: Path) -> None:
    """Write inputs of the audio networks among ``networks`` into ``folder``, one sample per crop.

    Crops in a style that a network does not know are left out for it.
    """
    for graph, samples_of in (("audio_decoder", _decoded), ("audio_encoder", _heard)):
        if graph in networks:
            rows = networks[graph].config.style_rows
            known = [render for render in renders if STYLES.index(render.style) < rows - 1]
            named = {}
            for number, inputs in enumerate(samples_of(known)):
                inputs["style"] = known_style_rows(inputs["style"], rows)
                named |= {f"{number:04d}/{name}": array[None] for name, array in inputs.items()}
            np.savez(folder / f"{graph}.npz", **named)


def _decoded(renders: Sequence[Render]) -> Iterator[Inputs]:
    """Inputs of the audio decoder: one stem of each crop, with the groups taking turns."""
    for number, render in enumerate(renders):
        groups = [ALL_GROUPS[int(index)] for index in render.groups]
        group = groups[(number // len(STYLES)) % len(groups)]
        excitation = Excitation(render.score.only(group).notes, render.style, group)
        _, rows = sources_of(excitation, 0, CROP_SAMPLES // HOP_SAMPLES)
        yield {"rows": rows, "style": style_row(STYLES.index(render.style)), "group": group_row(group)}


def _heard(renders: Sequence[Render]) -> Iterator[Inputs]:
    """Inputs of the audio encoder: the mix of each crop."""
    for number, render in enumerate(renders):
        unknown = number % UNKNOWN_STYLE_EVERY == 0
        style = style_row(None if unknown else STYLES.index(render.style))
        yield {"spectrum": render.spectrum.astype(np.float32) / np.float32(LOUDEST), "style": style}
