"""The quality of a chord: what stands behind its root, such as ``m7b5`` or ``maj7(#11)``, and its tones.

A quality is a triad, a highest third (``7``, ``9``, ``11``, ``13``) or added tone (``6``, ``69``), and
changes to them: ``sus4``, ``b5``, ``#9``, ``add11``, ``no3``. Spellings of one quality differ in signs
(``m``, ``min``, ``-``), brackets and order; each becomes the one that Backline writes.

Conventions: an eleventh replaces a major third, with which it would clash; a thirteenth does without the
eleventh; ``2`` adds a ninth, ``4`` suspends the third; ``alt`` is ``7#5#9``.
"""

from __future__ import annotations

import re
from functools import lru_cache

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "69": (0, 4, 7, 9, 2),
    "m69": (0, 3, 7, 9, 2),
    "dim7": (0, 3, 6, 9),
    "mmaj7": (0, 3, 7, 11),
    "aug7": (0, 4, 8, 10),
    "7b5": (0, 4, 6, 10),
    "7sus4": (0, 5, 7, 10),
    "add9": (0, 4, 7, 2),
    "madd9": (0, 3, 7, 2),
    "add11": (0, 4, 7, 5),
    "9": (0, 4, 7, 10, 2),
    "m9": (0, 3, 7, 10, 2),
    "maj9": (0, 4, 7, 11, 2),
    "7b9": (0, 4, 7, 10, 1),
    "7#9": (0, 4, 7, 10, 3),
    "9sus4": (0, 5, 7, 10, 2),
    "11": (0, 5, 7, 10, 2),
    "m11": (0, 3, 7, 10, 2, 5),
    "7#11": (0, 4, 7, 10, 6),
    "maj7#11": (0, 4, 7, 11, 6),
    "13": (0, 4, 7, 10, 2, 9),
    "m13": (0, 3, 7, 10, 2, 9),
    "maj13": (0, 4, 7, 11, 2, 9),
    "13sus4": (0, 5, 7, 10, 2, 9),
    "7b13": (0, 4, 7, 10, 8),
}
"""Common qualities by their shorthand: the tones as semitones above the root. The second tone is the third,
or what stands for it."""

_NAME_OF = {frozenset(tones): name for name, tones in reversed(QUALITIES.items())}

_MAJOR = r"major|Major|maj|Maj|MAJ|Ma|MA|ma(?!dd)|M|j|Δ|\^"
_TRIAD = re.compile(
    r"(?P<m>minor|Minor|min|Min|MIN|mi|m(?!aj|a(?!dd))|-)|(?P<dim>dim|Dim|o(?!mit)|°)|(?P<aug>aug|Aug|\+)"
    r"|(?P<half>ø|hdim|half-dim)|(?P<dom>dom)"
)
_HIGHEST = re.compile(rf"(?P<major>{_MAJOR})?(?P<number>69|6|13|11|9|7|5|4|2)?(?P<behind>M|maj)?")
_CHANGE = re.compile(
    r"(?P<sus>sus[24]?)|(?P<alt>alt)|(?:no|omit)(?P<no>[35])(?:rd|th)?"
    r"|(?P<add>add)?(?P<sign>[b#+-])?(?P<degree>13|11|9|6|5|4|2)|(?P<plus>\+)"
)
_SEMITONES = {"2": 2, "4": 5, "5": 7, "6": 9, "9": 2, "11": 5, "13": 9}
_SIGNS = {"b": -1, "-": -1, "#": 1, "+": 1, "": 0}
_ORDER = ("sus4", "sus2", "b5", "#5", "b9", "#9", "#11", "b13")
"""Changes in the order in which they are written; others follow."""


@lru_cache(maxsize=1024)
def quality_of(text: str) -> str | None:
    """The quality that ``text`` spells, as Backline writes it; None if it is none.

    >>> quality_of("min7(b5)"), quality_of("6/9"), quality_of("+7"), quality_of("foo")
    ('m7b5', '69', 'aug7', None)
    """
    read = _read(text)
    if read is None:
        return None
    base, changes = read
    ordered = sorted(changes, key=lambda c: _ORDER.index(c) if c in _ORDER else len(_ORDER))
    name = base + "".join(ordered)
    if name in QUALITIES:
        return name
    tones = _changed(base, ordered)
    if tones is None:
        return None
    known = _NAME_OF.get(frozenset(tones))
    if known is not None:
        return known
    return name if base else f"({name})"  # without brackets, 'Cb5' would be a C flat


@lru_cache(maxsize=1024)
def tones_of(quality: str) -> tuple[int, ...]:
    """The tones of a quality that :func:`quality_of` has written, as semitones above the root.

    >>> tones_of("m7b5"), tones_of("13#11")
    ((0, 3, 6, 10), (0, 4, 7, 10, 2, 9, 6))
    """
    if quality in QUALITIES:
        return QUALITIES[quality]
    read = _read(quality)
    tones = _changed(*read) if read else None
    if tones is None:
        raise ValueError(f"no such quality: {quality!r}")
    return tones


