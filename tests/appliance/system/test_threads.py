"""Work in a second thread: same items, errors raised in the caller, no thread left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from appliance.system.threads import Aside, StoppedError, ahead, aside


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"ahead", "aside"}


def test_the_same_items_in_order_made_by_another_thread() -> None:
    makers = set()

    def items() -> Iterator[int]:
        for number in range(50):
            makers.add(threading.get_ident())
            yield number

    assert list(ahead(items(), 3)) == list(range(50))
    assert makers and threading.get_ident() not in makers
    assert not threads()


def test_an_error_is_raised_after_the_items_made_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("no more")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(KeyError, match="no more"):
        next(found)
    assert not threads()


def test_at_most_the_given_number_is_prefetched_and_none_after_closing() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in count():
            made.append(number)
            yield number

    with closing(ahead(items(), 2)) as found:
        assert next(found) == 0
    # One taken, two in the queue, one waiting in put(), and the places that closing frees.
    assert len(made) <= 6
    assert not threads()


def test_work_aside_gives_its_result() -> None:
    with aside(lambda work: sum(work.through(range(10)))) as found:
        assert found.result() == 45
    assert not threads()


def test_an_error_in_background_work_is_raised_by_result() -> None:
    def fails(work: Aside[int]) -> int:
        raise ValueError("broken")

    with aside(fails) as found, pytest.raises(ValueError, match="broken"):
        found.result()


def test_an_error_in_the_block_cancels_endless_work() -> None:
    ended: list[BaseException] = []

    def endless(work: Aside[None]) -> None:
        try:
            for _ in work.through(count()):
                pass
        except StoppedError as error:
            ended.append(error)
            raise

    with pytest.raises(KeyboardInterrupt), aside(endless):
        raise KeyboardInterrupt
    assert len(ended) == 1 and not threads()
