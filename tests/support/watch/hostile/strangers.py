"""Files that are not recordings but are named like some."""

from __future__ import annotations

import pickle
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

_TEXTS = {
    "script": b"#!/bin/sh\ntouch /tmp/backline-was-run\n",
    "page": b"<!doctype html><script>alert(1)</script>",
    "playlist": b"#EXTM3U\n/etc/passwd\nhttp://127.0.0.1/x.wav\n",
    "cue": b'FILE "/etc/passwd" WAVE\n',
    "svg": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>',
    "elf": b"\x7fELF\x02\x01\x01" + bytes(2000),
    "pe": b"MZ\x90\x00" + bytes(2000),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "mp4": b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + bytes(500),
    "mkv": b"\x1a\x45\xdf\xa3" + bytes(500),
    "wma": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(500),
    "midi": b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\xff\xff" + bytes(100),
    "spaces": b" " * 5000,
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "magic only": b"RIFF",
    "flac magic only": b"fLaC",
    "ogg magic only": b"OggS",
    "id3 only": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
    "escapes": b"\x1b[2J\x1b]0;owned\x07\r\n" * 100,
}
_ENDINGS = ("wav", "flac", "mp3", "ogg", "aiff", "m4a", "", "WAV", "exe")


class _Touch:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("/tmp/backline-was-unpickled"),)


def strangers(choice: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """``count`` files as names with endings, and bytes; each kind at least once if possible."""
    kinds = {**_TEXTS, "empty": b"", "one byte": b"R", "pickle": pickle.dumps(_Touch()), "base": _sqlite()}
    for number in range(count):
        kind = list(kinds)[number % len(kinds)]
        data = kinds[kind] + (choice.randbytes(choice.randrange(64)) if number >= len(kinds) else b"")
        ending = choice.choice(_ENDINGS)
        yield f"{kind} {number}.{ending}" if ending else f"{kind} {number}", data


def _sqlite() -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        with sqlite3.connect(file.name) as base:
            base.execute("CREATE TABLE t (x)")
        base.close()
        return Path(file.name).read_bytes()
