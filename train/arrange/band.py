"""The players of a band: bass, chords and arpeggios that follow groove, harmony and dynamics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from appliance.music.score import DRUM_GROUP, Note
from train.arrange.chord import Chord
from train.arrange.context import Context
from train.arrange.drums import DRUM_LENGTH_S, DRUMS
from train.arrange.groove import GrooveBook, Hit, hits
from train.arrange.voice_leading import bass_pitch, lead

FULL = 0.62
"""Phrase level above which a band may change to another groove."""

THIN = 0.3
"""Phrase level below which chords are held (:data:`SPARSE`) instead of played in rhythm."""

SPARSE = GrooveBook.of(
    duple={
        2: ("comp X-|--", "comp X-|x-"),
        3: ("comp X-|--|--", "comp X-|--|x-"),
        4: ("comp X-|--|--|--", "comp X-|--|x-|--"),
    },
    ternary={2: ("comp X--|---", "comp X--|x--")},
)

Voicer = Callable[[Chord, tuple[int, ...]], tuple[int, ...]]
"""Turns a chord and the pitches before it into its pitches, low to high."""

Tied = tuple[float, float]
"""Start in seconds and velocity of a note that is still held."""


class Band:
    """A band playing a song; players append to ``notes``.

    ``swing`` is where the second half of a duple pulse begins (0.5: even), ``touch`` a mean velocity.
    """

    def __init__(self, context: Context, swing: float = 0.5, touch: float = 68.0) -> None:
        self.context = context
        self.swing = swing
        self.touch = touch
        self.fuller = context.random.randrange(4)
        """Added to a groove's variant number in fuller phrases; 0 keeps one groove."""
        self.hold_s = context.last_hold_s()
        self.notes: list[Note] = []

    def add(self, group: str, pitch: int, start_s: float, end_s: float, level: float) -> None:
        """Add one note; ``level`` is its velocity before a small random deviation."""
        velocity = round(min(max(level + self.context.random.gauss(0.0, 2.0), 12), 124))
        self.notes.append(Note(start_s, end_s, pitch, velocity, group))

    def level(self, time_s: float) -> float:
        """Velocity of a normal hit at ``time_s``."""
        return self.touch + 36.0 * (self.context.dynamics.swell(time_s) - 0.45)

    def hits(
        self,
        book: GrooveBook,
        row: str,
        variant: int,
        min_level: float = 0.0,
        thin: GrooveBook | None = None,
    ) -> Iterator[Hit]:
        """Hits of ``row`` up to the last hold, in phrases whose level is at least ``min_level``.

        Phrases below :data:`THIN` take their row "comp" from ``thin`` where it is given.
        """
        for number, bar in enumerate(self.context.grid.bars):
            level = self.context.dynamics.phrase(number).level
            if level >= min_level:
                chosen = variant + (self.fuller if level > FULL else 0)
                cells = book.cells(bar, row, chosen)
                if thin and level < THIN:
                    cells = thin.cells(bar, "comp", chosen)
                for hit in hits(bar, cells, self.swing):
                    if hit.start_s < self.hold_s - 0.01:
                        yield hit

    def pieces(self, hit: Hit) -> Iterator[tuple[float, float, Chord]]:
        """Cut a held hit at chord changes; yields (start_s, end_s, chord)."""
        harmony = self.context.harmony
        end_s = min(hit.end_s, self.hold_s)
        start_s = hit.start_s
        while end_s - start_s > 0.03:
            chord = harmony.at(start_s)
            stop_s = end_s if chord.end_s >= end_s - 0.03 or chord.end_s <= start_s + 0.03 else chord.end_s
            yield start_s, stop_s, chord
            start_s = stop_s

    def strike(self, row: str, time_s: float, level: float) -> None:
        """Add one drum stroke."""
        self.add(DRUM_GROUP, DRUMS[row], time_s, time_s + DRUM_LENGTH_S, level)

    def bass(
        self,
        book: GrooveBook,
        variant: int,
        low: int = 33,
        high: int = 52,
        min_level: float = 0.0,
        lift: float = 6.0,
    ) -> None:
        """Play the bass. Signs: R the chord's bass, 5 fifth, 3 third, 8 octave, A a step to the next bass,
        V the bass and the fifth in turn while a chord lasts."""
        previous = 0
        sounded = -1
        turn = 0
        for hit in self.hits(book, "bass", variant, min_level):
            for start_s, end_s, chord in self.pieces(hit):
                index = self.context.harmony.index(start_s)
                sign = hit.sign.upper() if start_s == hit.start_s else "R"
                if sign == "V":
                    turn = turn + 1 if index == sounded else 0
                    sign = "R5"[turn % 2]
                if index != sounded and sign != "A":
                    sign = "R"  # the first note of a chord is always its bass
                sounded = index
                home = bass_pitch(chord.bass, previous, low, high)
                pitch = self._bass_tone(sign, chord, home, start_s, low, high)
                previous = home
                soft = -6.0 if hit.sign.islower() or hit.position % 1.0 else 0.0
                self.add("bass", pitch, start_s, end_s, self.level(start_s) + lift + soft)

    def _bass_tone(self, sign: str, chord: Chord, home: int, time_s: float, low: int, high: int) -> int:
        tones = chord.pitch_classes
        if sign == "8":
            return home + 12 if home + 12 <= high + 5 else home
        if sign == "A":
            goal = bass_pitch(self.context.harmony.after(time_s).bass, home, low, high)
            return goal - 1 if (goal - 1) % 12 in tones or home < goal else goal + 2
        wanted = {"R": chord.bass, "5": tones[2], "3": tones[1]}[sign]
        if wanted == chord.bass and sign == "5":
            wanted = chord.root
        return home if wanted == home % 12 else bass_pitch(wanted, home, low, high)

    def comp(
        self,
        group: str,
        book: GrooveBook,
        row: str,
        variant: int,
        voicer: Voicer,
        lift: float = 0.0,
        strum_s: float = 0.0,
    ) -> None:
        """Play chords in rhythm, each voiced to move least from the last one."""
        previous: tuple[int, ...] = ()
        for hit in self.hits(book, row, variant, thin=SPARSE):
            for start_s, end_s, chord in self.pieces(hit):
                previous = voicer(chord, previous)
                force = {"X": 5.0, "x": -3.0, "o": -12.0}.get(hit.sign, 0.0)
                level = self.level(start_s) + lift + force
                order = previous if hit.position % 1.0 == 0 else previous[::-1]
                for rank, pitch in enumerate(order):
                    top = 3.0 if pitch == previous[-1] else 0.0
                    self.add(group, pitch, start_s + strum_s * rank, end_s, level + top)

    def arpeggio(
        self,
        group: str,
        book: GrooveBook,
        row: str,
        variant: int,
        voicer: Voicer,
        min_level: float = 0.0,
        lift: float = 0.0,
    ) -> None:
        """Play single chord notes. Signs 1 to 4 count from the lowest; in a triad, 4 is the lowest plus
        12."""
        previous: tuple[int, ...] = ()
        sounded = -1
        for hit in self.hits(book, row, variant, min_level):
            index = self.context.harmony.index(hit.start_s)
            if index != sounded:
                previous = voicer(self.context.harmony.chords[index], previous)
                sounded = index
            k = int(hit.sign) - 1
            pitch = previous[k] if k < len(previous) else previous[0] + 12
            step_s = hit.end_s - hit.start_s
            accent = 4.0 if hit.position % 1.0 == 0 else 0.0
            level = self.level(hit.start_s) + lift + accent
            self.add(group, pitch, hit.start_s, hit.start_s + max(step_s, 0.1), level)

    def held(self, group: str, voicer: Voicer, min_level: float = 0.0, lift: float = -8.0) -> None:
        """Play sustained chords that change with harmony and phrase; common tones are tied."""
        previous: tuple[int, ...] = ()
        sounding: dict[int, Tied] = {}
        last_end_s = 0.0
        for start_s, end_s, chord, phrase_level in self._spans():
            if phrase_level < min_level:
                continue
            chosen = voicer(chord, previous)
            if start_s > last_end_s + 0.01:
                self._release(group, sounding, last_end_s, lift)
                sounding = {}
            for pitch in set(sounding) - set(chosen):
                self._release(group, {pitch: sounding.pop(pitch)}, start_s, lift)
            for pitch in chosen:
                sounding.setdefault(pitch, (start_s, self.level(start_s)))
            previous, last_end_s = chosen, end_s
        self._release(group, sounding, last_end_s, lift)

    def _spans(self) -> Iterator[tuple[float, float, Chord, float]]:
        """(start_s, end_s, chord, phrase level) of chords cut at phrases, up to the last hold."""
        grid, dynamics = self.context.grid, self.context.dynamics
        for phrase in dynamics.phrases:
            start_s = grid.bars[phrase.first].start_s
            end_s = min(grid.bars[phrase.stop - 1].end_s, self.hold_s)
            for piece in self.pieces(Hit(start_s, end_s, "R", 0.0)):
                yield (*piece, phrase.level)

    def _release(self, group: str, sounding: Mapping[int, Tied], end_s: float, lift: float) -> None:
        for pitch, (start_s, level) in sounding.items():
            self.add(group, pitch, start_s, end_s, level + lift)

    def end(self, pitched: Mapping[str, tuple[int, ...]], drums: tuple[str, ...] = ()) -> list[Note]:
        """Add the last chord, held to the end by every group of ``pitched``; returns all notes."""
        level = self.level(self.hold_s) + 4
        for group, pitches in pitched.items():
            for rank, pitch in enumerate(pitches):
                late_s = 0.02 * rank if group in ("pluck", "keys") else 0.0
                self.add(group, pitch, self.hold_s + late_s, self.context.song.duration_s, level)
        for row in drums:
            self.strike(row, self.hold_s, level)
        return self.notes

    def last_chord(self, voicer: Voicer, group: str) -> tuple[int, ...]:
        """Pitches of the last chord, led by ``voicer`` from the group's last notes."""
        mine = [n for n in self.notes if n.group == group]
        if not mine:
            return voicer(self.context.harmony.at(self.hold_s), ())
        latest = max(n.start_s for n in mine)
        previous = tuple(sorted(n.pitch for n in mine if n.start_s >= latest - 0.1))
        return voicer(self.context.harmony.at(self.hold_s), previous)

    def last_bass(self, low: int = 33, high: int = 52) -> tuple[int, ...]:
        """The bass note of the last chord."""
        return (bass_pitch(self.context.harmony.at(self.hold_s).bass, 0, low, high),)


def triads(low: int, high: int) -> Voicer:
    """A voicer for close chords of three or four tones between ``low`` and ``high``."""

    def voice(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
        return lead(chord.pitch_classes, previous, low, high)

    return voice


def spread_chords(low: int, high: int) -> Voicer:
    """A voicer for wide chords: close position with the second voice from the top an octave lower (drop
    2)."""

    def voice(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
        tones = chord.pitch_classes
        if len(tones) > 3:
            return lead(tones, previous, low, high, True)
        close = lead(tones, tuple(p for p in previous[1:]), low + 12, high)
        return (close[1] - 12, close[0], close[2])

    return voice
