"""Builds a tiny pack with the real graph names, inputs and outputs; no torch needed.

The graphs compute almost nothing, but what they compute is known (see each function), so tests of the
appliance can foretell a render. Tests that only read share one: fixture ``fake_pack``.

Letters: T score frames, N latent frames, P plan frames, B batch, Z latents, C width, L blocks.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset13 as op

from appliance.music.roll import PLANES, ROLL_ROWS
from appliance.music.score import DRUM_KEYS, GROUPS, PITCHES, STYLES
from appliance.networks.band_rows import BAND_ROWS
from appliance.networks.band_rows import CHROMA as BAND_CHROMA
from appliance.networks.condition_rows import (
    CONDITION_ROWS,
    FIRST_CONDITION_ROWS,
    PHASE_ROWS,
    PLAN_ROWS,
    STYLE_ROWS,
)
from appliance.packs.manifest import (
    MANIFEST_NAME,
    FitFacts,
    GraphFiles,
    Manifest,
    RollThresholds,
    SamplerFacts,
)
from appliance.packs.pack import file_facts
from appliance.packs.sounds import DEFAULT_SOUNDS
from appliance.playing.source_filter import DECODER_ROWS, GAIN_ROWS
from appliance.vocal.features import CHROMA, FEATURE_ROWS
from quantize.ir import save_graph

LATENTS = 64
WIDTH = 8
BLOCKS = 2
TINY_SOUNDFONT = Path(__file__).parents[1] / "data" / "tiny.sf2"

FIT = FitFacts(
    true=tuple(0.2 * k for k in range(101)), shuffled=tuple(0.2 * k - 10.0 for k in range(101)), floor=-0.5
)
"""True pairs lie evenly from 0 to 20, shuffled ones from -10 to 10."""

PITCHED_ROWS = len(GROUPS) * PLANES * PITCHES


@pytest.fixture(scope="session")
def fake_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a fake pack, made once; leave it as it is."""
    return build_fake_pack(tmp_path_factory.mktemp("packs") / "fake")


def build_fake_pack(folder: Path, styles: tuple[str, ...] = STYLES, style_rows: int = STYLE_ROWS) -> Path:
    """Write a pack that ``load_pack`` accepts into ``folder``, always the same bytes."""
    return _build(folder, fake_graphs(style_rows=style_rows), styles)


def build_earlier_pack(folder: Path) -> Path:
    """The same pack as the first releases read it: eight styles, neither rhythm plan nor dials."""
    styles = STYLES[:8]
    return _build(folder, fake_graphs(FIRST_CONDITION_ROWS, len(styles) + 1), styles)


def _build(folder: Path, graphs: dict[str, ov.Model], styles: tuple[str, ...]) -> Path:
    folder.mkdir(parents=True)
    for name, model in graphs.items():
        save_graph(model, folder / f"{name}.xml")
    shutil.copyfile(TINY_SOUNDFONT, folder / "band.sf2")
    (folder / "band-licence.txt").write_text("Sines and clicks, made for tests.\n")
    write_fake_manifest(folder, styles)
    return folder


