"""``--chords``: whether an independent judge hears the given chart, and the receipt's chart, in the audio.

Given charts are those of the written part, and invented ones for the same vocal: plain progressions with one
chord per bar. Root and third are compared (:mod:`train.evaluate.judges.chord_judge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.chord_chart import Chart, ChordSpan, merged
from appliance.music.chord_names import Chord, parse_chord
from appliance.music.keys import spell
from appliance.music.score import Score
from train.band import render as play
from train.evaluate.control.subjects import Composer, Request, Subject
from train.evaluate.judges.chord_judge import HeardChord, as_heard, chord_agreement, recognise
from train.evaluate.material.written_charts import written_chart as chart_of
from train.evaluate.processes.progress import steps

PROGRESSIONS = {
    "major": (("C", "G", "Am", "F"), ("C", "Am", "F", "G"), ("C", "F", "Dm", "G7"), ("Am", "F", "C", "G")),
    "minor": (("Am", "F", "C", "G"), ("Am", "Dm", "E7", "Am"), ("Am", "G", "F", "E"), ("Am", "C", "Dm", "E")),
}
"""Progressions in C major and A minor."""


def written_chart(subject: Subject) -> Chart:
    """The chords of the written part."""
    return chart_of(subject.song, subject.first_s, subject.first_s + subject.duration_s)


def invented_chart(subject: Subject, number: int) -> Chart:
    """A plain progression in the song's key, with one chord per bar."""
    key = subject.song.key
    shift = key.tonic if key.mode == "major" else key.tonic - 9
    options = PROGRESSIONS[key.mode]
    bars = subject.times(subject.song.bars_s)
    edges = [0.0, *(b for b in bars if b > 0.3), subject.duration_s]
    spans = []
    for start_s, end_s, name in zip(edges, edges[1:], cycle(options[number % len(options)]), strict=False):
        chord = parse_chord(name)
        if chord is not None and end_s > start_s:
            root = spell((chord.bass_pitch_class + shift) % 12, key)
            spans.append(ChordSpan(round(start_s, 3), round(end_s, 3), Chord(root, chord.quality).label))
    return merged(spans)


def measure_chords(composer: Composer, subjects: Sequence[Subject]) -> dict[str, object]:
    """Agreement by song and chart, with styles in turn.

    ``predicted`` compares with the receipt's chart, ``ceiling`` the written part with the chords read from
    it.
    """
    rows: list[dict[str, object]] = []
    styles = composer.engine.pack.manifest.styles
    for k, subject in enumerate(steps(subjects, "chords", lambda s: s.name)):
        style = styles[k % len(styles)]
        written = written_chart(subject)
        asked = {
            "written": Request(style, chart=written),
            "invented": Request(styles[(k + 4) % len(styles)], chart=invented_chart(subject, k)),
            "predicted": Request(style),
        }
        row: dict[str, object] = {"song": subject.song.id, "style": style}
        for name, wish in asked.items():
            take = composer.take(subject, wish)
            heard = _heard(composer, subject, wish, take.score)
            wanted = take.chart if wish.chart is None else wish.chart
            row[name] = chord_agreement(heard, as_heard(wanted), subject.duration_s)
            if name == "invented":
                row["invented_style"] = wish.style
        as_written = subject.notes(subject.song.written)
        heard = _heard(composer, subject, Request("written"), as_written)
        row["ceiling"] = chord_agreement(heard, as_heard(written), subject.duration_s)
        rows.append(row)
    columns = ("written", "invented", "predicted", "ceiling")
    means = {name: float(np.nanmean([row[name] for row in rows])) for name in columns}  # type: ignore[misc]
    by_style: dict[str, list[float]] = {style: [] for style in styles}
    for row in rows:
        by_style[str(row["style"])].append(row["written"])  # type: ignore[arg-type]
        by_style[str(row["invented_style"])].append(row["invented"])  # type: ignore[arg-type]
    style_means = {style: float(np.mean(values)) for style, values in by_style.items() if values}
    given = [*(row["written"] for row in rows), *(row["invented"] for row in rows)]
    obeyed = float(np.mean(given))  # type: ignore[arg-type]
    return {"rows": rows, "means": means, "by_style": style_means, "obeyed": obeyed}


def _heard(composer: Composer, subject: Subject, asked: Request, score: Score) -> tuple[HeardChord, ...]:
    def judge() -> object:
        style = "piano" if asked.style == "written" else asked.style
        sound = play(score, style, composer.engine.pack.soundfont_path)
        with TemporaryDirectory(prefix="backline-") as folder:
            file = Path(folder) / "take.wav"
            soundfile.write(file, sound, SAMPLE_RATE_HZ, subtype="PCM_16")
            return [[c.start_s, c.end_s, c.label] for c in recognise(file)]

    found = composer.judged("chords", subject, asked, judge)
    return tuple(HeardChord(*c) for c in found)  # type: ignore[attr-defined]
