"""Section: whether the chords that are played follow each other as written ones do.

Whole songs of all song sets are composed, seed 0. The chords are read from the notes that are played, as the
written chords are read from the written part (:mod:`train.evaluate.measures.played_chords`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.composing.takes import draw_take
from appliance.composing.wishes import Wishes
from appliance.files.hashes import file_sha256
from appliance.music.chord_names import parse_chord
from train.arrange.chord import Chord
from train.arrange.symbols import ARRANGED
from train.corpus.chord_symbols import SongChord, nearest_quality
from train.corpus.reader import read_song
from train.corpus.song import Song
from train.data import song_cache
from train.evaluate.evaluation import pitched
from train.evaluate.judges.note_judge import HeardNote
from train.evaluate.material.pieces import excerpt_span
from train.evaluate.measures.chord_bigrams import PRIOR, SHUFFLES, ChordBigrams, ChordName, sequence_of
from train.evaluate.measures.gap import Estimate, mean
from train.evaluate.measures.played_chords import chords_played, clipped, ends_on_tonic, share_of_sevenths
from train.evaluate.players.renderers import PackRenderer, engine_of, read_vocal
from train.evaluate.processes.store import Refused
from train.evaluate.processes.workers import ask_all
from train.evaluate.sections.facts import fact, number, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting

WHOLE_S = 3600.0
"""Longer than any song: the last chord is measured too."""

SHUFFLE_SEED = 7


@dataclass(frozen=True, slots=True)
class Answered:
    """A song with the chords that were written, that are played, and that the receipt's chart names."""

    set: str
    song: Song
    written: Sequence[Chord]
    played: Sequence[Chord]
    chart: Sequence[ChordName]


def measure(setting: EvaluationSetting) -> Facts:
    assert setting.cache is not None
    training = song_cache.load_chords(setting.cache, "train")
    model = ChordBigrams(sequence_of(_arranged(chords), key) for key, chords in training)
    answered = []
    for songs in setting.sets():
        pieces = setting.sung(songs.rows, WHOLE_S, songs.corpus)
        jobs = [(setting, piece.vocal) for piece in pieces]
        ask_all(_answer, jobs, f"whole songs, {songs.title}", lambda job: job[1].stem, setting.workers)
        for row, job in zip(songs.rows, jobs, strict=True):
            answer = _answer(job)
            if answer is not None:
                song = read_song(songs.corpus, row)
                span = excerpt_span(song, WHOLE_S)
                notes = [HeardNote(*note) for note in answer["notes"]]
                chart = [name for label in answer["chart"] if (name := arranged(label)) is not None]
                played = chords_played(song, notes, *span)
                answered.append(Answered(songs.title, song, clipped(song, *span), played, chart))
    return {"training_songs": len(training), **compared(answered, model)}


def _arranged(chords: Sequence[SongChord]) -> list[ChordName]:
    return [(c.chord.root, ARRANGED[c.chord.quality], c.chord.bass) for c in chords if c.chord is not None]


def arranged(label: str) -> ChordName | None:
    """A chart's chord as root, arrangers' quality and bass; None for no chord.

    >>> arranged("F#m9/E"), arranged("N")
    ((6, 'm7', 4), None)
    """
    chord = parse_chord(label)
    if chord is None:
        return None
    return chord.root_pitch_class, ARRANGED[nearest_quality(chord.quality)], chord.bass_pitch_class


def compared(answered: Sequence[Answered], model: ChordBigrams) -> Facts:
    """The facts, for each set and all together."""
    sets = dict.fromkeys(a.set for a in answered)
    return {
        "changes": model.changes,
        "prior": PRIOR,
        "sets": {name: _of([a for a in answered if a.set == name], model) for name in sets},
        "all": _of(answered, model),
    }


