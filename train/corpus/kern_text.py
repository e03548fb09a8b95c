"""What is read from the text of a kern file itself: expansion lists, meters, key, tempo."""

from __future__ import annotations

import re

_METER = re.compile(r"\*M(\d+)/(\d+)")
_SIGNATURE = re.compile(r"\*k\[([^]]*)\]")
_KEY = re.compile(r"\*([A-Ga-g])([-#]?):")
_TEMPO = re.compile(r"^\*MM\[?(\d+(?:\.\d+)?)", re.MULTILINE)


def with_plain_expansions(text: str) -> str:
    """The file with expansion lists as Verovio reads them, and without signs that hide notes from it.

    Some lists hold spaces or a trailing comma. A second list, without repeats, becomes a null interpretation;
    so do tremolo marks, with which Verovio draws written-out notes as one.
    """
    return "\n".join("\t".join(map(_plain, line.split("\t"))) for line in text.splitlines()) + "\n"


def _plain(token: str) -> str:
    if token.startswith("*>norep") or token in ("*tremolo", "*Xtremolo"):
        return "*"
    if not token.startswith("*>["):
        return token
    labels = (label.strip() for label in token[3:].rstrip().rstrip("]").split(","))
    return f"*>[{','.join(label for label in labels if label)}]"


def meters_by_line(text: str) -> dict[int, tuple[int, int]]:
    """The time signature at every bar line, by its line number from 1; line 1 stands for the first bar."""
    meter = (4, 4)
    meters: dict[int, tuple[int, int]] = {}
    waiting: list[int] = [1]
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("*"):
            for token in line.split("\t"):
                if match := _METER.fullmatch(token):
                    meter = (int(match.group(1)), int(match.group(2)))
        elif line.startswith("="):
            waiting.append(number)
        elif line and line[0] not in "!*":
            meters |= dict.fromkeys(waiting, meter)
            waiting = []
    return meters | dict.fromkeys(waiting, meter)


def signature(text: str) -> tuple[int, str]:
    """Fifths of the first key signature, and the mode of the first key: "" if the file names none."""
    match = _SIGNATURE.search(text)
    accidentals = match.group(1) if match else ""
    fifths = accidentals.count("#") - accidentals.count("-")
    for line in text.splitlines():
        for token in line.split("\t"):
            if key := _KEY.fullmatch(token):
                tonic = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[key.group(1).upper()]
                tonic += {"": 0, "#": 1, "-": -1}[key.group(2)]
                mode = "major" if key.group(1).isupper() else "minor"
                major = tonic if mode == "major" else tonic + 3
                return (7 * major + 5) % 12 - 5, mode
    return fifths, ""


def tempo(text: str) -> list[tuple[float, float]]:
    """The file's own tempo as one mark (0, quarters a minute), or none."""
    match = _TEMPO.search(text)
    return [(0.0, float(match.group(1)))] if match else []
