"""What the engine needs of the settings."""

from __future__ import annotations

import os

from appliance.watch.disk.folders import WORK
from appliance.watch.engine.messages import Setup
from appliance.watch.settings.config import Config


def setup_of(config: Config) -> Setup:
    """The setup of an engine for these settings."""
    work = config.work
    return Setup(
        pack=os.fspath(work.pack),
        work=os.fspath(config.folders.outbox / os.fsdecode(WORK)),
        threads=work.threads,
        memory_bytes=work.decode_memory_mb << 20,
        cpu_s=work.decode_seconds,
        wall_s=decode_wall_s(work.decode_seconds),
        profiles=os.fspath(config.folders.state / "profiles"),
        tune=work.tune,
    )


def decode_wall_s(decode_seconds: int) -> float:
    """Wall-clock limit for a limit of CPU seconds, with a margin for a busy computer."""
    return 2.0 * decode_seconds + 60.0
