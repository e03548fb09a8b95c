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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import BacklineError, InputError
from appliance.system import syscalls
from appliance.watch.engine.failures import (
    ChangedError,
    DecoderDiedError,
    DecoderUnfitError,
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
from appliance.watch.reports.logs import WARNING, log

if TYPE_CHECKING:
    from appliance.rendering.engine import Engine
    from appliance.watch.engine.decoding import Limits

_PROGRESS_INTERVAL_S = 0.5
_CHECKS = 3
_CHECK_NAME = b"decoder-check.wav"


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

    def do(self) -> Done | Failed:
        """Render the order. Every error becomes a :class:`Failed`."""
        try:
            self._render()
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
        if kind == "bug":
            traceback.print_exc()
        sentence = str(error) or type(error).__name__
        if isinstance(error, OSError):
            sentence = f"{error.strerror or error}: {error.filename or self.order.title}"
        result = str(Path(self.order.work) / "result")
        sentence = sentence.replace(str(self._vocal()), self.order.title).replace(result, "The outbox")
        number = number_of(error) if kind in ("disk", "temporary") else 0
        return Failed(self.order.job, kind, sentence[:8000], number)

    def _vocal(self) -> Path:
        return Path(self.order.work) / "vocal" / f"{self.order.stem}.wav"

    def _render(self) -> None:
        from appliance.composing.wishes import Wishes
        from appliance.rendering.job import RenderJob
        from appliance.rendering.render import render
        from appliance.watch.disk.folders import Access, folder, opened, seal
        from appliance.watch.engine.decoding import decode

        order = self.order
        work = Path(order.work)
        vocal = self._vocal()
        vocal.parent.mkdir()
        free = os.statvfs(work)
        limits = limits_of(self.setup, free.f_bavail * free.f_frsize - order.reserve_bytes)
        with ExitStack() as held:
            try:
                source = held.enter_context(opened(Path(order.inbox), os.fsencode(order.source)))
            except (FileNotFoundError, NotADirectoryError) as error:
                raise ChangedError(f"{order.title} is no longer in the inbox.") from error
            original = decode(source, order.title, vocal, limits)
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
        self._duration_s = original.duration_s
        self._report_progress(0.0)
        wishes = Wishes.from_json((work / SETTINGS_NAME).read_text(encoding="ascii"))
        job = RenderJob(vocal, work / "result", wishes, original=original, key=order.key)
        render(self.engine, job, version("backline"), self._report_progress)
        with folder(work) as parent, folder(parent, b"result") as result:
            seal(result, Access(order.file_mode, order.folder_mode, order.group_id))
            os.fsync(parent)

    def _report_progress(self, share: float) -> None:
        now_s = time.monotonic()
        if share in (0.0, 1.0) or now_s - self._reported_s >= _PROGRESS_INTERVAL_S:
            self._reported_s = now_s
            send(self.channel, Progress(self.order.job, share, self._duration_s))


if __name__ == "__main__":
    main()
