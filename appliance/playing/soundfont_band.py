"""Plays a score with a soundfont, one stereo stem per group, block by block.

The synthesiser is tinysoundfont: an MIT-licensed wheel without dependencies that renders into our buffers and
lets several players share a loaded soundfont. FluidSynth needs a system library; symusic renders only whole
files. Three properties of tinysoundfont shape this module:

- Envelopes change every 64 samples, counted from the start of a ``render`` call, and the first step of a note
  is silent. Therefore ``render`` calls end at every note, and the samples after an onset are rendered in
  short steps (:data:`ATTACK_STEP_SAMPLES`). The result depends only on the notes, not on the block size.
- Its gain is linear in velocity; SoundFont 2.01 (§8.4.1) requires the square. Each velocity gets its own
  channel, whose volume is the missing factor. The choice of the sample layer does not change.
- It keeps a pointer to its samples from before the ``realloc`` that trims them. glibc shrinks a large block
  in place, so the pointer stays valid. Under an emulator or debugger that moves the block, it crashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tinysoundfont import _tinysoundfont as tsf  # the public Synth cannot share a loaded soundfont

from appliance.errors import PackError
from appliance.grid import SAMPLE_RATE_HZ
from appliance.music.score import DRUM_GROUP, Note, Score
from appliance.packs.sounds import Sound
from appliance.playing.placing import Place
from appliance.playing.reverb import PARTITION_SAMPLES, impulse_response
from appliance.system.threads import ahead

ATTACK_STEP_SAMPLES = 16
"""Render step after an onset (0.36 ms): the delay of a note whose sound has an attack phase."""

ATTACK_STEPS = 4

MAX_VOICES = 512
"""Most voices per group; beyond them, the voice furthest into its release is dropped."""

_OFF, _ON = 0, 1


@dataclass(frozen=True)
class StemBlock:
    """Samples ``start`` to ``start + samples`` of all stems: group to (``samples``, 2) float32."""

    start: int
    samples: int
    stems: dict[str, NDArray[np.float32]]

    def mix(self) -> NDArray[np.float32]:
        """The sum of the stems: (samples, 2)."""
        total = np.zeros((self.samples, 2), np.float32)
        for stem in self.stems.values():
            total += stem
        return total


class SoundFont:
    """A loaded soundfont. Any number of renders may share it, but only one thread at a time.

    Raises:
        PackError: the file is missing or is not a soundfont.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise PackError(f"{path}: the soundfont is missing; copy the whole pack again.")
        try:
            self._font = tsf.SoundFont(str(path))
        except (RuntimeError, ValueError) as error:
            raise PackError(f"{path}: not a readable soundfont; copy the whole pack again.") from error

    def player(self, bank: int, program: int, tuning_cents: float = 0.0) -> tsf.SoundFont:
        """A new synthesiser with the preset on all channels, one channel per velocity.

        It is tuned to ``tuning_cents`` above A = 440 Hz.

        Raises:
            PackError: the soundfont has no such preset.
        """
        if self._font.get_preset_index(bank, program) < 0:
            raise PackError(
                f"{self.path}: the soundfont has no preset {bank}:{program}, which the pack uses; "
                "copy the whole pack again."
            )
        player = tsf.SoundFont(self._font)
        player.set_output(tsf.OutputMode.StereoInterleaved, SAMPLE_RATE_HZ, 0.0)
        player.set_max_voices(MAX_VOICES)
        for velocity in range(1, 128):
            player.channel_set_bank(velocity, bank)
            player.channel_set_preset_number(velocity, program, False)
            player.channel_set_volume(velocity, velocity / 127.0)
            player.channel_set_tuning(velocity, tuning_cents / 100.0)
        return player


def render_stems(
    score: Score,
    sounds: Mapping[str, Sound],
    soundfont: SoundFont | Path,
    total_samples: int,
    block_samples: int = PARTITION_SAMPLES,
    tuning_cents: float = 0.0,
) -> Iterator[StemBlock]:
    """Play ``score`` from its start in blocks of ``block_samples`` samples, ``total_samples`` in all.

    The band is tuned to ``tuning_cents`` above A = 440 Hz; drums are not.

    Every block holds a stem for each group that plays (``score.groups()``). Gain, balance and reverb of the
    group are applied, so that the stems add up to the mix. Notes start on the nearest sample; notes at or
    after the end are left out. Memory does not grow with the length, and the samples do not depend on
    ``block_samples``.

    Raises:
        PackError: the soundfont cannot be read or lacks a preset, or a group has no sound.
    """
    font = soundfont if isinstance(soundfont, SoundFont) else SoundFont(soundfont)
    groups = score.groups()
    for group in groups:
        if group not in sounds:
            raise PackError(f"{font.path.parent}: the pack has no sound for group {group}; copy it again.")
    room = impulse_response() if any(sounds[group].reverb_db is not None for group in groups) else None
    stems = {}
    for group in groups:
        sound, notes = sounds[group], score.only(group).notes
        drums = group == DRUM_GROUP
        player = font.player(sound.bank, sound.program, 0.0 if drums else tuning_cents)
        place = Place(total_samples, sound.gain_db, sound.pan, sound.reverb_db, room)
        stems[group] = _Stem(player, _events(notes, total_samples, rings=drums), place)
    return in_blocks(stems, total_samples, block_samples)


