"""Commands for the audio decoder and the audio encoder: training data, training, judging."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import torch
from rich.progress import track

from train.commands.networks import training_options
from train.data import song_cache
from train.training.loop import LoopConfig, fit

if TYPE_CHECKING:
    from train.data.renders import Render

SOUNDFONT = Path("packs/reference/band.sf2")


@click.command()
@click.option("--soundfont", type=click.Path(exists=True, path_type=Path), default=SOUNDFONT)
@click.option("--crops", default=640, help="8 s crops of training songs; plus 5 % of validation songs.")
@click.option("--workers", default=2)
@click.pass_obj
def renders(runs: Path, soundfont: Path, crops: int, workers: int) -> None:
    """Play crops of the songs with the band, and store pairs of notes and audio."""
    from train.data import renders as cache

    for split, count in (("val", max(8, crops // 20)), ("train", crops)):
        songs = song_cache.load_split(runs / "cache" / "songs", split)
        progress = iter(track(range(count), description=f"renders ({split})"))
        folder = runs / "cache" / "renders" / split
        cache.build(songs, soundfont, folder, count, workers, lambda _, p=progress: next(p, None))


@click.command("audio-encoder")
@training_options(steps=4000, learning_rate=2e-3)
@click.pass_obj
def audio_encoder(
    runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int
) -> None:
    """Train the audio encoder on the renders."""
    from train.networks.audio_encoder import AudioEncoderConfig
    from train.training.audio_encoder import AudioEncoderStage

    train, val = _crops(runs, stems=False)
    stage = AudioEncoderStage(AudioEncoderConfig(), train, val, batch)
    fit(stage, runs / "audio_encoder", _loop(steps, learning_rate, minutes), torch.device(device))


def _loop(steps: int, learning_rate: float, minutes: float) -> LoopConfig:
    """Settings of the training loop for both audio networks."""
    return LoopConfig(steps, learning_rate, ema_decay=0.995, minutes=minutes, validate_every=100)


def _crops(runs: Path, stems: bool) -> tuple[list[Render], list[Render]]:
    from train.data.renders import load_all

    folder = runs / "cache" / "renders"
    return load_all(folder / "train", stems), load_all(folder / "val", stems)


@click.command("audio-decoder")
@training_options(steps=1500, learning_rate=1e-3)
@click.pass_obj
def audio_decoder(
    runs: Path, steps: int, learning_rate: float, minutes: float, device: str, batch: int
) -> None:
    """Train the audio decoder on the renders; on a GPU, with discriminators."""
    from train.networks.audio_decoder import AudioDecoderConfig
    from train.training.adversary import Adversary
    from train.training.audio_decoder import AudioDecoderStage

    train, val = _crops(runs, stems=True)
    adversary = Adversary().to(device) if torch.device(device).type == "cuda" else None
    stage = AudioDecoderStage(AudioDecoderConfig(), train, val, batch, adversary=adversary)
    fit(stage, runs / "audio_decoder", _loop(steps, learning_rate, minutes), torch.device(device))


@click.command("reconstruct-audio")
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="test")
@click.option(
    "--excerpts", "count", default=24, help="Number of excerpts, each of another song, styles in turn."
)
@click.option("--seconds", default=20.0)
@click.option("--soundfont", type=click.Path(exists=True, path_type=Path), default=SOUNDFONT)
@click.option("--out", type=click.Path(path_type=Path), help="Default: a folder under --runs.")
@click.option("--workers", default=2)
@click.pass_obj
def reconstruct_audio(
    runs: Path,
    model: Path,
    split: str,
    count: int,
    seconds: float,
    soundfont: Path,
    out: Path | None,
    workers: int,
) -> None:
    """Judge the audio networks of MODEL (a pack, a checkpoint or a folder of runs): notes to audio and
    back."""
    from train.evaluate.players.torch_sound import open_sound, styles_of
    from train.evaluate.sound import report as sound_report
    from train.evaluate.sound.trip import Trip, excerpts, judge

    songs = song_cache.load_split(runs / "cache" / "songs", split)
    chosen = list(excerpts(songs, count, seconds, styles_of(model)))
    folder = out or runs / "evaluation" / "sound"
    progress = iter(track(range(len(chosen)), description="judged"))
    judged = judge(model, soundfont, chosen, workers, lambda _: next(progress, None))
    sound_report.write(folder, sound_report.to_json(str(model), judged))
    sound_report.draw(Trip(open_sound(model), soundfont), chosen, folder / "sound.png")
    click.echo((folder / "sound.md").read_text())


@click.command("read-references")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--split", default="test")
@click.option("--excerpts", "count", default=24, help="Number of excerpts, each of another song.")
@click.option("--seconds", default=40.0)
@click.pass_obj
def read_references(runs: Path, pack: Path, split: str, count: int, seconds: float) -> None:
    """Compare what --like reads from recordings with what it reads from their notes, style by style."""
    from appliance.packs.pack import load_pack
    from train.evaluate.sound.references import as_markdown, excerpts, read

    songs = song_cache.load_split(runs / "cache" / "songs", split)
    chosen = excerpts(songs, count, seconds, load_pack(pack).manifest.styles)
    progress = iter(track(range(len(chosen)), description="heard"))
    click.echo(as_markdown(read(pack, chosen, lambda: next(progress, None))))
