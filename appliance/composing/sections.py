"""Whether the sections that are asked for lie in the song."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.composing.wishes import Section
from appliance.errors import UsageError
from appliance.music.bar_lines import BarLines
from appliance.music.score import BeatGrid


def check_sections(sections: Sequence[Section], grid: BeatGrid, duration_s: float) -> None:
    """Raise UsageError if ``sections`` name bars that a song of ``duration_s`` seconds does not have."""
    if sections and not grid.downbeats:
        raise UsageError(
            "Sections count bars, and no bars were found; give the tempo (bpm), or a beat file with the "
            "number of each beat in its bar."
        )
    for section in sections:
        if section.last > (bars := BarLines.of(grid, duration_s).bars):
            raise UsageError(f"Section of bars {section.bars}: the recording has bars 1 to {bars} only.")