def _read(text: str) -> tuple[str, list[str]] | None:
    """The base and the changes to it that ``text`` spells; None if it spells none.

    A base is a triad with its highest third or sixth: ``m9``, ``maj7``, ``69``, ``dim``.
    """
    text = text.replace("6/9", "69").replace("9/6", "69")
    text = re.sub(r"(?:add)?[(,](?=9|11|13)", "add", text)
    text = re.sub(r"[(),:]", "", text)
    text = re.sub(r"^[Ss]us4?(7|9|13)$", r"\1sus4", text)
    triad = _TRIAD.match(text)
    kind = triad.lastgroup if triad else ""
    rest = text[triad.end() :] if triad else text
    highest = _HIGHEST.match(rest)
    assert highest is not None  # it matches nothing at all, too
    number = highest["number"] or ""
    if highest["behind"] and number not in ("7", "9", "13"):
        return None
    major = bool(highest["major"] or highest["behind"])
    if not number and (kind in ("half", "dom") or highest["major"] in ("Δ", "^") or (kind and major)):
        number = "7"
    changes = _changes(rest[highest.end() :])
    if changes is None:
        return None
    if kind == "aug" and number == "5":  # C+5 is C+
        number = ""
    if "alt" in changes:
        number = number or "7"
        changes = [*(c for c in changes if c != "alt"), "#5", "#9"]
    if kind == "half" or (kind == "dim" and (major or number not in ("", "7"))):
        kind, changes = "m", ["b5", *changes]
    elif kind == "aug":
        kind, changes = "", ["#5", *changes]
    return _base(kind or "", major, number, changes)


def _base(kind: str, major: bool, number: str, changes: list[str]) -> tuple[str, list[str]]:
    """The base of a triad of this kind with ``number`` on top; what is no base of its own is a change."""
    kind = "" if kind == "dom" else kind
    if number in ("2", "4", "5"):
        instead = {"2": "add9", "4": "sus4", "5": "no3"}[number]
        return kind, [instead, *changes]
    if number in ("", "6", "69"):
        major = False
    return kind + ("maj" if major else "") + number, list(dict.fromkeys(changes))


def _changes(text: str) -> list[str] | None:
    """The changes that ``text`` lists, each as Backline writes it; None if something else stands there."""
    changes: list[str] = []
    while text:
        match = _CHANGE.match(text)
        if match is None:
            return None
        text = text[match.end() :]
        if match["sus"]:
            changes.append("sus2" if match["sus"] == "sus2" else "sus4")
        elif match["alt"]:
            changes.append("alt")
        elif match["no"]:
            changes.append(f"no{match['no']}")
        elif match["plus"]:
            changes.append("#5")
        elif match["add"] or match["sign"]:
            sign = {"-": "b", "+": "#"}.get(match["sign"] or "", match["sign"] or "")
            degree = match["degree"]
            if match["add"]:
                degree = {"2": "9", "4": "11"}.get(degree, degree) if not sign else degree
                changes.append(f"add{sign}{degree}")
            else:
                changes.append(sign + degree)
        else:
            return None
    return list(dict.fromkeys(changes))


def _changed(base: str, changes: list[str]) -> tuple[int, ...] | None:
    """Tones of ``base`` after ``changes``, root and third first; None if they contradict it."""
    by_degree = _tones_of_base(base)
    for change in changes:
        if change.startswith("sus"):
            by_degree.pop("3", None)
            by_degree["sus" + change[3]] = _SEMITONES[change[3]]
        elif change.startswith("no"):
            if by_degree.pop(change[2:], None) is None:
                return None
        else:
            degree = change.removeprefix("add").lstrip("b#")
            sign = change.removeprefix("add").removesuffix(degree)
            natural = _SEMITONES[degree]
            if not change.startswith("add") and by_degree.get(degree) == natural:
                del by_degree[degree]
            by_degree[change] = (natural + _SIGNS[sign]) % 12
    lead = [tone for degree, tone in by_degree.items() if degree in ("1", "3", "sus4", "sus2")]
    return tuple(dict.fromkeys([*lead, *by_degree.values()]))


def _tones_of_base(base: str) -> dict[str, int]:
    """The tones of a base by their degrees."""
    minor, diminished = base.startswith("m") and not base.startswith("maj"), base.startswith("dim")
    tones = {"1": 0, "3": 3 if minor or diminished else 4, "5": 6 if diminished else 7}
    number = base.lstrip("dimaj")
    if number.startswith("6"):
        tones["6"] = 9
    elif number:
        tones["7"] = 9 if diminished else 11 if "maj" in base else 10
    if number in ("9", "11", "13", "69"):
        tones["9"] = 2
    if number == "13":
        tones["13"] = 9
    if number == "11":
        tones["11"] = 5
        if not minor:
            del tones["3"]
            tones = {"1": 0, "sus4": tones.pop("11"), **tones}
    return tones
