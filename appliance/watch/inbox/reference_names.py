"""Names of references: which files the setting ``like`` may name.

A recording that somebody likes looks like a vocal, and it may arrive before the sidecar that names it. So its
own name has to say that it is none: ``NAME.like.wav``. A MIDI file is never a vocal.
"""

from __future__ import annotations

import os

from appliance.errors import InputError
from appliance.watch.disk.found import shown

MIDI_ENDINGS = (b".mid", b".midi")

_RECORDINGS = b"""
    .wav .wave .bwf .rf64 .bw64 .aif .aiff .aifc .flac .ogg .oga .opus .mp3 .caf .w64 .au .snd
    .m4a .aac .mp4 .wma
""".split()

LIKE_ENDINGS = tuple(b".like" + ending for ending in (*_RECORDINGS, *MIDI_ENDINGS))
"""Endings of references that belong to a vocal, in lower case; not all can be read, but none is a vocal."""


def is_midi(name: bytes) -> bool:
    """Whether a file of this name is read as MIDI."""
    return name.lower().endswith(MIDI_ENDINGS)


def reference_path(sidecar: bytes, name: str) -> bytes:
    """The path of the reference that a sidecar calls ``name``. Raises InputError if it cannot be one."""
    if "/" in name or "\0" in name or name in (".", ".."):
        raise InputError(f"{shown(sidecar)}: like: '{name}' must be the name of a file in the same folder.")
    reference = os.fsencode(name)
    if not reference.lower().endswith((*LIKE_ENDINGS, *MIDI_ENDINGS)):
        raise InputError(
            f"{shown(sidecar)}: like: '{name}' is neither a MIDI file (.mid) nor a recording whose name says "
            "that it is no vocal; call it such as 'band.like.wav'."
        )
    return sidecar[: sidecar.rfind(b"/") + 1] + reference
