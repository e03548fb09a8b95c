"""What is evaluated, on what, and where answers are kept: all that a section needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from appliance.files.hashes import file_sha256
from appliance.packs.manifest import Manifest
from appliance.packs.pack import load_pack
from train.corpus.ledger import LedgerRow
from train.evaluate.evaluation import Evaluation, evaluate
from train.evaluate.judges.hearing import Heard, Hearing, Judges
from train.evaluate.material.pieces import LENGTH_S, Piece
from train.evaluate.material.songs import WrittenBand, chosen_rows, sung_pieces
from train.evaluate.players.renderers import PackRenderer, music_hash
from train.evaluate.processes.store import Refused, Store
from train.evaluate.processes.workers import ask_all


class HasVocal(Protocol):
    """A piece, or a segment of real singing."""

    @property
    def vocal(self) -> Path: ...


SHORT_S = 30.0
"""Length of excerpts that are judged under many conditions."""


@dataclass(frozen=True, slots=True)
class EvaluationSetting:
    """One evaluation. ``songs`` is the size of the main table; smaller sections take an even share of
    the same songs, so that what is paired is paired and nothing is sung twice."""

    pack: Path
    corpus: Path
    folder: Path
    """Cache: what is sung, what was heard."""
    split: str = "test"
    songs: int = 24
    style: str = "piano"
    seed: int = 0
    workers: int = 2
    code: str = ""
    """Hash of the appliance's code: a change of it asks everything anew."""
    vocals: Path | None = None
    """Folder with recordings of real singing."""
    fp32: Path | None = None
    """The same pack before quantisation."""
    undistilled: Path | None = None
    """A pack of the denoiser that the shipped one was distilled from."""

    @property
    def hearing(self) -> Hearing:
        """The judges and what they remember."""
        return Hearing(Store(self.folder / "heard"), Judges())

    def manifest(self, pack: Path | None = None) -> Manifest:
        """``pack.json`` of a pack, by default the one that is judged."""
        return load_pack(pack or self.pack, verify=False).manifest

    @property
    def renderer(self) -> PackRenderer:
        """The pack as it is used."""
        return PackRenderer(self.pack, self.style, self.seed, code=self.code)

    def pieces(self, share: int = 1, length_s: float = LENGTH_S) -> list[Piece]:
        """Every ``share``-th song of the main table, its first ``length_s`` of singing."""
        return self.sung(chosen_rows(self.corpus, self.split, self.songs)[::share], length_s)

    def sung(self, rows: Sequence[LedgerRow], length_s: float = LENGTH_S) -> list[Piece]:
        """These songs."""
        return sung_pieces(self.corpus, rows, self.folder, self.workers, length_s)

    def judged(self, pieces: Sequence[Piece], renderer: PackRenderer, *, chords: bool = False) -> Evaluation:
        """``renderer`` on ``pieces``: as audio if it makes sound, else by its notes."""
        soundfont = load_pack(self.pack, verify=False).soundfont_path
        return evaluate(
            pieces,
            renderer,
            WrittenBand(soundfont) if renderer.sound else None,
            self.hearing,
            label=renderer.label,
            chords=chords,
            played_by=f"soundfont {file_sha256(soundfont)[:12]} {self.code[:12]}".strip(),
            workers=self.workers,
        )

    def prepare(self, pairs: Sequence[tuple[HasVocal, PackRenderer]], what: str) -> None:
        """Have many renders judged by one pool of processes; what is known is left out.

        Starting processes and compiling networks takes as long as judging a few short excerpts.
        """
        jobs = [
            (self, piece.vocal, renderer)
            for piece, renderer in pairs
            if not self.hearing.knows_result(piece.vocal, renderer.label, chords=False)
        ]
        ask_all(_ask, jobs, what, lambda job: job[1].stem, self.workers)

    def heard(self, vocal: Path, renderer: PackRenderer) -> Heard | None:
        """What is heard in one render; None where the vocal was refused."""
        try:
            return self.hearing.result(vocal, renderer, renderer.label, chords=False)
        except Refused:
            return None

    def about(self) -> dict[str, object]:
        """What the report says about itself."""
        pack = load_pack(self.pack, verify=False)
        return {
            "pack": f"{pack.manifest.name} {pack.manifest.version}",
            "identity": music_hash(pack),
            "split": self.split,
            "songs": self.songs,
            "style": self.style,
            "seed": self.seed,
        }

    def question(self) -> dict[str, object]:
        """What must be the same for a stored section to be still true."""
        packs = {"pack": self.pack, "fp32": self.fp32, "undistilled": self.undistilled}
        hashes = {name: music_hash(load_pack(p, verify=False)) for name, p in packs.items() if p is not None}
        return {
            **hashes,
            "split": self.split,
            "songs": self.songs,
            "style": self.style,
            "seed": self.seed,
            "code": self.code,
        }

    def notes_only(self, **changes: object) -> PackRenderer:
        """The pack's notes without sound, with ``changes`` (see :class:`PackRenderer`)."""
        return replace(self.renderer, sound=False, **changes)  # type: ignore[arg-type]


def _ask(job: tuple[EvaluationSetting, Path, PackRenderer]) -> None:
    setting, vocal, renderer = job
    setting.heard(vocal, renderer)
