"""Cuts a soundfont down to what chosen presets need.

The remaining rows of the nine tables are renumbered; samples are copied unchanged (E-mu, "SoundFont Technical
Specification 2.04", 2006). Four things change on purpose; options turn off the first two:

- Attenuation is multiplied by 0.4, as the E-mu hardware and FluidSynth do, for which soundfonts are made. The
  appliance's synthesiser applies it in full, which makes kicks and cymbals too soft beside snares.
- A stereo pair in an exclusive class (hi-hats) becomes mono, because in the appliance's synthesiser the right
  half of the pair silences the left. Presets whose stereo width is not worth their size become mono too.
- Keys above and below a preset's compass go to its outermost zone, because the model may write any key (a
  contrabass stops at A3).
- A loop whose mean is far from zero is centred: held pads would add a DC offset to the mix.

Every instrument also gets a global zone. Without one, the appliance's synthesiser takes a first zone that the
preset cannot reach for the global zone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.errors import UsageError
from quantize.preset_zones import KEY_RANGE, PAN, Zone, lay_out, zones_of
from quantize.riff import Tables

VELOCITY_RANGE, INSTRUMENT, SAMPLE = 44, 41, 53
ATTENUATION, EXCLUSIVE_CLASS, SAMPLE_MODES = 48, 57, 54
"""Generators (specification §8.1.2)."""

ATTENUATION_SCALE = 0.4

GUARD_SAMPLES = 46
"""Guard samples that the format requires after the end of each sample (specification §6.1)."""

OFFSET_SHARE = 0.02
"""A loop is centred if its mean exceeds this share of its standard deviation."""

OFFSET_FADE_SAMPLES = 2205
"""The correction fades in over this length (50 ms), too slowly to be heard."""

LEFT, ROM = 4, 0x8000
"""Bits of a sample's type."""

Presets = Mapping[tuple[int, int], Collection[int]]
"""By (bank, program), the keys that will be played."""


def cut(
    font: Tables,
    presets: Presets,
    attenuation_scale: float = ATTENUATION_SCALE,
    mono_exclusive: bool = True,
    mono: Collection[tuple[int, int]] = (),
) -> Tables:
    """``font`` with only ``presets`` and the instruments, zones and samples that their keys need.

    Args:
        font: the source.
        presets: what to keep.
        attenuation_scale: factor on all attenuations.
        mono_exclusive: whether stereo pairs in an exclusive class become mono.
        mono: presets (bank, program) of which only the right half of each stereo pair is kept, panned to
            the centre.

    Raises:
        UsageError: the font lacks a preset, or one needs a sample from a sound card's ROM.
    """
    return _Cut(font, presets, attenuation_scale, mono_exclusive, frozenset(mono)).tables()


