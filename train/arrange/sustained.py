"""The written part on sustaining instruments: a string section, an organ."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from appliance.music.score import Note
from train.arrange.context import Context
from train.arrange.piano import accent, chords_struck

FAST_S = 0.3
"""Notes that follow each other faster than this are a figure to sustain, not a melody."""

STRINGS_RANGE = (48, 91)
CELLO_RANGE = (33, 54)
PEDAL_RANGE = (26, 48)
MANUAL_RANGE = (45, 93)
DESKS = 5
"""Maximum number of string voices above the bass."""


def strings(context: Context) -> list[Note]:
    """Sustain fast figures as chords, keep slow lines, give the lowest line to the basses; all legato."""
    random = context.random
    softness = random.uniform(-6, 6)
    bass_line, upper = _split_bass(context.song.written, context)
    basses = _legato(_joined(_held(bass_line, context, lowest=True)), context)
    held = _legato(_joined(_thinned(_held(upper, context, lowest=False))), context)
    octave_up = random.random() < 0.3

    def bowed(note: Note, group: str, low: int, high: int, lift: int) -> Note:
        swell = context.dynamics.swell(note.start_s)
        level = 46 + softness + 46 * swell + 0.5 * accent(context.grid, note.start_s)
        pitch = into_range(note.pitch + lift, low, high)
        return Note(note.start_s, note.end_s, pitch, round(level), group)

    lift = 12 if octave_up and held and sum(n.pitch for n in held) / len(held) < 60 else 0
    low = [bowed(n, "bass", *CELLO_RANGE, 0) for n in basses]
    return low + [bowed(n, "pad", *STRINGS_RANGE, lift) for n in held]


def organ(context: Context) -> list[Note]:
    """All written notes legato on the manuals; the pedals double the lowest line an octave below."""
    random = context.random
    registration = random.choice((58, 66, 74))
    pedal_rest = random.random() < 0.5
    manual = [replace(n, pitch=into_range(n.pitch, *MANUAL_RANGE), group="pad") for n in context.song.written]
    line, _ = _split_bass(context.song.written, context)
    pedal = [
        replace(n, pitch=into_range(n.pitch - 12, *PEDAL_RANGE), group="bass")
        for n in _held(line, context, lowest=True)
        # Organists often leave the pedals out of an introduction or a quiet verse.
        if not (pedal_rest and context.dynamics.swell(n.start_s) < 0.28)
    ]

    def stopped(note: Note) -> Note:
        # Organ keys have no touch, so loudness changes with the stops, between phrases.
        phrase = context.dynamics.phrase(context.grid.index(note.start_s))
        return replace(note, velocity=round(registration + 10 * round(2 * phrase.level - 1)))

    return [stopped(n) for n in [*_legato(manual, context), *_legato(_joined(pedal), context)]]


def into_range(pitch: int, low: int, high: int) -> int:
    """``pitch`` moved by octaves into ``low`` to ``high``, which must span an octave or more."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def _split_bass(written: Sequence[Note], context: Context) -> tuple[list[Note], list[Note]]:
    """The lowest line (notes close to the lowest around them) and the remaining notes."""
    chords = chords_struck(written)
    onsets = [chord[0].start_s for chord in chords]
    lows = [chord[0].pitch for chord in chords]
    bass: list[Note] = []
    rest: list[Note] = []
    for k, chord in enumerate(chords):
        pulse_s = context.grid.bars[context.grid.index(onsets[k])].pulse_s
        a = bisect_left(onsets, onsets[k] - 0.9 * pulse_s)
        b = bisect_right(onsets, onsets[k] + 0.9 * pulse_s)
        is_bass = chord[0].pitch <= min(lows[a:b]) + 4 and chord[0].pitch < 62
        if is_bass:
            bass.append(chord[0])
            rest.extend(chord[1:])
        else:
            rest.extend(chord)
    return bass, rest


