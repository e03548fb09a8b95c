"""A thousand vocals are copied into the inbox by all kinds of programs while the service is killed often.

None may be accepted early: each file in the archive or in rejected, and each result, must be of a complete
vocal. None may be missed: at the end each was rendered or rejected exactly once. ``BACKLINE_COPIES`` sets the
number of copies, ``BACKLINE_SEED`` the seed; ``-s`` prints the table. Most vocals are nearly silent, because
rejecting one takes less time than rendering it; both are read to their end.
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
"""Python turns the first into the second if it interrupts an import."""
BACKLOG = 120
"""No copy begins while this many vocals are unfinished, so that each run of the service has work."""
ENDINGS = ("wav", "wav", "flac", "aiff", "ogg", "mp3")
SETTINGS = {
    "intake": {"settle_s": SETTLE_S, "patience_s": 7200.0, "silent_tail_s": 7200.0},
    "work": {"attempts": 100, "queue_limit": 100_000},
}


def make(vocal: Path, number: int, chance: random.Random) -> None:
    """A different vocal for each number, about a second long."""
    samples = RATE_HZ + number
    if chance.random() < SUNG_SHARE:
        sound = sung(2.0, RATE_HZ)[:samples]
    else:
        sound = np.random.default_rng(number).uniform(-1e-4, 1e-4, samples).astype(np.float32)
    soundfile.write(vocal, sound, RATE_HZ)


def ways_of(service: Service, held: ExitStack) -> list[tuple[str, Copy]]:
    """The ways to copy that this computer offers, each once."""
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
    """Stops or kills the service whenever enough copies have begun since the last time."""

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
        # A service that is stopped before it handles signals ends as an interrupted command does.
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
                disturber.failed = True  # let waiting copies begin
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
    """Finished jobs whose bytes are not those of a complete vocal, and vocals with several jobs."""
    with sqlite3.connect(service.root / "state" / "journal.db") as db:
        rows = db.execute("SELECT relpath, state, reason, content_sha256 FROM jobs").fetchall()
    db.close()
    wrong = [f"{row[:3]}" for row in rows if row[1] != "gone" and row[3] not in whole]
    cut = ("cut short", "damaged", "not a recording", "is empty")
    wrong += [f"{row[:3]}" for row in rows if any(word in row[2] for word in cut) and row[1] != "gone"]
    fates = Counter(digest for _, state, _, digest in rows if state != "gone")
    return wrong + [f"{digest} has {count} jobs" for digest, count in fates.items() if count != 1]


def table(service: Service, used: Counter[str], ends: Counter[str]) -> str:
    """The number of copies by way and by result."""
    with sqlite3.connect(service.root / "state" / "journal.db") as db:
        states = dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
    db.close()
    lines = [f"{COPIES} copies, seed {SEED}, {service.log.count('is job')} times queued"]
    for title, counts in (("way", used), ("the service ended by", ends), ("jobs in the end", states)):
        lines += [title, *(f"{count:6}  {what}" for what, count in sorted(counts.items()))]
    return "\n" + "\n".join(lines)
