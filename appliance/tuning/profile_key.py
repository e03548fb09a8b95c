"""The profile key of this computer: CPU, cores, threads, pack and versions."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version

from appliance.packs.pack import Pack
from appliance.system.cpu import Cpu, read_cpu
from appliance.system.cpu_features import kernel_facts
from appliance.tuning.profile import ProfileKey


def key_of(pack: Pack, threads: int | None, cpu: Cpu | None = None) -> ProfileKey:
    """The key of ``pack`` on this CPU, with at most ``threads`` threads; None: one per core."""
    cpu = cpu or read_cpu()
    return ProfileKey(
        processor=cpu.model[:500],
        flags_sha256=hashlib.sha256(json.dumps(kernel_facts(cpu)).encode()).hexdigest(),
        cores=cpu.cores,
        threads=threads or cpu.cores,
        pack_sha256=pack.sha256,
        openvino=version("openvino"),
        backline=version("backline"),
    )