def _held(notes: Sequence[Note], context: Context, *, lowest: bool) -> list[Note]:
    """Sustain chord tones of fast figures to the end of the chord or bar; drop their other notes."""
    if not notes:
        return []
    ordered = sorted(notes, key=attrgetter("start_s"))
    onsets = sorted({n.start_s for n in ordered})
    kept: list[Note] = []
    windows: dict[tuple[int, int], dict[int, Note]] = defaultdict(dict)
    for note in ordered:
        k = bisect_left(onsets, note.start_s)
        wait_s = onsets[k + 1] - note.start_s if k + 1 < len(onsets) else 9.0
        since_s = note.start_s - onsets[k - 1] if k else 9.0
        if note.end_s - note.start_s > 1.4 * FAST_S or (wait_s > FAST_S and since_s > FAST_S):
            kept.append(note)
            continue
        chord = context.harmony.at(note.start_s)
        if note.pitch % 12 not in chord.pitch_classes:
            continue
        bar = context.grid.index(note.start_s)
        end_s = min(chord.end_s, context.grid.bars[bar].end_s)
        window = windows[context.harmony.index(note.start_s), bar]
        if lowest:
            # Of a broken octave, one bass note per pulse is enough.
            pulse_start = context.grid.bars[bar].time(int(context.grid.position(note.start_s)))
            if any(n.start_s >= pulse_start - 1e-3 and n.pitch <= note.pitch for n in window.values()):
                continue
        if note.pitch not in window:
            window[note.pitch] = replace(note, end_s=end_s)
    for window in windows.values():
        kept.extend(window.values())
    return _one_voice(kept) if lowest else kept


def _one_voice(notes: Sequence[Note]) -> list[Note]:
    """Make a monophonic line: each note ends where the next begins."""
    line: list[Note] = []
    for note in sorted(notes, key=lambda n: (n.start_s, n.pitch)):
        if line and note.start_s - line[-1].start_s < 0.02:
            continue
        if line and line[-1].end_s > note.start_s:
            line[-1] = replace(line[-1], end_s=note.start_s)
        line.append(note)
    return line


def _joined(notes: Sequence[Note]) -> list[Note]:
    """Join repeats of a pitch that are faster than a bow would change."""
    lanes: dict[int, list[Note]] = defaultdict(list)
    for note in sorted(notes, key=lambda n: n.start_s):
        lane = lanes[note.pitch]
        fast = lane and note.start_s - lane[-1].end_s < 0.12 and note.end_s - note.start_s < 1.5 * FAST_S
        if lane and (fast or note.start_s < lane[-1].end_s - 1e-3):
            lane[-1] = replace(lane[-1], end_s=max(lane[-1].end_s, note.end_s))
        else:
            lane.append(note)
    return [note for lane in lanes.values() for note in lane]


def _thinned(notes: Sequence[Note]) -> list[Note]:
    """Keep at most :data:`DESKS` notes at once, the top voice first."""
    kept: list[Note] = []
    sounding: list[Note] = []
    for chord in chords_struck(notes):
        sounding = [n for n in sounding if n.end_s > chord[0].start_s + 0.02]
        for note in [chord[-1], *chord[:-1]]:
            if len(sounding) >= DESKS or any(n.pitch == note.pitch for n in sounding):
                continue
            sounding.append(note)
            kept.append(note)
    return kept


def _legato(notes: Sequence[Note], context: Context) -> list[Note]:
    """Close gaps before the next onset that are shorter than half a pulse."""
    onsets = sorted({n.start_s for n in notes})
    result = []
    for note in notes:
        k = bisect_left(onsets, note.end_s - 1e-3)
        gap_s = onsets[k] - note.end_s if k < len(onsets) else 0.0
        pulse_s = context.grid.bars[context.grid.index(note.start_s)].pulse_s
        result.append(replace(note, end_s=onsets[k]) if 0.0 < gap_s < 0.5 * pulse_s else note)
    return result
