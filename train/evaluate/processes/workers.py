"""Runs one function over many items, in several processes at the same time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from train.evaluate.processes.progress import steps

Job = TypeVar("Job")

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""One thread per process, because most of a judge is serial: processes use the cores better than threads."""


def ask_all(
    ask: Callable[[Job], object],
    jobs: Sequence[Job],
    what: str,
    name: Callable[[Job], str],
    workers: int = 1,
) -> None:
    """Call ``ask`` for each of ``jobs`` in several processes; it must put its answers into a store.

    With more than one worker, ``ask`` and the jobs must be picklable. The first exception ends the run.
    """
    if workers <= 1 or len(jobs) <= 1:
        for job in steps(jobs, what, name):
            ask(job)
        return
    saved = {key: os.environ.get(key) for key in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        # Spawned processes, because OpenVINO and torch do not survive a fork after use.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            answers: Iterator[object] = pool.map(ask, jobs)
            for _ in steps(jobs, what, name):
                next(answers)
    finally:
        for key, value in saved.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
