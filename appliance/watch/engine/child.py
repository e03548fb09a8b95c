"""The engine process: holds the compiled graphs and renders one order at a time.

    python -m appliance.watch.engine.child PARENT CHANNEL

The daemon (process PARENT) starts it with a socket as descriptor CHANNEL, in a new session, so that it can be
killed together with its decoder. It writes to the work folder only; the daemon publishes results. It dies
with the daemon, and ignores the signals that stop the service, which the daemon handles.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import BacklineError, InputError, OutputError
from appliance.system import syscalls
from appliance.watch.engine.failures import (
    ChangedError,
    DecoderDiedError,
    DecoderKilledError,
    DecoderStuckError,
    DecoderUnfitError,
    Kind,
    NeedsSpaceError,
    classify,
    number_of,
)
from appliance.watch.engine.idle_tuning import IdleTuning
from appliance.watch.engine.messages import (
    SETTINGS_NAME,
    Done,
    Failed,
    Message,
    Order,
    Progress,
    Ready,
    Setup,
    receive,
    send,
)
from appliance.watch.reports.logs import NOTICE, WARNING, log

if TYPE_CHECKING:
    from appliance.audio.recording import AudioInfo
    from appliance.rendering.engine import Engine
    from appliance.watch.engine.decoding import Limits

_PROGRESS_INTERVAL_S = 0.5
_CHECKS = 3
_CHECK_NAME = b"decoder-check.wav"
_LONGEST_ENDING = ".take99.accompaniment.wav"


def main() -> None:
    """Load the engine, report that, and serve orders until the daemon closes the channel."""
    syscalls.die_with_parent(int(sys.argv[1]))
    syscalls.preferred_by_oom_killer(500)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    os.dup2(2, 1)  # send prints of libraries to the log
    channel = socket.socket(fileno=int(sys.argv[2]))
    setup = receive(channel)
    if not isinstance(setup, Setup):
        return
    try:
        engine = _load(setup)
    except BacklineError as error:
        send(channel, Failed(0, "pack", str(error)))
        sys.exit(error.exit_code)
    manifest = engine.pack.manifest
    tuning = IdleTuning(engine, setup)
    styles, profile = list(manifest.styles), engine.profile.sha256 if engine.profile else ""
    send(channel, Ready(manifest.name, manifest.version, engine.pack.sha256, styles, profile))
    while isinstance(order := _next_message(channel, tuning), Order):
        send(channel, _Work(engine, setup, order, channel).do())


def _next_message(channel: socket.socket, tuning: IdleTuning) -> Message | None:
    """The daemon's next message. Until it comes, the CPU is measured step by step."""
    while tuning.pending and not select.select([channel], [], [], 0)[0]:
        progress = tuning.step()
        with suppress(OSError):  # the daemon has closed the channel
            send(channel, progress)
    return receive(channel)


def _load(setup: Setup) -> Engine:
    from appliance.networks.cache import cache_folder
    from appliance.rendering.engine import Engine

    profiles = Path(setup.profiles) if setup.profiles else None
    engine = Engine(Path(setup.pack), setup.threads or None, cache_folder(), profiles=profiles)
    if engine.profile_trouble:
        log(WARNING, engine.profile_trouble)
    _check_decoder(setup)
    return engine


def _check_decoder(setup: Setup) -> None:
    """Decode a second of silence. With limits too low for this computer, every file would seem damaged.

    A killed decoder is retried, because the kernel kills decoders first when memory runs out. Raises
    DecoderUnfitError.
    """
    for tried in range(1, _CHECKS + 1):
        try:
            with suppress(OSError):
                _decode_silence(setup)
            return
        except DecoderUnfitError:
            if tried == _CHECKS:
                raise


def _decode_silence(setup: Setup) -> None:
    from appliance.watch.disk.folders import clear, folder, opened, write_file
    from appliance.watch.engine.decoding import HEADER_BYTES, decode, header

    with folder(Path(setup.work)) as work:
        for name in (_CHECK_NAME, b"decoded-" + _CHECK_NAME):
            clear(work, name)
        write_file(work, _CHECK_NAME, header(1, 44_100) + bytes(44_100 * 4))
        try:
            with opened(work, _CHECK_NAME) as source:
                target = Path(setup.work) / f"decoded-{os.fsdecode(_CHECK_NAME)}"
                decode(source, "a test", target, limits_of(setup, HEADER_BYTES + 44_100 * 4))
        except NeedsSpaceError:
            return
        except (DecoderDiedError, InputError) as error:
            raise DecoderUnfitError(
                "The decoder does not run here, not even for a second of silence: raise decode_memory_mb and "
                f"decode_seconds, and run 'backline doctor'. ({error})"
            ) from error
        finally:
            for name in (_CHECK_NAME, b"decoded-" + _CHECK_NAME):
                clear(work, name)


def limits_of(setup: Setup, sound_bytes: int) -> Limits:
    """The limits of decoding; ``sound_bytes`` is the space for the decoded sound."""
    from appliance.watch.engine.decoding import Limits

    return Limits(setup.memory_bytes, setup.cpu_s, setup.wall_s, sound_bytes)


