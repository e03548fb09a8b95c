"""Fit: band rows, the meaning of a score, the order of takes, and retries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError
from support.fake_pack import FIT, build_fake_pack, write_fake_manifest
from support.readings import reading
from support.vocals import sung

from appliance.composing import takes as takes_module
from appliance.composing.composer import steps_of
from appliance.composing.fit import (
    AGREEMENT_WEIGHT,
    COVERAGE_WEIGHT,
    STRETCH_FRAMES,
    rate,
    song_value,
    stretches,
)
from appliance.composing.takes import RETRY_SEED_STEP, compose_takes
from appliance.composing.wishes import Wishes
from appliance.grid import FRAME_RATE_HZ
from appliance.music.beat_grid import phases
from appliance.music.score import BeatGrid, Note, Score
from appliance.networks.band_rows import (
    BAND_ROWS,
    BASS,
    CHROMA,
    DENSITY,
    DRUM_ONSETS,
    ONSETS,
    STARTS,
    band_rows,
)
from appliance.networks.graphs import Graphs
from appliance.packs.manifest import FitFacts
from appliance.packs.pack import load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render
from appliance.vocal.features import FEATURE_ROWS, VOICED, transposed

FRAME_S = 1.0 / FRAME_RATE_HZ


def score(*notes: tuple[float, float, int], group: str = "keys", frames: int = 16) -> Score:
    """A score from notes given as (first frame, end frame, pitch)."""
    return Score.of((Note(a * FRAME_S, b * FRAME_S, p, 80, group) for a, b, p in notes), frames * FRAME_S)


def test_rows_say_what_sounds_and_what_begins() -> None:
    rows = band_rows(score((2.25, 4.5, 60), (2.25, 4.5, 67), (3.0, 6.0, 48)), 8)
    assert rows.shape == (BAND_ROWS, 8)
    assert rows[CHROMA.start] == pytest.approx([0, 0, 0.75, 1, 1, 1, 0, 0])  # C4 and C3
    assert rows[CHROMA.start + 7] == pytest.approx([0, 0, 0.75, 1, 0.5, 0, 0, 0])
    assert rows[BASS].sum(axis=0) == pytest.approx([0, 0, 0.75, 1, 1, 1, 0, 0])
    assert rows[BASS.start] == pytest.approx(rows[CHROMA.start])
    assert np.argwhere(rows[STARTS]).tolist() == [[0, 2], [0, 3], [7, 2]]
    assert rows[ONSETS][:, 2] == pytest.approx([np.log(3) / 2, 0])
    assert rows[DENSITY] * 8 == pytest.approx([0, 0, 1.5, 3, 2, 1, 0, 0])


def test_drums_are_onsets_only() -> None:
    rows = band_rows(score((1.6, 2.6, 36), group="drums"), 4)
    assert np.argwhere(rows).tolist() == [[DRUM_ONSETS.start + 1, 1]]


def test_coverage_agrees_with_fine_sampling() -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(-2, 30, 40)
    notes = np.column_stack([start, start + rng.uniform(0.05, 6, 40), rng.integers(30, 90, 40)])
    made = score(*((a, b, int(p)) for a, b, p in notes), frames=32)
    rows = band_rows(made, 32)
    fine = (np.arange(32 * 200) + 0.5) / 200
    for pitch_class in range(12):
        # Limit each pitch to 1, then add octaves, as the rows do.
        total = np.zeros(32)
        for pitch in range(pitch_class, 128, 12):
            inside = np.zeros(len(fine))
            for a, b, p in notes:
                inside += (p == pitch) * ((fine >= a) & (fine < b))
            total += np.minimum(1.0, inside.reshape(32, 200).mean(axis=1))
        assert rows[CHROMA.start + pitch_class] == pytest.approx(np.minimum(1.0, total), abs=0.02)


def test_transposed_notes_are_rotated_rows() -> None:
    made = score((0, 4, 60), (2, 8, 55), (3, 5, 43))
    rows, moved = band_rows(made, 12), band_rows(made.transposed(5), 12)
    for part in (CHROMA, BASS, STARTS):
        assert moved[part] == pytest.approx(np.roll(rows[part], 5, axis=0))
    assert moved[ONSETS.start :] == pytest.approx(rows[ONSETS.start :])


@pytest.mark.parametrize("frames", [4, 100, 256, 260, 512, 5000, 77_520])
def test_stretches_cover_a_song_in_whole_plan_frames(frames: int) -> None:
    parts = stretches(frames)
    covered = np.zeros(frames, int)
    for part in parts:
        assert part.start % 4 == 0 and part.stop - part.start == min(frames, STRETCH_FRAMES)
        covered[part] += 1
    assert covered.min() >= 1
    assert len(parts) == -(-frames // STRETCH_FRAMES)


def test_stretches_count_as_far_as_they_are_sung() -> None:
    features = np.zeros((FEATURE_ROWS, 1024), np.float32)
    features[VOICED, 256:512] = 1.0
    features[VOICED, 768:] = 0.5
    judged = iter([-100.0, 3.0, -100.0, 6.0])
    plan, band = np.zeros((24, 256), np.float32), np.zeros((BAND_ROWS, 1024), np.float32)
    found = song_value(lambda *_: next(judged), features, features[:5], plan, band)
    assert found == pytest.approx((3.0 * 256 + 6.0 * 128) / 384)
    silent = np.zeros((FEATURE_ROWS, 8), np.float32)
    assert song_value(lambda *_: 2.0, silent, silent[:5], plan[:, :2], band[:, :8]) == 2.0


def test_what_needs_no_learning_is_added() -> None:
    features, plan = np.zeros((FEATURE_ROWS, 16), np.float32), np.zeros((24, 4), np.float32)
    features[0, :12] = 1.0  # a C is sung for twelve frames
    plan[[0, 4], :3] = 1.0  # C and E are planned for three plan frames
    band = band_rows(score((0, 6, 60), (8, 12, 64), (12, 16, 62)), 16)
    found = song_value(lambda *_: 0.5, features, features[:5], plan, band)
    coverage = 6 / 12
    # The band plays one of the two planned pitch classes, C and E; its D sounds where nothing is planned.
    agreement = np.sqrt(0.5)
    assert found == pytest.approx(0.5 + COVERAGE_WEIGHT * coverage + AGREEMENT_WEIGHT * agreement, rel=1e-5)


def test_percentiles_agree_with_numpy() -> None:
    rng = np.random.default_rng(1)
    true, shuffled = rng.normal(3, 2, 500), rng.normal(-3, 2, 500)
    quantiles = [tuple(np.quantile(x, np.linspace(0, 1, 101)).tolist()) for x in (true, shuffled)]
    facts = FitFacts(true=quantiles[0], shuffled=quantiles[1], floor=0.25)
    for value in (-20.0, -2.0, 0.2, 0.3, 4.0, 20.0):
        fit = rate(value, facts)
        assert fit.percentile_true == pytest.approx(100 * np.mean(true < value), abs=1.0)
        assert fit.percentile_shuffled == pytest.approx(100 * np.mean(shuffled < value), abs=1.0)
        assert fit.low == (value < 0.25)
        assert fit.value == value
    medians = [float(np.median(x)) for x in (shuffled, true)]
    assert [rate(m, facts).score for m in medians] == pytest.approx([0.0, 1.0], abs=1e-6)


def test_anchors_are_checked(fake_pack: Path) -> None:
    for broken in (FIT.true[::-1], FIT.true[:-1], FIT.shuffled):
        with pytest.raises(ValidationError):
            FitFacts(true=broken, shuffled=FIT.shuffled, floor=0.0)


# Pitches that the fake takes play to a C major scale, by seed: none, some or all of the sung ones.
PLAYED: dict[int, tuple[int, ...]] = {
    1: (60,),
    2: (60, 62, 64, 65, 67, 69, 71),
    3: (60, 64, 67),
    4: (61, 63),
    5: (61,),
    6: (60,),
    4 + RETRY_SEED_STEP: (60, 62, 64, 65),
    5 + RETRY_SEED_STEP: (63,),
}


@pytest.fixture(scope="module")
def graphs(fake_pack: Path) -> Graphs:
    return Graphs(load_pack(fake_pack))


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replace composing: each take plays its PLAYED pitches throughout. Yields the composed seeds."""
    asked: list[int] = []

    def compose(graphs, pack, reading, style, seed, on_step):  # type: ignore[no-untyped-def]
        asked.append(seed)
        for _ in range(steps_of(pack, reading.features)):
            on_step()
        whole_s = reading.duration_s
        return Score.of((Note(0.0, whole_s, p, 80, "keys") for p in PLAYED[seed]), whole_s)

    monkeypatch.setattr(takes_module, "compose", compose)
    return asked


