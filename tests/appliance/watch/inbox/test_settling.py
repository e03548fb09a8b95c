"""The settling tracker, compared with its definition, with a simulated clock and random histories."""

from __future__ import annotations

import random

import pytest

from appliance.watch.disk.found import FoundFile
from appliance.watch.inbox.scan import Scan
from appliance.watch.inbox.settling import Tracker

SETTLE_S = 10.0


def file(path: bytes = b"a.wav", **changes: int) -> FoundFile:
    return FoundFile(path, 1, 7, 100, 5_000, 6_000)._replace(**changes)


def look(*found: FoundFile, companions: tuple[FoundFile, ...] = (), sentinel: bool = True) -> Scan:
    return Scan(found if sentinel else (), companions if sentinel else (), sentinel, 0.0)


def test_a_file_settles_after_two_looks_that_far_apart() -> None:
    tracker = Tracker(SETTLE_S)
    assert tracker.observe(0.0, look(file())) == []
    assert tracker.observe(9.9, look(file())) == []
    assert tracker.observe(10.0, look(file())) == [file()]


def test_one_late_look_is_not_enough() -> None:
    tracker = Tracker(SETTLE_S)
    assert tracker.observe(1e6, look(file())) == []


@pytest.mark.parametrize("field", ["dev", "inode", "size", "mtime_ns", "ctime_ns"])
@pytest.mark.parametrize("step", [-1, 1])
def test_any_change_begins_anew(field: str, step: int) -> None:
    tracker = Tracker(SETTLE_S)
    changed = file(**{field: getattr(file(), field) + step})  # also a smaller size or an older time
    tracker.observe(0.0, look(file()))
    assert tracker.observe(10.0, look(changed)) == []
    assert tracker.observe(19.9, look(changed)) == []
    assert tracker.observe(20.0, look(changed)) == [changed]


@pytest.mark.parametrize("mtime_ns", [-(10**18), 0, 2**62])
def test_what_the_dates_say_does_not_matter(mtime_ns: int) -> None:
    tracker = Tracker(SETTLE_S)
    tracker.observe(0.0, look(file(mtime_ns=mtime_ns)))
    assert len(tracker.observe(10.0, look(file(mtime_ns=mtime_ns)))) == 1


def test_a_file_is_offered_until_it_is_handled() -> None:
    tracker = Tracker(SETTLE_S)
    tracker.observe(0.0, look(file()))
    assert [tracker.observe(t, look(file())) for t in (10.0, 15.0)] == [[file()], [file()]]
    tracker.handled(file())
    assert tracker.observe(20.0, look(file())) == []
    tracker.offer_again(b"a.wav")
    assert tracker.observe(25.0, look(file())) == [file()]


def test_not_yet_gives_it_time_to_change() -> None:
    tracker = Tracker(SETTLE_S)
    tracker.observe(0.0, look(file()))
    tracker.observe(10.0, look(file()))
    tracker.postpone(file(), 10.0)
    assert tracker.observe(19.0, look(file())) == []
    assert tracker.observe(20.0, look(file())) == [file()]
    assert tracker.age_s(b"a.wav", 20.0) == 20.0


def test_words_about_an_earlier_file_of_the_name_do_not_count() -> None:
    tracker = Tracker(SETTLE_S)
    for time_s, size in ((0.0, 1), (10.0, 2), (20.0, 2)):
        ready = tracker.observe(time_s, look(file(size=size)))
    tracker.handled(file(size=1))
    assert ready == [file(size=2)]
    assert tracker.observe(21.0, look(file(size=2))) == [file(size=2)]


def test_a_share_that_was_away_settles_anew() -> None:
    tracker = Tracker(SETTLE_S)
    tracker.observe(0.0, look(file()))
    assert tracker.observe(5.0, look(sentinel=False)) == []
    assert tracker.observe(10.0, look(file())) == []
    assert tracker.observe(20.0, look(file())) == [file()]


def test_the_longest_still_comes_first() -> None:
    tracker = Tracker(SETTLE_S)
    late, old, new = (file(p, mtime_ns=t) for p, t in ((b"late", 1), (b"old", 2), (b"new", 3)))
    tracker.observe(0.0, look(new, old))
    tracker.observe(1.0, look(late, new, old))
    assert tracker.observe(11.0, look(late, new, old)) == [old, new, late]


def test_companions_stand_still_but_are_not_offered() -> None:
    tracker = Tracker(SETTLE_S)
    settings = file(b"sub/a.TOML")
    tracker.observe(0.0, look(companions=(settings,)))
    assert tracker.observe(10.0, look(companions=(settings,))) == []
    assert tracker.has_settled(b"sub/a.TOML", 10.0) and not tracker.has_settled(b"sub/a.TOML", 9.0)
    assert tracker.companions.named(b"sub/a.toml") == [settings]
    assert tracker.due_s() is None and tracker.settling() == 0


def test_when_to_look_next() -> None:
    tracker = Tracker(SETTLE_S)
    assert tracker.due_s() is None
    tracker.observe(3.0, look(file()))
    assert tracker.due_s() == 13.0 and tracker.settling() == 1
    tracker.observe(13.0, look(file()))
    tracker.handled(file())
    assert tracker.due_s() is None and tracker.settling() == 0


def still_by_definition(history: list[tuple[float, Scan]], path: bytes) -> bool:
    """The definition: two scans at least SETTLE_S apart, the second one now, and all between, were equal."""
    now_s, scan = history[-1]
    now = {f.path: f for f in scan.found}.get(path)
    for time_s, earlier in reversed(history):
        if now is None or {f.path: f for f in earlier.found}.get(path) != now:
            return False
        if now_s - time_s >= SETTLE_S:
            return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_random_histories(seed: int) -> None:
    """The tracker offers exactly the settled files by the definition, without handled and postponed ones."""
    random_ = random.Random(seed)
    tracker, history = Tracker(SETTLE_S), []
    disk: dict[bytes, FoundFile] = {}
    done: dict[bytes, FoundFile] = {}
    put_off: dict[bytes, tuple[FoundFile, float]] = {}
    now_s, offered_in_all = random_.uniform(-1e6, 1e6), 0
    for step in range(300):
        for path in (b"a", b"b", b"c", b"sub/d\n"):
            action = random_.random()
            if action < 0.03:
                disk.pop(path, None)
            elif action < 0.08:  # few states, so that files return to earlier ones
                disk[path] = file(path, inode=random_.randrange(2), size=random_.randrange(3))
        now_s += random_.choice((0.0, 0.1, 1.0, 5.0, 9.999, 10.0, 30.0))
        sentinel = random_.random() > 0.03
        history.append((now_s, look(*disk.values(), sentinel=sentinel)))
        ready = tracker.observe(now_s, history[-1][1])
        for records in (done, put_off):
            for path in [p for p in records if not sentinel or p not in disk]:
                del records[path]
        done = {p: f for p, f in done.items() if disk[p] == f}
        put_off = {p: (f, t) for p, (f, t) in put_off.items() if disk[p] == f and now_s < t}
        expected = {
            path for path in disk if still_by_definition(history, path) and path not in (done | put_off)
        }
        assert {f.path for f in ready} == expected, (seed, step)
        for found in ready:
            offered_in_all += 1
            action = random_.random()
            if action < 0.4:
                tracker.handled(found)
                done[found.path] = found
            elif action < 0.6:
                tracker.postpone(found, now_s)
                put_off[found.path] = (found, now_s + SETTLE_S)
    assert offered_in_all > 20
