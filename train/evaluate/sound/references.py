"""How well the manner of a band is read from its recording (``--like``).

An excerpt of a song is played by the band, and read as a recording; what is read from its written notes and
beats is the truth. Agreement is Spearman's rank correlation over excerpts of all styles.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.stats import spearmanr

from appliance.audio.recording import probe
from appliance.composing.band_beats import agree
from appliance.composing.manner_reading import groups_of, manner_of, strokes_a_second
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.dials import DIALS
from appliance.music.note_rows import score_of
from appliance.music.score import BeatGrid, Score
from appliance.networks.graphs import Graphs
from appliance.packs.pack import load_pack
from appliance.playing.soundfont_band import SoundFont, render_stems
from appliance.rendering.reference import hear_band
from train.data.song_cache import CachedSong

_NO_TUNE = np.zeros((0, 3))
_PEAK = 0.5


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of a song that begins with a bar, and its beats."""

    style: str
    score: Score
    grid: BeatGrid


@dataclass(frozen=True, slots=True)
class Read:
    """An excerpt, read from its notes and from its recording; ``attributes`` are pairs by dial."""

    attributes: dict[str, tuple[float, float]]
    strokes: tuple[float, float]
    same_groups: bool
    bars: bool | None
    """Whether the bars are the written ones, or several or parts of them; None where none are sure."""


def excerpts(songs: Sequence[CachedSong], count: int, seconds: float, styles: Sequence[str]) -> list[Excerpt]:
    """``count`` excerpts of different songs, the styles in turn; always the same ones."""
    rng = np.random.default_rng(11)
    found: list[Excerpt] = []
    for index in rng.permutation(len(songs)):
        song = songs[index]
        bars = np.asarray(song.grid.beats_s)[list(song.grid.downbeats)]
        bars = bars[bars <= song.duration_s - seconds]
        style = styles[len(found) % len(styles)]
        if not len(bars) or style not in song.scores:
            continue
        found.append(_excerpt(song, style, float(rng.choice(bars)), seconds))
        if len(found) == count:
            break
    return found


def _excerpt(song: CachedSong, style: str, first_s: float, seconds: float) -> Excerpt:
    notes = song.scores[style].astype(np.float64)
    inside = notes[(notes[:, 0] >= first_s - 0.02) & (notes[:, 0] < first_s + seconds - 0.1)].copy()
    inside[:, :2] = np.clip(inside[:, :2] - first_s, 0.0, seconds)
    beats = [
        (max(0.0, beat - first_s), k in song.grid.downbeats)
        for k, beat in enumerate(song.grid.beats_s)
        if -0.02 <= beat - first_s < seconds
    ]
    grid = BeatGrid(
        tuple(beat for beat, _ in beats),
        tuple(k for k, (_, is_first) in enumerate(beats) if is_first),
        1.0,
        song.grid.meter,
        song.grid.compound,
    )
    return Excerpt(style, score_of(inside.astype(np.float32), seconds), grid)


def read(folder: Path, chosen: Sequence[Excerpt], on_done: Callable[[], object]) -> list[Read]:
    """Play each excerpt with the pack in ``folder`` and read it in both ways."""
    pack = load_pack(folder)
    graphs, font = Graphs(pack), SoundFont(pack.soundfont_path)
    results = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "band.wav"
        for excerpt in chosen:
            samples = round(excerpt.score.duration_s * SAMPLE_RATE_HZ)
            blocks = render_stems(excerpt.score, pack.manifest.sounds[excerpt.style], font, samples)
            sound = np.concatenate([block.mix() for block in blocks])
            soundfile.write(path, _PEAK * sound / max(np.abs(sound).max(), 1e-9), SAMPLE_RATE_HZ)
            results.append(_read(graphs, path, excerpt))
            on_done()
    return results


def _read(graphs: Graphs, path: Path, excerpt: Excerpt) -> Read:
    score = excerpt.score
    heard = hear_band(graphs, probe(path))
    written = manner_of(score.notes, _NO_TUNE, excerpt.grid, score.duration_s, excerpt.style)
    found = manner_of(heard.notes, _NO_TUNE, heard.grid, heard.duration_s, excerpt.style)
    return Read(
        {
            dial: (written.like[dial], found.like[dial])
            for dial in DIALS
            if dial in written.like and dial in found.like
        },
        (strokes_a_second(score.notes), strokes_a_second(heard.notes)),
        groups_of(score.notes) == groups_of(heard.notes),
        agree(heard.grid, excerpt.grid) if heard.grid.downbeats else None,
    )


def as_markdown(results: Sequence[Read]) -> str:
    """A table of agreement, and two sentences on instruments and bars."""
    rows = {dial: [r.attributes[dial] for r in results if dial in r.attributes] for dial in DIALS}
    rows["strokes a second"] = [r.strokes for r in results]
    lines = [
        "| read | excerpts | rank correlation | median error | spread of the excerpts |",
        "|---|---|---|---|---|",
    ]
    for name, pairs in rows.items():
        if len(pairs) > 3:
            written, heard = np.array(pairs).T
            error, spread = np.median(np.abs(heard - written)), written.std()
            rank = float(spearmanr(written, heard).statistic)
            lines.append(f"| {name} | {len(pairs)} | {rank:.2f} | {error:.2f} | {spread:.2f} |")
    sure = [r.bars for r in results if r.bars is not None]
    lines += [
        "",
        f"The instruments are right in {sum(r.same_groups for r in results)} of {len(results)} excerpts. "
        f"Beats are sure in {len(sure)}; in {sum(sure)} of these the bars are right.",
    ]
    return "\n".join(lines)
