"""The real service is killed at random: the daemon, its engine or its decoder, while vocals keep coming.

Some kills come at a random moment, counted in log lines rather than in seconds, so that they do not depend on
the computer's speed. Others come at a random system call. After each kill, folders and journal must be
consistent. At the end, each vocal must have been rendered or rejected exactly once.

``BACKLINE_KILLS`` sets the number of kills, ``BACKLINE_SEED`` the seed. ``-m soak`` makes 500 kills in rounds
of 25, each with its own folders and seed. ``-s`` prints each kill and a table at the end.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.vocals import sung
from support.watch.invariants import at_any_moment, sha256, when_quiet
from support.watch.service import Service
from support.watch.victims import (
    DAEMON_CALLS,
    DECODER_CALLS,
    ENGINE_CALLS,
    LONGEST_WAIT_S,
    START_CALLS,
    awaited_engine,
    can_trace,
    died_at,
    drawn,
    ends,
    engine_of,
    gone,
    kill,
    kill_decoder,
    stopped,
    tracer,
)

KILLS = int(os.environ.get("BACKLINE_KILLS", "0"))
SEED = int(os.environ.get("BACKLINE_SEED", "6"))
A_ROUND = 25
RATE_HZ = 8_000

WAYS = {
    "daemon, some moment": 30,
    "daemon, at a call": 30,
    "daemon, at a call of its start": 10,
    "engine, some moment": 10,
    "engine, at a call": 10,
    "decoder, some moment": 6,
    "decoder, at a call": 4,
}
"""Kinds of kills and their shares in percent."""

SETTINGS = {"work": {"attempts": 100}, "intake": {"settle_s": 0.1, "patience_s": 0.2}}


def wait_for_lines(service: Service, lines: int, chance: random.Random) -> None:
    """Wait until the log has ``lines`` more lines, and then a random moment."""
    start = service.log.count("\n")
    give_up_s = time.monotonic() + LONGEST_WAIT_S  # there may be no further lines
    while service.log.count("\n") < start + lines and time.monotonic() < give_up_s:
        time.sleep(0.005)
    time.sleep(chance.choice((0.0, 0.0, chance.uniform(0.0, 0.3))))


def drop_some(service: Service, dropped: dict[str, str], chance: random.Random, least: int) -> None:
    """Drop ``least`` vocals or one more; some are rendered, some rejected as unreadable, some as silent."""
    for _ in range(least + chance.choice((0, 0, 1))):
        name = f"{chance.choice(('', 'sub/'))}take {len(dropped)}.wav"
        vocal, kind = service.root / "vocal", chance.random()
        if kind < 0.3:
            vocal.write_bytes(b"RIFF this is not a recording" + os.fsencode(name))
        else:
            sound = sung(1.0 + 0.001 * len(dropped), RATE_HZ) * (1.0 if kind < 0.7 else 1e-4)
            soundfile.write(vocal, sound.astype(np.float32), RATE_HZ, format="WAV", subtype="FLOAT")
        dropped[name] = sha256(vocal)
        service.drop(vocal, name)


def wrong_now(service: Service, dropped: dict[str, str]) -> list[str]:
    """Violated invariants while no daemon runs. It opens a copy of the journal, as opening repairs it."""
    wrong = at_any_moment(service.config.folders, dropped)
    copy = service.root / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for ending in ("", "-wal"):
        if (file := service.root / "state" / f"journal.db{ending}").exists():
            shutil.copyfile(file, copy / file.name)
    if (copy / "journal.db").exists():
        db = sqlite3.connect(copy / "journal.db")
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        db.close()
        wrong += [] if verdict == "ok" else [f"the journal is damaged: {verdict}"]
    return wrong + [f"{file} was set aside" for file in (service.root / "state").glob("*damaged*")]


def killed(service: Service, way: str, chance: random.Random) -> str:
    """Kill in that way; returns what was killed and where. If the victim never appears, kill the daemon."""
    assert service.process is not None
    victim, _, where = way.partition(", ")
    if where == "at a call of its start":
        kill(service.process.pid)
        service.process.wait()
        call, number = drawn(START_CALLS, chance)
        service.start(tracer(call, number))
        if ends(service.process.pid):
            return f"{way}: {call} {number}"
    elif where == "at a call":
        calls = {"daemon": DAEMON_CALLS, "engine": ENGINE_CALLS, "decoder": DECODER_CALLS}[victim]
        call, number = drawn(calls, chance)
        wait_for_lines(service, chance.choice((0, 0, 1, 2)), chance)
        pid = service.process.pid if victim == "daemon" else awaited_engine(service)
        if pid and died_at(pid, call, number, service.root / "trace", children=victim == "decoder"):
            assert victim == "decoder" or ends(pid)
            return f"{way}: {call} {number}"
    elif victim == "decoder":
        if kill_decoder(service, chance):
            return way
    else:
        wait_for_lines(service, chance.randint(1, 7), chance)
        pid = service.process.pid if victim == "daemon" else awaited_engine(service)
        if pid and kill(pid):
            return way
    kill(service.process.pid)
    return f"daemon, in place of: {way}"


def kill_loop(service: Service, kills: int, seed: int) -> Counter[str]:
    """Kill and restart the service, then let it finish; returns the number of kills of each kind."""
    chance, dropped, ways = random.Random(seed), dict[str, str](), Counter[str]()
    possible = {way: often for way, often in WAYS.items() if can_trace() or "call" not in way}
    service.start()
    for number in range(kills):
        way = chance.choices(list(possible), list(possible.values()))[0]
        drop_some(service, dropped, chance, least=0 if way.startswith("engine") else 1)
        what = killed(service, way, chance)
        ways[what.partition(":")[0]] += 1
        print(f"seed {seed}, kill {number}: {what}", flush=True)
        assert service.process is not None
        engine = engine_of(service)
        if gone(service.process.pid):
            service.process.wait()
            assert not engine or ends(engine), f"engine {engine} outlives its daemon"
            assert wrong_now(service, dropped) == [], f"seed {seed}, kill {number}\n{service.log}"
            service.start()
        else:
            with stopped(service.process.pid):
                wrong = wrong_now(service, dropped)
            assert wrong == [], f"seed {seed}, kill {number}\n{service.log}"
    service.until_quiet()
    assert service.stop() == 0
    assert when_quiet(service.config.folders, dropped) == [], f"seed {seed}\n{service.log}"
    ways["vocals"] = len(dropped)
    return ways


@pytest.mark.service
def test_killed_at_random(tmp_path: Path, fake_pack: Path) -> None:
    with Service(tmp_path, fake_pack, SETTINGS) as service:
        kill_loop(service, KILLS or 4, SEED)


@pytest.mark.service
@pytest.mark.soak
def test_killed_five_hundred_times(tmp_path: Path, fake_pack: Path) -> None:
    ways = Counter[str]()
    for seed in range(SEED, SEED + -(-(KILLS or 500) // A_ROUND)):
        with Service(tmp_path / str(seed), fake_pack, SETTINGS) as service:
            ways += kill_loop(service, A_ROUND, seed)
        shutil.rmtree(service.root)
    print(f"\nseeds from {SEED}, {ways.total() - ways['vocals']} kills")
    print("\n".join(f"{count:6}  {what}" for what, count in sorted(ways.items())))
