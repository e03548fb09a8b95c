"""A fake bench for tuning: the test sets the time of each setting and the error of its output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from appliance.errors import PackError
from appliance.networks.setting import GraphSetting, Precision
from appliance.tuning.profile import ProfileKey
from appliance.tuning.workbench import Array, Trial

KEY = ProfileKey(
    processor="Test CPU",
    flags_sha256="0" * 64,
    cores=4,
    threads=4,
    pack_sha256="1" * 64,
    openvino="1",
    backline="2",
)


@dataclass
class MadeUpBench:
    """A bench whose ``clock`` advances with each compilation and forward pass.

    ``costs_s``: seconds of a forward pass by setting (as printed), 1.0 by default. ``errors``: added to the
    output, whose elements are 1.
    """

    graphs: tuple[str, ...] = ("denoiser",)
    offered: tuple[Precision, ...] = ()
    costs_s: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    compiling_s: float = 2.0
    now_s: float = 1000.0
    compiled: list[tuple[str, str]] = field(default_factory=list)
    evaluated: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    def precisions(self, graph: str) -> tuple[Precision, ...]:
        return self.offered

    def trial(self, graph: str, setting: GraphSetting) -> Trial:
        self.now_s += self.compiling_s
        self.compiled.append((graph, str(setting)))
        if str(setting) in self.broken:
            raise PackError("no kernel for it")

        def evaluate(draw: int) -> list[Array]:
            self.now_s += self.costs_s.get(str(setting), 1.0)
            self.evaluated.append(str(setting))
            return [np.full(8, 1.0 + self.errors.get(str(setting), 0.0), np.float32)]

        return evaluate
