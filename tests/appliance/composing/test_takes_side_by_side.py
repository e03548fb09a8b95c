"""Takes composed in parallel: the same music as one after the other, and no thread outlives its job."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.readings import DURATION_S, reading

from appliance.composing import takes as takes_module
from appliance.composing.takes import compose_takes
from appliance.composing.wishes import Wishes
from appliance.music.score import Score
from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack, load_pack


@pytest.fixture(scope="module")
def pack(fake_pack: Path) -> Pack:
    return load_pack(fake_pack)


def takes_of(graphs: Graphs, pack: Pack) -> list[tuple[int, Score]]:
    takes = compose_takes(graphs, pack, reading(), Wishes(seed=1, takes=3))
    return [(take.seed, take.score) for take in takes]


@pytest.mark.slow
def test_the_same_music_however_many_lanes(reference_pack: Path) -> None:
    pack = load_pack(reference_pack)
    alone = takes_of(Graphs(pack, 1), pack)
    assert takes_of(Graphs(pack, 3), pack) == alone
    assert len({score.notes for _, score in alone}) > 1


def test_lanes_are_as_many_as_there_are_threads_and_takes(pack: Pack) -> None:
    graphs = Graphs(pack, 3)
    assert [graphs.for_lanes(n).lanes for n in (1, 2, 9)] == [1, 2, 3]
    assert graphs.lanes == 1


def test_two_takes_are_under_way_at_once(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=20)

    def compose(*_: object) -> Score:
        meeting.wait()
        return Score.of([], DURATION_S)

    monkeypatch.setattr(takes_module, "compose", compose)
    made = compose_takes(Graphs(pack, 2), pack, reading(), Wishes(seed=1, takes=2))
    assert len(made) == 2 and not meeting.broken


def test_an_interrupted_job_leaves_no_take_behind(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def endless(graphs, pack, reading, style, seed, on_step):  # type: ignore[no-untyped-def]
        begun.append(seed)
        while True:
            on_step()

    def interrupted(share: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(takes_module, "compose", endless)
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        compose_takes(Graphs(pack, 2), pack, reading(), Wishes(takes=9), interrupted)
    assert len(begun) <= 2 and not [t for t in threading.enumerate() if t.name.startswith("take")]
    assert threading.active_count() <= threads + 1  # the thread that compiles the graphs
