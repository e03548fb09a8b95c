"""Cut a soundfont down to what the band plays (``python -m quantize.soundfont SOURCE.sf2 --out FILE``).

The presets are those of :data:`appliance.packs.sounds.DEFAULT_SOUNDS`; :mod:`quantize.preset_cut` does the
work.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from appliance.errors import BacklineError, UsageError
from appliance.music.score import DRUM_KEYS, LOWEST_PITCH, PITCHES
from appliance.packs.sounds import DEFAULT_SOUNDS, DRUM_BANK
from quantize.preset_cut import ATTENUATION_SCALE, cut
from quantize.riff import Tables, read_tables, write_tables

MONO_PRESETS = ((0, 5), (0, 43), (0, 46))
"""Electric piano, contrabass, harp: the reverb gives them width anyway, and mono halves their size."""

LICENCE_FILE = Path(__file__).with_name("fluidr3-licence.txt")


def band_presets() -> dict[tuple[int, int], Collection[int]]:
    """Keys by (bank, program) that :data:`appliance.packs.sounds.DEFAULT_SOUNDS` can play."""
    compass = range(LOWEST_PITCH, LOWEST_PITCH + PITCHES)
    return {
        (bank, program): DRUM_KEYS if bank == DRUM_BANK else compass
        for bank, program in DEFAULT_SOUNDS.presets()
    }


def with_origin(font: Tables, source: str, licence: str) -> Tables:
    """Set the INFO chunk of ``font``: name, source and licence; returns ``font``."""
    made_by = font.info.get(b"IENG", b"")
    font.info = {
        b"ifil": font.info.get(b"ifil", b"\x02\x00\x01\x00"),
        b"isng": b"EMU8000\0",
        b"INAM": b"Backline band\0",
        b"IENG": made_by,
        b"ICOP": font.info.get(b"ICOP", b"")[:255].rstrip(b"\0") + b"\0",
        b"ICMT": f"Cut from {source} to the presets Backline plays.\n\n{licence}".encode("utf-8", "replace"),
        b"ISFT": b"Backline quantize.soundfont\0",
    }
    return font


def _licence_text(font: Tables, licence: Path | None) -> str:
    if licence is None and b"Frank Wen" not in font.info.get(b"IENG", b""):
        raise UsageError("The licence of this soundfont is not known; give its text with --licence FILE.")
    return (licence or LICENCE_FILE).read_text(encoding="utf-8")


@click.command(help=__doc__.split("\n\n")[0] if __doc__ else None)
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The soundfont to write.")
@click.option(
    "--licence",
    type=click.Path(path_type=Path, exists=True),
    help="Text file with licence and credits of SOURCE; known for Fluid R3.",
)
@click.option("--attenuation-scale", default=ATTENUATION_SCALE, show_default=True)
@click.option("--mono-exclusive/--stereo-exclusive", default=True, show_default=True)
def main(
    source: Path, out: Path, licence: Path | None, attenuation_scale: float, mono_exclusive: bool
) -> None:
    try:
        font = read_tables(source)
        text = _licence_text(font, licence)
        small = cut(font, band_presets(), attenuation_scale, mono_exclusive, MONO_PRESETS)
        write_tables(with_origin(small, source.name, text), out)
        out.with_name(f"{out.stem}-licence.txt").write_text(text, encoding="utf-8")
    except BacklineError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{out}: {len(small['phdr']) - 1} presets, {len(small['shdr']) - 1} samples,"
        f" {out.stat().st_size / 1e6:.1f} MB of {source.stat().st_size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
