"""Work in a second thread beside this one: made ahead of its use, or done aside.

NumPy's transforms, the resampler, the networks and the file library let go of Python's lock while they
work (the sampler does not), so two threads keep two cores busy. What is computed does not depend on it.
Between such calls the lock must change hands quickly: see :func:`short_turns`.
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
    """Threads hand Python's lock on after half a millisecond instead of five.

    Whoever comes back from a transform that took one waits no longer than that for the other thread.
    """
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


class _End:
    """Nothing follows."""


def ahead(items: Iterable[Item], most: int = 4) -> Generator[Item, None, None]:
    """The same items in the same order, up to ``most`` of them made before they are asked for.

    What ``items`` raises is raised here. When the caller stops early, so does the thread.
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
            with suppress(Empty):  # a place in the queue lets it see that it is to stop
                made.get(timeout=_WAIT_S)


class StoppedError(Exception):
    """Raised in work done aside when nobody wants its result any more."""


class Aside(Generic[Result]):
    """Work that goes on in another thread; see :func:`aside`."""

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
        """``items``, until the work is no longer wanted: then StoppedError."""
        for item in items:
            if self._stop.is_set():
                raise StoppedError
            yield item

    def result(self) -> Result:
        """Waits for the work; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]

    def end(self) -> None:
        """Stops the work at its next item and waits for that."""
        self._stop.set()
        self._thread.join()


@contextmanager
def aside(work: Callable[[Aside[Result]], Result]) -> Iterator[Aside[Result]]:
    """Begins ``work`` in another thread; it has ended when the block is left.

    ``work`` sends its streams through :meth:`Aside.through`, so that an error in the block, Ctrl-C
    included, need not wait for all of it.
    """
    begun = Aside(work)
    try:
        yield begun
    finally:
        begun.end()
