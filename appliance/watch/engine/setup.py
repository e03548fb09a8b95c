"""What follows from the settings for the parts of the daemon, on this computer."""

from __future__ import annotations

import os

from appliance.watch.disk.folders import WORK
from appliance.watch.engine.messages import Setup
from appliance.watch.settings.config import Config


def setup_of(config: Config) -> Setup:
    """What an engine is started with."""
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
    """Seconds on the clock for so many processor seconds, on a computer that is busy with other things."""
    return 2.0 * decode_seconds + 60.0
