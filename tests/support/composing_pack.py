"""The fake pack with a chord network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset13 as op

from appliance.networks.chord_rows import CHORD_STATES, SLOT_ROWS
from quantize.ir import save_graph
from support.fake_pack import build_fake_pack, write_fake_manifest


@pytest.fixture(scope="session")
def composing_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a fake pack that composes chords, made once; leave it as it is."""
    folder = build_fake_pack(tmp_path_factory.mktemp("packs") / "composing")
    save_graph(chords(), folder / "chords.xml")
    write_fake_manifest(folder)
    return folder


def chords() -> ov.Model:
    """Scores: a major triad counts how much of it is planned, other chords nothing; a change costs 0.1, and
    the bass is the root.

    slots (1, SLOT_ROWS, M) -> scores (1, C, M), change (1, 1, M), bass (1, 144, M), table (1, C, C);
    C = CHORD_STATES.
    """
    slots = op.parameter([1, SLOT_ROWS, -1], np.float32, name="slots")
    slots.output(0).set_names({"slots"})

    def rows(weight: NDArray[np.float32]) -> ov.Node:
        return op.convolution(slots, op.constant(weight[..., None]), [1], [0], [0], [1])

    triads = np.zeros((CHORD_STATES, SLOT_ROWS), np.float32)
    for root in range(12):
        triads[root, [root, (root + 4) % 12, (root + 7) % 12]] = 1.0
    nothing = rows(np.zeros((1, SLOT_ROWS), np.float32))
    on_root = np.zeros((1, 144, 1), np.float32)
    on_root[0, :12] = 1.0
    table = np.zeros((1, CHORD_STATES, CHORD_STATES), np.float32)
    outputs = {
        "scores": rows(triads),
        "change": op.subtract(nothing, op.constant(np.float32(0.1))),
        "bass": op.add(nothing, op.constant(on_root)),
        "table": op.add(op.reduce_sum(nothing, op.constant(np.int64(2)), True), op.constant(table)),
    }
    results = []
    for name, node in outputs.items():
        result = op.result(node)
        result.output(0).set_names({name})
        results.append(result)
    return ov.Model(results, [slots], "chords")
