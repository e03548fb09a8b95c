"""Chords by their place in the key: Nashville numbers (``1 4 5 6m``) and roman numerals (``I IV V7 vi``).

A number or a capital is a major chord unless its quality says otherwise, a small numeral a minor one. In
major, degrees count up the major scale; in minor, up the natural minor scale, except that a diminished
chord on the seventh stands on the leading note. ``b3``, ``b6`` and ``b7`` are the same in both. Behind a
slash stands the bass, as a degree or a letter (``1/3``); behind a numeral, a numeral names the key it leads
to (``V7/ii``). Figures after a numeral are inversions (``I6``, ``V65``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.errors import UsageError
from appliance.music.chord_names import Chord, unified
from appliance.music.chord_quality import quality_of, tones_of
from appliance.music.keys import Key, pitch_class, spell

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
_NUMERAL = r"VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i"
_TOKEN = re.compile(rf"([#b]?)({_NUMERAL}|[1-7])(.*)")
_FIGURED = re.compile(r"(°|o|ø|\+|dim|aug|)(6/?4|6/?5|4/?3|4/?2|6)")
_FIGURES = {"6": (False, 1), "64": (False, 2), "65": (True, 1), "43": (True, 2), "42": (True, 3)}
"""Figures of an inversion: whether the chord has its seventh, and which of its tones is the bass."""

_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_LEADING_NOTE = 11


@dataclass(frozen=True, slots=True)
class SongKey:
    """The key in which a chart counts its degrees, and whether the user has ``given`` it."""

    key: Key
    given: bool = False


def is_degree(token: str) -> bool:
    """Whether ``token`` is a chord by degree.

    >>> is_degree("b7"), is_degree("V7/ii"), is_degree("Am")
    (True, True, False)
    """
    return _read(*_leading_to(unified(token), Key(0, "major"))) is not None


def chord_of_degree(token: str, key: Key) -> Chord:
    """The chord that ``token`` is in ``key``, spelled as usual there.

    Raises:
        UsageError: ``token`` is no degree.

    >>> chord_of_degree("6m7", Key.parse("Bb")).label, chord_of_degree("V7/V", Key.parse("C")).label
    ('Gm7', 'D7')
    """
    plain, key = _leading_to(unified(token), key)
    read = _read(plain, key)
    if read is None:
        raise UsageError(f"{token!r} is not a chord that Backline knows; write it like '6m', 'V7' or 'F#m7'.")
    root, quality, bass = read
    return Chord(spell(root, key), quality, spell(bass, key) if bass != root else "")


def counting_key(tokens: Iterable[str], key: Key, given: bool) -> Key:
    """The key whose tonic is the first degree of a chart with these ``tokens`` (other tokens do not count).

    A chart that calls its tonic minor (``1m``, ``i``) is in minor; in a minor key, a chart that does not
    counts in the relative major. Where ``key`` was heard and not ``given``, a chart in minor makes it the
    relative minor: that is what it was probably taken for.
    """
    tonics = {_is_minor_tonic(unified(token)) for token in tokens} - {None}
    if key.mode == "minor":
        return key if True in tonics else Key((key.tonic + 3) % 12, "major")
    if tonics == {True}:
        return Key(key.tonic if given else (key.tonic + 9) % 12, "minor")
    return key


def _is_minor_tonic(token: str) -> bool | None:
    """Whether ``token`` is the minor chord on the first degree, or a major one (False); None if neither."""
    match = _TOKEN.fullmatch(token)
    read = _read(token, Key(0, "major")) if match else None
    if match is None or read is None or match[1] or match[2] not in ("1", "I", "i"):
        return None
    return 3 in tones_of(read[1]) and 4 not in tones_of(read[1])


def _leading_to(token: str, key: Key) -> tuple[str, Key]:
    """A numeral that leads to another (``V7/ii``) without it, and the key it counts in; others unchanged."""
    match = re.fullmatch(rf"([#b]?(?:{_NUMERAL})[^/]*)/([#b]?)({_NUMERAL})", token)
    if match is None:
        return token, key
    tonic = _pitch_class(match[2], match[3], "", key)
    return match[1], Key(tonic, "minor" if match[3].islower() else "major")


def _read(token: str, key: Key) -> tuple[int, str, int] | None:
    """Pitch class of the root, quality, and pitch class of the bass; None if ``token`` is no degree."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    sign, numeral, rest = match[1], match[2], match[3].replace("6/9", "69")
    figures = None if numeral.isdigit() else _FIGURED.fullmatch(rest)
    if figures:
        rest = figures[1]
    rest, slash, below = rest.partition("/")
    quality = quality_of(_with_third(numeral, rest))
    if quality is None:
        return None
    root = _pitch_class(sign, numeral, quality, key)
    if figures:
        seventh, place = _FIGURES[figures[2].replace("/", "")]
        quality = _with_seventh(quality, root, key) if seventh else quality
        return root, quality, (root + sorted(tones_of(quality))[place]) % 12
    bass = _bass(below, key) if slash else root
    return None if bass is None else (root, quality, bass)


def _with_third(numeral: str, quality: str) -> str:
    """``quality`` as it is meant behind ``numeral``: a small one is minor without being called so."""
    own_third = re.match(r"°|o(?!mit)|ø|hdim|dim|\+|aug|sus|-|mi|m(?!aj|a(?!dd)|M)", quality)
    return quality if not numeral.islower() or own_third else f"m{quality}"


def _pitch_class(sign: str, numeral: str, quality: str, key: Key) -> int:
    degree = int(numeral) - 1 if numeral.isdigit() else _ROMAN.index(numeral.upper())
    if sign == "b":
        return (key.tonic + _SCALES["major"][degree] - 1) % 12
    step = _SCALES[key.mode][degree]
    if degree == 6 and quality in ("dim", "dim7") and not sign:
        step = _LEADING_NOTE
    return (key.tonic + step + (sign == "#")) % 12


def _bass(name: str, key: Key) -> int | None:
    if re.fullmatch(r"[A-H][#b]?", name):
        return pitch_class(name.replace("H", "B"))
    if match := re.fullmatch(r"([#b]?)([1-7])", name):
        return _pitch_class(match[1], match[2], "", key)
    return None


def _with_seventh(quality: str, root: int, key: Key) -> str:
    """A triad with the seventh that the scale of ``key`` has above its ``root``."""
    scale = {(key.tonic + step) % 12 for step in _SCALES[key.mode]}
    if quality == "dim":
        return "dim7" if (root + 9) % 12 in scale else "m7b5"
    major = (root + 11) % 12 in scale and (root + 10) % 12 not in scale
    return quality_of(f"{quality}{'maj7' if major else '7'}") or quality
