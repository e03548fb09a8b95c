"""The content of a profile file: what was measured, chosen and rejected, and why.

Parsing is strict: an unknown key or a number in quotes makes the file invalid.
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
"""Stands for bit-identical outputs: float32 outputs that differ stay far below it."""

Milliseconds = Annotated[float, Field(ge=0)]
Text = Annotated[str, StringConstraints(max_length=500)]
GraphName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ProfileKey(_Strict):
    """The CPU, pack and versions that a profile was measured with. It is valid for these only."""

    processor: Text
    """Model name of the CPU."""
    flags_sha256: Sha256
    """Hash of the CPU's instruction sets, as the kernel and as the libraries report them."""
    cores: Annotated[int, Field(ge=1)]
    """Cores that this process may use."""
    threads: Annotated[int, Field(ge=1)]
    """Largest number of threads that a setting may use."""
    pack_sha256: Sha256
    openvino: Text
    backline: Text

    @property
    def digest(self) -> str:
        """The name of this key: 32 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


class Alternative(_Strict):
    """A setting that was compared with the shipped one."""

    setting: GraphSetting
    ratio: Annotated[float, Field(ge=0)] | None = None
    """Speed relative to the shipped setting, the median over rounds; None if it was not timed."""
    snr_db: float | None = None
    """SNR of its output against the shipped setting's; SAME_DB if identical, None if not computed."""
    refused: Text
    """Why it is not used; empty for the chosen one."""


class GraphProfile(_Strict):
    """The measurements of one graph and the choice. ``ms`` and ``shipped_ms``: median of a forward pass."""

    chosen: GraphSetting
    ms: Milliseconds | None = None
    shipped_ms: Milliseconds | None = None
    alternatives: tuple[Alternative, ...] = ()
    unmeasured: Text = ""
    """Why nothing was measured; empty if it was."""

    @model_validator(mode="after")
    def _one_choice(self) -> GraphProfile:
        used = [other.setting for other in self.alternatives if not other.refused]
        if used not in ([], [self.chosen]):
            raise ValueError("the chosen setting is not the alternative that was not refused")
        return self


class Profile(_Strict):
    """A profile file. Graphs that are not in it run with the shipped setting."""

    version: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    key: ProfileKey
    graphs: dict[GraphName, GraphProfile]
    finished: bool
    """Whether every graph was measured; if not, a later run may measure the rest."""
    tries: Annotated[int, Field(ge=1)] = 1
    """Number of runs so far."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """Time that the last run took."""

    model_config = ConfigDict(populate_by_name=True)

    @property
    def settings(self) -> dict[str, GraphSetting]:
        """The chosen setting of each graph, by name."""
        return {name: graph.chosen for name, graph in self.graphs.items()}

    @property
    def sha256(self) -> str:
        """Hash of key and choices. With the same hash, a vocal, options and seed give the same bytes."""
        chosen = {name: setting.model_dump() for name, setting in self.settings.items()}
        text = json.dumps([self.key.model_dump(), chosen], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """The text of the file."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"
