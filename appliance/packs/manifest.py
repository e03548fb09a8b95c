"""``pack.json``: what a pack says about itself.

Strict on purpose: an unknown key, a number in quotes or another frame grid is an error here, not a
surprise in the middle of a render. The build side fills these models in, the appliance only reads them.
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
"""The signature of the manifest, which no file lists."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
FileName = Annotated[str, StringConstraints(pattern=rf"^{_PART}(/{_PART})*$", max_length=200)]
"""A path inside the pack: no part is empty, hidden, ``..``, or foreign to some file system."""

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
    """How latents are drawn; windows are counted in latent frames."""

    steps: Annotated[int, Field(ge=1, le=1000)]
    guidance: Annotated[float, Field(ge=0, le=50)]
    """1 is none: a distilled denoiser has learned it."""
    few_steps: bool = False
    """Whether the denoiser was distilled and is told how long each step is."""
    shift: Annotated[float, Field(gt=0, le=20)] = 1.0
    """Above 1, more of the steps fall near the noise."""
    window_frames: Annotated[int, Field(ge=16, multiple_of=16)]
    context_frames: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _something_new(self) -> SamplerFacts:
        if self.context_frames >= self.window_frames:
            raise ValueError("context_frames must be fewer than window_frames")
        return self


class RollThresholds(_Strict):
    """When a painted cell counts, as tuned on validation songs (:class:`appliance.music.roll.Thresholds`)."""

    onset: Share = 0.5
    sustain: Share = 0.5
    drum: Share = 0.5

    def for_roll(self) -> Thresholds:
        """The same numbers as the roll reader takes them."""
        return Thresholds(self.onset, self.sustain, self.drum)


Quantiles = Annotated[tuple[float, ...], Field(min_length=101, max_length=101)]


class FitFacts(_Strict):
    """What :func:`appliance.composing.fit.song_value` is worth, as measured on validation songs."""

    true: Quantiles
    """0 %, 1 %, ... 100 % of the values of written accompaniments."""
    shuffled: Quantiles
    """The same for accompaniments of other songs, in their own keys."""
    floor: float
    """Below it a take is likelier a stranger's than a true one."""

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
    """File name of each graph's ``.xml``; its weights lie beside it as ``.bin``."""

    planner: FileName
    condition: FileName
    denoiser: FileName
    vae_decoder: FileName
    vae_encoder: FileName
    audio_decoder: FileName | None = None
    audio_encoder: FileName | None = None
    fit: FileName | None = None

    def present(self) -> dict[str, str]:
        """Graph name to file name, of those the pack has."""
        return {name: file for name in type(self).model_fields if (file := getattr(self, name)) is not None}


class Manifest(_Strict):
    """Everything in ``pack.json``."""

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
    """For information: the graphs take and give normalised latents."""
    latent_std: tuple[Annotated[float, Field(gt=0)], ...]
    sampler: SamplerFacts
    thresholds: RollThresholds
    fit: FitFacts | None = None
    """Present where the graph is."""
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
        """The text of ``pack.json``: the same facts give the same bytes."""
        return self.model_dump_json(by_alias=True, indent=2, exclude_none=True) + "\n"