class _Cut:
    """State of one cut: what is kept, numbered in the order in which it is found."""

    def __init__(
        self,
        font: Tables,
        presets: Presets,
        scale: float,
        mono_exclusive: bool,
        mono: frozenset[tuple[int, int]],
    ) -> None:
        self._font, self._scale, self._mono_exclusive = font, scale, mono_exclusive
        self._mono_presets, self._mono_instruments = mono, set[int]()
        self._wanted = presets
        self._samples: dict[int, int] = {}
        self._looped: set[int] = set()
        self._instruments: dict[int, int] = {}
        self._kept_zones: dict[int, dict[int, tuple[int, int]]] = {}  # instrument: zone: keys

    def tables(self) -> Tables:
        font = self._font
        rows = {(int(p["bank"]), int(p["preset"])): i for i, p in enumerate(font["phdr"][:-1])}
        missing = [f"{bank}:{program}" for bank, program in self._wanted if (bank, program) not in rows]
        if missing:
            raise UsageError(f"The soundfont has no preset {', '.join(missing)}; choose a fuller one.")
        presets = []
        for bank, program in sorted(self._wanted):
            before = set(self._instruments)
            zones = list(self._preset_zones(rows[bank, program], frozenset(self._wanted[bank, program])))
            if (bank, program) in self._mono_presets:
                self._mono_instruments |= {old for old in self._instruments if old not in before}
            presets.append((font["phdr"][rows[bank, program]], zones))
        instruments = []
        for old in self._instruments:  # in order of their new numbers
            instruments.append((font["inst"][old], list(self._instrument_zones(old))))
        out = Tables(info=dict(font.info), samples=font.samples, rows={})
        lay_out(out, font, "phdr", "pbag", "pgen", "pmod", presets)
        lay_out(out, font, "inst", "ibag", "igen", "imod", instruments)
        self._copy_samples(out)
        return out

    def _preset_zones(self, preset: int, keys: frozenset[int]) -> Iterator[Zone]:
        """The preset's zones that any of ``keys`` can reach; records which instrument zones they use."""
        sounding = self._sounding_keys(preset, keys)
        default_keys = default_velocities = (0, 127)
        for index, zone in enumerate(zones_of(self._font, "phdr", "pbag", "pgen", "pmod", preset)):
            zone_keys = zone.range_of(KEY_RANGE, default_keys)
            velocities = zone.range_of(VELOCITY_RANGE, default_velocities)
            instrument = zone.get(INSTRUMENT)
            if instrument is None:
                if index == 0:  # the global zone: defaults of the others
                    default_keys, default_velocities = zone_keys, velocities
                    yield self._scaled(zone)
                continue
            reachable = frozenset(key for key in keys if zone_keys[0] <= key <= zone_keys[1])
            used = self._reach(instrument, reachable, velocities)
            if used:
                kept = self._kept_zones.setdefault(instrument, {})
                for number, reach in used.items():
                    kept[number] = _hull(kept.get(number, reach), _extended(reach, sounding, keys))
                if zone.get(KEY_RANGE) is not None:
                    zone.set_keys(*_extended(zone_keys, sounding, keys))
                zone.replace(INSTRUMENT, self._instruments.setdefault(instrument, len(self._instruments)))
                yield self._scaled(zone)

    def _sounding_keys(self, preset: int, keys: frozenset[int]) -> frozenset[int]:
        """Those of ``keys`` that the preset plays at some velocity."""
        sounding: set[int] = set()
        default_keys = (0, 127)
        for index, zone in enumerate(zones_of(self._font, "phdr", "pbag", "pgen", "pmod", preset)):
            low, high = zone.range_of(KEY_RANGE, default_keys)
            instrument = zone.get(INSTRUMENT)
            if instrument is None:
                if index == 0:
                    default_keys = (low, high)
                continue
            inside = frozenset(key for key in keys if low <= key <= high)
            for first, last in self._reach(instrument, inside, (0, 127)).values():
                sounding.update(key for key in inside if first <= key <= last)
        return frozenset(sounding)

    def _reach(
        self, instrument: int, keys: frozenset[int], velocities: tuple[int, int]
    ) -> dict[int, tuple[int, int]]:
        """Key range, by index, of the instrument's zones that sound for ``keys`` and ``velocities``."""
        used = {}
        default_keys = default_velocities = (0, 127)
        for index, zone in enumerate(zones_of(self._font, "inst", "ibag", "igen", "imod", instrument)):
            low, high = zone.range_of(KEY_RANGE, default_keys)
            softest, loudest = zone.range_of(VELOCITY_RANGE, default_velocities)
            if zone.get(SAMPLE) is None:
                if index == 0:
                    default_keys, default_velocities = (low, high), (softest, loudest)
                continue
            if softest <= velocities[1] and velocities[0] <= loudest and any(low <= k <= high for k in keys):
                used[index] = (low, high)
        return used

    def _instrument_zones(self, instrument: int) -> Iterator[Zone]:
        """The instrument's global zone and the zones that are needed."""
        kept = self._kept_zones[instrument]
        default_mode = 0
        for index, zone in enumerate(zones_of(self._font, "inst", "ibag", "igen", "imod", instrument)):
            sample = zone.get(SAMPLE)
            mode = zone.get(SAMPLE_MODES)
            if index == 0 and sample is None:
                default_mode = mode or 0
            if index == 0:
                yield self._scaled(zone) if sample is None else Zone.neutral(zone.modulators[:0])
            if sample is None or index not in kept:
                continue
            if zone.range_of(KEY_RANGE, (0, 127)) != kept[index]:
                zone.set_keys(*kept[index])
            header = self._font["shdr"][sample]
            if int(header["type"]) & ROM:
                raise UsageError("The soundfont plays samples from a sound card's ROM; choose another.")
            mono = instrument in self._mono_instruments or (
                self._mono_exclusive and bool(zone.get(EXCLUSIVE_CLASS))
            )
            if mono and zone.get(PAN) is not None:
                if int(header["type"]) & LEFT:
                    continue
                zone.replace(PAN, 0)
            if (default_mode if mode is None else mode) & 1:
                self._looped.add(sample)
            zone.replace(SAMPLE, self._samples.setdefault(sample, len(self._samples)))
            yield self._scaled(zone)

    def _scaled(self, zone: Zone) -> Zone:
        amount = zone.get(ATTENUATION)
        if amount is not None:
            signed = amount - 0x10000 if amount & 0x8000 else amount
            zone.replace(ATTENUATION, round(signed * self._scale) & 0xFFFF)
        return zone

    def _copy_samples(self, out: Tables) -> None:
        """Copy the samples one after the other, each with its guard samples."""
        font = self._font
        headers = font["shdr"][[*self._samples, len(font["shdr"]) - 1]].copy()  # ends with the terminator
        pieces, position = [], 0
        for row, old in zip(headers, self._samples, strict=False):
            start, end = int(row["start"]), int(row["end"])
            piece = np.zeros(end - start + GUARD_SAMPLES, "<i2")
            source = font.samples[start : end + GUARD_SAMPLES]
            piece[: len(source)] = source
            if old in self._looped:
                _centre(piece, int(row["loop_start"]) - start, int(row["loop_end"]) - start)
            for field in ("start", "end", "loop_start", "loop_end"):
                row[field] = max(0, int(row[field]) - start + position)
            partner = self._samples.get(int(font["shdr"][old]["link"]))
            row["link"] = partner or 0
            if partner is None:
                row["type"] = 1  # mono
            pieces.append(piece)
            position += len(piece)
        out.rows["shdr"] = headers
        out.samples = np.concatenate(pieces)


def _centre(piece: NDArray[np.int16], loop_start: int, loop_end: int) -> None:
    """Remove a loop's offset from the sample, fading in before the loop so that the start is unchanged."""
    loop = piece[max(loop_start, 0) : loop_end].astype(np.float64)
    if loop_start <= 0 or not len(loop) or abs(loop.mean()) <= OFFSET_SHARE * loop.std():
        return
    fade_samples = min(loop_start, OFFSET_FADE_SAMPLES)
    fade = 0.5 - 0.5 * np.cos(np.pi * np.minimum(np.arange(len(piece)) / fade_samples, 1.0))
    piece[:] = np.clip(np.round(piece - loop.mean() * fade), -32768, 32767)


def _hull(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(one[0], other[0]), max(one[1], other[1])


def _extended(reach: tuple[int, int], sounding: frozenset[int], keys: frozenset[int]) -> tuple[int, int]:
    """Extend a key range at the edge of the preset's compass to the outermost of ``keys``."""
    low = min(keys) if reach[0] <= min(sounding) else reach[0]
    high = max(keys) if reach[1] >= max(sounding) else reach[1]
    return _hull(reach, (low, high))
