"""Times our own denoiser in ONNX Runtime: ``python -m bench.peers.onnx_runtime INPUTS MODEL.onnx HOW``.

HOW is ``fp32`` or ``int8``. INT8 is ONNX Runtime's own static quantisation of the convolutions: QDQ, weights
per channel in 7 bits (``reduce_range``, as its manual advises for CPUs without VNNI), activations per tensor.
One recorded input is enough for calibration, since only speed is measured.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.peers.timing import cores, exit_without, median_s, print_row
from bench.recorder import Inputs, read_inputs

REPEATS = 5


def main() -> None:
    """Time one forward pass and print the row."""
    try:
        import onnx  # noqa: F401 - the quantiser needs it
        import onnxruntime
    except ImportError:
        exit_without("onnxruntime")
    path, model, how = sys.argv[1:]
    inputs = read_inputs(Path(path))["denoiser"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    with tempfile.TemporaryDirectory() as folder:
        chosen = quantised(Path(model), Path(folder), inputs) if how == "int8" else Path(model)
        session = onnxruntime.InferenceSession(str(chosen), options, providers=["CPUExecutionProvider"])
        seconds = median_s(lambda: session.run(None, inputs), REPEATS)
    kind = "FP32" if how == "fp32" else "static INT8 convolutions"
    print_row(
        seconds, 0.0, f"one forward pass, ONNX Runtime {onnxruntime.__version__}, {kind}, median of {REPEATS}"
    )


def quantised(model: Path, folder: Path, inputs: Inputs) -> Path:
    """Path of ``model`` with INT8 convolutions, written into ``folder``."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    logging.disable(logging.WARNING)

    class Once(CalibrationDataReader):
        """Yields the recorded input once."""

        left: Any = iter([inputs])

        def get_next(self) -> Inputs | None:
            return next(self.left, None)

    target = folder / "int8.onnx"
    quantize_static(
        str(model), str(target), Once(), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"],
        per_channel=True, reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    return target


if __name__ == "__main__":
    main()
