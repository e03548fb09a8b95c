"""The weights with which a student of a teacher that has learnt more begins."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.tiny_checkpoint import DENOISER, write_tiny_checkpoint

torch = pytest.importorskip("torch")

from train.checkpoints.checkpoint import CheckpointError, load_checkpoint, save_network  # noqa: E402
from train.checkpoints.student_start import student_start  # noqa: E402
from train.networks.generator import Generator  # noqa: E402


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """With a student that is not its teacher."""
    folder = write_tiny_checkpoint(tmp_path / "checkpoint")
    torch.manual_seed(3)
    student = Generator(replace(DENOISER, few_steps=True))
    torch.nn.init.normal_(student.denoiser.stride_in.weight)
    save_network(folder / "student.safetensors", student.state_dict(), student.config)
    return folder


def teacher_of(checkpoint: Path, tmp_path: Path) -> dict[str, torch.Tensor]:
    """Weights of the denoiser in ``checkpoint``."""
    alone = Path(shutil.copytree(checkpoint, tmp_path / "alone"))
    (alone / "student.safetensors").unlink()
    return dict(load_checkpoint(alone).generator.state_dict())


def test_of_the_same_teacher_it_is_the_student_itself(checkpoint: Path, tmp_path: Path) -> None:
    begun = student_start(checkpoint, teacher_of(checkpoint, tmp_path))
    student = load_checkpoint(checkpoint).generator.state_dict()
    assert begun.keys() == student.keys()
    for name, weight in student.items():
        torch.testing.assert_close(begun[name], weight, msg=name)


def test_what_the_teacher_learnt_since_is_added(checkpoint: Path, tmp_path: Path) -> None:
    before = teacher_of(checkpoint, tmp_path)
    learnt = {name: torch.full_like(weight, 0.25 + k) for k, (name, weight) in enumerate(before.items())}
    begun = student_start(checkpoint, {name: before[name] + learnt[name] for name in before})
    for name, weight in load_checkpoint(checkpoint).generator.state_dict().items():
        wanted = weight + learnt[name] if name in learnt else weight
        torch.testing.assert_close(begun[name], wanted, msg=name)
    assert set(begun) - set(learnt) == {"denoiser.stride_in.weight"}


@pytest.mark.parametrize("missing", ["student", "denoiser"])
def test_a_checkpoint_without_one_of_both_is_named(checkpoint: Path, tmp_path: Path, missing: str) -> None:
    teacher = teacher_of(checkpoint, tmp_path)
    (checkpoint / f"{missing}.safetensors").unlink()
    with pytest.raises(CheckpointError, match=f"{missing}.safetensors: missing"):
        student_start(checkpoint, teacher)
