"""From the inbox to the queue: scan, wait until a file has settled, read its companions, hash it, queue it.

The daemon calls :meth:`Intake.look` at the time :meth:`Intake.due_s`, and :meth:`Intake.step` while there is
:attr:`Intake.pending` work; a step is short. A vocal is accepted once the journal has it. After any earlier
failure it stays in the inbox and is offered again. All state is in the journal, so a kill costs only the work
on one file.
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
from appliance.watch.inbox.asking import Asking
from appliance.watch.inbox.scan import Scan, scan
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar import Asked, NotReady
from appliance.watch.inbox.stillness import Stillness, stillness, wait_s
from appliance.watch.inbox.unused import Unused
from appliance.watch.journal.applied import record_applied
from appliance.watch.journal.journal import Journal, job_key
from appliance.watch.journal.rows import Job
from appliance.watch.journal.states import ACTIVE
from appliance.watch.settings.apart import identities
from appliance.watch.settings.config import Config

MIN_SCAN_INTERVAL_S = 0.25
"""Least time between two scans, unless ``scan_s`` is shorter."""


class Intake:
    """Queues jobs for the vocals in the inbox.

    ``pack_sha256`` is part of each job key, so no file is hashed before the daemon has set it. ``held`` maps
    each settled file that is not accepted to the reason. ``log`` receives a sentence about each file that was
    accepted or held.
    """

    def __init__(self, config: Config, journal: Journal, log: Callable[[str], None] = lambda _: None) -> None:
        self.config = config
        self.pack_sha256 = ""
        self.last_scan: Scan | None = None
        self.last_scan_s: float | None = None
        self.held: dict[bytes, str] = {}
        self.unused = Unused(config.folders.inbox, journal)
        self._journal = journal
        self._log = log
        self._tracker = Tracker(config.intake.settle_s)
        self._asking = Asking(config, self._tracker)
        self._ready: deque[FoundFile] = deque()
        self._hasher: Hasher | None = None

    def reconfigure(self, config: Config) -> None:
        """Apply new settings, also to files that are settling."""
        self.config = config
        self._tracker.settle_s = config.intake.settle_s
        self._asking.reconfigure(config)

    def due_s(self) -> float:
        """Time of the next scan, on the clock of :meth:`look`."""
        if self.last_scan_s is None:
            return float("-inf")
        regular_s = self.last_scan_s + self.config.intake.scan_s
        settled_s = self._tracker.due_s()
        if settled_s is None or settled_s >= regular_s:
            return regular_s
        return min(regular_s, max(settled_s, self.last_scan_s + MIN_SCAN_INTERVAL_S))

    @property
    def pending(self) -> bool:
        """Whether :meth:`step` has work."""
        work = self._hasher is not None or bool(self._ready) or self._asking.references.pending
        return bool(self.pack_sha256) and work

    @property
    def settling(self) -> int:
        """Number of files in the inbox that are not queued yet."""
        return self._tracker.settling()

    def look(self, now_s: float) -> Scan:
        """Scan the inbox at ``now_s`` (monotonic seconds). Jobs in the queue whose vocal is gone end.

        Settled files are then ready for :meth:`step`. Raises JournalError.
        """
        seen = scan(self.config.folders.inbox, self.config.intake, identities(self.config.folders))
        self.last_scan, self.last_scan_s = seen, now_s
        busy = None if self._hasher is None else self._hasher.found
        leaving = [job.relpath for job in self._journal.in_state("published", "rejecting")]
        self._ready = deque(found for found in self._tracker.observe(now_s, seen, leaving) if found != busy)
        self._asking.scanned()
        self.held = {path: why for path, why in self.held.items() if self._tracker.found(path) is not None}
        if seen.sentinel:
            # Vocals in folders that could not be read may still exist.
            unread = tuple(trouble.path for trouble in seen.troubles)
            for job in self._journal.in_state("waiting"):
                if not self._is_in_inbox(job) and not job.relpath.startswith(unread):
                    self._journal.record_gone(job.id, "the vocal is no longer in the inbox")
                    self._log(f"{job.shown} is gone from the inbox")
            self.unused.stay = self._sources_stay
            self.unused.update(self._tracker, now_s, lambda path: self._asking.now(path, now_s))
            for sentence in self.unused.overdue(self._tracker, now_s, self.config.intake.patience_s):
                self._log(sentence)
        return seen

    def step(self, now_s: float) -> None:
        """Do a short step of work on one file. After a JournalError the file is offered again."""
        if not self.pending:
            return
        if self._asking.references.pending:
            self._asking.references.step()
            return
        found = self._hasher.found if self._hasher is not None else self._ready.popleft()
        try:
            self._step(found, now_s)
        except (Changed, FileNotFoundError, NotADirectoryError):
            self._hold(found, now_s, Stillness.CHANGED.value)
        except PermissionError as error:
            self._hold_or_reject_unreadable(found, now_s, error)
        except OSError as error:
            self._hold(found, now_s, f"it cannot be read: {error.strerror}")
        except NotReady as why:
            self._hold(found, now_s, str(why))
        except BaseException:
            self._hold(found, now_s, "the journal could not be written")
            raise

    def recheck(self, job: Job, now_s: float) -> Asked | None:
        """What is asked for a waiting job that may start: its vocal and companions are unchanged. Else None.

        If one of them is changing, the job is deferred. If one has changed, the job ends as ``gone`` and the
        vocal is offered again. Raises JournalError.
        """
        found = self._tracker.found(job.relpath)
        try:
            if found is None:
                raise NotReady("the vocal has not been seen since the start")
            if self._is_in_inbox(job):
                asked = self._asking.read(found, now_s)
                if isinstance(asked, Asked) and asked.wishes.to_json() == job.settings:
                    record_applied(self._journal, job.id, asked.applied)
                    return asked
        except (NotReady, OSError) as why:
            self._journal.defer(job.id, str(why), self.config.intake.settle_s)
            return None
        self._journal.record_gone(job.id, "the vocal or a file that belongs to it has changed")
        self._tracker.offer_again(job.relpath)
        return None

    def patience_left_s(self, path: bytes, now_s: float) -> float:
        """Seconds for which a vocal that does not decode still counts as an unfinished copy."""
        return max(0.0, self.config.intake.patience_s - self._tracker.age_s(path, now_s))

    def companions(self, path: bytes, files: tuple[FoundFile, ...] | None = None) -> tuple[bytes, ...]:
        """The companions that move with the vocal ``path``; with ``files`` only those and done markers."""
        inbox = self.config.folders.inbox
        return self._tracker.companions.moving_with(path, files, lambda other: exists(inbox, other))

    def too_late(self, path: bytes, files: tuple[FoundFile, ...]) -> list[FoundFile]:
        """Companions of the vocal ``path`` that are not, or not as they are now, among ``files``."""
        return self._tracker.companions.too_late(path, files)

    def offer_again(self, path: bytes) -> None:
        """Offer a handled file again, because its job was requeued or ended."""
        self._tracker.offer_again(path)

    def _step(self, found: FoundFile, now_s: float) -> None:
        if self._hasher is None:
            self._check(found, now_s)
        elif (digest := self._hasher.step()) is not None:
            self._close()
            self._accept(found, digest, now_s)

    def _check(self, found: FoundFile, now_s: float) -> None:
        """Check a settled file, and open it for hashing if it is complete. Raises NotReady if it is not."""
        known = self._journal.by_found(found)
        if known is not None and (known.state in ACTIVE or (known.state == "done" and self._sources_stay)):
            self._handled(found)
            return
        if self._journal.waiting_count() >= self.config.work.queue_limit:
            raise NotReady("the queue is full")
        if self.last_scan is not None and found.path in self.last_scan.unfinished:
            raise NotReady("a file of a download manager beside it says that it is not complete")
        markers = (claim for claim in self._tracker.companions.of(found.path) if claim.kind == "done")
        marked = any(self._tracker.has_settled(marker.file.path, now_s) for marker in markers)
        if self.config.intake.require_done_marker and not marked:
            raise NotReady("its done marker is missing")
        self._asking.read(found, now_s)
        self._hasher = Hasher(self.config.folders.inbox, found)
        what = stillness(self._hasher.descriptor, found)
        certain = marked and what not in (Stillness.BUSY, Stillness.CHANGED)
        if not certain and self._tracker.age_s(found.path, now_s) < wait_s(what, self.config.intake):
            raise NotReady(what.value)

    def _accept(self, found: FoundFile, content_sha256: str, now_s: float) -> None:
        """Record a hashed file in the journal."""
        asked = self._asking.read(found, now_s)
        if isinstance(asked, InputError):
            self._reject(found, content_sha256, str(asked))
        else:
            self._queue(found, content_sha256, asked.wishes.to_json(), applied=asked.applied)

    def _reject(self, found: FoundFile, content_sha256: str, reason: str) -> None:
        """Record a ``rejecting`` job. The reason is part of its key, so a corrected vocal gets a new job."""
        self._queue(found, content_sha256, json.dumps({"wrong": reason}), reason)

    def _queue(
        self,
        found: FoundFile,
        content_sha256: str,
        settings: str,
        reason: str = "",
        applied: tuple[FoundFile, ...] = (),
    ) -> None:
        wanted = wanted_name(found.path)
        before = self._journal.by_key(job_key(content_sha256, self.pack_sha256, settings), wanted)
        if before is not None and before.state in ACTIVE:
            if before.relpath != found.path and self._is_in_inbox(before):
                raise NotReady(f"the same recording is already queued as {before.shown}")
            name = before.name
        elif before is not None and before.state == "done" and self._has_result(before):
            self._journal.record_still_there(before.id, found)
            record_applied(self._journal, before.id, applied)
            self._handled(found)
            self._log(f"{found.shown} was rendered before; its result is still there")
            return
        else:
            try:
                name = free_name(self.config.folders.outbox, wanted, self._journal.names_in_use())
            except OSError as error:
                raise NotReady(f"the outbox cannot be read: {error.strerror}") from error
        job = self._journal.add(found, content_sha256, self.pack_sha256, settings, wanted, name, reason)
        self._handled(found)
        self._log(f"{found.shown} is job {job.id}" + (f", rejected: {reason}" if reason else ""))

    def _hold_or_reject_unreadable(self, found: FoundFile, now_s: float, error: PermissionError) -> None:
        """Hold a file without read permission, because its owner may still change it; reject it once old."""
        if self._tracker.age_s(found.path, now_s) < self.config.intake.patience_s:
            self._hold(found, now_s, "the service may not read it")
            return
        self._close()
        unread = hashlib.sha256(repr(found).encode()).hexdigest()
        reason = f"{found.shown}: the service may not read it; change its permissions and drop it again."
        try:
            self._reject(found, unread, reason)
        except NotReady as why:
            self._hold(found, now_s, str(why))

    @property
    def _sources_stay(self) -> bool:
        """Whether rendered vocals stay in the inbox."""
        return not self.config.publish.archive_sources

    def _is_in_inbox(self, job: Job) -> bool:
        found = self._tracker.found(job.relpath)
        return found is not None and found._replace(ctime_ns=0) == job.found

    def _has_result(self, job: Job) -> bool:
        """Whether the outbox still has the result of this job."""
        last = self._journal.last_of_name(job.name)
        return last is not None and last.id == job.id and exists(self.config.folders.outbox, job.name)

    def _handled(self, found: FoundFile) -> None:
        self._close()
        self._tracker.handled(found)
        self.held.pop(found.path, None)

    def _hold(self, found: FoundFile, now_s: float, why: str) -> None:
        self._close()
        self._tracker.postpone(found, now_s)
        if self.held.get(found.path) != why:
            self.held[found.path] = why
            self._log(f"{found.shown} is not accepted yet: {why}")

    def _close(self) -> None:
        if self._hasher is not None:
            self._hasher.close()
            self._hasher = None
