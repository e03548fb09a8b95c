"""Settings of a vocal, as the journal keeps them, in the engine's terms."""

from __future__ import annotations

from pathlib import Path

from appliance.composing.composer import Wishes
from appliance.music.chord_chart import parse_chart
from appliance.music.keys import Key
from appliance.rendering.job import SOUNDS, Request, check_numbers
from appliance.watch.inbox.sidecar import Settings


def request_of(settings_json: str, vocal: Path, out: Path) -> Request:
    """To render ``vocal`` into ``out`` as ``settings_json`` says; UsageError where that makes no sense."""
    settings = Settings.from_json(settings_json)
    check_numbers(settings.takes, settings.seed, settings.bpm)
    text, name = settings.chords, settings.chords_name or "chords"
    wishes = Wishes(
        bpm=settings.bpm,
        key=None if settings.key is None else Key.parse(settings.key),
        chart=None if text is None else lambda grid, s: parse_chart(text, grid, s, name),
        style=settings.style,
    )
    sound = settings.sound or SOUNDS[0]
    return Request(vocal, out, wishes, settings.takes, settings.seed, sound=sound)
