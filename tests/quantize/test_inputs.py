"""Reading exported graphs and calibration samples, and rejecting damaged ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pickle_trap import Trap
from support.quantised import scaled

from appliance.errors import UsageError
from quantize.calibration import read_samples
from quantize.exported import read_exported


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "graphs.json").unlink(), "graphs.json: cannot be read"),
        (lambda f: (f / "graphs.json").write_text("{"), "graphs.json: "),
        (lambda f: edit(f, lambda s: s.update(schema=2)), "schema: "),
        (lambda f: edit(f, lambda s: s["graphs"].pop("planner")), "no graph planner"),
        (lambda f: edit(f, lambda s: s["graphs"]["planner"].update(file="../planner.xml")), "planner.file: "),
        (lambda f: edit(f, lambda s: s["checkpoint"].pop("licence")), "checkpoint.licence: "),
        (lambda f: (f / "planner.bin").unlink(), "planner.bin: missing or altered"),
        (lambda f: (f / "planner.bin").write_bytes(b"\0"), "planner.bin: missing or altered"),
    ],
)
def test_graphs_that_are_not_what_was_exported(
    spoiled: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(spoiled)
    with pytest.raises(UsageError) as caught:
        read_exported(spoiled)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads((folder / "graphs.json").read_text())
    change(said)
    (folder / "graphs.json").write_text(json.dumps(said))


GOOD = {f"{s}/x": np.full((1, 2, 4 + s), s, np.float32) for s in range(8)}


def test_the_last_quarter_is_held_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "g.npz", **dict(reversed(GOOD.items())))
    used, held_out = read_samples(tmp_path, "g", scaled(1.0))
    assert [int(s["x"][0, 0, 0]) for s in used] == [0, 1, 2, 3, 4, 5]
    assert [int(s["x"][0, 0, 0]) for s in held_out] == [6, 7]
    assert [s["x"].shape[2] for s in held_out] == [10, 11]  # lengths may differ
    assert len(list(used)) == len(used) == 6  # can be iterated again


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"8/y": np.zeros(1, np.float32)}, "sample '8' lacks or adds x, y"),
        ({"x": np.zeros((1, 2, 4), np.float32), "y": np.zeros(1)}, "sample '' lacks or adds y"),
        ({"3/x": np.zeros((1, 2, 4))}, "3/x is float64"),
        ({"3/x": np.zeros((1, 3, 4), np.float32)}, "3/x is float32 (1, 3, 4), the graph takes"),
        ({"3/x": np.full((1, 2, 4), np.nan, np.float32)}, "3/x is not finite"),
        ({f"{s}/x": None for s in range(5)}, "3 samples; at least 4"),
        ({"3/x": np.array([Trap(Path("sprung"))], object)}, "3/x cannot be read"),
    ],
)
def test_samples_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("g.npz", **{k: v for k, v in {**GOOD, **change}.items() if v is not None})
    with pytest.raises(UsageError) as caught:
        for half in read_samples(tmp_path, "g", scaled(1.0)):
            list(half)
    assert said in str(caught.value)
    assert not Path("sprung").exists()


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x80\x04N."])
def test_files_that_are_no_samples(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "g.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"g\.npz: "):
        read_samples(tmp_path, "g", scaled(1.0))
