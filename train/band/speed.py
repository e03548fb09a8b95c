"""Measures the real-time factor of a full band: ``python -m train.band.speed SOUNDFONT [STYLE...]``.

All groups play their typical parts throughout, with reverb, in one process and one thread.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_GROUP, GROUPS, STYLES, Score
from appliance.packs.sounds import DEFAULT_SOUNDS
from appliance.playing.soundfont_band import SoundFont, render_stems
from train.band.balance import typical_part


def full_band(times: int) -> Score:
    """The typical parts of all groups together, repeated ``times`` times."""
    parts = [typical_part(group) for group in (*GROUPS, DRUM_GROUP)]
    length_s = parts[0].duration_s
    notes = [
        replace(note, start_s=note.start_s + k * length_s, end_s=note.end_s + k * length_s)
        for part in parts
        for note in part.notes
        for k in range(times)
    ]
    return Score.of(notes, times * length_s)


@click.command(help=__doc__)
@click.argument("soundfont", type=click.Path(path_type=Path))
@click.argument("styles", nargs=-1, type=click.Choice(STYLES))
@click.option("--times", default=19, show_default=True, help="Repeats of the four bars of 9.6 s.")
def main(soundfont: Path, styles: tuple[str, ...], times: int) -> None:
    begun = time.perf_counter()
    font = SoundFont(soundfont)
    click.echo(f"loaded in {time.perf_counter() - begun:.2f} s")
    score = full_band(times)
    for style in styles or STYLES:
        peak, total = 0.0, np.zeros(2)
        cpu, wall = time.process_time(), time.perf_counter()
        for block in render_stems(
            score, DEFAULT_SOUNDS[style], font, round(score.duration_s * SAMPLE_RATE_HZ)
        ):
            mix = block.mix()
            peak = max(peak, float(np.abs(mix).max()))
            total += mix.sum(axis=0)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        offset = np.abs(total).max() / (score.duration_s * SAMPLE_RATE_HZ)
        click.echo(
            f"{style:8} {score.duration_s:.0f} s: real-time factor {cpu / score.duration_s:.4f} in CPU time,"
            f" {wall / score.duration_s:.4f} in wall time; peak {peak:.3f}, DC offset {offset:.4f}"
        )


if __name__ == "__main__":
    main()
