"""The networks compared with direct computations: which frames attend to which, and symmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from appliance.music.roll import ROLL_ROWS, roll_of  # noqa: E402
from appliance.music.score import Note, Score  # noqa: E402
from appliance.networks.condition_rows import CONDITION_ROWS, STYLE_ROWS, style_row  # noqa: E402
from appliance.vocal.features import transposed  # noqa: E402
from train.networks.attention import (  # noqa: E402
    LOCAL_BLOCK,
    LOCAL_REACH,
    as_keys,
    as_values,
    attention,
    heads_of,
    local_attention,
    near_mask,
    pooled,
    rotary,
    rotate,
    wide_mask,
    with_neighbours,
)
from train.networks.denoiser import ConditionEncoder, Denoiser, DenoiserConfig  # noqa: E402
from train.networks.planner import Planner, PlannerConfig  # noqa: E402
from train.networks.vae import RollDecoder, ScoreVae, VaeConfig  # noqa: E402

TINY = DenoiserConfig(width=32, blocks=2, heads=2, condition_blocks=1)
POOLED = replace(TINY, self_stride=2, wide_stride=4)


def attended(q, k, v, allowed):
    """Plain attention on (B, N, H, E); ``allowed`` (B, N, N) says which key each query may use."""
    scores = torch.einsum("bnhe,bmhe->bhnm", q, k) / q.shape[3] ** 0.5
    weights = scores.masked_fill(~allowed[:, None], -torch.inf).softmax(dim=-1)
    return torch.einsum("bhnm,bmhe->bnhe", weights, v)


@pytest.mark.parametrize("frames", [32, 96, 160])
def test_local_attention_is_banded_attention(frames: int) -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, frames, 2, 8)
    valid = torch.ones(2, 1, frames)
    valid[1, :, frames - 5 :] = 0
    at = torch.arange(frames)
    allowed = ((at[:, None] - at[None]).abs() <= LOCAL_REACH)[None] & (valid > 0)
    # A padding frame near the end may attend to no frame; its output is masked later.
    sees = allowed.any(dim=-1)[..., None, None]
    near_k, near_v = as_keys(with_neighbours(k)), as_values(with_neighbours(v))
    found = local_attention(q, near_k, near_v, near_mask(valid))
    wanted = attended(q, k, v, allowed).nan_to_num()
    assert torch.allclose(found * sees, wanted * sees, atol=1e-5)


def test_a_block_meets_what_its_first_and_last_frame_reach() -> None:
    frame = torch.arange(1.0, 1 + 3 * LOCAL_BLOCK).reshape(1, -1, 1, 1)
    near = with_neighbours(frame)[:, :, 0, 0]
    assert near[1].tolist() == list(range(LOCAL_BLOCK - LOCAL_REACH + 1, 2 * LOCAL_BLOCK + LOCAL_REACH + 1))
    assert near[0, :LOCAL_REACH].tolist() == near[2, -LOCAL_REACH:].tolist() == [0.0] * LOCAL_REACH


def test_global_attention_ignores_padding() -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 32, 2, 8)
    valid = torch.ones(1, 1, 32)
    valid[..., 20:] = 0
    whole = attention(q, as_keys(k), as_values(v), wide_mask(valid))
    part = attention(q[:, :20], as_keys(k[:, :20]), as_values(v[:, :20]), wide_mask(valid[..., :20]))
    assert torch.allclose(whole[:, :20], part, atol=1e-5)


@pytest.mark.parametrize(("end", "seen"), [(32, 8), (20, 5), (19, 4), (17, 4), (16, 4)])
def test_a_mean_that_reaches_beyond_the_end_is_not_seen(end: int, seen: int) -> None:
    valid = torch.zeros(1, 1, 32)
    valid[..., :end] = 1
    assert (wide_mask(valid, 4).flatten() == 0).tolist() == [True] * seen + [False] * (8 - seen)


def test_attention_to_means_is_attention_to_the_frames_where_these_are_alike() -> None:
    """If keys and values repeat for four frames, attending to their means gives the same result."""
    torch.manual_seed(0)
    q = torch.randn(1, 32, 2, 8)
    k, v = torch.randn(2, 1, 16, 8).repeat_interleave(4, dim=3)
    every, fourth = (
        attention(
            q,
            as_keys(heads_of(pooled(k, stride), 2)),
            as_values(heads_of(pooled(v, stride), 2)),
            wide_mask(torch.ones(1, 1, 32), stride),
        )
        for stride in (1, 4)
    )
    assert torch.allclose(every, fourth, atol=1e-5)


def test_a_mean_stands_in_the_middle_of_its_frames() -> None:
    """Attention scores depend only on distance; a pooled key scores like a plain key half a frame later."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 8)
    turn, half = rotary(8, 8, q.device), rotary(8, 8, q.device, stride=2)
    angle = 2.5 * 10000.0 ** (-torch.arange(4) / 4)
    turned = torch.polar(torch.ones(4), angle) * torch.complex(k[..., :4], k[..., 4:])
    exact = torch.cat([turned.real, turned.imag], dim=3)
    middle = rotate(k, (half[0][1:2], half[1][1:2]))  # the mean of frames 2 and 3
    assert torch.allclose(middle, exact, atol=1e-6)
    at = rotate(q, (turn[0][5:6], turn[1][5:6]))
    assert torch.allclose((at * middle).sum(), (at * exact).sum(), atol=1e-5)


