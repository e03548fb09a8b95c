"""A thousand vocals are copied into the inbox by every kind of program while the service dies and returns.

None may be taken early: whatever reached the outbox, the archive or ``rejected`` is, byte by byte, a vocal
that was whole. None may be missed: in the end each has met its fate, once. ``BACKLINE_COPIES`` and
``BACKLINE_SEED`` say how many and which; ``-s`` shows the table. Most vocals are nearly silent, as
refusing one costs less than an accompaniment; both have been read to their end.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.vocals import sung
from support.watch.clients import Copy, local, rsync, sftp, smb
from support.watch.invariants import at_any_moment, sha256, when_quiet
from support.watch.service import Service

COPIES = int(os.environ.get("BACKLINE_COPIES", "1000"))
SEED = int(os.environ.get("BACKLINE_SEED", "11"))
AT_ONCE = 24
SETTLE_S = 0.5
LONGEST_PAUSE_S = 4 * SETTLE_S
RATE_HZ = 8_000
SUNG_SHARE = 0.15
COPIES_A_LIFE = 40
INTERRUPTED = (130, -signal.SIGINT)
"""The second is what Python makes of the first where an import was interrupted."""
BACKLOG = 120
"""Nobody begins to copy while so many wait for their fate, so that each life of the service has work."""
ENDINGS = ("wav", "wav", "flac", "aiff", "ogg", "mp3")
SETTINGS = {
    "intake": {"settle_s": SETTLE_S, "patience_s": 7200.0, "silent_tail_s": 7200.0},
    "work": {"attempts": 100, "queue_limit": 100_000},
}


def make(vocal: Path, number: int, chance: random.Random) -> None:
    """A vocal of its own for each number, about a second long."""
    samples = RATE_HZ + number
    if chance.random() < SUNG_SHARE:
        sound = sung(2.0, RATE_HZ)[:samples]
    else:
        sound = np.random.default_rng(number).uniform(-1e-4, 1e-4, samples).astype(np.float32)
    soundfile.write(vocal, sound, RATE_HZ)


def ways_of(service: Service, held: ExitStack) -> list[tuple[str, Copy]]:
    """Every way that this computer has, the plain ones as often as each of the others."""
    inbox = service.root / "inbox"
    ways: dict[str, Copy] = {}
    for client in (local, rsync):
        ways |= {} if client.lacking() else client.WAYS
    if not local.lacking_elsewhere(inbox):
        ways["moved_over"] = local.moved_over
    if not smb.lacking():
        for strict in (False, True):
            root = service.root / f"smb {strict}"
            ways |= held.enter_context(smb.served(inbox, root, strict_allocate=strict))
    if not sftp.lacking():
        ways |= held.enter_context(sftp.served(service.root / "ssh"))
    return sorted(ways.items())


class Disturber:
    """Ends the service again and again, politely or not, when enough copies have begun since last time."""

    def __init__(self, service: Service, chance: random.Random) -> None:
        self.service, self.chance = service, chance
        self.begun, self.settled, self.due = 0, 0, COPIES_A_LIFE
        self.ends = Counter[str]()
        self.failed = False

    def tend(self, dropped: dict[str, str]) -> None:
        self.settled = self.service.log.count("Put away.") + self.service.log.count("Rejected.")
        if self.begun < self.due:
            return
        self.due += COPIES_A_LIFE
        time.sleep(self.chance.uniform(0.0, 1.0))
        number = self.chance.choice((signal.SIGTERM, signal.SIGKILL))
        # One that is told to stop before it listens ends as any interrupted command does.
        allowed = {0, -number, *INTERRUPTED} if number == signal.SIGTERM else {-number}
        assert (code := self.service.stop(number)) in allowed, code
        self.ends[number.name] += 1
        assert at_any_moment(self.service.config.folders, dropped) == []
        self.service.start()


@pytest.mark.service
@pytest.mark.soak
def test_none_is_taken_early_and_none_is_missed(tmp_path: Path, fake_pack: Path) -> None:
    chance, whole, lock = random.Random(SEED), dict[str, str](), threading.Lock()
    (tmp_path / "vocals").mkdir()
    with Service(tmp_path / "root", fake_pack, SETTINGS) as service, ExitStack() as held:
        ways = ways_of(service, held)
        disturber, used = Disturber(service, chance), Counter[str]()

        def copy(number: int, way: str, do: Copy, seed: int) -> None:
            own = random.Random(seed)
            vocal = tmp_path / "vocals" / f"{number}.{own.choice(ENDINGS)}"
            make(vocal, number, own)
            inbox = service.root / "inbox" / ("sub" if number % 4 == 0 else "")
            while disturber.begun - disturber.settled > BACKLOG and not disturber.failed:
                time.sleep(own.uniform(0.0, SETTLE_S))
            disturber.begun += 1
            do(vocal, inbox, vocal.name, lambda: time.sleep(own.uniform(0.0, LONGEST_PAUSE_S)))
            with lock:
                whole[f"{number} by {way}"] = sha256(vocal)
            vocal.unlink()

        (service.root / "inbox" / "sub").mkdir()
        service.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            copies: list[Future[None]] = []
            for number in range(COPIES):
                way, do = chance.choice(ways)
                used[way] += 1
                copies.append(pool.submit(copy, number, way, do, chance.randrange(2**32)))
            try:
                while not all(future.done() for future in copies):
                    with lock:
                        dropped = dict(whole)
                    disturber.tend(dropped)
                    time.sleep(0.1)
            except BaseException:
                disturber.failed = True  # nobody need wait any longer
                raise
            for future in copies:
                future.result()
        assert len(whole) == COPIES
        service.until_quiet()
        assert service.stop() == 0
        print(table(service, used, disturber.ends))
        assert when_quiet(service.config.folders, whole) == []
        assert taken_early(service, set(whole.values())) == []


def taken_early(service: Service, whole: set[str]) -> list[str]:
    """Jobs that came to a fate with other bytes than a whole vocal's, and vocals with more jobs than one."""
    with sqlite3.connect(service.root / "state" / "journal.db") as db:
        rows = db.execute("SELECT relpath, state, reason, content_sha256 FROM jobs").fetchall()
    db.close()
    wrong = [f"{row[:3]}" for row in rows if row[1] != "gone" and row[3] not in whole]
    cut = ("cut short", "damaged", "not a recording", "is empty")
    wrong += [f"{row[:3]}" for row in rows if any(word in row[2] for word in cut) and row[1] != "gone"]
    fates = Counter(digest for _, state, _, digest in rows if state != "gone")
    return wrong + [f"{digest} has {count} jobs" for digest, count in fates.items() if count != 1]


def table(service: Service, used: Counter[str], ends: Counter[str]) -> str:
    """What was done and what became of it."""
    with sqlite3.connect(service.root / "state" / "journal.db") as db:
        states = dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
    db.close()
    lines = [f"{COPIES} copies, seed {SEED}, {service.log.count('is job')} times queued"]
    for title, counts in (("way", used), ("the service ended by", ends), ("jobs in the end", states)):
        lines += [title, *(f"{count:6}  {what}" for what, count in sorted(counts.items()))]
    return "\n" + "\n".join(lines)