@dataclass(slots=True)
class _Work:
    """The work on one order."""

    engine: Engine
    setup: Setup
    order: Order
    channel: socket.socket
    _duration_s: float | None = None
    _reported_s: float = 0.0
    _place: Path = field(default_factory=Path)
    """The work folder by its descriptor: if the outbox is moved, nothing is written in its old place."""

    def do(self) -> Done | Failed:
        """Render the order. Every error becomes a :class:`Failed`."""
        with ExitStack() as held:
            try:
                self._render(held)
            except (DecoderKilledError, DecoderStuckError) as error:
                return self._failed(error)
            except DecoderDiedError as error:
                try:
                    _check_decoder(self.setup)
                except DecoderUnfitError as systemic:  # for example after an upgrade of a running service
                    return self._failed(systemic)
                return self._failed(error)
            except Exception as error:
                return self._failed(error)
        return Done(self.order.job)

    def _failed(self, error: Exception) -> Failed:
        kind = classify(error, decoded=self._duration_s is not None)
        if kind == "unusable" and isinstance(error, OutputError) and not self._name_is_refused():
            kind = "disk"
        if kind == "bug":
            traceback.print_exc()
        number = number_of(error) if kind in ("disk", "temporary") else 0
        return Failed(self.order.job, kind, self._sentence(error, kind)[:8000], number)

    def _name_is_refused(self) -> bool:
        from appliance.watch.engine.proof import name_is_refused

        return name_is_refused(self._place, self.order.stem + _LONGEST_ENDING)

    def _sentence(self, error: Exception, kind: Kind) -> str:
        """The error as a sentence, with the names that users know."""
        title, vocal = self.order.title, self._vocal()
        if isinstance(error, InputError) and kind == "temporary":
            return f"The decoded copy of {title} in the outbox cannot be read ({_why_unreadable(vocal)})."
        sentence = str(error) or type(error).__name__
        if isinstance(error, OSError):
            sentence = f"{error.filename or title}: {error.strerror or error}."
        for place, name in (
            (vocal, title),
            (self._place / "result", "The outbox"),
            (self._place, "The outbox"),
            (Path(self.order.work), "The outbox"),
        ):
            sentence = sentence.replace(str(place), name) if place.parts else sentence
        return sentence

    def _vocal(self) -> Path:
        return self._place / "vocal" / f"{self.order.stem}.wav"

    def _render(self, held: ExitStack) -> None:
        from appliance.composing.wishes import Wishes
        from appliance.rendering.job import RenderJob
        from appliance.rendering.render import render
        from appliance.watch.disk.folders import Access, folder, seal
        from appliance.watch.engine.reference import fetch_reference, with_reference

        order = self.order
        work = held.enter_context(folder(Path(order.work)))
        self._place = Path(f"/proc/self/fd/{work}")
        wishes = Wishes.from_json((self._place / SETTINGS_NAME).read_text(encoding="ascii"))
        reference = fetch_reference(order, wishes, self._place, self._limits())
        original = self._decoded()
        self._duration_s = original.duration_s
        self._report_progress(0.0)
        wishes = with_reference(self.engine, wishes, reference)
        job = RenderJob(self._vocal(), self._place / "result", wishes, original=original, key=order.key)
        receipts = render(self.engine, job, version("backline"), self._report_progress)
        for remark in receipts[0].remarks:
            log(NOTICE, remark, job=order.job, name=order.title)
        with folder(work, b"result") as result:
            seal(result, Access(order.file_mode, order.folder_mode, order.group_id))
            os.fsync(work)

    def _limits(self) -> Limits:
        free = os.statvfs(self._place)
        return limits_of(self.setup, free.f_bavail * free.f_frsize - self.order.reserve_bytes)

    def _decoded(self) -> AudioInfo:
        """Decode the recording into the work folder; returns its facts."""
        from appliance.watch.disk.folders import opened
        from appliance.watch.engine.decoding import decode
        from appliance.watch.engine.proof import prove_readable

        order, vocal = self.order, self._vocal()
        vocal.parent.mkdir()
        limits = self._limits()
        with ExitStack() as held:
            try:
                source = held.enter_context(opened(Path(order.inbox), os.fsencode(order.source)))
            except (FileNotFoundError, NotADirectoryError) as error:
                raise ChangedError(f"{order.title} is no longer in the inbox.") from error
            try:
                original = decode(source, order.title, vocal, limits)
            except (InputError, DecoderDiedError):
                prove_readable(source, order.sha256, order.title)
                raise
        if original.sha256 != order.sha256:
            raise ChangedError(f"{order.title} changed after it was queued.")
        for second, seconds in original.lost:
            log(
                WARNING,
                "A damaged part is replaced by silence.",
                name=order.title,
                second=second,
                seconds=seconds,
            )
        return original

    def _report_progress(self, share: float) -> None:
        now_s = time.monotonic()
        if share in (0.0, 1.0) or now_s - self._reported_s >= _PROGRESS_INTERVAL_S:
            self._reported_s = now_s
            send(self.channel, Progress(self.order.job, share, self._duration_s))


def _why_unreadable(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            while opened.read(1 << 20):
                pass
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "it is not what was written"


if __name__ == "__main__":
    main()
