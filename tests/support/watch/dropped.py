"""Vocals in an inbox, shared by several tests."""

from __future__ import annotations

from pathlib import Path

from support.watch.invariants import sha256


def drop(root: Path) -> dict[str, str]:
    """Drop two valid vocals, one with companions, and an unusable one; returns their hashes by name."""
    inbox = root / "inbox"
    (inbox / "sub").mkdir()
    vocals = {"song.wav": b"la" * 5000, "sub/song.wav": b"li" * 5000, "sub/bad.wav": b"refuse" * 1000}
    for name, content in vocals.items():
        (inbox / name).write_bytes(content)
    (inbox / "song.toml").write_text("bpm = 90\n")
    (inbox / "song.wav.done").touch()
    return {name: sha256(inbox / name) for name in vocals}
