"""The number format of the networks' arithmetic in training: bfloat16 where the hardware multiplies it."""

from __future__ import annotations

import torch

from appliance.system.cpu import Cpu, read_cpu

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""CPU flags that each mean instructions for bfloat16. Without one, torch multiplies bfloat16 in loops of
plain code: 60 times slower than float32 on an AMD EPYC of 2021."""


def multiplies_bfloat16(device_type: str, cpu: Cpu) -> bool:
    """Whether bfloat16 is at least as fast as float32 on a torch device of this type."""
    return device_type != "cpu" or bool(BFLOAT16_FLAGS & cpu.flags)


def mixed_precision(device_type: str) -> torch.autocast:
    """A context in which layers compute in bfloat16, or in float32 where that is faster."""
    return torch.autocast(device_type, torch.bfloat16, enabled=multiplies_bfloat16(device_type, read_cpu()))
