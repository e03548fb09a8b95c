"""Networks trained with eight styles: read as they are, exported as they are, widened to train on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from support.tiny_checkpoint import DENOISER, write_tiny_checkpoint  # noqa: E402

from appliance.networks.condition_rows import STYLE_ROWS  # noqa: E402
from train.checkpoints.adopt import adopt, with_all_styles  # noqa: E402
from train.checkpoints.checkpoint import load_checkpoint  # noqa: E402
from train.networks.audio_decoder import GROUP_ROWS, AudioDecoder, AudioDecoderConfig  # noqa: E402
from train.networks.denoiser import DenoiserConfig  # noqa: E402
from train.networks.generator import Generator  # noqa: E402

OLDER = DenoiserConfig(width=32, blocks=2, heads=2, condition_blocks=1, time_features=16, style_rows=9)


def older_checkpoint(folder: Path) -> Path:
    """A checkpoint whose configuration does not say how many styles it knows, as all were before."""
    write_tiny_checkpoint(folder, denoiser=OLDER)
    file = folder / "denoiser.safetensors"
    from safetensors.torch import load_file, save_file

    weights = load_file(file)
    with safe_open(file, framework="pt") as stored:
        config = json.loads(stored.metadata()["config"])
    del config["style_rows"]
    save_file(weights, file, metadata={"config": json.dumps(config)})
    return folder


def test_an_older_checkpoint_is_read_and_exported_with_its_nine_rows(tmp_path: Path) -> None:
    stored = load_checkpoint(older_checkpoint(tmp_path / "older"))
    assert stored.generator.config == OLDER
    newer = load_checkpoint(write_tiny_checkpoint(tmp_path / "newer"))
    assert newer.generator.config.style_rows == DENOISER.style_rows == STYLE_ROWS


def test_an_adopted_checkpoint_knows_all_styles_and_plays_the_known_ones_alike(tmp_path: Path) -> None:
    folder = older_checkpoint(tmp_path / "older")
    before = load_checkpoint(folder).generator.condition.style_in
    assert "denoiser" in adopt(folder, tmp_path / "runs")
    with safe_open(tmp_path / "runs" / "denoiser" / "state.safetensors", framework="pt") as state:
        weights = {n.removeprefix("ema."): state.get_tensor(n) for n in state.keys() if n.startswith("ema.")}  # noqa: SIM118
    after = Generator(DENOISER)
    after.load_state_dict(weights)
    eye = torch.eye(STYLE_ROWS)[:, :, None]
    old = torch.eye(9)[:, :, None]
    torch.testing.assert_close(after.condition.style_in(eye[:8]), before(old[:8]))
    torch.testing.assert_close(after.condition.style_in(eye[-1:]), before(old[-1:]))
    mean = before(old[:8]).mean(dim=0, keepdim=True)
    for new in range(8, STYLE_ROWS - 1):
        torch.testing.assert_close(after.condition.style_in(eye[new : new + 1]), mean)


def test_groups_stay_behind_the_styles_of_the_audio_decoder() -> None:
    older = AudioDecoder(AudioDecoderConfig(width=16, blocks=1, style=8, style_rows=9))
    newer = AudioDecoder(AudioDecoderConfig(width=16, blocks=1, style=8))
    newer.load_state_dict(with_all_styles(dict(older.state_dict()), 9))
    for group in range(GROUP_ROWS):
        told = torch.zeros(1, 9 + GROUP_ROWS, 1)
        told[0, 3] = told[0, 9 + group] = 1.0
        widened = torch.zeros(1, STYLE_ROWS + GROUP_ROWS, 1)
        widened[0, 3] = widened[0, STYLE_ROWS + group] = 1.0
        torch.testing.assert_close(newer.style[0](widened), older.style[0](told))


def test_networks_of_today_are_adopted_unchanged() -> None:
    weights = dict(Generator(DENOISER).state_dict())
    same = with_all_styles(weights, STYLE_ROWS)
    assert same.keys() == weights.keys()
    assert all(torch.equal(same[name], weights[name]) for name in weights)
