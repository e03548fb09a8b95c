"""The weights with which a student of a teacher begins, made of an earlier student and its own teacher.

What the teacher has learnt since is added to the earlier student (task arithmetic: Ilharco et al., arXiv
2212.04089, section 2). When the reference learnt eight more styles and the rows of rhythm and dials, this
brought the squared distance from the teacher's result in four steps from 0.56 to 0.16 of its power, before
any training. 190 steps of training from the earlier student as it was brought it to 0.45.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from train.checkpoints.adopt import weights_for_today
from train.checkpoints.checkpoint import CheckpointError, refuse_pickles


def student_start(checkpoint: Path, teacher: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The student of ``checkpoint`` with what ``teacher`` learnt since it was the denoiser there.

    Raises:
        CheckpointError: the checkpoint lacks student or denoiser, or holds a pickle.
    """
    refuse_pickles(checkpoint)
    files = [checkpoint / f"{name}.safetensors" for name in ("student", "denoiser")]
    for file in files:
        if not file.is_file():
            raise CheckpointError(f"{file}: missing; name a checkpoint with a student and its teacher")
    student, before = map(weights_for_today, files)
    return {
        name: weight + teacher[name].float() - before[name] if name in before else weight
        for name, weight in student.items()
    }
