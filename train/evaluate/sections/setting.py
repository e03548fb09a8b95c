"""The setting of an evaluation: what is evaluated, on which songs, and where answers are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from appliance.files.hashes import file_sha256
from appliance.packs.manifest import Manifest
from appliance.packs.pack import load_pack
from train.corpus.ledger import LedgerRow, rows_hash, sung_rows
from train.data.song_cache import ledger_hash
from train.evaluate.evaluation import Evaluation, evaluate
from train.evaluate.judges.hearing import Heard, Hearing, Judges
from train.evaluate.material.pieces import LENGTH_S, Piece
from train.evaluate.material.song_sets import FIRST, SongSet, song_sets
from train.evaluate.material.songs import WrittenBand, chosen_rows, sung_pieces
from train.evaluate.players.renderers import PackRenderer, music_hash
from train.evaluate.processes.store import Refused, Store
from train.evaluate.processes.workers import ask_all


class HasVocal(Protocol):
    """A piece, or a segment of real singing."""

    @property
    def vocal(self) -> Path: ...


SHORT_S = 30.0
"""Length of excerpts in sections with many conditions."""


@dataclass(frozen=True, slots=True)
class EvaluationSetting:
    """The setting of one evaluation.

    ``songs`` is the number of songs in the main table. Smaller sections use an even share of the same songs,
    so that results can be paired and no song is sung twice.
    """

    pack: Path
    corpus: Path
    folder: Path
    """Folder for sung vocals and stored answers."""
    split: str = "test"
    songs: int = 24
    style: str = "piano"
    seed: int = 0
    workers: int = 2
    code: str = ""
    """Hash of the appliance's code; a change of it renders everything again."""
    vocals: Path | None = None
    """Folder with recordings of real singing."""
    fp32: Path | None = None
    """The same pack in FP32."""
    undistilled: Path | None = None
    """A pack with the denoiser from which the shipped one was distilled."""
    baseline: Path | None = None
    """The pack of the release before."""
    others: tuple[Path, ...] | None = None
    """Further corpora, with song sets of their own."""
    set_songs: int = 24
    """Largest number of songs of each of these sets."""
    cache: Path | None = None
    """The song cache of the training songs."""

    @property
    def hearing(self) -> Hearing:
        """The judges, with the store of their answers."""
        return Hearing(Store(self.folder / "heard"), Judges())

    def manifest(self, pack: Path | None = None) -> Manifest:
        """The manifest of a pack, by default of the evaluated one."""
        return load_pack(pack or self.pack, verify=False).manifest

    @property
    def renderer(self) -> PackRenderer:
        """The pack as users run it."""
        return PackRenderer(self.pack, self.style, self.seed, code=self.code)

    def pieces(self, share: int = 1, length_s: float = LENGTH_S) -> list[Piece]:
        """Every ``share``-th song of the main table, cut to ``length_s``."""
        return self.sung(chosen_rows(self.corpus, self.split, self.songs)[::share], length_s)

    def sung(
        self, rows: Sequence[LedgerRow], length_s: float = LENGTH_S, corpus: Path | None = None
    ) -> list[Piece]:
        """The songs of ``rows`` of a corpus, by default the first, sung and cut to ``length_s``."""
        return sung_pieces(corpus or self.corpus, rows, self.folder, self.workers, length_s)

    def sets(self) -> list[SongSet]:
        """The song sets that are measured side by side."""
        return song_sets((self.corpus, *(self.others or ())), self.split, self.songs, self.set_songs)

    def pieces_of(self, songs: SongSet, length_s: float = LENGTH_S) -> list[Piece]:
        """The songs of a set, sung and cut to ``length_s``."""
        if songs.name == FIRST:
            return self.pieces(1, length_s)
        return self.sung(songs.rows, length_s, songs.corpus)

    def judged(self, pieces: Sequence[Piece], renderer: PackRenderer, *, chords: bool = False) -> Evaluation:
        """Judge ``renderer`` on ``pieces``: as audio if it writes audio, otherwise by its notes."""
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
        """Judge many renders in one pool of processes, except those with stored answers.

        One pool saves time: starting processes and compiling graphs takes as long as judging a few excerpts.
        """
        jobs = [
            (self, piece.vocal, renderer)
            for piece, renderer in pairs
            if not self.hearing.knows_result(piece.vocal, renderer.label, chords=False)
        ]
        ask_all(_ask, jobs, what, lambda job: job[1].stem, self.workers)

    def heard(self, vocal: Path, renderer: PackRenderer) -> Heard | None:
        """What is heard in one render; None if the vocal was rejected."""
        try:
            return self.hearing.result(vocal, renderer, renderer.label, chords=False)
        except Refused:
            return None

    def about(self) -> dict[str, object]:
        """The facts of the evaluation for the report."""
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
        """The facts that must be unchanged for a stored section to be reused."""
        packs = {
            "pack": self.pack,
            "fp32": self.fp32,
            "undistilled": self.undistilled,
            "baseline": self.baseline,
        }
        hashes = {name: music_hash(load_pack(p, verify=False)) for name, p in packs.items() if p is not None}
        return {
            **hashes,
            **self._others_question(),
            "split": self.split,
            "songs": self.songs,
            "style": self.style,
            "seed": self.seed,
            "code": self.code,
        }

    def _others_question(self) -> dict[str, object]:
        """What further corpora and the song cache add to :meth:`question`."""
        asked: dict[str, object] = {}
        if self.others:
            rows = [row for corpus in self.others for row in sung_rows(corpus) if row.split == self.split]
            asked["others"] = [rows_hash(rows), self.set_songs]
        if self.cache is not None:
            asked["cache"] = ledger_hash(self.cache)
        return asked

    def notes_only(self, **changes: object) -> PackRenderer:
        """A renderer of the pack that writes notes only, with ``changes`` (see :class:`PackRenderer`)."""
        return replace(self.renderer, sound=False, **changes)  # type: ignore[arg-type]


def _ask(job: tuple[EvaluationSetting, Path, PackRenderer]) -> None:
    setting, vocal, renderer = job
    setting.heard(vocal, renderer)
