"""Hostile settings, charts and done markers beside vocals, by folder."""

from __future__ import annotations

_SETTINGS = {
    "deep": "a = " + "[" * 9000,
    "long key": "a" + ".a" * 100_000 + " = 1",
    "long table": "[a" + ".a" * 7000 + "]",
    "digits": "seed = 1" + "0" * 5000,
    "hex digits": "seed = 0x1" + "0" * 450,
    "nan": "bpm = nan",
    "inf": "bpm = inf",
    "wrong type": "takes = true",
    "text for a number": 'bpm = "92"',
    "unknown": "pack = '/etc/passwd'",
    "outside": 'chords = "../../../etc/passwd.txt"',
    "absolute": 'chords = "/etc/passwd"',
    "nul": 'chords = "a\\u0000.txt"',
    "escape": 'chords = "\\u001b[31m.txt"',
    "control name": '"\\u001b[2J\\u0007" = 1',
    "missing chart": 'chords = "nowhere.txt"',
    "chart is a link": 'chords = "link.txt"',
    "chart is nonsense": 'chords = "nonsense.txt"',
    "chart is long": 'chords = "long.txt"',
    "style": 'style = "polka"',
    "key": 'key = "H# lydian"',
    "many takes": "takes = 99999",
    "duplicate": "bpm = 90\nbpm = 91",
    "huge": "# " + "x\n# " * 100_000,
    "no text": "\x00\x01",
}


def sidecars() -> dict[str, dict[str, bytes]]:
    """The files beside the vocal of each folder; in every other folder they apply to the whole folder."""
    made: dict[str, dict[str, bytes]] = {}
    for number, (what, text) in enumerate(_SETTINGS.items()):
        name = "backline.toml" if number % 2 else "vocal.toml"
        made[f"sidecar {what}"] = {name: text.encode("latin-1")}
    made["sidecar chart is nonsense"]["nonsense.txt"] = b"| " * 3000 + b"\x1b[31m\n"
    made["sidecar chart is long"]["long.txt"] = b"| Am " * 50_000
    return made
