"""Distillation on cases with a known answer, and checkpoints adopted as runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from support.tiny_checkpoint import DENOISER, tiny_facts, write_tiny_checkpoint

torch = pytest.importorskip("torch")

from appliance.networks.condition_rows import CONDITION_ROWS, STYLE_ROWS  # noqa: E402
from train.checkpoints.adopt import adopt  # noqa: E402
from train.checkpoints.assemble import _training_facts  # noqa: E402
from train.checkpoints.checkpoint import CheckpointError, load_checkpoint, save_network  # noqa: E402
from train.networks.generator import Generator  # noqa: E402
from train.training.state import load_ema  # noqa: E402
from train.training.student import STEPS, StudentStage, student_config  # noqa: E402

FRAMES = 32


@dataclass(frozen=True)
class Windows:
    """Stands in for a WindowSource: random arrays of the right shapes."""

    songs: tuple[str, ...] = ("one",)
    dropout: object = None

    def window(self, frames: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        def draw(rows: int, length: int) -> np.ndarray:
            return rng.standard_normal((rows, length)).astype(np.float32)

        return {
            "latent": draw(64, frames),
            "rows": draw(CONDITION_ROWS, 2 * frames),
            "style": np.eye(STYLE_ROWS, dtype=np.float32)[:, :1],
            "context": np.zeros((64, frames), np.float32),
            "known": np.zeros((1, frames), np.float32),
            "valid": np.ones((1, frames), np.float32),
        }


@pytest.fixture
def stage() -> StudentStage:
    torch.manual_seed(0)
    teacher = Generator(DENOISER)
    torch.nn.init.normal_(teacher.denoiser.out.weight, std=0.02)
    return StudentStage(teacher, Windows(), Windows(), batch=8, frames=FRAMES, guidance=2.0)


def shared(batch, t, heard):
    """The inputs of the denoiser besides the noisy latent."""
    return batch["context"], batch["known"], t, *heard, batch["style"], batch["valid"]


def test_moments_lie_on_the_grid_of_their_stride(stage: StudentStage) -> None:
    rng = np.random.default_rng(0)
    strides = set()
    for _ in range(20):
        batch = stage._batch(Windows(), rng)
        stride, t = batch["stride"].flatten(), batch["timestep"].flatten()
        assert torch.allclose(t / stride, (t / stride).round(), atol=1e-5)
        assert ((t >= stride - 1e-6) & (t <= 1)).all()
        assert (stride[:5] == 1 / STEPS).all() and (stride[5:] > 1 / STEPS).all()
        strides |= set(stride.tolist())
    assert strides == {1.0, 0.5, 0.25, 0.125}


@torch.no_grad()
def test_the_lesson_is_two_guided_steps(stage: StudentStage) -> None:
    batch = stage._batch(Windows(), np.random.default_rng(1))
    noisy = batch["noise"]
    teacher = stage.teacher

    def guided(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        found = []
        for rows in (batch["rows"], torch.zeros_like(batch["rows"])):
            heard = teacher.condition(rows, batch["style"])
            found.append(teacher.denoiser(x, *shared(batch, t, heard)))
        return found[1] + 2.0 * (found[0] - found[1])

    t, half = batch["timestep"], batch["stride"] / 2
    middle = noisy - half * guided(noisy, t)
    end = middle - half * guided(middle, t - half)
    lesson = stage._teach(batch, noisy)
    assert torch.allclose(noisy - batch["stride"] * lesson, end, atol=1e-5)


def test_before_training_the_student_is_the_teacher_unguided(stage: StudentStage) -> None:
    rng = np.random.default_rng(2)
    batch = stage._batch(Windows(), rng)
    every_frame = replace(stage.model.config, self_stride=1, wide_stride=1)  # as the teacher attends
    student = Generator(every_frame)
    student.load_state_dict(stage.model.state_dict())
    with torch.no_grad():
        heard = stage.teacher.condition(batch["rows"], batch["style"])
        inputs = shared(batch, batch["timestep"], heard)
        teacher = stage.teacher.denoiser(batch["noise"], *inputs)
        student = student.denoiser(batch["noise"], *inputs, batch["stride"])
    assert torch.equal(teacher, student)


def test_the_student_looks_at_means_and_its_teacher_at_every_frame(stage: StudentStage) -> None:
    own, teachers = stage.model.config, stage.teacher.config
    assert (own.self_stride, own.wide_stride, own.few_steps) == (2, 4, True)
    assert (teachers.self_stride, teachers.wide_stride, teachers.few_steps) == (1, 1, False)
    assert own == student_config(teachers)


def test_a_student_can_begin_as_another_one() -> None:
    torch.manual_seed(5)
    earlier = Generator(replace(DENOISER, few_steps=True))
    torch.nn.init.normal_(earlier.denoiser.stride_in.weight)
    start = earlier.state_dict()
    stage = StudentStage(Generator(DENOISER), Windows(), Windows(), batch=8, frames=FRAMES, start=start)
    for name, weights in earlier.state_dict().items():
        assert torch.equal(weights, stage.model.state_dict()[name]), name
    with pytest.raises(ValueError, match="not an undistilled denoiser"):
        StudentStage(earlier, Windows(), Windows(), batch=8, frames=FRAMES)


def test_learning_brings_the_student_closer(stage: StudentStage) -> None:
    torch.manual_seed(1)
    batch = stage._batch(Windows(), np.random.default_rng(3))
    optimiser = torch.optim.Adam(stage.model.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        found = stage.loss(stage.model, batch)
        optimiser.zero_grad()
        found["loss"].backward()
        optimiser.step()
        losses.append(float(found["taught"].detach()))
    assert losses[-1] < 0.3 * losses[0]
    assert all(p.grad is None for p in stage.teacher.parameters())
    apart = stage.validate(stage.model)
    assert apart.keys() == {"apart_8", "apart_4", "apart_2", "apart_1"}
    assert all(np.isfinite(list(apart.values())))


def test_a_checkpoint_becomes_runs_and_keeps_its_weights(tmp_path: Path) -> None:
    checkpoint = write_tiny_checkpoint(tmp_path / "checkpoint")
    assert adopt(checkpoint, tmp_path / "runs") == ["denoiser", "planner", "vae"]
    run = Generator(DENOISER)
    load_ema(tmp_path / "runs" / "denoiser" / "state.safetensors", run)
    for name, weights in load_checkpoint(checkpoint).generator.state_dict().items():
        assert torch.equal(weights, run.state_dict()[name])
    assert adopt(checkpoint, tmp_path / "runs") == [], "an existing run is not overwritten"


def test_minutes_before_the_adoption_count(tmp_path: Path) -> None:
    checkpoint = write_tiny_checkpoint(tmp_path / "checkpoint")
    facts = tiny_facts() | {"training": {"vae": {"steps": 7, "minutes": 12.5, "losses": {"loss": 1.5}}}}
    (checkpoint / "checkpoint.json").write_text(json.dumps(facts))
    adopt(checkpoint, tmp_path / "runs")
    run = tmp_path / "runs" / "vae"
    (run / "curve.csv").write_text("step,seconds,loss\n9,60,1.25\n11,120,1.0\n12,30,0.75\n")
    assert _training_facts(run, 12, {}) == {
        "steps": 12,
        "minutes": 15.0,
        "parameters": 0,
        "losses": {"loss": 0.75},
    }


def test_a_folder_without_a_checkpoint_is_not_adopted(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        adopt(tmp_path, tmp_path / "runs")


def test_where_there_is_a_student_it_is_what_the_pack_gets(tmp_path: Path) -> None:
    checkpoint = write_tiny_checkpoint(tmp_path / "checkpoint")
    assert not load_checkpoint(checkpoint).generator.config.few_steps
    student = Generator(replace(DENOISER, few_steps=True))
    save_network(checkpoint / "student.safetensors", student.state_dict(), student.config)
    assert load_checkpoint(checkpoint).generator.config.few_steps
