"""Makes accompaniments worse in known ways, so that the fit network learns to recognise it.

All functions take note arrays (N, 5) (start_s, end_s, pitch, velocity, group index with drums last) and
return new ones. All songs have the same key signature here, so a bar borrowed from another song has the wrong
harmony, not the wrong key.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from appliance.music.note_rows import DRUMS
from train.data.song_cache import CachedSong

Array = NDArray[np.float32]
Rng = np.random.Generator

DIATONIC = np.array([0, 2, 4, 5, 7, 9, 11])
MINOR = {4: -1, 9: -1, 11: -1}
"""Steps that turn the major third, sixth and seventh of C into minor ones."""

OTHER_KEYS = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)


def bars_of(song: CachedSong) -> NDArray[np.float64]:
    """Bar lines in seconds from 0 to the song's end; without a beat grid, one every two seconds."""
    lines = np.array([song.grid.beats_s[i] for i in song.grid.downbeats], np.float64)
    if len(lines) < 3:
        lines = np.arange(0.0, song.duration_s, 2.0)
    inner = lines[(lines > 0.2) & (lines < song.duration_s - 0.2)]
    return np.concatenate([[0.0], inner, [song.duration_s]])


def transposed(notes: Array, semitones: int) -> Array:
    """``notes`` with pitched notes moved by ``semitones``."""
    moved = notes.copy()
    moved[notes[:, 4] < DRUMS, 2] += semitones
    return moved


def shifted(notes: Array, seconds: float) -> Array:
    """``notes`` moved later by ``seconds``."""
    moved = notes.copy()
    moved[:, :2] += seconds
    return moved


def wrong_mode(notes: Array) -> Array:
    """``notes`` of C major turned into C minor."""
    moved = notes.copy()
    for pitch_class, by in MINOR.items():
        moved[(notes[:, 4] < DRUMS) & (notes[:, 2] % 12 == pitch_class), 2] += by
    return moved


def mistuned(notes: Array, share: float, rng: Rng, diatonic: bool) -> Array:
    """``notes`` with a share of them moved by one to four semitones, or scale steps if ``diatonic``."""
    moved = notes.copy()
    chosen = np.flatnonzero((notes[:, 4] < DRUMS) & (rng.uniform(size=len(notes)) < share))
    steps = rng.integers(1, 5, len(chosen)) * rng.choice([-1, 1], len(chosen))
    if diatonic:
        place = np.searchsorted(DIATONIC, notes[chosen, 2] % 12, side="right") - 1 + steps
        moved[chosen, 2] = notes[chosen, 2] // 12 * 12 + place // 7 * 12 + DIATONIC[place % 7]
    else:
        moved[chosen, 2] += steps
    return moved


def jittered(notes: Array, spread_s: float, rng: Rng, share: float = 1.0) -> Array:
    """``notes`` with normally distributed onset errors of ``spread_s``; simultaneous notes move together."""
    moved = notes.copy()
    _, together = np.unique(np.round(notes[:, 0] * 20), return_inverse=True)
    count = int(together.max(initial=-1)) + 1
    error = rng.normal(0.0, spread_s, count) * (rng.uniform(size=count) < share)
    moved[:, :2] += error[together][:, None]
    return moved


def thinned(notes: Array, share: float, rng: Rng) -> Array:
    """``notes`` without a random share of them."""
    return notes[rng.uniform(size=len(notes)) >= share]


def doubled(notes: Array, voice: Array, rng: Rng) -> Array:
    """``notes`` with part of the singer's notes (V, 4) added, at pitch or an octave lower."""
    octave = 12 * int(rng.integers(-1, 1))
    kept = voice[rng.uniform(size=len(voice)) < rng.uniform(0.3, 1.0)]
    extra = np.column_stack([kept[:, :2], kept[:, 2] + octave, np.full(len(kept), 70.0), np.zeros(len(kept))])
    return np.concatenate([notes, extra.astype(np.float32)])