class Stem(Protocol):
    """A player of one group, a partition at a time, and its place in the mix."""

    place: Place

    def play(self) -> NDArray[np.float32]:
        """The next PARTITION_SAMPLES samples, dry: (PARTITION_SAMPLES, 2)."""
        ...


def in_blocks(stems: Mapping[str, Stem], total_samples: int, block_samples: int) -> Iterator[StemBlock]:
    """Play ``stems`` in partitions, place them, and cut the result into blocks of ``block_samples``.

    A second thread plays the next partitions while this one places the current ones.
    """

    def played() -> Iterator[dict[str, NDArray[np.float32]]]:
        for _ in range(0, total_samples, PARTITION_SAMPLES):
            yield {group: stem.play() for group, stem in stems.items()}

    waiting = {group: np.zeros((0, 2), np.float32) for group in stems}
    rendered = 0
    with closing(ahead(played())) as partitions:
        for start in range(0, total_samples, block_samples):
            samples = min(block_samples, total_samples - start)
            pieces = {group: [waiting[group]] for group in stems}
            while rendered < start + samples:
                for group, dry in next(partitions).items():
                    pieces[group].append(stems[group].place.put(dry))
                rendered += PARTITION_SAMPLES
            cut = {}
            for group in stems:
                sound = np.concatenate(pieces[group])
                cut[group], waiting[group] = sound[:samples], sound[samples:]
            yield StemBlock(start, samples, cut)


class _Stem:
    """The stem of one group, played with the soundfont."""

    def __init__(
        self,
        player: tsf.SoundFont,
        events: list[tuple[int, int, int, int]],
        place: Place,
    ) -> None:
        self._player = player
        self._events = events
        self._next_event = 0
        self._fine_until = 0
        self._position = 0
        self.place = place

    def play(self) -> NDArray[np.float32]:
        """The next PARTITION_SAMPLES samples, dry: (PARTITION_SAMPLES, 2)."""
        out = np.zeros((PARTITION_SAMPLES, 2), np.float32)
        start, end = self._position, self._position + PARTITION_SAMPLES
        while self._position < end:
            self._strike_and_release()
            stop = end
            if self._next_event < len(self._events):
                stop = min(stop, self._events[self._next_event][0])
            if self._position < self._fine_until:
                stop = min(stop, self._position + ATTACK_STEP_SAMPLES)
            self._player.render(out[self._position - start : stop - start].data.cast("B"))
            self._position = stop
        return out

    def _strike_and_release(self) -> None:
        """Send the events that are due at the current sample."""
        while self._next_event < len(self._events) and self._events[self._next_event][0] == self._position:
            _, kind, pitch, velocity = self._events[self._next_event]
            if kind == _ON:
                self._player.channel_note_on(velocity, pitch, (velocity + 0.001) / 127.0)  # it truncates
                self._fine_until = self._position + ATTACK_STEP_SAMPLES * ATTACK_STEPS
            else:
                self._player.channel_note_off(velocity, pitch)
            self._next_event += 1


def _events(notes: tuple[Note, ...], total_samples: int, rings: bool) -> list[tuple[int, int, int, int]]:
    """Note events (sample, off or on, pitch, velocity) in order, at one sample note-off first.

    A pitch plays one note at a time: a new note ends the one before and lasts at least as long as it would
    have. Two notes of a pitch at one sample become one, with the higher velocity. With ``rings`` (drums)
    there is no note-off: the samples end by themselves.
    """
    struck: dict[int, list[list[int]]] = {}
    for note in sorted(notes):
        start = round(note.start_s * SAMPLE_RATE_HZ)
        end = max(round(note.end_s * SAMPLE_RATE_HZ), start + 1)
        if not 0 <= start < total_samples:
            continue
        key = struck.setdefault(note.pitch, [])
        if key and key[-1][0] == start:
            key[-1][1:] = [max(key[-1][1], end), max(key[-1][2], note.velocity)]
            continue
        if key and key[-1][1] > start:
            end = max(end, key[-1][1])
            key[-1][1] = start
        key.append([start, end, note.velocity])
    events = []
    for pitch, key in struck.items():
        for start, end, velocity in key:
            events.append((start, _ON, pitch, velocity))
            if not rings:
                events.append((end, _OFF, pitch, velocity))
    return sorted(events)