def write_fake_manifest(folder: Path, styles: tuple[str, ...] = STYLES) -> Manifest:
    """Write ``pack.json`` for whatever files lie in ``folder``."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST_NAME)
    manifest = Manifest(
        name="fake",
        version="0",
        licence="Apache-2.0",
        latent_channels=LATENTS,
        latent_mean=(0.0,) * LATENTS,
        latent_std=(1.0,) * LATENTS,
        sampler=SamplerFacts(steps=4, guidance=1.5, window_frames=64, context_frames=16),
        thresholds=RollThresholds(),
        fit=FIT if (folder / "fit.xml").exists() else None,
        styles=styles,
        sounds=DEFAULT_SOUNDS,
        soundfont="band.sf2",
        graphs=GraphFiles(**{p.stem: p.name for p in folder.glob("*.xml")}),
        ledger_rows_sha256=hashlib.sha256(b"no ledger").hexdigest(),
        checkpoint_sha256=hashlib.sha256(b"no checkpoint").hexdigest(),
        files={p.relative_to(folder).as_posix(): file_facts(p) for p in files},
    )
    (folder / MANIFEST_NAME).write_text(manifest.to_json())
    return manifest


def fake_graphs(rows: int = CONDITION_ROWS, style_rows: int = STYLE_ROWS) -> dict[str, ov.Model]:
    """Graph name to graph, with the shapes of the contract."""
    return {
        "planner": planner(),
        "condition": condition(rows, style_rows),
        "denoiser": denoiser(style_rows),
        "vae_decoder": vae_decoder(),
        "vae_encoder": vae_encoder(),
        "audio_decoder": audio_decoder(style_rows),
        "fit": fit(),
    }


def planner() -> ov.Model:
    """Plan: the sung chroma, averaged, as pitch classes and again as bass; C major; a beat every 12 frames.

    features (1, 64, T), phases (1, 5, T) -> plan (1, 24, P), key (1, 24), beats (1, 2, T).
    """
    features, phases = _input("features", FEATURE_ROWS), _input("phases", PHASE_ROWS)
    mixing = np.zeros((PLAN_ROWS, FEATURE_ROWS, 4), np.float32)
    for pitch_class in range(12):
        mixing[[pitch_class, 12 + pitch_class], CHROMA.start + pitch_class] = 0.25
    plan = op.clamp(_conv(features, mixing, stride=4), 0.0, 1.0)
    # Phases only have to be taken: they count nothing.
    nothing = op.multiply(op.reduce_sum(phases, _ints(1, 2), True), _floats(0.0))
    key = np.full(24, 0.01, np.float32)
    key[0] = 0.77
    key_out = op.add(op.squeeze(nothing, _ints(2)), op.constant(key[None]))
    beats = _every(features, (12, 48))
    return _model({"plan": plan, "key": key_out, "beats": beats}, [features, phases], "planner")


def condition(row_count: int = CONDITION_ROWS, style_rows: int = STYLE_ROWS) -> ov.Model:
    """Tokens: the first C rows of the condition; keys and values: zeros and the style.

    rows (B, R, T), style (B, S + 1, 1) -> tokens (1, C, N), keys_values (1, 2·C·L, N).
    """
    rows, style = _input("rows", row_count, batch=-1), _input("style", style_rows, batch=-1, time=1)
    mixing = np.zeros((WIDTH, row_count, 2), np.float32)
    mixing[np.arange(WIDTH), np.arange(WIDTH)] = 0.5
    tokens = _conv(rows, mixing, stride=2)
    spread = np.zeros((2 * WIDTH * BLOCKS, WIDTH, 1), np.float32)
    styles = np.zeros((2 * WIDTH * BLOCKS, style_rows, 1), np.float32)
    styles[np.arange(style_rows), np.arange(style_rows)] = 1.0
    keys_values = op.add(_conv(tokens, spread), _conv(style, styles))
    return _model({"tokens": tokens, "keys_values": keys_values}, [rows, style], "condition")


def denoiser(style_rows: int = STYLE_ROWS) -> ov.Model:
    """Velocity that points from a latent of 0.1 per style index (known frames: the context) to the noise.

    A straight path, so any number of steps lands on the same latent: x_0 = x_t - t · velocity.
    """
    latent, context = (_input(name, LATENTS, batch=-1) for name in ("latent", "context"))
    known, valid = (_input(name, 1, batch=-1) for name in ("known", "valid"))
    timestep = _input("timestep", 1, batch=-1, time=1)
    tokens = _input("tokens", WIDTH, batch=-1)
    keys_values = _input("keys_values", 2 * WIDTH * BLOCKS, batch=-1)
    style = _input("style", style_rows, batch=-1, time=1)
    by_style = np.tile(0.1 * np.arange(style_rows, dtype=np.float32), (LATENTS, 1))[..., None]
    wanted = op.multiply(_conv(style, by_style), valid)
    wanted = op.add(op.multiply(op.subtract(_floats(1.0), known), wanted), op.multiply(known, context))
    heard = op.add(op.reduce_mean(tokens, _ints(1), True), op.reduce_mean(keys_values, _ints(1), True))
    wanted = op.add(wanted, op.multiply(heard, _floats(0.0)))
    velocity = op.divide(op.subtract(latent, wanted), op.maximum(timestep, _floats(1e-3)))
    inputs = [latent, context, known, timestep, tokens, keys_values, style, valid]
    return _model({"velocity": velocity}, inputs, "denoiser")


def vae_decoder() -> ov.Model:
    """Whatever the latent: a C major triad on keys, C on bass every 24 frames, a kick every 12.

    latent (1, 64, N) -> roll (1, 1438, T).
    """
    latent = _input("latent", LATENTS)
    count = op.multiply(op.gather(op.shape_of(latent), _ints(2), _ints(0)), _ints(2))
    frame = op.range(_int(0), op.squeeze(count, _ints(0)), _int(1), "i64")
    bar = _equal(frame, 24, 0)
    beat = _equal(frame, 12, 0)
    everywhere = op.convert(op.less(op.mod(frame, _ints(24)), _ints(22)), "f32")
    zero = op.multiply(bar, _floats(0.0))
    velocity = op.multiply(bar, _floats(80 / 127))
    rows: dict[int, ov.Output] = {}
    for group, pitches in (("keys", (60, 64, 67)), ("bass", (36,))):
        for pitch in pitches:
            start = GROUPS.index(group) * PLANES * PITCHES + pitch - 21
            for plane, values in enumerate((bar, zero, everywhere, velocity)):
                rows[start + plane * PITCHES] = values
    kick = PITCHED_ROWS + DRUM_KEYS.index(36) * 3
    rows[kick], rows[kick + 2] = beat, op.multiply(beat, _floats(90 / 127))
    chosen = op.concat([op.unsqueeze(values, _ints(0)) for values in rows.values()], 0)
    place = np.zeros((ROLL_ROWS, len(rows)), np.float32)
    place[list(rows), np.arange(len(rows))] = 1.0
    roll = _conv(op.unsqueeze(chosen, _ints(0)), place[..., None])
    heard = op.multiply(op.reduce_mean(latent, _ints(1, 2), True), _floats(0.0))
    return _model({"roll": op.add(roll, heard)}, [latent], "vae_decoder")


def vae_encoder() -> ov.Model:
    """Latent row z: the mean over two frames of roll row z.

    roll (1, 1438, T) -> latent (1, 64, N).
    """
    roll = _input("roll", ROLL_ROWS)
    mixing = np.zeros((LATENTS, ROLL_ROWS, 2), np.float32)
    mixing[np.arange(LATENTS), np.arange(LATENTS)] = 0.5
    return _model({"latent": _conv(roll, mixing, stride=2)}, [roll], "vae_encoder")


def audio_decoder(style_rows: int = STYLE_ROWS) -> ov.Model:
    """Gains of one: the sound is the sum of its sources.

    rows (1, 368, F), style (1, S + 1, 1), group (1, 5, 1) -> gains (1, 192, F).
    """
    rows = _input("rows", DECODER_ROWS)
    style, group = _input("style", style_rows, time=1), _input("group", len(GROUPS) + 1, time=1)
    nothing = _conv(rows, np.zeros((GAIN_ROWS, DECODER_ROWS, 1), np.float32))
    taken = op.add(op.reduce_sum(style, _ints(1), True), op.reduce_sum(group, _ints(1), True))
    gains = op.add(nothing, op.multiply(taken, _floats(0.0)))
    return _model({"gains": gains}, [rows, style, group], "audio_decoder")


def fit() -> ov.Model:
    """Log odds: four times the share of what is sung whose pitch class sounds at that moment, less two.

    features (1, 64, T), phases (1, 5, T), band (1, 41, T) -> log_odds (1, 1).
    """
    features, phases, band = (
        _input(name, rows)
        for name, rows in (("features", FEATURE_ROWS), ("phases", PHASE_ROWS), ("band", BAND_ROWS))
    )
    chroma = np.zeros((12, FEATURE_ROWS, 1), np.float32)
    chroma[np.arange(12), CHROMA.start + np.arange(12)] = 1.0
    sounding = np.zeros((12, BAND_ROWS, 1), np.float32)
    sounding[np.arange(12), BAND_CHROMA.start + np.arange(12)] = 1.0
    sung = _conv(features, chroma)
    met = op.reduce_sum(op.multiply(sung, _conv(band, sounding)), _ints(1, 2), False)
    share = op.divide(met, op.maximum(op.reduce_sum(sung, _ints(1, 2), False), _floats(1e-6)))
    nothing = op.multiply(op.reduce_sum(phases, _ints(1, 2), False), _floats(0.0))
    log_odds = op.add(op.subtract(op.multiply(share, _floats(4.0)), _floats(2.0)), nothing)
    return _model({"log_odds": op.unsqueeze(log_odds, _ints(1))}, [features, phases, band], "fit")


def _input(name: str, rows: int, batch: int = 1, time: int = -1) -> ov.Node:
    node = op.parameter([batch, rows, time], np.float32, name=name)
    node.output(0).set_names({name})
    return node


def _conv(x: ov.Node, weight: NDArray[np.float32], stride: int = 1) -> ov.Node:
    return op.convolution(x, op.constant(weight), [stride], [0], [0], [1])


def _every(like: ov.Node, periods: tuple[int, ...]) -> ov.Node:
    """(1, len(periods), T): 0.9 on every ``period``-th frame, 0.05 between."""
    count = op.squeeze(op.gather(op.shape_of(like), _ints(2), _ints(0)), _ints(0))
    frame = op.range(_int(0), count, _int(1), "i64")
    rows = [op.unsqueeze(_equal(frame, period, 0), _ints(0)) for period in periods]
    return op.unsqueeze(op.add(op.multiply(op.concat(rows, 0), _floats(0.85)), _floats(0.05)), _ints(0))


def _equal(frame: ov.Node, period: int, phase: int) -> ov.Node:
    return op.convert(op.equal(op.mod(frame, _ints(period)), _ints(phase)), "f32")


def _ints(*values: int) -> ov.Node:
    return op.constant(np.array(values, np.int64))


def _int(value: int) -> ov.Node:
    return op.constant(np.int64(value))


def _floats(value: float) -> ov.Node:
    return op.constant(np.array([value], np.float32))


def _model(outputs: dict[str, ov.Node], inputs: list[ov.Node], name: str) -> ov.Model:
    results = []
    for output, node in outputs.items():
        result = op.result(node)
        result.output(0).set_names({output})
        results.append(result)
    return ov.Model(results, inputs, name)
