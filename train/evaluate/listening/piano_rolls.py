"""Piano rolls of takes side by side: pitch over time, a colour for each group, the singer in black."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from appliance.composing.takes import Take, compose_takes
from appliance.composing.wishes import Wishes
from appliance.music.score import DRUM_GROUP, GROUPS
from appliance.vocal.sung_notes import sung_notes
from train.evaluate.players.renderers import engine_of, read_vocal
from train.evaluate.sections.pictures import new_figure, save

TAKES = 3
SHOWN_S = 16.0

COLOURS = {
    "keys": "tab:blue",
    "pluck": "tab:green",
    "pad": "tab:purple",
    "bass": "tab:red",
    DRUM_GROUP: "tab:brown",
}
SUNG = "black"


def draw_takes(pack: Path, vocal: Path, file: Path, style: str = "piano", shown_s: float = SHOWN_S) -> None:
    """Compose three takes of ``vocal`` and draw ``shown_s`` seconds from the bar in which the singing begins.

    Raises:
        InputError: the appliance would reject the vocal.
    """
    takes = compose_three(pack, vocal, style)
    draw(takes, file, first_bar_s(takes[0]), shown_s)


def compose_three(pack: Path, vocal: Path, style: str) -> list[Take]:
    """Three takes of ``vocal`` at default settings, in the order in which a job numbers them.

    Raises:
        InputError: the appliance would reject the vocal.
    """
    engine = engine_of(pack)
    wishes = Wishes(style=style, takes=TAKES)
    return compose_takes(engine.graphs, engine.pack, read_vocal(engine, vocal, wishes), wishes)


def first_bar_s(take: Take) -> float:
    """The start of the bar in which the singing begins; 0 if nothing is sung or there are no bars."""
    sung, grid = sung_notes(take.reading.features), take.reading.grid
    first_s = float(sung[0, 0]) if len(sung) else 0.0
    return max((grid.beats_s[k] for k in grid.downbeats if grid.beats_s[k] <= first_s), default=0.0)


def draw(takes: Sequence[Take], file: Path, start_s: float, shown_s: float = SHOWN_S) -> None:
    """Draw ``shown_s`` seconds of each take from ``start_s`` on, one beside the other."""
    end_s = start_s + shown_s
    figure, panels = new_figure(1, len(takes), (4.6 * len(takes), 4.2))
    for number, (take, axes) in enumerate(zip(takes, np.atleast_1d(panels), strict=True), start=1):
        grid = take.reading.grid
        for bar_s in (grid.beats_s[k] for k in grid.downbeats):
            axes.axvline(bar_s, color="0.9", linewidth=0.8, zorder=0)
        for sung_s, stop_s, pitch in sung_notes(take.reading.features):
            axes.barh(pitch, stop_s - sung_s, left=sung_s, height=0.4, color=SUNG, zorder=3)
        for note in take.score.notes:
            if note.start_s < end_s and note.end_s > start_s:
                axes.barh(
                    note.pitch,
                    note.end_s - note.start_s,
                    left=note.start_s,
                    height=0.9,
                    color=COLOURS[note.group],
                    zorder=2,
                )
        axes.set_xlim(start_s, end_s)
        axes.set_ylim(*pitch_range(takes))
        axes.set_title(f"take {number} (seed {take.seed})", fontsize=10)
        axes.set_xlabel("seconds")
    first = np.atleast_1d(panels)[0]
    first.set_ylabel("MIDI pitch")
    _explain(first, groups_of(takes))
    save(figure, file)


def groups_of(takes: Sequence[Take]) -> list[str]:
    """The groups that play in any of the takes, in their usual order."""
    playing = {group for take in takes for group in take.score.groups()}
    return [group for group in (*GROUPS, DRUM_GROUP) if group in playing]


def pitch_range(takes: Sequence[Take]) -> tuple[float, float]:
    """Lowest and highest pitch of all takes and of the singer, with a margin, so that panels compare."""
    pitches = [note.pitch for take in takes for note in take.score.notes]
    pitches += sung_notes(takes[0].reading.features)[:, 2].astype(int).tolist()
    return (min(pitches) - 2.0, max(pitches) + 2.0) if pitches else (20.0, 109.0)


def _explain(axes: object, groups: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    marks = [Patch(color=COLOURS[group], label=group) for group in groups]
    marks.append(Patch(color=SUNG, label="the singer"))
    axes.legend(handles=marks, loc="upper left", fontsize=7)  # type: ignore[attr-defined]
