"""The manifest of a pack, ``pack.json``.

Reading is strict: an unknown key, a number in quotes or a different frame grid is an error when the pack is
opened, not later in a render. Export and quantisation write these models; the appliance only reads them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from appliance.grid import FRAME_SAMPLES, FRAMES_PER_LATENT, FRAMES_PER_PLAN, SAMPLE_RATE_HZ
from appliance.music.roll import Thresholds
from appliance.music.score import STYLES
from appliance.packs.sounds import BandSounds

SCHEMA: Final = 1
MANIFEST_NAME = "pack.json"
SIGNATURE_NAME = "pack.json.minisig"
"""The manifest's signature; it is not listed in the manifest."""

CREDITS_NAME = "credits.txt"
"""Credits that the licences of the training data ask for, one a line; a pack without them needs none."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
FileName = Annotated[str, StringConstraints(pattern=rf"^{_PART}(/{_PART})*$", max_length=200)]
"""A path inside the pack. No part is empty, hidden or ``..``, and every file system allows its characters."""

Text = Annotated[str, StringConstraints(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=True
    )


class FileFacts(_Strict):
    """Size and hash of one file of the pack."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class SamplerFacts(_Strict):
    """Settings of the sampler, which turns noise into a latent; windows are counted in latent frames."""

    steps: Annotated[int, Field(ge=1, le=1000)]
    guidance: Annotated[float, Field(ge=0, le=50)]
    """Strength of classifier-free guidance; 1 is none, as for a student, which has learned it."""
    few_steps: bool = False
    """Whether the denoiser is a student, which takes the length of each step as an input."""
    shift: Annotated[float, Field(gt=0, le=20)] = 1.0
    """Timestep shift; above 1, more steps lie near the noise."""
    window_frames: Annotated[int, Field(ge=16, multiple_of=16)]
    context_frames: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _something_new(self) -> SamplerFacts:
        if self.context_frames >= self.window_frames:
            raise ValueError("context_frames must be fewer than window_frames")
        return self


class RollThresholds(_Strict):
    """:class:`appliance.music.roll.Thresholds` as stored in the manifest, tuned on validation songs."""

    onset: Share = 0.5
    sustain: Share = 0.5
    drum: Share = 0.5

    def for_roll(self) -> Thresholds:
        """The same thresholds for :class:`appliance.music.roll.RollReader`."""
        return Thresholds(self.onset, self.sustain, self.drum)


Quantiles = Annotated[tuple[float, ...], Field(min_length=101, max_length=101)]


class FitFacts(_Strict):
    """Distribution of :func:`appliance.composing.fit.song_value` on validation songs; calibrates the fit."""

    true: Quantiles
    """Percentiles 0 to 100 for vocals with their written accompaniment."""
    shuffled: Quantiles
    """Percentiles 0 to 100 for vocals with the accompaniment of another song, in that song's key."""
    floor: float
    """Below this value an accompaniment more probably belongs to another song than to the vocal."""

    @model_validator(mode="after")
    def _ascending(self) -> FitFacts:
        for name in ("true", "shuffled"):
            quantiles = getattr(self, name)
            if any(a > b for a, b in pairwise(quantiles)):
                raise ValueError(f"{name} must ascend")
        if self.true[50] <= self.shuffled[50]:
            raise ValueError("true pairs must be above shuffled ones")
        return self


class GraphFiles(_Strict):
    """File name of each graph's ``.xml``; the ``.bin`` with its weights lies beside it."""

    planner: FileName
    condition: FileName
    denoiser: FileName
    vae_decoder: FileName
    vae_encoder: FileName
    audio_decoder: FileName | None = None
    audio_encoder: FileName | None = None
    fit: FileName | None = None
    chords: FileName | None = None

    def present(self) -> dict[str, str]:
        """Maps the name of each graph in the pack to its file."""
        return {name: file for name in type(self).model_fields if (file := getattr(self, name)) is not None}


class Manifest(_Strict):
    """The contents of ``pack.json``."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    name: Text
    version: Text
    licence: Text
    sample_rate_hz: int = SAMPLE_RATE_HZ
    frame_samples: int = FRAME_SAMPLES
    frames_per_latent: int = FRAMES_PER_LATENT
    frames_per_plan: int = FRAMES_PER_PLAN
    latent_channels: Annotated[int, Field(ge=1)]
    latent_mean: tuple[float, ...]
    """Only informative: the graphs' inputs and outputs are normalised latents."""
    latent_std: tuple[Annotated[float, Field(gt=0)], ...]
    sampler: SamplerFacts
    thresholds: RollThresholds
    fit: FitFacts | None = None
    """Present if the pack has a fit network."""
    styles: Annotated[tuple[str, ...], Field(min_length=1)]
    sounds: BandSounds
    soundfont: FileName
    graphs: GraphFiles
    ledger_rows_sha256: Sha256
    checkpoint_sha256: Sha256
    files: dict[FileName, FileFacts]

    @model_validator(mode="after")
    def _fits_this_appliance(self) -> Manifest:
        grid = {
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "frame_samples": FRAME_SAMPLES,
            "frames_per_latent": FRAMES_PER_LATENT,
            "frames_per_plan": FRAMES_PER_PLAN,
        }
        for key, needed in grid.items():
            if (found := getattr(self, key)) != needed:
                raise ValueError(f"{key} is {found}, this version of Backline works with {needed}")
        for key in ("latent_mean", "latent_std"):
            if len(getattr(self, key)) != self.latent_channels:
                raise ValueError(f"{key} must have {self.latent_channels} numbers")
        if (self.fit is None) != (self.graphs.fit is None):
            raise ValueError("fit and its graph go together: one of them is missing")
        if len(set(self.styles)) != len(self.styles):
            raise ValueError("a style is listed twice")
        for style in self.styles:
            if style not in STYLES:
                raise ValueError(f"style {style} is not one of {', '.join(STYLES)}")
            if style not in self.sounds.root:
                raise ValueError(f"style {style} has no sounds")
        return self

    @model_validator(mode="after")
    def _lists_its_files(self) -> Manifest:
        needed = [self.soundfont]
        for name, file in self.graphs.present().items():
            if not file.endswith(".xml"):
                raise ValueError(f"graph {name} must be an .xml file, not {file}")
            needed += [file, file.removesuffix(".xml") + ".bin"]
        for file in needed:
            if file not in self.files:
                raise ValueError(f"{file} is used but not listed in files")
        for name in (MANIFEST_NAME, SIGNATURE_NAME):
            if name in self.files:
                raise ValueError(f"{name} cannot be listed in files: it would have to list itself")
        return self

    def to_json(self) -> str:
        """The text of ``pack.json``; equal manifests give equal bytes."""
        return self.model_dump_json(by_alias=True, indent=2, exclude_none=True) + "\n"
