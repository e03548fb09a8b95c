"""Order and number of measurements, extrapolation and agreement, with a clock that the test sets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.agreement import matrix, snr_db, worst
from bench.extrapolate import Line, real_time_factor, through
from bench.job import Job, notes_in_common
from bench.order import one_round, rounds
from bench.schedule import SONG_S, STARTS, GraphCase, Schedule, StartCase, measured_once, needed_lengths


class Clock:
    """A clock that moves only when the test sets ``now_s``."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def measured(costs: dict[str, float], most: int, budget_s: float, once: str = "") -> list[tuple[int, str]]:
    """(round, case) in the order measured, if each case takes ``costs`` seconds."""
    clock, order = Clock(), []
    for number, case in rounds(list(costs), most, budget_s, clock, lambda case: case in once):
        order.append((number, case))
        clock.now_s += costs[case]
    return order


def test_every_other_round_goes_backwards() -> None:
    assert [one_round("abc", n) for n in range(3)] == [list("abc"), list("cba"), list("abc")]
    order = measured({"a": 1.0, "b": 1.0, "c": 1.0}, most=3, budget_s=1000.0)
    assert "".join(case for _, case in order) == "abccbaabc"


def test_a_round_that_would_end_late_is_not_begun() -> None:
    costs = {"a": 2.0, "b": 3.0}
    assert max(n for n, _ in measured(costs, most=9, budget_s=14.9)) == 1  # two rounds of 5 s, not three
    assert max(n for n, _ in measured(costs, most=9, budget_s=15.0)) == 2
    assert measured(costs, most=9, budget_s=0.0) == [(0, "a"), (0, "b")]  # at least one


def test_long_cases_are_measured_once() -> None:
    order = measured({"a": 1.0, "long": 50.0, "b": 1.0}, most=3, budget_s=56.0, once="long")
    assert [case for n, case in order if n == 0] == ["a", "long", "b"]
    assert [(n, case) for n, case in order if n] == [(1, "b"), (1, "a"), (2, "a"), (2, "b")]


def test_the_schedule_holds_every_case_once() -> None:
    schedule = Schedule(("haswell", "host"), "haswell", 30.0, (30.0, SONG_S, 600.0), (1, 3), (1,))
    cases = schedule.cases()
    assert len(cases) == len(set(cases)) == len({case.name for case in cases})
    for mask in schedule.masks:
        place = cases.index(Job(mask, "INT8", 30.0))
        assert cases[place + 1] == Job(mask, "FP32", 30.0)  # measured one after the other
        assert GraphCase(mask) in cases
        assert [c.how for c in cases if isinstance(c, StartCase) and c.mask == mask] == list(STARTS)
    assert Job("haswell", "FP32", SONG_S) in cases
    assert Job("host", "INT8", SONG_S) not in cases
    assert Job("haswell", "INT8", 30.0, takes=3) in cases
    assert Job("haswell", "INT8", 30.0, cores=1) in cases
    assert [case.name for case in cases if measured_once(case)] == ["haswell INT8 600 s, 1 takes"]
    assert needed_lengths(cases) == [30.0, SONG_S, 600.0]


def test_without_a_pack_in_fp32_nothing_asks_for_it() -> None:
    schedule = Schedule(("host",), "host", 10.0, (SONG_S,), (1,), (), fp32=False)
    assert {case.precision for case in schedule.cases() if isinstance(case, Job)} == {"INT8"}


def test_the_line_through_two_pieces() -> None:
    line = through(10, 3.0, 40, 9.0)
    assert line == Line(fixed_s=1.0, each_s=0.2)
    assert line.at(1500) == pytest.approx(301.0)
    assert through(10, 3.0, 40, 2.9) == Line(3.0, 0.0)  # a negative slope becomes 0
    assert through(10, 1.0, 20, 3.0) == Line(0.0, 0.2)
    with pytest.raises(ValueError, match="not more"):
        through(10, 1.0, 10, 1.0)
    assert real_time_factor(9.0, 180.0) == 0.05


def test_agreement_is_a_signal_to_noise_ratio() -> None:
    signal = np.array([3.0, -4.0], np.float32)
    off = signal + np.array([0.05, 0.0], np.float32)
    assert snr_db(signal, off) == pytest.approx(10 * math.log10(25.15125 / 0.0025), abs=1e-3)
    assert snr_db(signal, off) == snr_db(off, signal)
    assert snr_db(signal, signal) == math.inf
    with pytest.raises(ValueError, match="shapes"):
        snr_db(signal, signal[:1])
    found = matrix({"haswell": signal, "host": off, "nehalem": signal})
    assert found["haswell"].keys() == {"host", "nehalem"}
    assert found["haswell"]["nehalem"] == math.inf
    assert worst(found) == found["host"]["nehalem"] == pytest.approx(40.03, abs=0.01)
    assert worst({}) == math.inf


def test_notes_in_common() -> None:
    one, other = frozenset({(0, 0, 60), (0, 9, 62), (1, 0, 36)}), frozenset({(0, 0, 60)})
    assert notes_in_common(one, one) == 1.0
    assert notes_in_common(one, other) == pytest.approx(0.5)
    assert notes_in_common(frozenset(), frozenset()) == 1.0
