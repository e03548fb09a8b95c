"""Work in a second thread: prefetching (:func:`ahead`) and background work (:func:`aside`).

NumPy's FFTs, the resampler, the networks and libsndfile release Python's lock (GIL) while they work; the
soundfont player does not. So two threads keep two cores busy. Results do not depend on it.
:func:`short_turns` makes the lock change hands quickly between such calls.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_WAIT_S = 0.05
_TURN_S = 0.0005


@contextmanager
def short_turns() -> Iterator[None]:
    """Threads pass on Python's lock after 0.5 ms instead of 5 ms.

    A thread that returns from a 1 ms FFT would otherwise wait up to 5 ms for the lock.
    """
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


class _End:
    """Marks the end of the items in the queue."""


def ahead(items: Iterable[Item], most: int = 4) -> Generator[Item, None, None]:
    """Prefetch ``items`` in another thread: the same items in order, at most ``most`` of them waiting.

    An exception in ``items`` is raised here. The thread ends when the generator is closed.
    """
    made: Queue[tuple[Item | type[_End], BaseException | None]] = Queue(most)
    stop = threading.Event()

    def make() -> None:
        try:
            for item in items:
                made.put((item, None))
                if stop.is_set():
                    return
            made.put((_End, None))
        except BaseException as error:
            made.put((_End, error))

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if isinstance(item, type):
                return
            yield item
    finally:
        stop.set()
        while thread.is_alive():
            with suppress(Empty):  # frees a place, so that a thread waiting in put() sees the stop
                made.get(timeout=_WAIT_S)


class StoppedError(Exception):
    """Raised in background work to cancel it."""


class Aside(Generic[Result]):
    """Background work in another thread; see :func:`aside`."""

    def __init__(self, work: Callable[[Aside[Result]], Result]) -> None:
        self._stop = threading.Event()
        self._found: list[Result] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), name="aside", daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[Aside[Result]], Result]) -> None:
        try:
            self._found.append(work(self))
        except BaseException as error:
            self._error = error

    def through(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass on ``items``. Raises StoppedError once the work is cancelled."""
        for item in items:
            if self._stop.is_set():
                raise StoppedError
            yield item

    def result(self) -> Result:
        """Wait for the work and return its result, or raise its exception."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]

    def end(self) -> None:
        """Cancel the work at its next item and wait until it has ended."""
        self._stop.set()
        self._thread.join()


@contextmanager
def aside(work: Callable[[Aside[Result]], Result]) -> Iterator[Aside[Result]]:
    """Run ``work`` in another thread; leaving the block ends it.

    ``work`` reads its streams through :meth:`Aside.through`. An error in the block (Ctrl-C too) then cancels
    it at the next item.
    """
    begun = Aside(work)
    try:
        yield begun
    finally:
        begun.end()
