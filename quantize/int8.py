"""What stays float: the products, softmax and masks of attention, norms, rotary positions, GELU, every
sum and product between layers, and the few layers in FLOAT_LAYERS. Everything with weights is a
convolution, and the other convolutions become INT8, depthwise and transposed ones too.

Why: INT8 convolutions are faster than FP32 on every generation from SSE4.2 on; INT8 matrix products are
slower than FP32 on AVX2, and attention would lose precision by them. Sums and norms are cheap.

Weights are symmetric by channel, activations asymmetric by tensor (NNCF's "mixed"). Weights use 7 of
their 8 bits: processors without VNNI add pairs of products in 16 bits, and with all 8 bits those sums
saturate, silently. The reference denoiser would have an SNR of 31.6 dB with VNNI and 23.0 without (the
planner's plan 36.6 and 27.4); with 7 bits it has 30.9 dB (36.2) on every generation from SSE4.2 on.

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

LEAST_SHARE = 0.9
LAYERS_COUNTED = 20
"""A graph with more layers than this must have LEAST_SHARE of them as INT8 (the doctor asks the same)."""

FLOAT_LAYERS: dict[str, tuple[str, ...]] = {
    "condition": ("rows_in",),
    "denoiser": ("latent_in", "out"),
    "vae_decoder": ("decoder/paint",),
    "vae_encoder": ("encoder/patch", "encoder/drums", "encoder/drums_in"),
}
"""By graph, the first and last layers whose rounding costs much and saves little.

SNR on held-out validation samples of the reference checkpoint, without and with this table: condition
29.3 and 36.1 dB, denoiser 28.7 and 30.9, vae_decoder 30.5 and 33.7, vae_encoder 13.3 and 27.2. The audio
networks need none: with every layer in INT8 audio_decoder has 35.9 dB, audio_encoder 38.8.
"""

_NOT_OPERATIONS = frozenset({"Constant", "Parameter", "Result"})


def quantise(model: ov.Model, samples: Samples, stay_float: Sequence[str] = ()) -> ov.Model:
    """The graph with INT8 convolutions.

    Args:
        model: an FP32 graph; it may be changed.
        samples: what goes into it, typical for the songs it will meet.
        stay_float: patterns of layers to leave alone, ``out`` or ``blocks.*/film``; of a graph of the
            appliance, FLOAT_LAYERS and perhaps more.

    Raises:
        UsageError: a pattern matches no layer, or a sample does not fit the graph.
    """
    nncf = _nncf()
    # Weights that are reshaped (those of depthwise layers) would be rounded but stored as FP32.
    folding = Manager()
    folding.register_pass(ConstantFolding())
    folding.run_passes(model)
    operations = [node for node in model.get_ordered_ops() if node.get_type_name() not in _NOT_OPERATIONS]
    kept = _named(operations, stay_float)
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
    """Did the pass do what it was asked to?

    Raises:
        BacklineError: it silently left layers out, or took attention products.
    """
    if found.layers > LAYERS_COUNTED and found.int8 < LEAST_SHARE * found.layers:
        left = ", ".join(found.float_layers)
        raise BacklineError(
            f"{graph}: only {found.int8} of {found.layers} layers became INT8, {LEAST_SHARE:.0%} are needed;"
            f" these did not: {left}."
        )
    if found.int8_matmuls:
        raise BacklineError(f"{graph}: {found.int8_matmuls} attention products became INT8; they must not.")


def _named(operations: Iterable[ov.Node], patterns: Sequence[str]) -> list[str]:
    layers = {layer_name(node): node.get_friendly_name() for node in operations if _is_layer(node)}
    names = []
    for pattern in patterns:
        matching = [name for layer, name in layers.items() if fnmatchcase(layer, pattern)]
        if not matching:
            raise UsageError(f"No layer is called {pattern}; there are {', '.join(sorted(layers))}.")
        names += matching
    return names


def _is_layer(node: ov.Node) -> bool:
    return node.get_type_name() in WEIGHTED


def _nncf() -> Any:
    """NNCF, unable to report to its makers: the package it would do that with is kept from loading."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf
