"""Measures the loudness of each group in each style, and computes the gains for its target.

``python -m train.band.balance SOUNDFONT`` renders a typical part for every group, measures it (ITU-R
BS.1770-4, by pyloudnorm) and prints the gain for the table in :mod:`appliance.packs.sounds`.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pyloudnorm

from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_GROUP, GROUPS, STYLES, Note, Score
from appliance.packs.sounds import DEFAULT_SOUNDS, StyleSounds
from appliance.playing.soundfont_band import SoundFont, render_stems

LOUDNESS_LUFS: dict[str, dict[str, float]] = {
    "piano": {"keys": -23, "pluck": -28, "pad": -30, "bass": -27, "drums": -31},
    "strings": {"keys": -27, "pluck": -28, "pad": -23, "bass": -27, "drums": -31},
    "organ": {"keys": -26, "pluck": -29, "pad": -23, "bass": -27, "drums": -31},
    "guitar": {"keys": -28, "pluck": -23, "pad": -30, "bass": -27, "drums": -31},
    "pop": {"keys": -25, "pluck": -28, "pad": -30, "bass": -25, "drums": -24},
    "folk": {"keys": -27, "pluck": -24, "pad": -29, "bass": -26, "drums": -28},
    "jazz": {"keys": -25, "pluck": -28, "pad": -30, "bass": -25, "drums": -27},
    "synth": {"keys": -26, "pluck": -27, "pad": -27, "bass": -25, "drums": -24},
    "bossa": {"keys": -28, "pluck": -24, "pad": -30, "bass": -26, "drums": -29},
    "waltz": {"keys": -24, "pluck": -29, "pad": -26, "bass": -27, "drums": -31},
    "ballad": {"keys": -24, "pluck": -29, "pad": -28, "bass": -26, "drums": -28},
    "gospel": {"keys": -24, "pluck": -29, "pad": -27, "bass": -25, "drums": -26},
    "reggae": {"keys": -28, "pluck": -26, "pad": -31, "bass": -23, "drums": -25},
    "funk": {"keys": -27, "pluck": -27, "pad": -31, "bass": -24, "drums": -24},
    "country": {"keys": -28, "pluck": -24, "pad": -30, "bass": -26, "drums": -26},
    "latin": {"keys": -24, "pluck": -27, "pad": -30, "bass": -25, "drums": -27},
}
"""Target loudness of each group's typical part; the group that carries the style is loudest."""

BEAT_S = 0.6
_CHORDS = ((57, 60, 64), (53, 57, 60), (55, 60, 64), (55, 59, 62))
_ROOTS = (45, 41, 36, 43)


def typical_part(group: str) -> Score:
    """Four bars (9.6 s) of a typical part of ``group`` over four chords, at velocity 80."""
    notes: list[Note] = []

    def play(beat: float, beats: float, pitch: int, velocity: int = 80) -> None:
        notes.append(Note(beat * BEAT_S, (beat + beats) * BEAT_S, pitch, velocity, group))

    for bar, (chord, root) in enumerate(zip(_CHORDS, _ROOTS, strict=True)):
        first = 4 * bar
        if group == "pad":
            for pitch in chord:
                play(first, 4, pitch)
        elif group == "keys":
            for beat in range(4):
                for pitch in (root, *chord) if beat == 0 else chord:
                    play(first + beat, 1, pitch)
        elif group == "pluck":
            for eighth in range(8):
                play(first + eighth / 2, 1, (*chord, chord[1] + 12)[(0, 1, 2, 3, 2, 1, 2, 1)[eighth]])
        elif group == "bass":
            for half in (0, 2):
                play(first + half, 1.8, root)
        else:
            for beat in range(4):
                play(first + beat, 0.2, (36, 38)[beat % 2], 90)
                play(first + beat, 0.2, 42)
                play(first + beat + 0.5, 0.2, 42, 65)
    return Score.of(notes, 16 * BEAT_S)


def balanced(style: str, font: SoundFont) -> StyleSounds:
    """The default sounds of ``style``, with gains adapted to the loudness of ``font``'s presets."""
    sounds = dict(DEFAULT_SOUNDS[style])
    for group, sound in sounds.items():
        missing_db = LOUDNESS_LUFS[style][group] - loudness_lufs(style, group, font)
        gain_db = float(np.clip(sound.gain_db + missing_db, -60.0, 24.0))
        sounds[group] = sound.model_copy(update={"gain_db": gain_db})
    return sounds


def loudness_lufs(style: str, group: str, font: SoundFont, sounds: StyleSounds | None = None) -> float:
    """Integrated loudness of the group's typical part in LUFS, with its gain and reverb."""
    score = typical_part(group)
    samples = round(score.duration_s * SAMPLE_RATE_HZ)
    blocks = render_stems(score, sounds or DEFAULT_SOUNDS[style], font, samples)
    sound = np.concatenate([block.stems[group] for block in blocks])
    return float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(sound))


@click.command(help=__doc__)
@click.argument("soundfont", type=click.Path(path_type=Path))
def main(soundfont: Path) -> None:
    font = SoundFont(soundfont)
    click.echo(f"{'style':8} {'group':6} {'sound':20} {'is':>7} {'wanted':>7} {'gain now':>9} {'gain':>6}")
    for style in STYLES:
        for group in (*GROUPS, DRUM_GROUP):
            sound = DEFAULT_SOUNDS[style][group]
            measured, wanted = loudness_lufs(style, group, font), LOUDNESS_LUFS[style][group]
            better = round(2 * (sound.gain_db + wanted - measured)) / 2
            click.echo(
                f"{style:8} {group:6} {sound.name:20} {measured:7.1f} {wanted:7.1f}"
                f" {sound.gain_db:9.1f} {better:6.1f}"
            )


if __name__ == "__main__":
    main()
