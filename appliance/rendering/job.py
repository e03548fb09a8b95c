"""What is to be rendered, and what the steps of a render tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from appliance.audio.loudness import Loudness
from appliance.audio.recording import AudioInfo
from appliance.composing.wishes import Wishes


@dataclass(frozen=True, slots=True)
class RenderJob:
    """Render ``vocal`` into the folder ``out`` as ``wishes`` say.

    ``force``: even what does not sound like singing; ``overwrite``: in place of an earlier render of the
    same name. Where ``vocal`` is only a decoded copy, ``original`` describes the recording for receipt and
    sentences. ``key`` goes into the receipt, so that whoever asked finds the result again.
    """

    vocal: Path
    out: Path
    wishes: Wishes = field(default_factory=Wishes)
    force: bool = False
    overwrite: bool = False
    original: AudioInfo | None = None
    key: str | None = None

    def result_name(self, number: int) -> str:
        """What the files of take ``number`` (1 is the best) are called, without an ending."""
        return self.vocal.stem if self.wishes.takes == 1 else f"{self.vocal.stem}.take{number}"


@dataclass(frozen=True, slots=True)
class HeardVocal:
    """The vocal as it was read: its file, seconds that are surely sung, loudness in LUFS."""

    info: AudioInfo
    sung_s: float
    lufs: float


@dataclass(frozen=True, slots=True)
class PlayedTake:
    """What one take became: its ``number`` among the takes (1 is the best fit), the loudness of its
    accompaniment, its ``files`` (name to SHA-256), and the seconds that each stage took."""

    number: int
    loudness: Loudness
    files: dict[str, str]
    timings_s: dict[str, float]