def randomised(module):
    """``module`` with random weights; layers that start at zero would hide their effect."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.08)
    return module.eval()


def denoiser_inputs(frames: int):
    rng = torch.Generator().manual_seed(3)
    rows = torch.randn(1, CONDITION_ROWS, 2 * frames, generator=rng)
    latent, context = torch.randn(2, 1, 64, frames, generator=rng)
    style = torch.from_numpy(style_row(2))[None]
    return rows, latent, context, style


def velocity(condition, denoiser, rows, latent, context, style, t, valid):
    tokens, keys_values = condition(rows, style)
    known = torch.zeros(1, 1, latent.shape[-1])
    time = torch.full((1, 1, 1), t)
    return denoiser(latent, context * known, known, time, tokens, keys_values, style, valid)


@pytest.mark.parametrize("config", [TINY, POOLED], ids=["full rate", "reduced rate"])
@torch.no_grad()
def test_clear_steps_look_at_the_whole_song_and_noisy_steps_at_the_moment(config: DenoiserConfig) -> None:
    condition, denoiser = randomised(ConditionEncoder(config)), randomised(Denoiser(config))
    for block in denoiser.blocks:  # then only the alignment attention reaches distant frames
        torch.nn.init.zeros_(block.self_out.weight)
    frames = 96
    rows, latent, context, style = denoiser_inputs(frames)
    other = rows.clone()
    other[..., 2 * 80 :] += 1.0  # too far from frame 0 for the local attention and the convolutions
    valid = torch.ones(1, 1, frames)

    def change(t: float) -> float:
        a = velocity(condition, denoiser, rows, latent, context, style, t, valid)
        b = velocity(condition, denoiser, other, latent, context, style, t, valid)
        return float((a - b)[..., :8].abs().max())

    assert change(1.0) < 1e-6
    assert change(0.05) > 1e-4


@torch.no_grad()
def test_the_vocals_timing_survives_the_condition_encoder() -> None:
    condition = randomised(ConditionEncoder(TINY))
    rows, _, _, style = denoiser_inputs(64)
    early, late = torch.zeros_like(rows), torch.zeros_like(rows)
    early[..., 20:24], late[..., 60:64] = 1.0, 1.0
    a, b = condition(early, style)[0], condition(late, style)[0]
    assert not torch.allclose(a, b)
    assert torch.allclose(a[..., 6:20], b[..., 26:40], atol=1e-5)


@pytest.mark.parametrize(("config", "end"), [(TINY, 40), (POOLED, 40), (POOLED, 37)])
@torch.no_grad()
def test_padding_changes_nothing_before_it(config: DenoiserConfig, end: int) -> None:
    condition, denoiser = randomised(ConditionEncoder(config)), randomised(Denoiser(config))
    rows, latent, context, style = denoiser_inputs(64)
    valid = torch.ones(1, 1, 64)
    valid[..., end:] = 0
    silent = torch.zeros_like(rows)
    silent[..., : 2 * end] = rows[..., : 2 * end]
    a = velocity(condition, denoiser, silent, latent * valid, context, style, 0.5, valid)
    noise = latent * valid + torch.randn_like(latent) * (1 - valid)
    b = velocity(condition, denoiser, silent, noise, context, style, 0.5, valid)
    assert torch.allclose(a[..., :end], b[..., :end], atol=1e-5)


@torch.no_grad()
def test_the_planner_turns_with_the_melody() -> None:
    planner = randomised(
        Planner(PlannerConfig(harmony=8, harmony_dilations=(1, 2), beat=8, beat_dilations=(1,)))
    )
    rng = np.random.default_rng(0)
    features = np.zeros((64, 64), np.float32)
    features[rng.integers(0, 12, 64), np.arange(64)] = 1.0
    features[60:] = rng.uniform(size=(4, 64))
    moved = transposed(features, 5)
    unknown = torch.zeros(1, 5, 64)
    plan, key, _ = planner(torch.from_numpy(features)[None], unknown)
    turned_plan, turned_key, _ = planner(torch.from_numpy(moved)[None], unknown)
    rolled = torch.roll(plan.reshape(1, 2, 12, 16), 5, dims=2).reshape(1, 24, 16)
    assert torch.allclose(turned_plan, rolled, atol=1e-5)
    assert torch.allclose(turned_key, torch.roll(key.reshape(1, 2, 12), 5, dims=2).reshape(1, 24), atol=1e-5)


@torch.no_grad()
def test_decoder_spreads_pitch_and_time_where_the_encoder_took_them() -> None:
    decoder = RollDecoder(VaeConfig(fine=8, coarse=8, temporal=16, drum=8))
    planes, patch, frames, rows, columns = 16, 4, 2, 24, 3
    grid = torch.arange(planes * patch * frames * rows * columns, dtype=torch.float32)
    grid = grid.reshape(1, planes * patch * frames, rows, columns)
    spread = decoder._spread_pitched(grid).reshape(planes, 88, 6)
    for plane, pitch, frame in ((0, 0, 0), (3, 17, 5), (15, 87, 2)):
        padded = pitch + 4
        channel = plane * patch * frames + padded % 4 * frames + frame % 2
        assert spread[plane, pitch, frame] == grid[0, channel, padded // 4, frame // 2]


def test_the_vae_learns_a_bar() -> None:
    torch.manual_seed(0)
    notes = [Note(0.1 + 0.25 * k, 0.3 + 0.25 * k, 60 + k % 5, 80, "keys") for k in range(6)]
    rows = torch.from_numpy(roll_of(Score.of(notes, 1.8), 40).stacked())[None]
    assert rows.shape[1] == ROLL_ROWS
    from train.training.score_vae import reconstruction_terms

    vae = ScoreVae(VaeConfig(fine=8, coarse=16, temporal=32, drum=8))
    optimiser = torch.optim.AdamW(vae.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        logits, _, _ = vae(rows)
        loss = sum(reconstruction_terms(logits, rows).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_style_rows_are_one_hot() -> None:
    assert style_row(None).argmax() == STYLE_ROWS - 1
    assert style_row(3).sum() == 1.0 and style_row(3)[3] == 1.0