def borrowed(
    notes: Array,
    bars_s: NDArray[np.float64],
    source: Array,
    source_bars_s: NDArray[np.float64],
    share: float,
    rng: Rng,
) -> Array:
    """``notes`` with a share of the bars replaced by bars of ``source``, stretched to their length.

    Bars are chosen in runs of up to four, so that whole phrases can be wrong.
    """
    count = len(bars_s) - 1
    wrong = np.zeros(count, bool)
    while wrong.mean() < share:
        first = int(rng.integers(count))
        wrong[first : first + int(rng.integers(1, 5))] = True
    own = np.clip(np.searchsorted(bars_s, notes[:, 0], side="right") - 1, 0, count - 1)
    kept = [notes[~wrong[own]]]
    source_count = len(source_bars_s) - 1
    offset = int(rng.integers(1, max(2, source_count)))
    bar_of = np.searchsorted(source_bars_s, source[:, 0], side="right") - 1
    for bar in np.flatnonzero(wrong):
        taken = (bar + offset) % source_count
        from_s, to_s = source_bars_s[taken], bars_s[bar]
        stretch = (bars_s[bar + 1] - to_s) / (source_bars_s[taken + 1] - from_s)
        piece = source[bar_of == taken].copy()
        piece[:, :2] = (piece[:, :2] - from_s) * stretch + to_s
        kept.append(piece)
    return np.concatenate(kept)


def swapped(notes: Array, bars_s: NDArray[np.float64], rng: Rng) -> Array:
    """``notes`` with the halves of some bars swapped."""
    moved = notes.copy()
    bar = np.clip(np.searchsorted(bars_s, notes[:, 0], side="right") - 1, 0, len(bars_s) - 2)
    length = np.diff(bars_s)[bar]
    late = notes[:, 0] - bars_s[bar] >= length / 2
    chosen = (rng.uniform(size=len(bars_s) - 1) < rng.uniform(0.3, 1.0))[bar]
    moved[:, :2] += (np.where(late, -0.5, 0.5) * length * chosen)[:, None]
    return moved


def hard_negatives(
    song: CachedSong, notes: Array, other: tuple[Array, NDArray[np.float64]], rng: Rng
) -> dict[str, Callable[[], Array]]:
    """Functions, by name, that make an intact and plausible accompaniment that does not fit this song."""
    bars, beats = bars_of(song), np.asarray(song.grid.beats_s)
    beat_s = float(np.median(np.diff(beats))) if len(beats) > 2 else 0.6
    return {
        "another song": lambda: borrowed(notes, bars, *other, 1.0, rng),
        "another section": lambda: borrowed(notes, bars, notes, bars, 1.0, rng),
        "transposed by a fifth": lambda: transposed(notes, int(rng.choice([-5, 5]))),
        "transposed by a tone": lambda: transposed(notes, int(rng.choice([-2, 2]))),
        "transposed": lambda: transposed(notes, int(rng.choice(OTHER_KEYS))),
        "wrong mode": lambda: wrong_mode(notes),
        "a beat late": lambda: shifted(notes, float(rng.choice([-1, 1])) * beat_s),
        "half a beat late": lambda: shifted(notes, float(rng.choice([-0.5, 0.5])) * beat_s),
        "half a bar late": lambda: shifted(notes, song.grid.meter * beat_s / 2),
        "halves swapped": lambda: swapped(notes, bars, rng),
    }


def worsened(
    song: CachedSong, notes: Array, other: tuple[Array, NDArray[np.float64]], amount: float, rng: Rng
) -> Array:
    """``notes`` with several faults as models make them, from ``amount`` 0 (slight) to 1 (bad)."""
    bars = bars_of(song)
    faults: tuple[Callable[[Array], Array], ...] = (
        lambda n: borrowed(n, bars, *other, amount * rng.uniform(), rng),
        lambda n: borrowed(n, bars, n, bars, amount * rng.uniform(), rng),
        lambda n: mistuned(n, amount * rng.uniform() * 0.7, rng, diatonic=False),
        lambda n: mistuned(n, amount * rng.uniform(), rng, diatonic=True),
        lambda n: jittered(n, amount * rng.uniform(0.0, 0.15), rng, rng.uniform(0.2, 1.0)),
        lambda n: shifted(n, amount * rng.normal(0.0, 0.15)),
        lambda n: thinned(n, rng.uniform(0.0, 0.5), rng),
        lambda n: doubled(n, song.voice, rng),
    )
    for chosen in rng.permutation(len(faults))[: int(rng.integers(1, 5))]:
        notes = faults[chosen](notes)
    return notes
