"""From the inbox to the queue: look, settle, look closer, read what lies beside, hash, write down.

The daemon calls :meth:`Intake.look` when :meth:`Intake.due_s` says so, and :meth:`Intake.step` while
there is :attr:`Intake.pending` work; a step is short. A vocal counts as taken when the journal has it.
Whatever goes wrong before leaves it where it is, to be offered again: nothing is remembered but in the
journal, so a kill at any moment costs only the work on one file.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable

from appliance.errors import InputError
from appliance.watch.disk.folders import exists
from appliance.watch.disk.found import FoundFile
from appliance.watch.disk.hashing import Changed, Hasher
from appliance.watch.disk.names import free_name, wanted_name
from appliance.watch.inbox.companions import companions_of, done_markers
from appliance.watch.inbox.scan import Scan, scan
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar import Missing, NotYet, read_wishes
from appliance.watch.inbox.stillness import Stillness, stillness, wait_s
from appliance.watch.journal.journal import Journal, job_key
from appliance.watch.journal.rows import Job
from appliance.watch.journal.states import ACTIVE
from appliance.watch.settings.config import Config

LEAST_LOOK_S = 0.25
"""Looks are never closer than this (or ``scan_s``), however much is settling."""


class Intake:
    """The way into the queue.

    ``pack_sha256`` is part of every key, so nothing is hashed before the daemon has set it.
    ``held`` says of each file that stands still and is not taken what speaks against it.
    ``log`` is told in a sentence what was taken and what was not.
    """

    def __init__(self, config: Config, journal: Journal, log: Callable[[str], None] = lambda _: None) -> None:
        self.config = config
        self.pack_sha256 = ""
        self.last_look: Scan | None = None
        self.last_look_s: float | None = None
        self.held: dict[bytes, str] = {}
        self._journal = journal
        self._log = log
        self._tracker = Tracker(config.intake.settle_s)
        self._ready: deque[FoundFile] = deque()
        self._hasher: Hasher | None = None

    def reconfigure(self, config: Config) -> None:
        """Take other settings; what has settled under the old ones settles under the new."""
        self.config = config
        self._tracker.settle_s = config.intake.settle_s

    def due_s(self) -> float:
        """When to look next, on the clock that :meth:`look` is given."""
        if self.last_look_s is None:
            return float("-inf")
        regular_s = self.last_look_s + self.config.intake.scan_s
        settled_s = self._tracker.due_s()
        if settled_s is None or settled_s >= regular_s:
            return regular_s
        return min(regular_s, max(settled_s, self.last_look_s + LEAST_LOOK_S))

    @property
    def pending(self) -> bool:
        """Whether :meth:`step` has something to do."""
        return bool(self.pack_sha256) and (self._hasher is not None or bool(self._ready))

    @property
    def settling(self) -> int:
        """How many files in the inbox are on their way to the queue."""
        return self._tracker.settling()

    def look(self, now_s: float) -> Scan:
        """Scan the inbox; what has settled awaits :meth:`step`. Waiting jobs without a vocal end.

        Raises JournalError.
        """
        seen = scan(self.config.folders.inbox, self.config.intake)
        self.last_look, self.last_look_s = seen, now_s
        busy = None if self._hasher is None else self._hasher.found
        self._ready = deque(found for found in self._tracker.observe(now_s, seen) if found != busy)
        self.held = {path: why for path, why in self.held.items() if self._tracker.found(path) is not None}
        if seen.sentinel:
            # A look proves nothing about what it could not see.
            blind = tuple(trouble.path for trouble in seen.troubles)
            for job in self._journal.in_state("waiting"):
                if not self._lies_there(job) and not job.relpath.startswith(blind):
                    self._journal.record_gone(job.id, "the vocal is no longer in the inbox")
                    self._log(f"{job.shown} is gone from the inbox")
        return seen

    def step(self, now_s: float) -> None:
        """A short piece of work on one file. Raises JournalError, and then the file is offered again."""
        if not self.pending:
            return
        found = self._hasher.found if self._hasher is not None else self._ready.popleft()
        try:
            self._step(found, now_s)
        except (Changed, FileNotFoundError, NotADirectoryError):
            self._hold(found, now_s, Stillness.CHANGED.value)
        except PermissionError as error:
            self._unreadable(found, now_s, error)
        except OSError as error:
            self._hold(found, now_s, f"it cannot be read: {error.strerror}")
        except NotYet as why:
            self._hold(found, now_s, str(why))
        except BaseException:
            self._hold(found, now_s, "the journal could not be written")
            raise

    def refreshed(self, job: Job, now_s: float) -> bool:
        """Whether a waiting job may start as it is: its vocal and what lies beside it are as they were.

        If something is just moving, the job waits a moment longer; if it has changed, the job ends as
        ``gone`` and the vocal settles anew. Raises JournalError.
        """
        found = self._tracker.found(job.relpath)
        try:
            if found is None:
                raise NotYet("the vocal has not been seen since the start")
            if self._lies_there(job) and self._read_wishes(found, now_s) == job.settings:
                return True
        except (NotYet, OSError) as why:
            self._journal.defer(job.id, str(why), self.config.intake.settle_s)
            return False
        self._journal.record_gone(job.id, "the vocal or what lies beside it has changed")
        self._tracker.again(job.relpath)
        return False

    def patience_left_s(self, path: bytes, now_s: float) -> float:
        """Seconds during which a vocal that does not decode may still be a copy that goes on."""
        return max(0.0, self.config.intake.patience_s - self._tracker.age_s(path, now_s))

    def companions(self, path: bytes) -> tuple[bytes, ...]:
        """What is put away together with the vocal ``path``."""
        return () if self.last_look is None else companions_of(path, self.last_look)

    def again(self, path: bytes) -> None:
        """Take a new look at a file that was handled: its job has been asked for again."""
        self._tracker.again(path)

    def _step(self, found: FoundFile, now_s: float) -> None:
        if self._hasher is None:
            self._begin(found, now_s)
        elif (digest := self._hasher.step()) is not None:
            self._close()
            self._take(found, digest, now_s)

    def _begin(self, found: FoundFile, now_s: float) -> None:
        """Look closer at a file that has settled, and open it for hashing if nothing speaks against it."""
        known = self._journal.by_found(found)
        if known is not None and (known.state in ACTIVE or (known.state == "done" and self._stays)):
            self._handled(found)
            return
        if self._journal.waiting_count() >= self.config.work.queue_limit:
            raise NotYet("the queue is full")
        markers = (self._tracker.companion(marker) for marker in done_markers(found.path))
        marked = any(m is not None and self._tracker.still(m.path, now_s) for m in markers)
        if self.config.intake.require_done_marker and not marked:
            raise NotYet("its done marker is missing")
        self._read_wishes(found, now_s)
        self._hasher = Hasher(self.config.folders.inbox, found)
        what = stillness(self._hasher.descriptor, found)
        certain = marked and what not in (Stillness.BUSY, Stillness.CHANGED)
        if not certain and self._tracker.age_s(found.path, now_s) < wait_s(what, self.config.intake):
            raise NotYet(what.value)

    def _take(self, found: FoundFile, content_sha256: str, now_s: float) -> None:
        """Write a file that was hashed into the journal."""
        settings = self._read_wishes(found, now_s)
        if isinstance(settings, InputError):
            self._reject(found, content_sha256, str(settings))
        else:
            self._queue(found, content_sha256, settings)

    def _reject(self, found: FoundFile, content_sha256: str, reason: str) -> None:
        """A job that begins as ``rejecting``; its settings say why, so it is another key when mended."""
        self._queue(found, content_sha256, json.dumps({"wrong": reason}), reason)

    def _queue(self, found: FoundFile, content_sha256: str, settings: str, reason: str = "") -> None:
        wanted = wanted_name(found.path)
        before = self._journal.by_key(job_key(content_sha256, self.pack_sha256, settings), wanted)
        if before is not None and before.state in ACTIVE:
            if before.relpath != found.path and self._lies_there(before):
                raise NotYet(f"the same recording is on its way as {before.shown}")
            name = before.name
        elif before is not None and before.state == "done" and self._result_is_there(before):
            self._journal.record_still_there(before.id, found)
            self._handled(found)
            self._log(f"{found.shown} was rendered before; its result is still there")
            return
        else:
            try:
                name = free_name(self.config.folders.outbox, wanted, self._journal.names_in_use())
            except OSError as error:
                raise NotYet(f"the outbox cannot be read: {error.strerror}") from error
        job = self._journal.add(found, content_sha256, self.pack_sha256, settings, wanted, name, reason)
        self._handled(found)
        self._log(f"{found.shown} is job {job.id}" + (f", rejected: {reason}" if reason else ""))

    def _unreadable(self, found: FoundFile, now_s: float, error: PermissionError) -> None:
        """A file that the service may not read: its owner may still be giving it away."""
        if self._tracker.age_s(found.path, now_s) < self.config.intake.patience_s:
            self._hold(found, now_s, "the service may not read it")
            return
        self._close()
        unread = hashlib.sha256(repr(found).encode()).hexdigest()
        reason = f"{found.shown} may not be read by the service; change its permissions and drop it again."
        try:
            self._reject(found, unread, reason)
        except NotYet as why:
            self._hold(found, now_s, str(why))

    def _read_wishes(self, found: FoundFile, now_s: float) -> str | InputError:
        """Canonical JSON of what is asked for a vocal, or what is wrong with it."""
        try:
            return read_wishes(
                self.config.folders.inbox, found.path, self._tracker, now_s, self.config.work
            ).to_json()
        except InputError as error:
            return error
        except Missing as why:
            if self._tracker.age_s(found.path, now_s) < self.config.intake.patience_s:
                raise
            return InputError(f"{why}; drop it again together with the vocal.")

    @property
    def _stays(self) -> bool:
        """Whether rendered vocals stay in the inbox."""
        return not self.config.publish.archive_sources

    def _lies_there(self, job: Job) -> bool:
        found = self._tracker.found(job.relpath)
        return found is not None and found._replace(ctime_ns=0) == job.found

    def _result_is_there(self, job: Job) -> bool:
        """Whether the folder in the outbox is still this job's."""
        last = self._journal.last_of_name(job.name)
        return last is not None and last.id == job.id and exists(self.config.folders.outbox, job.name)

    def _handled(self, found: FoundFile) -> None:
        self._close()
        self._tracker.handled(found)
        self.held.pop(found.path, None)

    def _hold(self, found: FoundFile, now_s: float, why: str) -> None:
        self._close()
        self._tracker.not_yet(found, now_s)
        if self.held.get(found.path) != why:
            self.held[found.path] = why
            self._log(f"{found.shown} is not taken yet: {why}")

    def _close(self) -> None:
        if self._hasher is not None:
            self._hasher.close()
            self._hasher = None
