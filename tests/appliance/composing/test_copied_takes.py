"""A take that copies a training song is withheld and drawn once more, and its receipt can say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.fake_pack import build_fake_pack, write_fake_manifest
from support.made_up_songs import made_up_notes, made_up_originals, made_up_songs, score_of
from support.readings import DURATION_S, reading

from appliance.composing import takes as takes_module
from appliance.composing.takes import RETRY_SEED_STEP, Take, better, compose_takes, draw_take
from appliance.composing.wishes import Wishes
from appliance.errors import PackError
from appliance.music.score import Score
from appliance.networks.graphs import Graphs
from appliance.novelty.copy_gate import Originality
from appliance.packs.originals import ORIGINALS_NAME
from appliance.packs.pack import Pack, load_pack
from train.data.originals import originals_file

BEAT_S = 0.4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fake pack that was trained on made-up songs."""
    made = build_fake_pack(tmp_path_factory.mktemp("packs") / "with originals")
    (made / ORIGINALS_NAME).write_bytes(originals_file(made_up_originals(6)))
    write_fake_manifest(made)
    return made


@pytest.fixture(scope="module")
def pack(folder: Path) -> Pack:
    return load_pack(folder)


def begun(score: Score) -> Score:
    return Score.of((note for note in score.notes if note.end_s < DURATION_S), DURATION_S)


@pytest.fixture(scope="module")
def copy() -> Score:
    return begun(score_of(made_up_songs(6)[3].notes, BEAT_S)[0])


@pytest.fixture(scope="module")
def fresh() -> Score:
    return begun(score_of(made_up_notes(np.random.default_rng(77)), BEAT_S)[0])


def takes(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, *tries: Score, seed: int = 5
) -> tuple[list[Take], list[int]]:
    """What a job of one take gives if the composer writes ``tries``, and the seeds that it was given."""
    seeds: list[int] = []

    def compose(_graphs, _pack, _reading, _style, its_seed, _on_step):  # type: ignore[no-untyped-def]
        seeds.append(its_seed)
        return tries[len(seeds) - 1]

    monkeypatch.setattr(takes_module, "compose", compose)
    monkeypatch.setattr(takes_module, "fit_of", lambda *_: None)  # made-up music fits badly
    return compose_takes(Graphs(pack, 1), pack, reading(), Wishes(seed=seed)), seeds


def test_a_copy_is_withheld_and_drawn_again(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, copy: Score, fresh: Score
) -> None:
    (take,), seeds = takes(pack, monkeypatch, copy, fresh)
    assert seeds == [5, 5 + RETRY_SEED_STEP]
    assert take.score == fresh and take.retried and not take.copied
    assert take.withheld is not None and take.withheld.song == "song3"


def test_a_take_that_is_no_copy_is_kept(pack: Pack, monkeypatch: pytest.MonkeyPatch, fresh: Score) -> None:
    (take,), seeds = takes(pack, monkeypatch, fresh)
    assert seeds == [5] and take.originality is not None
    assert not take.retried and take.withheld is None


def test_two_copies_are_drawn_no_third_time(pack: Pack, monkeypatch: pytest.MonkeyPatch, copy: Score) -> None:
    (take,), seeds = takes(pack, monkeypatch, copy, copy)
    assert len(seeds) == 2 and take.copied and take.retried and take.withheld is None


def test_the_second_try_can_be_made_again_alone(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, copy: Score
) -> None:
    (take,), seeds = takes(pack, monkeypatch, copy, seed=RETRY_SEED_STEP + 5)
    assert seeds == [RETRY_SEED_STEP + 5] and take.copied and not take.retried


def test_a_pack_without_originals_withholds_nothing(
    fake_pack: Path, monkeypatch: pytest.MonkeyPatch, copy: Score
) -> None:
    (take,), seeds = takes(load_pack(fake_pack), monkeypatch, copy)
    assert seeds == [5] and take.originality is None and take.diversity is None


def test_the_better_try_is_no_copy_whatever_its_fit(pack: Pack) -> None:
    made = draw_take(Graphs(pack, 1), pack, reading(), Wishes(), 0)
    first, second, third = (
        Take(k, made.reading, made.score, made.fit, originality=Originality(nearness, "a song"))
        for k, nearness in enumerate((1.8, 0.9, 1.2))
    )
    assert better(first, second).seed == better(second, first).seed == 1
    assert better(first, third).seed == 2  # of two copies the less near
    assert better(first, second).withheld == first.originality and better(second, first).withheld is None


def test_several_takes_know_their_diversity(pack: Pack) -> None:
    made = compose_takes(Graphs(pack, 1), pack, reading(), Wishes(takes=2))
    (vendi,) = {take.diversity for take in made}
    assert vendi is not None and 0.999 < vendi < 2.001


def test_an_altered_file_is_named(folder: Path, tmp_path: Path) -> None:
    pack = load_pack(folder, verify=False)
    content = (folder / ORIGINALS_NAME).read_bytes()
    try:
        (folder / ORIGINALS_NAME).write_bytes(content[:-1] + b"?")
        with pytest.raises(PackError, match=r"originals\.safetensors: altered"):
            pack.originals()
    finally:
        (folder / ORIGINALS_NAME).write_bytes(content)
    assert pack.originals() is not None
