"""Quantises a graph: convolutions become INT8, everything else stays float.

Float are: the matrix products, softmax and masks of attention; norms, rotary positions and GELU; sums and
products between layers; and the few layers in FLOAT_LAYERS. All other layers with weights are convolutions
(also depthwise and transposed ones) and become INT8.

Why: INT8 convolutions are faster than FP32 on every CPU generation from SSE4.2 on. INT8 matrix products are
slower than FP32 on AVX2 and would cost attention precision. Sums and norms are cheap.

Weights are symmetric per channel, activations asymmetric per tensor (NNCF's "mixed" preset). Weights use 7
of their 8 bits: CPUs without VNNI add pairs of products in 16 bits, and with all 8 bits these sums saturate
silently. With 8 bits the reference denoiser would have an SNR of 31.6 dB with VNNI and 23.0 dB without (the
planner's plan 36.6 and 27.4). With 7 bits it has 30.9 dB (36.2) on every generation from SSE4.2 on.

Method: NNCF's min-max calibration with bias correction.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import openvino as ov
from openvino.passes import ConstantFolding, Manager

from appliance.errors import BacklineError, UsageError
from quantize.calibration import Samples
from quantize.coverage import WEIGHTED, Coverage, layer_name

MIN_INT8_SHARE = 0.9
CHECKED_ABOVE_LAYERS = 20
"""Graphs with more layers than this need MIN_INT8_SHARE of them in INT8; ``backline doctor`` asks the
same."""

FLOAT_LAYERS: dict[str, tuple[str, ...]] = {
    "condition": ("rows_in",),
    "denoiser": ("latent_in", "out"),
    "vae_decoder": ("decoder/paint",),
    "vae_encoder": ("encoder/patch", "encoder/drums", "encoder/drums_in"),
}
"""First and last layers of each graph that cost much SNR as INT8 and save little time.

SNR on held-out validation samples of the reference checkpoint, without and with this table: condition
29.3 and 36.1 dB, denoiser 28.7 and 30.9 dB, vae_decoder 30.5 and 33.7 dB, vae_encoder 13.3 and 27.2 dB. The
audio networks need no such layers: with all layers in INT8, audio_decoder has 35.9 dB, audio_encoder 38.8.
"""

_NOT_OPERATIONS = frozenset({"Constant", "Parameter", "Result"})


def quantise(model: ov.Model, samples: Samples, stay_float: Sequence[str] = ()) -> ov.Model:
    """Return the graph with INT8 convolutions.

    Args:
        model: an FP32 graph; may be modified.
        samples: inputs typical of the songs the graph will process.
        stay_float: patterns of the layers that stay float, such as ``out`` or ``blocks.*/film``: for the
            appliance's graphs FLOAT_LAYERS, and possibly more.

    Raises:
        UsageError: a pattern matches no layer, or a sample does not fit the graph.
    """
    nncf = _nncf()
    # NNCF rounds reshaped weights (of depthwise layers) but stores them as FP32, unless they are folded
    # first.
    folding = Manager()
    folding.register_pass(ConstantFolding())
    folding.run_passes(model)
    operations = [node for node in model.get_ordered_ops() if node.get_type_name() not in _NOT_OPERATIONS]
    kept = _matching(operations, stay_float)
    others = sorted({node.get_type_name() for node in operations} - WEIGHTED)
    return nncf.quantize(
        model,
        nncf.Dataset(samples),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(samples),
        fast_bias_correction=True,
        ignored_scope=nncf.IgnoredScope(names=kept, types=others, validate=False),
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
    )


def check_coverage(graph: str, found: Coverage) -> None:
    """Check that quantisation skipped no layers and left attention products alone.

    Raises:
        BacklineError: too few layers are INT8, or an attention product is.
    """
    if found.layers > CHECKED_ABOVE_LAYERS and found.int8 < MIN_INT8_SHARE * found.layers:
        left = ", ".join(found.float_layers)
        raise BacklineError(
            f"{graph}: only {found.int8} of {found.layers} layers became INT8, {MIN_INT8_SHARE:.0%} are "
            f"needed; still float: {left}. Name fewer with --float, or find out why NNCF skipped them."
        )
    if found.int8_matmuls:
        raise BacklineError(
            f"{graph}: {found.int8_matmuls} attention products became INT8; they must stay float. "
            "Use the pinned version of NNCF."
        )


def _matching(operations: Iterable[ov.Node], patterns: Sequence[str]) -> list[str]:
    """OpenVINO names of the layers that match ``patterns``."""
    layers = {layer_name(node): node.get_friendly_name() for node in operations if _is_layer(node)}
    names = []
    for pattern in patterns:
        matching = [name for layer, name in layers.items() if fnmatchcase(layer, pattern)]
        if not matching:
            raise UsageError(f"No layer is called {pattern}; choose one of {', '.join(sorted(layers))}.")
        names += matching
    return names


def _is_layer(node: ov.Node) -> bool:
    return node.get_type_name() in WEIGHTED


def _nncf() -> Any:
    """NNCF with its telemetry disabled: the package that sends it cannot be imported."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf
