"""A render job, and the records that its steps pass on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from appliance.audio.loudness import Loudness
from appliance.audio.mastering import Master
from appliance.audio.recording import AudioInfo
from appliance.audio.voice_level import VoiceLevel
from appliance.composing.wishes import Wishes
from appliance.vocal.tuning import Tuning


@dataclass(frozen=True, slots=True)
class RenderJob:
    """Render ``vocal`` into the folder ``out`` with ``wishes``.

    ``force`` renders even if no singing is detected; ``overwrite`` replaces an earlier render of the same
    name. If ``vocal`` is a decoded copy, ``original`` describes the recording for the receipt and errors.
    ``key`` is the job's key in the journal; the receipt records it.
    """

    vocal: Path
    out: Path
    wishes: Wishes = field(default_factory=Wishes)
    force: bool = False
    overwrite: bool = False
    original: AudioInfo | None = None
    key: str | None = None

    def result_name(self, number: int) -> str:
        """The name of the files of take ``number`` (1 is the best) without an ending."""
        return self.vocal.stem if self.wishes.takes == 1 else f"{self.vocal.stem}.take{number}"


@dataclass(frozen=True, slots=True)
class HeardVocal:
    """The vocal: its file, the seconds that are certainly sung, its tuning, the level of the voice in it.

    ``band_cents`` is the tuning of the band in cents above A = 440 Hz.
    """

    info: AudioInfo
    sung_s: float
    tuning: Tuning
    band_cents: float
    level: VoiceLevel
    company: float
    """Probability that there is more than one voice, or instruments."""

    @property
    def remarks(self) -> list[str]:
        """What the user should know of the vocal, and what was done to it in the mix, in sentences."""
        said = list(self.info.defects.sentences)
        if self.company >= 0.5:
            said.append(
                f"There seems to be more than one voice, or instruments ({100 * self.company:.0f} % sure); "
                "the band is made for the strongest voice, so export the vocal alone if there is one."
            )
        if outbursts := self.level.outbursts:
            several = len(outbursts) > 1
            most_db = max(outburst.over_db for outburst in outbursts)
            said.append(
                f"{f'{len(outbursts)} sounds' if several else 'A sound'} far louder than the singing, "
                f"{'the first ' if several else ''}at {outbursts[0].start_s:.1f} s, "
                f"{'are' if several else 'is'} turned down in the mix by up to {most_db:.0f} dB."
            )
        return said


@dataclass(frozen=True, slots=True)
class Level:
    """How a sound was mastered: a gain, and where the limiter aims; None without a limiter."""

    gain_db: float
    aim_dbtp: float | None

    @staticmethod
    def of(master: Master) -> Level:
        """The level of a mastered sound."""
        return Level(master.gain_db, master.aim_dbtp)


@dataclass(frozen=True, slots=True)
class Levels:
    """The loudness of an accompaniment and the gains of its files; a redo of some bars keeps the gains.

    ``voice_db`` is the gain of the vocal in the mix before the mix is mastered. Without a mix, it and ``mix``
    are None.
    """

    loudness: Loudness
    band: Level
    voice_db: float | None = None
    mix: Level | None = None


@dataclass(frozen=True, slots=True)
class PlayedTake:
    """A rendered take: its ``number`` (1 is the best fit), its levels, its ``files`` (name to SHA-256), and
    the seconds that each stage took."""

    number: int
    levels: Levels
    files: dict[str, str]
    timings_s: dict[str, float]
