"""The audio networks: their inputs, a few training steps, their exported graphs, a known recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from support.tiny_checkpoint import write_tiny_checkpoint

from appliance.grid import FRAME_SAMPLES, SAMPLE_RATE_HZ
from appliance.music.note_rows import ALL_GROUPS, note_rows
from appliance.music.roll import ROLL_ROWS, roll_of
from appliance.music.score import Note, Score
from appliance.networks.condition_rows import style_row
from appliance.networks.log_frequency import BINS, SHORT_VIEWS, bin_hz, spectrum_rows
from appliance.playing.band_hearing import PART_FRAMES, heard_score
from appliance.playing.neural_band import group_row
from appliance.playing.source_filter import DECODER_ROWS, filtered, istft
from export.__main__ import export
from train.calibration.audio_calibration import write_audio_calibration
from train.checkpoints.checkpoint import load_checkpoint, save_network
from train.data.renders import CROP_FRAMES, CROP_S, CROP_SAMPLES, Render, _width, room
from train.evaluate.players.torch_sound import open_sound
from train.networks.audio_decoder import AudioDecoder, AudioDecoderConfig
from train.networks.audio_encoder import HARMONICS, OFFSETS, AudioEncoder, AudioEncoderConfig
from train.training.adversary import Adversary
from train.training.audio_decoder import AudioDecoderStage, sound_of
from train.training.audio_encoder import AudioEncoderStage
from train.training.spectral_loss import spectral_terms

DECODER = AudioDecoderConfig(width=16, blocks=2, style=8)
ENCODER = AudioEncoderConfig(channels=8, dilations=(1, 12), drum=8)


def crop(style: str = "jazz") -> Render:
    """A crop whose stems are quiet noise; their sound does not matter here."""
    rng = np.random.default_rng(3)
    notes = [Note(t, t + 0.5, 60, 80, g) for t in np.arange(0.1, 7.5, 0.25) for g in ("keys", "bass")]
    score = Score.of(notes, CROP_S)
    return Render(
        style,
        note_rows(score, np.float32),
        np.array([ALL_GROUPS.index(g) for g in ("keys", "bass")]),
        (3000 * rng.standard_normal((2, CROP_SAMPLES))).astype(np.int16),
        rng.integers(0, 200, (5 * BINS, CROP_FRAMES)).astype(np.uint8),
    )


@pytest.mark.parametrize("pitch", [33, 57, 69, 88])
def test_a_tone_is_seen_at_its_bin_and_its_level(pitch: int) -> None:
    hz = 440.0 * 2 ** ((pitch - 69) / 12)
    tone = 0.1 * np.sin(2 * np.pi * hz / SAMPLE_RATE_HZ * np.arange(20 * FRAME_SAMPLES)).astype(np.float32)
    rows = spectrum_rows(tone).reshape(1 + SHORT_VIEWS, BINS, 20)
    assert abs(int(rows[0, :, 10].argmax()) - (3 * (pitch - 21) + 1)) <= (1 if pitch < 45 else 0)
    assert rows[0, :, 10].max() == pytest.approx(1.0 - 20 / 100, abs=0.06)
    assert bin_hz()[3 * (69 - 21) + 1] == pytest.approx(440.0)


def test_short_views_tell_where_in_the_frame_a_click_is() -> None:
    for quarter in range(SHORT_VIEWS):
        audio = np.zeros(6 * FRAME_SAMPLES, np.float32)
        audio[3 * FRAME_SAMPLES + quarter * 512 + 256] = 1.0
        loud = spectrum_rows(audio).reshape(1 + SHORT_VIEWS, BINS, 6)[1:, -100:, 3].mean(axis=1)
        assert int(loud.argmax()) == quarter


def test_harmonics_are_stacked_where_they_are() -> None:
    assert dict(zip(HARMONICS, OFFSETS, strict=True))[2] == 36
    views = torch.zeros(1, 5, BINS, 1)
    key = 40
    for h in (1, 2, 3, 4, 5):
        views[0, :, 3 * key + 1 + round(36 * np.log2(h))] = 1.0
    stacked = AudioEncoder._harmonics(views).reshape(len(HARMONICS), 5, -1)
    for k, h in enumerate(HARMONICS):
        if h in (1, 2, 3, 4, 5):
            assert stacked[k, 0, 3 * key + 1] == 1.0


def test_a_wide_stem_is_as_loud_in_mono() -> None:
    noise = np.random.default_rng(0).standard_normal((44_100, 2)).astype(np.float32)
    assert _width(noise) == pytest.approx(2**0.5, rel=0.02)
    assert _width(noise[:, [0, 0]]) == pytest.approx(1.0)
    assert _width(np.zeros((100, 2), np.float32)) == 1.0


def test_the_room_answers_after_the_sound_and_no_dry_group_is_in_it() -> None:
    click = np.zeros((2, 30_000), np.float32)
    click[:, 100] = 1.0
    wet = room(click, ("keys", "bass"), "pop")  # the pop bass is dry
    assert np.abs(wet[:800]).max() < 1e-6  # the predelay is 18 ms
    assert np.abs(wet[900:5_000]).max() > 1e-4
    np.testing.assert_allclose(wet, room(click[:1], ("keys",), "pop"), atol=1e-7)


def test_a_spectrum_is_no_distance_from_itself() -> None:
    sound = torch.randn(2, 8192) * 0.1
    terms = spectral_terms(sound, sound)
    assert terms["mel"] == 0.0
    assert terms["linear"] == 0.0
    assert spectral_terms(sound * 2, sound)["mel"] == pytest.approx(np.log(2), rel=0.02)


def test_torch_and_numpy_make_the_same_sound() -> None:
    rng = np.random.default_rng(0)
    spectrum = (rng.standard_normal((3, 513, 9)) + 1j * rng.standard_normal((3, 513, 9))).astype(np.complex64)
    gains = rng.uniform(-3, 1, (192, 9)).astype(np.float32)
    expected = istft(filtered(spectrum, gains))
    parts = (torch.from_numpy(np.ascontiguousarray(x))[None] for x in (spectrum.real, spectrum.imag, gains))
    np.testing.assert_allclose(sound_of(*parts)[0].numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("adversarial", [False, True])
def test_a_step_of_the_decoder(adversarial: bool) -> None:
    torch.manual_seed(0)
    adversary = Adversary(channels=(4, 4)) if adversarial else None
    stage = AudioDecoderStage(DECODER, [crop()], [crop()], batch=2, frames=40, adversary=adversary)
    with torch.no_grad():
        before = stage.validate(stage.model)["mel"]
    optimiser = torch.optim.Adam(stage.model.parameters(), 3e-3)
    batches = stage.batches(np.random.default_rng(0))
    judged = [p.detach().clone() for p in adversary.parameters()] if adversary else []
    for _ in range(6):
        losses = stage.loss(stage.model, next(batches))
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
    with torch.no_grad():
        assert stage.validate(stage.model)["mel"] < before
    assert ("caught" in losses) == adversarial
    if adversary:
        assert any(not torch.equal(a, b) for a, b in zip(judged, adversary.parameters(), strict=True))
        with torch.no_grad():
            assert "caught" not in stage.loss(stage.model, next(batches))


def test_a_step_of_the_encoder() -> None:
    torch.manual_seed(0)
    stage = AudioEncoderStage(ENCODER, [crop()], [crop()], batch=2, frames=32)
    batch = next(stage.batches(np.random.default_rng(0)))
    optimiser = torch.optim.Adam(stage.model.parameters(), 3e-3)
    first = stage.loss(stage.model, batch)["loss"]
    for _ in range(6):
        loss = stage.loss(stage.model, batch)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < first
    assert set(stage.validate(stage.model)) == {"onset_f1", "sustain_f1", "drums_f1"}


def test_a_recording_is_heard_the_same_in_parts() -> None:
    """The stand-in encoder returns the written roll of the part it is given; the parts must join."""
    frames = PART_FRAMES + 100
    notes = [Note(t, t + 0.4, 48 + int(7 * t) % 30, 100, "keys") for t in np.arange(0.2, 51.0, 0.5)]
    score = Score.of(notes, frames * FRAME_SAMPLES / SAMPLE_RATE_HZ)
    rows = roll_of(score, frames).stacked()
    audio = np.zeros(frames * FRAME_SAMPLES, np.float32)
    audio[:] = np.repeat(1e-4 * np.arange(1, frames + 1), FRAME_SAMPLES) * np.resize([1, -1], len(audio))
    told = []

    def hear(spectrum: np.ndarray, style: np.ndarray) -> np.ndarray:
        # Each frame has its own level, 20 log10(1e-4 · number), in the highest bin; it tells where we are.
        level = spectrum.reshape(5, BINS, -1)[0, -1]
        told.append(len(level))
        whole = spectrum_rows(audio).reshape(5, BINS, -1)[0, -1]
        first = int(np.argmin([np.abs(whole[k : k + len(level)] - level).sum()
                               for k in range(frames - len(level) + 1)]))  # fmt: skip
        return rows[:, first : first + len(level)]

    heard = heard_score(hear, audio, "piano")
    assert len(told) == 2
    assert len(heard.notes) == len(notes)
    assert max(abs(a.start_s - b.start_s) for a, b in zip(heard.notes, notes, strict=True)) < 1e-3


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")
    torch.manual_seed(4)
    for name, network in (("audio_decoder", AudioDecoder(DECODER)), ("audio_encoder", AudioEncoder(ENCODER))):
        save_network(folder / f"{name}.safetensors", network.state_dict(), network.config)
    return folder


def test_the_graphs_do_what_the_networks_do(checkpoint: Path, tmp_path: Path) -> None:
    """The export compares at sizes it chose; here at another size, with the appliance's inputs."""
    exported = {e.graph.name: e for e in export(checkpoint, tmp_path / "graphs")}
    networks = load_checkpoint(checkpoint).extras
    assert exported.keys() >= networks.keys() == {"audio_decoder", "audio_encoder"}
    style, frames = style_row(6)[None], 37
    inputs = {
        "audio_decoder": {
            "rows": np.random.default_rng(0).random((1, DECODER_ROWS, frames), np.float32),
            "style": style,
            "group": group_row("bass")[None],
        },
        "audio_encoder": {
            "spectrum": np.random.default_rng(1).random((1, 5 * BINS, frames), np.float32),
            "style": style,
        },
    }
    for name, feed in inputs.items():
        model = ov.Core().compile_model(exported[name].ir, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = model(feed)[0]
        with torch.no_grad():
            expected = networks[name](*map(torch.from_numpy, feed.values()))
        expected = expected.sigmoid() if name == "audio_encoder" else expected
        np.testing.assert_allclose(found, expected.numpy(), atol=2e-5)
    assert found.shape == (1, ROLL_ROWS, frames)


def test_calibration_has_every_input(checkpoint: Path, tmp_path: Path) -> None:
    write_audio_calibration(load_checkpoint(checkpoint).extras, [crop(), crop("pop")], tmp_path)
    for name, inputs in (
        ("audio_decoder", {"rows", "style", "group"}),
        ("audio_encoder", {"spectrum", "style"}),
    ):
        with np.load(tmp_path / f"{name}.npz") as arrays:
            assert {key.split("/")[1] for key in arrays} == inputs
            assert len({key.split("/")[0] for key in arrays}) == 2
            assert all(array.dtype == np.float32 and array.shape[0] == 1 for array in arrays.values())


def test_a_checkpoint_can_be_judged(checkpoint: Path) -> None:
    graphs = open_sound(checkpoint)
    roll = roll_of(Score.of([Note(0.1, 0.5, 60, 80, "keys")], 1.0), 32).stacked()
    assert graphs.decode(graphs.encode(roll)).shape == roll.shape
    assert graphs.hear(np.zeros((5 * BINS, 32), np.float32), style_row(None)).shape == roll.shape
