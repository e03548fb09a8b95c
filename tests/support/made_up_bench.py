"""A processor that is made up: what each setting costs and how far its output is off is what a test says."""

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
    """``costs_s`` are seconds of an evaluation by setting (as it prints), 1.0 where nothing is said;
    ``errors`` are added to the output, whose elements are 1. Its ``clock`` moves when work is done."""

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
