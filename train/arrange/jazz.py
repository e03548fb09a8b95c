"""A jazz trio with swing: rootless piano chords, walking bass, ride cymbal or brushes."""

from __future__ import annotations

from collections import defaultdict

from appliance.music.score import Note
from train.arrange.band import Band, Voicer
from train.arrange.chord import Chord
from train.arrange.context import Context
from train.arrange.groove import GrooveBook
from train.arrange.voice_leading import bass_pitch, lead, seventh_tones

GROOVES = GrooveBook.of(
    duple={
        2: (
            "ride x.|xx\nhat ..|x.\nsnare o.|.o\nkick o.|..\ncomp X-|.x\nbass R-|5-",
            "ride x.|xx\nhat ..|x.\nsnare oo|Xo\nkick o.|..\ncomp .x|--\nbass R-|--",
        ),
        3: (
            "ride x.|xx|x.\nhat ..|x.|x.\nsnare o.|oo|o.\nkick o.|..|..\ncomp X-|.x|-.\nbass R-|--|5-",
            "ride x.|x.|xx\nhat ..|..|x.\nsnare o.|o.|oo\nkick o.|..|..\ncomp ..|x-|.x\nbass R-|--|--",
        ),
        4: (
            "ride x.|xx|x.|xx\nhat ..|x.|..|x.\nsnare ..|.o|..|o.\nkick o.|..|o.|..\n"
            "comp X-|.x|--|..\nbass R-|--|5-|--",
            "ride x.|xx|x.|xx\nhat ..|x.|..|x.\nsnare .o|..|.o|..\nkick o.|..|o.|..\n"
            "comp .x|--|.x|-.\nbass R-|--|5-|--",
            "ride x.|xx|x.|xx\nhat ..|x.|..|x.\nsnare ..|o.|.o|.o\nkick o.|..|o.|..\n"
            "comp X-|--|.x|..\nbass R-|--|R-|5-",
        ),
    },
    ternary={
        2: (
            "ride x..|x.x\nhat ...|x..\nsnare ..o|...\nkick o..|...\ncomp X--|..x\nbass R--|5--",
            "ride x.x|x.x\nhat ...|x..\nsnare o..|o.o\nkick o..|...\ncomp ..x|---\nbass R--|5-.",
        ),
    },
)

WALKS_FROM = 0.45
"""Below this phrase level the bass plays in two."""


def jazz(context: Context) -> list[Note]:
    """Brushes or sticks, comped chords, and a bass that walks in fuller phrases."""
    random = context.random
    pulse_s = sorted(bar.pulse_s for bar in context.grid.bars)[len(context.grid.bars) // 2]
    # Swing is close to triplets at slow tempi and nearly even at fast ones.
    swing = min(max(0.50 + 0.28 * (pulse_s - 0.25), 0.54), 0.667)
    band = Band(context, swing=swing, touch=random.uniform(60, 70))
    variant = random.randrange(12)
    brushes = random.random() < 0.4
    cymbals = {"snare": 0.3, "hat": 0.4} if brushes else {"ride": 0.3, "hat": 0.4, "snare": 0.6, "kick": 0.6}
    keys = _voicer(context)
    band.drums(GROOVES, 1 if brushes else variant, cymbals)
    _walk(band, context)
    band.comp("keys", GROOVES, "comp", variant, keys, lift=-4)
    return band.end(
        {"keys": band.last_chord(keys, "keys"), "bass": band.last_bass(30, 48)},
        () if brushes else ("ride",),
    )


def _voicer(context: Context) -> Voicer:
    """A voicer for rootless chords whose tensions avoid semitones against the sung notes."""
    held: dict[int, set[int]] = defaultdict(set)
    for note in context.song.voice:
        for index in range(context.harmony.index(note.start_s), context.harmony.index(note.end_s - 0.03) + 1):
            held[index].add(note.pitch % 12)

    def voice(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
        index = context.harmony.index(chord.start_s)
        following = context.harmony.after(chord.start_s)
        tones = seventh_tones(chord, following, context.song.key.tonic, frozenset(held[index]))
        return lead(tones, previous, 51, 73, True)

    return voice


def _walk(band: Band, context: Context) -> None:
    """One note per pulse: the chord's bass, then chord tones, then a step to the next chord's bass."""
    low, high = 30, 50
    previous = 0
    for number, bar in enumerate(context.grid.bars):
        level = context.dynamics.phrase(number).level
        if level < 0.22 or bar.start_s >= band.hold_s - 0.01:
            continue
        if level < WALKS_FROM:
            previous = _in_two(band, bar.pulses_s, previous, low, high)
            continue
        for k in range(bar.pulses):
            start_s, end_s = bar.pulses_s[k], bar.pulses_s[k + 1]
            if start_s >= band.hold_s - 0.01:
                break
            chord = context.harmony.at(start_s)
            left = chord.end_s - start_s
            if k == 0 or abs(chord.start_s - start_s) < 0.02:
                pitch = bass_pitch(chord.bass, previous, low, high)
            elif left < 1.5 * (end_s - start_s):
                pitch = _approach(band, chord, start_s, previous, low, high)
            else:
                pitch = _passing(band, chord, start_s, previous, low, high)
            previous = pitch
            band.add("bass", pitch, start_s, end_s - 0.02, band.level(start_s) + (8 if k == 0 else 4))


def _in_two(band: Band, pulses_s: tuple[float, ...], previous: int, low: int, high: int) -> int:
    """Bass note and fifth, half a bar each; returns the last pitch."""
    half = max(1, (len(pulses_s) - 1) // 2)
    for k in range(0, len(pulses_s) - 1, half):
        start_s, end_s = pulses_s[k], pulses_s[min(k + half, len(pulses_s) - 1)]
        if start_s >= band.hold_s - 0.01:
            break
        chord = band.context.harmony.at(start_s)
        fresh = k == 0 or abs(chord.start_s - start_s) < 0.02
        wanted = chord.bass if fresh else chord.pitch_classes[2]
        previous = bass_pitch(wanted, previous, low, high)
        band.add("bass", previous, start_s, min(end_s, band.hold_s) - 0.02, band.level(start_s) + 4)
    return previous


def _approach(band: Band, chord: Chord, time_s: float, previous: int, low: int, high: int) -> int:
    """A semitone or whole tone beside the next chord's bass, on the side the line comes from."""
    goal = bass_pitch(band.context.harmony.after(time_s).bass, previous, low, high)
    below = previous < goal or (previous == goal and band.context.random.random() < 0.5)
    steps = (-1, -2) if below else (1, 2)
    inside = [goal + s for s in steps if (goal + s) % 12 in chord.pitch_classes]
    options = [p for p in (inside or [goal + steps[0]]) if p != previous]
    return options[0] if options else goal + steps[1]


def _passing(band: Band, chord: Chord, time_s: float, previous: int, low: int, high: int) -> int:
    """A near chord tone, different from the last note, in the direction of the next chord's bass."""
    goal = bass_pitch(band.context.harmony.after(time_s).bass, previous, low, high)
    tones = [p for p in range(low, high + 1) if p % 12 in chord.pitch_classes and p != previous]
    random = band.context.random
    return min(tones, key=lambda p: (abs(p - previous) + 0.4 * abs(p - goal) + random.random(), p))
