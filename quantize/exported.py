"""Reads the folder that the export room wrote: graphs, and the facts of their checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import UsageError
from appliance.packs.dial_table import DialTable
from appliance.packs.manifest import FileFacts, FileName, FitFacts, RollThresholds, SamplerFacts, Sha256, Text
from appliance.packs.originals import ORIGINALS_NAME
from appliance.packs.pack import file_facts
from appliance.packs.rhythm_bank import StoredPhrase

GRAPHS_NAME = "graphs.json"
NEEDED = ("planner", "condition", "denoiser", "vae_decoder", "vae_encoder")

EXPORT_AGAIN = "run python -m export again"


class CheckpointFacts(BaseModel):
    """The facts that a pack's manifest repeats; any others are for the model card."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)

    latent_mean: tuple[float, ...]
    latent_std: tuple[Annotated[float, Field(gt=0)], ...]
    sampler: SamplerFacts
    thresholds: RollThresholds = RollThresholds()
    fit: FitFacts | None = None
    ledger_rows_sha256: Sha256
    licence: Text
    credits: tuple[Text, ...] = ()
    """Credits that the licences of the training data ask for."""
    dials: DialTable | None = None
    """What a dial means in each style."""
    rhythms: tuple[StoredPhrase, ...] = ()
    """The phrases of the rhythm bank."""

    def for_card(self) -> dict[str, Any]:
        """The facts that only the model card shows."""
        return dict(self.model_extra or {}) | ({"credits": list(self.credits)} if self.credits else {})


class GraphFacts(BaseModel):
    """One graph: its .xml file and the names of its inputs and outputs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    file: FileName
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Annotated[int, Field(ge=1)]


class _Listing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    graphs: dict[str, GraphFacts]
    checkpoint_sha256: Sha256
    checkpoint: CheckpointFacts
    files: dict[FileName, FileFacts]


@dataclass(frozen=True, slots=True)
class ExportedGraphs:
    """A verified folder of exported graphs."""

    folder: Path
    graphs: dict[str, GraphFacts]
    checkpoint: CheckpointFacts
    checkpoint_sha256: str
    originals: Path | None = None
    """The file of the originals, which takes are compared with; None if the checkpoint has none."""

    def path(self, name: str) -> Path:
        """Path of a graph's .xml file."""
        return self.folder / self.graphs[name].file


def read_exported(folder: Path) -> ExportedGraphs:
    """Read and verify ``graphs.json`` and the files it lists.

    Raises:
        UsageError: a file is missing or altered, or ``graphs.json`` has another schema.
    """
    path = folder / GRAPHS_NAME
    try:
        listing = _Listing.model_validate_json(path.read_bytes())
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"{path}: cannot be read ({reason}); give the folder that export wrote.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {place}: {first['msg']}; {EXPORT_AGAIN}.") from error
    missing = [name for name in NEEDED if name not in listing.graphs]
    if missing:
        raise UsageError(f"{path}: no graph {missing[0]}; {EXPORT_AGAIN}.")
    for graph in listing.graphs.values():
        for name in (graph.file, graph.file.removesuffix(".xml") + ".bin"):
            file = folder / name
            if not file.is_file() or file_facts(file) != listing.files.get(name):
                raise UsageError(f"{file}: missing or altered since the export; {EXPORT_AGAIN}.")
    originals = folder / ORIGINALS_NAME if ORIGINALS_NAME in listing.files else None
    if originals and (not originals.is_file() or file_facts(originals) != listing.files[ORIGINALS_NAME]):
        raise UsageError(f"{originals}: missing or altered since the export; {EXPORT_AGAIN}.")
    return ExportedGraphs(folder, listing.graphs, listing.checkpoint, listing.checkpoint_sha256, originals)