def _of(answered: Sequence[Answered], model: ChordBigrams) -> Facts:
    written = [_sequence(a.written, a.song) for a in answered]
    played = [_sequence(a.played, a.song) for a in answered]
    charts = [sequence_of(a.chart, a.song.key) for a in answered]
    shuffled = [model.shuffled(sequence, SHUFFLE_SEED) for sequence in written]
    likelihood = {
        name: [model.per_change(sequence) for sequence in sequences]
        for name, sequences in (("written", written), ("played", played), ("chart", charts))
    }
    sevenths = {
        "written": [share_of_sevenths(a.written) for a in answered],
        "played": [share_of_sevenths(a.played) for a in answered],
    }
    closed = [a for a in answered if ends_on_tonic(a.written, a.song)]
    ended = [float(ends_on_tonic(a.played, a.song)) for a in closed]
    return {
        "songs": len(answered),
        "likelihood": {**{k: fact(mean(v)) for k, v in likelihood.items()}, "shuffled": fact(mean(shuffled))},
        "played_minus_written": fact(_difference(likelihood["played"], likelihood["written"])),
        "sevenths": {k: fact(mean(v)) for k, v in sevenths.items()},
        "sevenths_minus_written": fact(_difference(sevenths["played"], sevenths["written"])),
        "ends": fact(mean(ended)),
        "chords": {
            "written": sum(len(a.written) for a in answered),
            "played": sum(len(a.played) for a in answered),
        },
    }


def _sequence(chords: Sequence[Chord], song: Song) -> list[int]:
    return sequence_of([(chord.root, chord.quality, chord.bass) for chord in chords], song.key)


def _difference(ours: Sequence[float], other: Sequence[float]) -> Estimate:
    """Mean difference over songs; a song without either value does not count."""
    return mean([a - b for a, b in zip(ours, other, strict=True) if not math.isnan(a - b)])


def _answer(job: tuple[EvaluationSetting, Path]) -> dict[str, Any] | None:
    """What the pack composes for a vocal: ``notes`` and the labels of its ``chart``; None if rejected."""
    setting, vocal = job
    renderer = setting.notes_only()
    question = {"whole": renderer.label, "vocal": file_sha256(vocal)}
    try:
        answer: dict[str, Any] = setting.hearing.store.get(question, lambda: _composed(renderer, vocal))
    except Refused:
        return None
    return answer


def _composed(renderer: PackRenderer, vocal: Path) -> dict[str, Any]:
    engine = engine_of(renderer.pack)
    wishes = Wishes(style=renderer.style, seed=renderer.seed)
    take = draw_take(engine.graphs, engine.pack, read_vocal(engine, vocal), wishes, renderer.seed)
    return {
        "notes": [(n.start_s, n.end_s, n.pitch, n.velocity / 127) for n in pitched(take.score.notes)],
        "chart": [span.label for span in take.reading.chart],
    }


def describe(facts: Facts) -> str:
    rows = []
    for name, found in (*facts["sets"].items(), ("all", facts["all"])):
        likelihood, sevenths = found["likelihood"], found["sevenths"]
        rows.append(
            [
                name,
                str(found["songs"]),
                *(number(likelihood[k]["value"]) for k in ("written", "played")),
                f"**{shown(found['played_minus_written'], sign=True)}**",
                *(number(likelihood[k]["value"]) for k in ("chart", "shuffled")),
                *(number(sevenths[k]["value"]) for k in ("written", "played")),
                shown(found["sevenths_minus_written"], sign=True),
                f"{shown(found['ends'])}, n = {found['ends']['n']}",
            ]
        )
    header = ("set", "songs", "written", "played", "difference", "chart", "shuffled", "sevenths written",
              "played", "difference", "ends on the tonic")  # fmt: skip
    return (
        "Whole songs, composed with seed 0. Chords are read from the notes played as the written ones are "
        "from the written part: on the written beats, in the written key, with the tune. Likelihood: mean "
        "log probability of a change of chord (root, quality or bass) in nats, under a bigram model of "
        f"those in {facts['training_songs']} training songs ({facts['changes']} changes, in one key): "
        "P(b | a) = (n(a, b) + K u(b) / (1 - u(a))) / (n(a) + K) for b other than a, where u is the smoothed "
        f"share of changes that lead to a chord and K = {facts['prior']:g}. Chart: that of the receipt. "
        f"Shuffled: the written chords in {SHUFFLES} random orders. Sevenths: share of the chords. The last "
        "column: of the songs whose last written chord has the tonic as its root, the share in which the "
        "last one played has it too.\n\n" + table(header, rows)
    )


COHERENCE_SECTION = Section("coherence", "Coherence", measure, describe, needs=("cache",), asks=("others",))