def test_the_best_take_comes_first(fake_pack: Path, graphs: Graphs, played: list[int]) -> None:
    takes = compose_takes(graphs, load_pack(fake_pack), reading(), Wishes(seed=1, takes=3))
    assert [take.seed for take in takes] == [2, 3, 1]
    assert sorted(played) == [1, 2, 3]
    values = [take.fit.value for take in takes if take.fit]
    wanted = [(4 + COVERAGE_WEIGHT) * share - 2 for share in (1, 66 / 152, 22 / 152)]
    assert values == pytest.approx(wanted, abs=0.05)
    assert not any(take.retried or (take.fit and take.fit.low) for take in takes)


def test_a_low_take_is_tried_again_once(fake_pack: Path, graphs: Graphs, played: list[int]) -> None:
    pack = load_pack(fake_pack)
    takes = compose_takes(graphs, pack, reading(), Wishes(seed=4, takes=3))
    assert sorted(played) == [4, 5, 6, 4 + RETRY_SEED_STEP, 5 + RETRY_SEED_STEP]
    assert [(t.seed, t.retried, t.fit.low) for t in takes if t.fit] == [
        (4 + RETRY_SEED_STEP, True, False),
        (6, False, False),
        (5, True, True),  # both tries are equally low: the first is kept and flagged
    ]
    for take in takes:  # render each take again alone
        (again,) = compose_takes(graphs, pack, reading(), Wishes(seed=take.seed))
        assert (again.seed, again.score, again.fit) == (take.seed, take.score, take.fit)


