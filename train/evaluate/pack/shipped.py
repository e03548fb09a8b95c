"""Judges a pack on excerpts in the repository: a few seconds of free songs.

``tests/data/excerpts.json`` holds the sung and written notes of four validation songs. The vocals are
performed without audio by :mod:`train.singer.perform`, so no corpus, speech synthesiser or judge is needed;
results are judged by their notes. This is too little music to rate a pack, but enough to check that a pack is
the one that its metrics were measured on.

``python -m train.evaluate.pack.shipped CORPUS tests/data/excerpts.json`` writes the file again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance.composing.composer import padded
from appliance.music.keys import Key
from appliance.music.score import Note, Score
from appliance.vocal.features import features_of
from train.corpus.ledger import read_ledger
from train.corpus.reader import read_song
from train.corpus.song import Song, SungNote
from train.evaluate.evaluation import METRICS
from train.evaluate.material.excerpts import Excerpt
from train.evaluate.material.pieces import Sung, excerpt_span
from train.evaluate.players.renderers import engine_of
from train.evaluate.players.torch_graphs import Model
from train.evaluate.quick.note_judgement import judge_notes
from train.singer.perform import perform
from train.singer.voices import sample_voice

SONGS = ("oh_Did_You_Think_To_Pray_Stockbridge", "lc6491377", "lc5077675", "lc6425381")
"""Ledger ids, all of the validation split: a hymn, a German, an English and a French song."""

LENGTH_S = 20.0
SEEDS = (0, 1)
VOICE_SEED = 3
SCHEMA = 1


def read_excerpts(file: Path) -> list[Excerpt]:
    """The excerpts, performed; the features are the same every time."""
    stored = json.loads(file.read_text())
    return [_performed(entry, VOICE_SEED + k) for k, entry in enumerate(stored["songs"])]


def judge_shipped(pack: Path, excerpts: Sequence[Excerpt]) -> dict[str, Any]:
    """Means over excerpts and seeds, by metric: ``ours``, ``shuffled``, ``true`` and ``gap_closed``."""
    engine = engine_of(pack)
    model = Model(engine.pack.manifest.name, engine.graphs, engine.pack)
    judged = judge_notes(model, excerpts, style="piano", seeds=SEEDS)
    found: dict[str, Any] = {}
    for metric in METRICS:
        rows = judged.of(metric)
        means = {c: sum(getattr(r, c) for r in rows) / len(rows) for c in ("ours", "shuffled", "true")}
        gap = (means["ours"] - means["shuffled"]) / (means["true"] - means["shuffled"])
        found[metric] = {k: round(v, 4) for k, v in {**means, "gap_closed": gap}.items()}
    return found


def write_excerpts(corpus: Path, file: Path) -> None:
    """Cut the excerpts of :data:`SONGS` and write them to ``file``.

    Raises:
        LedgerError: a song's file is missing or differs from the ledger.
    """
    rows = {row.id: row for row in read_ledger(corpus)}
    songs = [_cut(read_song(corpus, rows[name])) for name in SONGS]
    lines = ",\n".join(json.dumps(song, separators=(",", ":"), ensure_ascii=False) for song in songs)
    file.write_text(f'{{"schema":{SCHEMA},"songs":[\n{lines}\n]}}\n', encoding="utf-8")


def _cut(song: Song) -> dict[str, Any]:
    start_s, _ = excerpt_span(song, LENGTH_S)
    end_s = start_s + LENGTH_S

    def times(note: Any) -> tuple[float, float]:
        return round(max(0.0, note.start_s - start_s), 4), round(min(end_s, note.end_s) - start_s, 4)

    def inside(note: Any) -> bool:
        return bool(note.start_s < end_s and note.end_s > start_s)

    return {
        "id": song.id,
        "title": song.title,
        "language": song.language,
        "duration_s": LENGTH_S,
        "sung": [[*times(n), n.pitch, n.syllable, n.syllabic] for n in song.voice if inside(n)],
        "written": [[*times(n), n.pitch] for n in song.written if inside(n)],
        "bars_s": [round(bar - start_s, 4) for bar in song.bars_s if -5.0 < bar - start_s < LENGTH_S + 5.0],
    }


def _performed(entry: dict[str, Any], seed: int) -> Excerpt:
    duration_s = float(entry["duration_s"])
    voice = tuple(SungNote(*note) for note in entry["sung"])
    written = Score.of((Note(a, b, pitch, 80, "keys") for a, b, pitch in entry["written"]), duration_s)
    song = Song(
        id=entry["id"],
        title=entry["title"],
        split="val",
        language=entry["language"],
        duration_s=duration_s,
        voice=voice,
        written=written.notes,
        beats_s=(),
        downbeats=(),
        bars_s=tuple(entry["bars_s"]),
        meters=(),
        key=Key(0, "major"),
        tempo=(),
        sha256="",
    )
    curves = perform(song, sample_voice(seed, "test"), seed).curves
    return Excerpt(
        id=song.id,
        first=0,
        features=padded(features_of(curves)),
        duration_s=duration_s,
        sung=tuple(Sung(n.start_s, n.end_s, n.pitch) for n in voice),
        written=written,
        arranged=written,
        bars_s=song.bars_s,
    )


if __name__ == "__main__":
    write_excerpts(Path(sys.argv[1]), Path(sys.argv[2]))
