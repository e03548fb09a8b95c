"""Networks train in bfloat16 only where that is not slower."""

from __future__ import annotations

import pytest

from appliance.system.cpu import GENERATIONS, Cpu

torch = pytest.importorskip("torch")

from train.networks.precision import mixed_precision, multiplies_bfloat16  # noqa: E402


@pytest.mark.parametrize(
    ("device", "flags", "expected"),
    [
        ("cpu", GENERATIONS["haswell"], False),
        ("cpu", GENERATIONS["cascadelake"], False),
        ("cpu", GENERATIONS["sapphirerapids"], True),
        ("cpu", frozenset({"avx512_bf16"}), True),
        ("cuda", frozenset(), True),
    ],
)
def test_bfloat16_needs_instructions_for_it(device: str, flags: frozenset[str], expected: bool) -> None:
    assert multiplies_bfloat16(device, Cpu("", flags, 1)) is expected


def test_layers_compute_in_the_format_of_this_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = torch.nn.Linear(4, 4), torch.ones(1, 4)
    for flags, wanted in ((frozenset(), torch.float32), (frozenset({"amx_bf16"}), torch.bfloat16)):
        monkeypatch.setattr("train.networks.precision.read_cpu", lambda flags=flags: Cpu("", flags, 1))
        with mixed_precision("cpu"):
            assert layer(x).dtype == wanted
