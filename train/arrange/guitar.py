"""A solo guitar: finger-picks the chords that were read from the written part."""

from __future__ import annotations

from bisect import bisect_right

from appliance.music.score import Note
from train.arrange.band import FULL, THIN
from train.arrange.context import Context
from train.arrange.fretboard import nearest, shapes
from train.arrange.groove import GrooveBook, hits

# B: bass string; b: next string up (the thumb's alternate bass); 1-4: strings from the top;
# P: bass and top string together; X: the upper strings together; S: all strings.
PICKING = GrooveBook.of(
    duple={
        2: (
            "pluck B3|21",
            "pluck B321|b321",
            "pluck P3|b2",
            "pluck B.X.|b.X.",
            "pluck B213|b213",
        ),
        3: (
            "pluck B3|21|23",
            "pluck B.|X.|X.",
            "pluck B321|2321|2312",
            "pluck P3|b2|13",
        ),
        4: (
            "pluck B3|21|b2|12",
            "pluck P3|b2|13|b2",
            "pluck B321|b321|B321|b312",
            "pluck B.32|b.12|B.32|b.12",
            "pluck B3|b2|P3|b1",
        ),
    },
    ternary={
        1: ("pluck B32", "pluck P23"),
        2: (
            "pluck B32|123",
            "pluck P32|b21",
            "pluck B23|b12",
            "pluck B3X|b3X",
        ),
    },
)

_ONE_PER_PULSE = {2: "pluck B.|2.", 3: "pluck B.|2.|1.", 4: "pluck B.|2.|b.|1."}
"""Thin phrases have one note per pulse."""

SPARSE = GrooveBook.of(
    duple={n: (text,) for n, text in _ONE_PER_PULSE.items()},
    ternary={1: ("pluck B.2",), 2: ("pluck B.2|b.1",)},
)


def guitar(context: Context) -> list[Note]:
    """Two patterns per song, one for quiet and one for full phrases; strings ring until plucked again."""
    variant = context.random.randrange(60)
    busier = context.random.randrange(60)
    return pick(context, variant, busier, touch=context.random.uniform(62, 74))


def pick(context: Context, variant: int, busier: int, touch: float) -> list[Note]:
    """Play :data:`PICKING` up to the last held chord: ``busier`` in full phrases, else ``variant``."""
    player = _Player(context, touch)
    hold_s = context.last_hold_s()
    for number, bar in enumerate(context.grid.bars):
        phrase = context.dynamics.phrase(number)
        book, choice = PICKING, busier if phrase.level > FULL else variant
        if phrase.level < THIN:
            book, choice = SPARSE, 0
        for hit in hits(bar, book.cells(bar, "pluck", choice)):
            if hit.start_s < hold_s - 0.01:
                player.pluck(hit.start_s, hit.sign, hit.position == int(hit.position))
    player.pluck(hold_s, "S", True)
    return player.notes(context.song.duration_s)


class _Player:
    """Six strings; each rings until it is plucked again or a chord does not contain its note."""

    def __init__(self, context: Context, touch: float) -> None:
        self.context = context
        self.touch = touch
        self.shape: tuple[int | None, ...] = ()
        self.chord_index = -1
        self.plucked: list[list[tuple[float, int, int]]] = [[] for _ in range(6)]

    def pluck(self, time_s: float, sign: str, on_pulse: bool) -> None:
        index = self.context.harmony.index(time_s)
        changed = index != self.chord_index
        if changed:
            chord = self.context.harmony.chords[index]
            self.shape = nearest(shapes(chord.root, chord.quality, chord.bass), self.shape)
            self.chord_index = index
        strings = self._strings(sign)
        if changed and sign not in "BPSX":
            # A new chord always begins with its bass, whatever the pattern says.
            strings = [self._bass(), *strings]
        level = self.touch + 30 * (self.context.dynamics.swell(time_s) - 0.45)
        level += 5.0 if sign in "BPS" else (-3.0 if on_pulse else -7.0)
        for rank, string in enumerate(dict.fromkeys(strings)):
            pitch = self.shape[string]
            if pitch is None:
                continue
            late_s = 0.018 * rank if sign == "S" else 0.0
            velocity = round(level + self.context.random.gauss(0.0, 2.0))
            self.plucked[string].append((time_s + late_s, pitch, velocity))

    def _played(self) -> list[int]:
        return [s for s in range(6) if self.shape[s] is not None]

    def _bass(self) -> int:
        return self._played()[0]

    def _strings(self, sign: str) -> list[int]:
        played = self._played()
        upper = played[1:]
        if sign in "1234":
            return [upper[max(len(upper) - int(sign), 0)]]
        return {
            "B": [played[0]],
            "b": [upper[0]],
            "P": [played[0], upper[-1]],
            "X": upper[-3:],
            "S": played,
        }[sign]

    def notes(self, duration_s: float) -> list[Note]:
        """The notes with their ends: at the string's next pluck, or at a chord that does not contain them."""
        harmony = self.context.harmony
        starts = [chord.start_s for chord in harmony.chords]
        result = []
        for string in self.plucked:
            for k, (start_s, pitch, velocity) in enumerate(string):
                end_s = string[k + 1][0] if k + 1 < len(string) else duration_s
                j = bisect_right(starts, start_s + 0.05)
                while j < len(starts) and starts[j] < end_s:
                    if pitch % 12 not in harmony.chords[j].pitch_classes:
                        end_s = starts[j]
                        break
                    j += 1
                end_s = min(end_s, start_s + 4.0) if k + 1 < len(string) else end_s
                result.append(Note(start_s, end_s, pitch, velocity, "pluck"))
        return result
