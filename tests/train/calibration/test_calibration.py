"""Calibration inputs fit the graphs that they are for, of checkpoints of today and of earlier ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.tiny_cache import LATENTS, write_tiny_cache
from support.tiny_checkpoint import DENOISER, write_tiny_checkpoint

from appliance.music.note_rows import ALL_GROUPS, note_rows
from appliance.music.score import STYLES, Note, Score
from appliance.networks.chord_rows import CIRCLE_ROWS
from appliance.networks.condition_rows import FIRST_CONDITION_ROWS
from appliance.networks.log_frequency import BINS
from export.graphs import Graph, graphs_of
from train.calibration.audio_calibration import write_audio_calibration
from train.calibration.calibration import write_calibration
from train.calibration.chord_calibration import write_chord_calibration
from train.checkpoints.checkpoint import Checkpoint, load_checkpoint
from train.corpus.chord_symbols import SongChord, WrittenChord
from train.data.chord_sequences import chord_arrays
from train.data.renders import CROP_FRAMES, CROP_S, CROP_SAMPLES, Render
from train.data.song_cache import load_split
from train.networks.audio_decoder import AudioDecoder, AudioDecoderConfig
from train.networks.audio_encoder import AudioEncoder, AudioEncoderConfig
from train.networks.chords import ChordConfig, ChordNetwork
from train.training.sources import window_sources

AUDIO_DECODER = AudioDecoderConfig(width=16, blocks=1, style=8)
AUDIO_ENCODER = AudioEncoderConfig(channels=8, dilations=(1,), drum=8)
OLD_STYLES = 8
SAMPLES = 6


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two songs with chords, plans, and latents in the first and in the newest style."""
    folder = tmp_path_factory.mktemp("calibration") / "cache"
    cache = write_tiny_cache(folder, {"a": (60, 65), "b": (62, 67)}, {"a": "train", "b": "val"})
    chords = chord_arrays([SongChord(0.0, WrittenChord(0, "", 0)), SongChord(8.0, WrittenChord(5, "m7", 8))])
    for name in ("a", "b"):
        with np.load(cache / "songs" / f"{name}.npz") as arrays:
            np.savez(cache / "songs" / f"{name}.npz", **arrays, **chords)
        with np.load(cache / "latents" / f"{name}.npz") as arrays:
            latents = np.repeat(arrays["latents"], 2, axis=0)
        styles = np.array([0, len(STYLES) - 1])
        np.savez(cache / "latents" / f"{name}.npz", latents=latents, styles=styles, shifts=np.array([0, 0]))
        frames = np.load(cache / "melodies" / f"{name}.npy").shape[2]
        np.save(cache / "plans" / f"{name}.npy", np.full((1, 24, frames // 4), 0.5, np.float16))
    return cache


def render(style: str) -> Render:
    """A crop of a quiet band; its sound does not matter here."""
    notes = [Note(0.5 * k, 0.5 * k + 0.4, 60, 80, group) for k in range(12) for group in ("keys", "bass")]
    groups = np.array([ALL_GROUPS.index(group) for group in ("keys", "bass")])
    stems = np.ones((2, CROP_SAMPLES), np.int16)
    spectrum = np.ones((5 * BINS, CROP_FRAMES), np.uint8)
    return Render(style, note_rows(Score.of(notes, CROP_S), np.float32), groups, stems, spectrum)


def with_extras(folder: Path, style_rows: int, rows: int) -> Checkpoint:
    denoiser = replace(DENOISER, style_rows=style_rows, rows=rows)
    whole = load_checkpoint(write_tiny_checkpoint(folder, denoiser=denoiser))
    whole.extras["chords"] = ChordNetwork(ChordConfig(width=8, dilations=(1,))).eval()
    whole.extras["audio_decoder"] = AudioDecoder(replace(AUDIO_DECODER, style_rows=style_rows)).eval()
    whole.extras["audio_encoder"] = AudioEncoder(replace(AUDIO_ENCODER, style_rows=style_rows)).eval()
    return whole


def write_all(checkpoint: Checkpoint, cache: Path, folder: Path) -> tuple[Graph, ...]:
    """Write samples as ``python -m train calibration`` does; returns the graphs that they are for."""
    _, source = window_sources(cache)
    write_calibration(checkpoint, source, folder, SAMPLES)
    write_chord_calibration(load_split(cache / "songs", "val"), cache, folder, SAMPLES)
    write_audio_calibration(checkpoint.extras, [render("piano"), render(STYLES[-1]), render("jazz")], folder)
    return graphs_of(checkpoint, [0.0] * LATENTS, [1.0] * LATENTS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style_rows", "rows"), [(DENOISER.style_rows, DENOISER.rows), (OLD_STYLES + 1, FIRST_CONDITION_ROWS)]
)
def test_every_graph_has_samples_of_its_inputs(
    cache: Path, tmp_path: Path, style_rows: int, rows: int
) -> None:
    checkpoint = with_extras(tmp_path / "checkpoint", style_rows, rows)
    graphs = write_all(checkpoint, cache, tmp_path / "samples")
    assert {file.stem for file in (tmp_path / "samples").iterdir()} == {graph.name for graph in graphs}
    known = style_rows > OLD_STYLES + 1
    for graph in graphs:
        with np.load(tmp_path / "samples" / f"{graph.name}.npz") as arrays:
            for port in graph.inputs:
                given = [arrays[key] for key in arrays if key.endswith(f"/{port.name}")]
                count = SAMPLES if not graph.name.startswith("audio") else 3 if known else 2
                assert len(given) == count, (graph.name, port.name)
                assert {x.shape[:2] for x in given} == {(1, port.rows)}, (graph.name, port.name)
                assert all(x.dtype == np.float32 and np.isfinite(x).all() for x in given)


def test_some_chords_are_given_to_the_chord_network(cache: Path, tmp_path: Path) -> None:
    """The ninth of the plain rows says whether a chord is given."""
    songs = load_split(cache / "songs", "val")
    write_chord_calibration(songs, cache, tmp_path, 16)
    with np.load(tmp_path / "chords.npz") as arrays:
        shares = [float(arrays[key][0, 12 * CIRCLE_ROWS + 8].mean()) for key in sorted(arrays)]
    assert min(shares) == 0.0 and max(shares) > 0.3
