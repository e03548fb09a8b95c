"""The share of crumbs: pitched notes too short to be heard as notes."""

from __future__ import annotations

from appliance.music.crumbs import is_crumb
from appliance.music.score import DRUM_GROUP, Score


def crumb_share(score: Score) -> float:
    """Share of the pitched notes of ``score`` that last less than 70 ms; NaN without such notes."""
    pitched = [note for note in score.notes if note.group != DRUM_GROUP]
    return sum(map(is_crumb, pitched)) / len(pitched) if pitched else float("nan")