def test_the_share_done_never_exceeds_the_whole(fake_pack: Path, graphs: Graphs, played: list[int]) -> None:
    told: list[float] = []
    compose_takes(graphs, load_pack(fake_pack), reading(), Wishes(seed=4, takes=3), told.append)
    assert sum(told) == pytest.approx(1.0)


def test_fit_hears_what_sounds_in_any_key(fake_pack: Path, graphs: Graphs) -> None:
    """The fake graph's result, calculated by hand, from the appliance's own rows."""
    there = reading()
    band = Score.of([Note(0.0, 7.05, p, 80, "keys") for p in (60, 62, 64)], 7.05)
    for shift in (0, 3):
        features = transposed(there.features, shift)
        rows = band_rows(band.transposed(shift), 152)
        assert graphs.fit(features, phases(BeatGrid(), 152), rows) == pytest.approx(
            4 * 66 / 152 - 2, abs=0.02
        )


def vocal(folder: Path) -> Path:
    path = folder / "song.wav"
    soundfile.write(path, sung(3.0), 44_100)
    return path


@pytest.mark.slow
def test_the_receipt_tells_the_fit(fake_pack: Path, tmp_path: Path) -> None:
    job = RenderJob(vocal(tmp_path), tmp_path / "out", Wishes(takes=2, seed=7))
    receipts = [r.facts for r in render(Engine(fake_pack), job, "test")]
    assert [(f["take"], f["takes"], f["seed"]) for f in receipts] == [
        (1, 2, 7),
        (2, 2, 8),
    ]  # equal fits, so sorted by seed
    fit = receipts[0]["fit"]
    assert set(fit) == {"score", "percentile_true", "percentile_shuffled", "low", "retried"}
    value = 10 * fit["score"]  # the anchors of the fake pack are 0 and 10
    assert 0 < fit["score"] < 2
    assert fit["percentile_true"] == pytest.approx(np.clip(5 * value, 0, 100), abs=0.2)
    assert fit["percentile_shuffled"] == pytest.approx(np.clip(5 * value + 50, 0, 100), abs=0.2)
    assert (fit["low"], fit["retried"]) == (False, False)
    assert json.loads((tmp_path / "out" / "song.take1.receipt.json").read_text())["fit"] == fit


@pytest.mark.slow
def test_a_pack_that_cannot_tell_still_renders(fake_pack: Path, tmp_path: Path) -> None:
    plain = build_fake_pack(tmp_path / "plain")
    for ending in ("xml", "bin"):
        (plain / f"fit.{ending}").unlink()
    write_fake_manifest(plain)
    job = RenderJob(vocal(tmp_path), tmp_path / "out", Wishes(takes=2))
    receipts = render(Engine(plain), job, "test")
    assert [r.facts["fit"] for r in receipts] == [None, None]
    assert [r.facts["seed"] for r in receipts] == [0, 1]
    assert receipts[0].fit == "—"


def test_graph_and_anchors_go_together(fake_pack: Path) -> None:
    manifest = load_pack(fake_pack).manifest
    said = manifest.model_dump(by_alias=True)
    said["fit"] = None
    with pytest.raises(ValidationError, match="one of them is missing"):
        type(manifest).model_validate(said)
