"""What a LilyPond source says that its MIDI file does not: key, pickup, hyphens, whether there is a tempo."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from appliance.music.keys import pitch_class

_NOTE = re.compile(r"(?<![\\\w\"])[a-grs](?:is|es|s|f|ff|ss)*[',]*\d")
_KEY = re.compile(r"\\key\s+([a-h])(isis|eses|is|es|sharp|flat|s|f)?\s*\\(\w+)")
_PARTIAL = re.compile(r"\\partial\s+(\d+)(\.*)(?:\*(\d+)(?:/(\d+))?)?")
_FIFTHS_BELOW_MAJOR = {
    "major": 0, "ionian": 0, "mixolydian": 1, "dorian": 2, "minor": 3, "aeolian": 3,
    "phrygian": 4, "locrian": 5, "lydian": -1,
}  # fmt: skip
_SYLLABLE = re.compile(r'"([^"]*)"|([^\s{}"\\]+)')


def without_comments(source: str) -> str:
    """The source without ``%`` comments."""
    return re.sub(r"%\{.*?%\}|%[^\n]*", "", source, flags=re.DOTALL)


def has_tempo(source: str) -> bool:
    r"""Whether the source sets a tempo; without ``\tempo`` LilyPond plays 60 quarters a minute."""
    return re.search(r"\\tempo\b|tempoWholesPerMinute", without_comments(source)) is not None


def key_signature(source: str) -> tuple[int, str]:
    """Fifths and mode of the first key signature; the mode is "" unless it is major or minor."""
    text = without_comments(source)
    match = _KEY.search(text)
    if match is None:
        return 0, ""
    letter, accidental, mode = match.groups()
    accidental = accidental or ""
    if letter == "h":
        letter = "b"
    elif letter == "b" and not accidental and re.search(r"deutsch|german", text):
        accidental = "es"
    if re.search(r"english", text) and accidental == "s":
        accidental = "is"
    flats = accidental in ("es", "s", "f", "flat", "eses")
    sharps = accidental in ("is", "sharp", "isis")
    tonic = pitch_class(letter.upper() + "b" * flats + "#" * sharps)
    fifths = (7 * tonic + 5) % 12 - 5 - _FIFTHS_BELOW_MAJOR.get(mode, 0)
    return (fifths + 5) % 12 - 5, mode if mode in ("major", "minor") else ""


def pickup_quarters(source: str) -> float:
    r"""Length of the first bar if ``\partial`` shortens it, in quarters; otherwise 0."""
    text = without_comments(source)
    match = _PARTIAL.search(text)
    if match is None:
        return 0.0
    before = text[: match.start()]
    if _NOTE.search(before[before.rfind("=") :]):
        return 0.0  # a partial bar in the middle
    unit, dots, times, divisor = match.groups()
    length = Fraction(4, int(unit)) * (2 - Fraction(1, 2 ** len(dots)))
    return float(length * Fraction(int(times or 1), int(divisor or 1)))


def hyphenated(source: str) -> Counter[tuple[str, str]]:
    """Pairs of syllables: positive if ``--`` lies between them more often than not, so they form a word."""
    pairs: Counter[tuple[str, str]] = Counter()
    before, hyphen = "", False
    for quoted, plain in _SYLLABLE.findall(without_comments(source)):
        token = quoted or plain
        if token == "--":
            hyphen = True
        elif token not in ("_", "__"):
            pairs[before, token] += 1 if hyphen else -1
            before, hyphen = token, False
    return pairs
