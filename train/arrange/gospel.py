"""Gospel: full piano chords that push the beat, an organ that holds them, a bass that walks into changes."""

from __future__ import annotations

from appliance.music.score import Note
from train.arrange.band import Band, Voicer, spread_chords
from train.arrange.chord import Chord
from train.arrange.context import Context
from train.arrange.drummer import Drummer
from train.arrange.groove import GrooveBook
from train.arrange.kit import Kit
from train.arrange.voice_leading import lead

GROOVES = GrooveBook.of(
    duple={
        2: (
            "kick X.|.x\nsnare ..|X.\nhat xx|xx\nbass R-|5A\ncomp X-|x-",
            "kick X.|..\nsnare ..|X.\nhat x.|x.\nbass R.|RA\ncomp .X|-x",
        ),
        3: (
            "kick X.|..|x.\nsnare ..|X.|X.\nhat xx|xx|xx\nbass R-|5-|8A\ncomp X-|x-|xx",
            "kick X.|..|.x\nsnare ..|X.|X.\nhat x.|x.|x.\nbass R-|-R|5A\ncomp X-|-X|x-",
        ),
        4: (
            "kick X.|..|X.|.x\nsnare ..|X.|..|X.\nhat xx|xx|xx|xx\nbass R-|.R|5-|3A\ncomp X-|.x|X-|xx",
            "kick X.|.x|.X|..\nsnare ..|X.|..|X.\nhat xx|xx|xx|xx\nbass R-|-5|8-|5A\ncomp X-|x-|-x|x-",
            "kick X.|..|X.|..\nsnare ..|X.|..|X.\nhat x.|x.|x.|x.\nbass R-|R-|5-|RA\ncomp X-|X-|X-|Xx",
        ),
    },
    ternary={
        2: (
            "kick X..|..x\nsnare ...|X..\nhat xxx|xxx\nbass R--|5.A\ncomp X-x|x-x",
            "kick X..|x..\nsnare ...|X..\nhat x.x|x.x\nbass R-R|5-A\ncomp X--|x.x",
        ),
    },
)


def gospel(context: Context) -> list[Note]:
    """Piano and organ throughout; the drums come in early and stay."""
    random = context.random
    band = Band(context, touch=random.uniform(68, 78))
    variant = random.randrange(12)
    keys, organ = _doubled(random.choice((57, 60)), 79), spread_chords(50, 77)
    entry = random.choice((0.3, 0.42))
    layers = dict.fromkeys(("kick", "snare", "hat", "ride"), entry)
    Kit(band, layers, Drummer("gospel", random)).play(GROOVES, variant, fills=0.4)
    band.bass(GROOVES, variant, 28, 48, min_level=0.2)
    band.comp("keys", GROOVES, "comp", random.randrange(12), keys, lift=-3)
    band.held("pad", organ, min_level=random.choice((0.0, 0.38)), lift=-16)
    last = {"keys": band.last_chord(keys, "keys"), "pad": band.last_chord(organ, "pad")}
    loud = context.dynamics.periods[-1].level > entry
    return band.end({**last, "bass": band.last_bass(28, 48)}, ("kick", "crash") if loud else ())


def _doubled(low: int, high: int) -> Voicer:
    """A voicer for close chords whose top note is doubled an octave below."""

    def voice(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
        close = lead(chord.pitch_classes, tuple(p for p in previous if p >= low), low, high)
        return (close[-1] - 12, *close) if close[-1] - 12 < close[0] else close

    return voice
