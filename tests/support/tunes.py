"""A short tune and a singer who hits every note."""

from __future__ import annotations

from appliance.music.keys import Key
from train.corpus.song import Song, SungNote
from train.singer.voices import VoiceSettings

EXACT = VoiceSettings(
    "m1", 55.0, vibrato_cents=0.0, overshoot=0.0, scoop_probability=0.0, drift_cents=0.0,
    pitch_error_cents=0.0, jitter_cents=0.0, timing_error_s=0.0, legato=1.0, breath_level_db=-100.0,
    attack_s=0.02,
)  # fmt: skip
TUNE = (
    ("sing", "single", 60),
    ("hea", "begin", 64),
    ("", "", 67),
    ("ven", "end", 65),
    ("sass", "single", 62),
)


def song_of(notes: tuple[SungNote, ...], duration_s: float, language: str = "en") -> Song:
    return Song(
        id="tune", title="Tune", split="train", language=language, duration_s=duration_s, voice=notes,
        written=(), beats_s=(), downbeats=(), bars_s=(0.0, duration_s), meters=((4, 4),),
        key=Key(0, "major"), tempo=((0.0, 120.0),), sha256="",
    )  # fmt: skip


def tune() -> Song:
    """Five notes of 0.6 s from 0.5 s on, the last after a rest of half a second."""
    starts = (0.5, 1.1, 1.7, 2.3, 3.4)
    notes = tuple(
        SungNote(s, s + 0.6, p, text, kind) for s, (text, kind, p) in zip(starts, TUNE, strict=True)
    )
    return song_of(notes, 4.5009)
