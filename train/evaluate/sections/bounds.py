"""Section: bounds of what a tune can say: the written chords given, and two human harmonisations compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from appliance.files.whole import write_whole
from appliance.music.chord_chart import Chart, ChordSpan, chart_text
from appliance.music.keys import Key
from train.arrange.chord import Chord
from train.corpus.reader import read_song
from train.evaluate.evaluation import CHORDS, METRICS, Evaluation, compare
from train.evaluate.judges.chord_judge import HeardChord, as_heard, chord_agreement
from train.evaluate.material.harmonised_twice import (
    FOUR_PARTS,
    LEAD_SHEETS,
    TwoHarmonies,
    four_part_pairs,
    lead_sheet_pairs,
)
from train.evaluate.material.pieces import LENGTH_S, Piece, excerpt_span
from train.evaluate.material.song_sets import SongSet
from train.evaluate.material.written_charts import label_of, written_chart
from train.evaluate.measures.gap import gap_closed, mean, shuffled_mean
from train.evaluate.measures.metrics import harmony
from train.evaluate.sections.facts import fact, gaps, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting

COPY = 0.9
"""Two settings with at least this harmony in common are one setting in two editions.

Of the 65 works in our corpora that are set more than once, most pairs lie above 0.9: one setting with small
changes. The others spread from 0.5 to 0.9."""

NAMES = {LEAD_SHEETS: "two sets of chords of a lead sheet", FOUR_PARTS: "two settings in four parts"}


def measure(setting: EvaluationSetting) -> Facts:
    found = {}
    for songs in setting.sets():
        pieces = setting.pieces_of(songs)
        folder = setting.folder / "charts" / f"{songs.name}-{len(pieces)}"
        given = replace(setting.renderer, charts=write_charts(songs, pieces, folder))
        free_score, given_score = (
            setting.judged(pieces, renderer, chords=True) for renderer in (setting.renderer, given)
        )
        found[songs.name] = {
            "title": songs.title,
            "songs": len(pieces),
            **_side_by_side(free_score, given_score),
        }
    corpora = [setting.corpus, *(setting.others or ())]
    return {"sets": found, "people": people(lead_sheet_pairs(corpora), four_part_pairs(corpora))}


def write_charts(songs: SongSet, pieces: Sequence[Piece], folder: Path) -> Path:
    """Write the written chart of each piece of a set into ``folder``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for row, piece in zip(songs.rows, pieces, strict=True):
        song = read_song(songs.corpus, row)
        start_s, _ = excerpt_span(song, LENGTH_S)
        chart = written_chart(song, start_s, start_s + piece.duration_s)
        write_whole(folder / f"{piece.vocal.stem}.txt", chart_text(chart).encode())
    return folder


def _side_by_side(free: Evaluation, given: Evaluation) -> Facts:
    return {
        "own": gaps(free),
        "given": gaps(given),
        "given_minus_own": {metric: fact(compare(given, free, metric)) for metric in METRICS},
        "ceiling": {metric: fact(given.ceiling(metric)) for metric in METRICS},
        "chords_own": fact(free.mean(CHORDS, "ours")),
        "chords_given": fact(given.mean(CHORDS, "ours")),
        "refused": given.failures,
    }


def people(lead: Sequence[TwoHarmonies], four: Mapping[str, Sequence[TwoHarmonies]]) -> Facts:
    """What two human harmonisations of one tune share, by kind.

    Of a work that was set more than twice, the pair at the median harmony counts. Pairs at or above
    :data:`COPY` are reprints of one setting; they are counted and left out.
    """
    different = {
        work: kept
        for work, pairs in four.items()
        if (kept := [pair for pair in pairs if _alike(pair) < COPY])
    }
    chosen = [sorted(pairs, key=_alike)[(len(pairs) - 1) // 2] for pairs in different.values()]
    kinds = {LEAD_SHEETS: lead, FOUR_PARTS: chosen}
    facts: Facts = {kind: shared(pairs) for kind, pairs in kinds.items() if pairs}
    return {**facts, "reprints": len(four) - len(different)}


def _alike(pair: TwoHarmonies) -> float:
    return harmony(pair.other, pair.one, pair.duration_s)


def shared(pairs: Sequence[TwoHarmonies]) -> Facts:
    """Harmony, gap closed and chord agreement of the second harmonisation against the first, over tunes.

    Shuffled is the second harmonisation of other tunes, as for results.
    """

    def judge(k: int, other: TwoHarmonies) -> float:
        return harmony(other.other, pairs[k].one, min(pairs[k].duration_s, other.duration_s))

    ours = [judge(k, pair) for k, pair in enumerate(pairs)]
    shuffled = shuffled_mean(pairs, judge)
    agreement = [
        chord_agreement(_heard(pair.chords_other), _heard(pair.chords_one), pair.duration_s) for pair in pairs
    ]
    return {
        "tunes": len(pairs),
        "harmony": fact(mean(ours)),
        "shuffled": fact(mean(shuffled)),
        "gap_closed": fact(gap_closed(ours, shuffled, [1.0] * len(pairs))),
        "chords": fact(mean(agreement)),
    }


def _heard(chords: Sequence[Chord]) -> tuple[HeardChord, ...]:
    chart: Chart = [ChordSpan(c.start_s, c.end_s, label_of(c, Key(0, "major"))) for c in chords]
    return as_heard(chart)


def describe(facts: Facts) -> str:
    rows = [
        [
            found["title"],
            metric,
            shown(found["own"][metric]),
            f"**{shown(found['given'][metric])}**",
            shown(found["given_minus_own"][metric], sign=True),
            shown(found["ceiling"][metric]),
        ]
        for found in facts["sets"].values()
        for metric in METRICS
    ]
    agreement = [
        f"{found['title']}: {shown(found['chords_given'])} instead of {shown(found['chords_own'])}"
        for found in facts["sets"].values()
    ]
    parts = [
        "What the same pack reaches when it is given the written chords as a chart, judged as audio on the "
        "same songs: the rest is what it plays, not which chords it chose.",
        table(("set", "metric", "own chords", "written chords", "difference", "ceiling"), rows),
        f"Agreement of chords with the written chords given: {'; '.join(agreement)}.",
        _told_people(facts["people"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _told_people(people: Facts) -> str:
    rows = [
        [
            NAMES[kind],
            str(found["tunes"]),
            shown(found["harmony"]),
            shown(found["shuffled"]),
            f"**{shown(found['gap_closed'])}**",
            shown(found["chords"]),
        ]
        for kind, found in people.items()
        if kind in NAMES
    ]
    if not rows:
        return ""
    return (
        "What two people who harmonise one tune have in common, in the same units: the second against the "
        "first, shuffled the second of other tunes. Lead sheets are played by one keyboard pattern. In four "
        "parts the tunes are aligned note by note, without the tune itself; of a work with several pairs the "
        f"median one counts, and {people['reprints']} works are left out whose settings are reprints of one "
        f"(harmony {COPY:g} or more).\n\n"
        + table(("pairs", "tunes", "harmony", "shuffled", "gap closed", "same root and third"), rows)
    )


BOUNDS_SECTION = Section("bounds", "Bounds", measure, describe, asks=("others",))
