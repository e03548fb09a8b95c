"""A profile as its file says it: what was measured, what was chosen, what was refused and why.

Strict, as all that is read from disk: an unknown key or a number in quotes makes the file no profile.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from appliance.networks.setting import GraphSetting
from appliance.packs.manifest import Sha256

SCHEMA: Final = 1

SAME_DB = 200.0
"""Stands for "the same to the last bit": no two float32 outputs that differ come near it."""

Milliseconds = Annotated[float, Field(ge=0)]
Text = Annotated[str, StringConstraints(max_length=500)]
GraphName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ProfileKey(_Strict):
    """What a profile was measured on; it holds for nothing else."""

    processor: Text
    flags_sha256: Sha256
    """Of the processor's instructions, as the kernel and as the libraries see them."""
    cores: Annotated[int, Field(ge=1)]
    """Cores that this process may use."""
    threads: Annotated[int, Field(ge=1)]
    """Threads that may be used of them."""
    pack_sha256: Sha256
    openvino: Text
    backline: Text

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that name this key."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


class Alternative(_Strict):
    """A setting that was compared with the one as shipped."""

    setting: GraphSetting
    ratio: Annotated[float, Field(ge=0)] | None = None
    """How many times as fast, the median over rounds; None where it was not timed."""
    snr_db: float | None = None
    """How well its output agrees; SAME_DB where it is the same. None where it was not computed."""
    refused: Text
    """Why it is not used; empty for the one that is."""


class GraphProfile(_Strict):
    """What was found out about one graph. ``ms`` are medians of one evaluation."""

    chosen: GraphSetting
    ms: Milliseconds | None = None
    shipped_ms: Milliseconds | None = None
    alternatives: tuple[Alternative, ...] = ()
    unmeasured: Text = ""
    """Why nothing was measured; empty where it was."""

    @model_validator(mode="after")
    def _one_choice(self) -> GraphProfile:
        used = [other.setting for other in self.alternatives if not other.refused]
        if used not in ([], [self.chosen]):
            raise ValueError("the chosen setting is not the alternative that was not refused")
        return self


class Profile(_Strict):
    """Everything in a profile file. A graph that is not in it is computed as shipped."""

    version: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    key: ProfileKey
    graphs: dict[GraphName, GraphProfile]
    finished: bool
    """Whether every graph was measured; if not, the rest may be measured another time."""
    tries: Annotated[int, Field(ge=1)] = 1
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """How long the measuring took."""

    model_config = ConfigDict(populate_by_name=True)

    @property
    def settings(self) -> dict[str, GraphSetting]:
        """Graph name to the setting that is used."""
        return {name: graph.chosen for name, graph in self.graphs.items()}

    @property
    def sha256(self) -> str:
        """Names key and choices: the same name, the same bytes for the same vocal, options and seed."""
        chosen = {name: setting.model_dump() for name, setting in self.settings.items()}
        text = json.dumps([self.key.model_dump(), chosen], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """The file's text."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
