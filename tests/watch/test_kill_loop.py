"""The real service, killed at random moments: the daemon or its engine, while vocals keep coming.

Moments are counted in lines of the log, not in seconds, so that a slow computer sees the same ones.
``BACKLINE_KILLS`` and ``BACKLINE_SEED`` say how many and which; ``-m soak`` makes 500.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile
from invariants import at_any_moment, sha256, when_quiet
from service import Service
from vocals import sung

KILLS = int(os.environ.get("BACKLINE_KILLS", "4"))
SEED = int(os.environ.get("BACKLINE_SEED", "6"))


def gone(pid: int) -> bool:
    """Whether a process has ended, be it as a zombie that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for_lines(service: Service, lines: int, chance: random.Random) -> None:
    """Until the log has grown by so many lines, and then a moment more."""
    start = service.log.count("\n")
    give_up_s = time.monotonic() + 20.0  # it may have nothing more to say
    while service.log.count("\n") < start + lines and time.monotonic() < give_up_s:
        time.sleep(0.005)
    time.sleep(chance.choice((0.0, 0.0, chance.uniform(0.0, 0.3))))


def engine_of(service: Service) -> int:
    lines = [line for line in service.log.splitlines() if "Engine starts." in line]
    return int(lines[-1].rpartition("pid=")[2]) if lines else 0


def kill_loop(service: Service, kills: int, seed: int) -> None:
    chance, dropped = random.Random(seed), dict[str, str]()
    folders = service.config.folders
    service.start()
    for kill in range(kills):
        for _ in range(chance.choice((0, 1, 2))):
            name = f"{chance.choice(('', 'sub/'))}take {len(dropped)}.wav"
            vocal = service.root / "vocal"
            if chance.random() < 0.3:
                vocal.write_bytes(b"RIFF this is not a recording" + os.fsencode(name))
            else:
                soundfile.write(vocal, sung(1.0 + 0.01 * len(dropped)), 44_100, format="WAV")
            dropped[name] = sha256(vocal)
            service.drop(vocal, name)
        wait_for_lines(service, chance.randint(1, 7), chance)
        engine = engine_of(service)
        if chance.random() < 0.3 and engine and not gone(engine):
            with suppress(ProcessLookupError):
                os.kill(engine, signal.SIGKILL)
        else:
            service.stop(signal.SIGKILL)
            give_up_s = time.monotonic() + 30
            while engine and not gone(engine):
                assert time.monotonic() < give_up_s, f"engine {engine} outlives its daemon"
                time.sleep(0.01)
            wrong = at_any_moment(folders, dropped)
            assert wrong == [], f"seed {seed}, kill {kill}\n{service.log}"
            service.start()
    service.until_quiet()
    assert service.stop() == 0
    assert when_quiet(folders, dropped) == [], f"seed {seed}\n{service.log}"


SETTINGS = {"work": {"attempts": 100}, "intake": {"settle_s": 0.1, "patience_s": 0.2}}


@pytest.mark.slow
def test_killed_at_random(tmp_path: Path, fake_pack: Path) -> None:
    with Service(tmp_path, fake_pack, SETTINGS) as service:
        kill_loop(service, KILLS, SEED)


@pytest.mark.soak
def test_killed_five_hundred_times(tmp_path: Path, fake_pack: Path) -> None:
    for seed in range(SEED, SEED + 20):
        with Service(tmp_path / str(seed), fake_pack, SETTINGS) as service:
            kill_loop(service, 25, seed)
