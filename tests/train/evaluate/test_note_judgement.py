"""The quick judgement of notes on songs with known chords; the pack always plays C major."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.tiny_cache import BAR_S, write_tiny_cache
from support.tiny_checkpoint import write_tiny_checkpoint

torch = pytest.importorskip("torch")

from appliance.composing.composer import listen  # noqa: E402
from appliance.composing.wishes import Wishes  # noqa: E402
from appliance.errors import InputError, PackError  # noqa: E402
from appliance.grid import FRAME_RATE_HZ  # noqa: E402
from appliance.music.score import Score  # noqa: E402
from appliance.networks.chord_rows import CIRCLE_ROWS, PLAIN_ROWS  # noqa: E402
from export.graphs import graphs_of  # noqa: E402
from train.checkpoints.checkpoint import CheckpointError, load_checkpoint, save_network  # noqa: E402
from train.evaluate.evaluation import score  # noqa: E402
from train.evaluate.material.excerpts import Excerpt, load_excerpts  # noqa: E402
from train.evaluate.players.torch_graphs import TorchGraphs, open_model  # noqa: E402
from train.evaluate.quick.note_judgement import NoteJudgement, NoteRow, as_table, compare_notes, judge_notes  # noqa: E402
from train.networks.chords import ChordConfig, ChordNetwork  # noqa: E402

C, F_SHARP = (60,), (66,)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    roots = {"c": C, "f_sharp": F_SHARP, "other": C}
    splits = {"c": "val", "f_sharp": "val", "other": "train"}
    return write_tiny_cache(tmp_path_factory.mktemp("cache"), roots, splits)


@pytest.fixture(scope="module")
def excerpts(cache: Path) -> list[Excerpt]:
    return load_excerpts(cache, "val", 12, "piano")


@pytest.fixture(scope="module")
def judged(fake_pack: Path, excerpts: list[Excerpt]) -> NoteJudgement:
    return judge_notes(open_model(fake_pack), excerpts, style="piano", seeds=(0, 1))


def test_an_excerpt_starts_at_the_first_bar_of_a_song_that_begins_singing(excerpts: list[Excerpt]) -> None:
    excerpt = excerpts[0]
    assert [e.id for e in excerpts] == ["c", "f_sharp"]
    assert (excerpt.first, excerpt.features.shape[1] % 4) == (0, 0)
    assert excerpt.sung[0].start_s == pytest.approx(0.25)
    assert excerpt.bars_s[:2] == pytest.approx((0.0, BAR_S))
    assert score("harmony", excerpt, excerpt.written) == pytest.approx(1.0)
    assert score("rhythm", excerpt, excerpt.written) == 1.0


def test_features_notes_and_bars_of_a_later_excerpt_stay_together(cache: Path, tmp_path: Path) -> None:
    write_tiny_cache(tmp_path / "cache", {"late": C}, {"late": "val"})
    file = tmp_path / "cache" / "songs" / "late.npz"
    with np.load(file) as arrays:
        stored = dict(arrays)
    stored["voice"] = stored["voice"][6:]  # singing starts at 12.25 s, the excerpt at the bar at 6 s
    np.savez(file, **stored)
    (excerpt,) = load_excerpts(tmp_path / "cache", "val", 1, "piano")
    start_s = excerpt.first / FRAME_RATE_HZ
    assert 6.0 - 4 / FRAME_RATE_HZ < start_s <= 6.0
    assert excerpt.sung[0].start_s == pytest.approx(12.25 - start_s, abs=1e-4)
    assert excerpt.written.notes[0].start_s == pytest.approx(6.0 - start_s, abs=1e-4)
    assert 6.0 - start_s in [pytest.approx(bar, abs=1e-4) for bar in excerpt.bars_s]


def test_what_plays_c_major_always_is_right_in_one_song_and_closes_no_gap(judged: NoteJudgement) -> None:
    harmony = judged.of("harmony")
    assert [row.song for row in harmony] == ["c", "f_sharp"]
    assert harmony[0].ours == pytest.approx(1.0, abs=0.02)
    assert harmony[1].ours < 0.1
    assert harmony[0].shuffled == pytest.approx(harmony[0].ours, abs=1e-6)
    for metric in ("harmony", "consonance"):
        assert judged.gap_closed(metric).value == pytest.approx(0.0, abs=0.02)


def test_density_counts_notes_a_second(judged: NoteJudgement) -> None:
    assert judged.arranged_notes_s[0] == pytest.approx(3 / BAR_S, rel=0.05)
    assert judged.notes_s[0] == pytest.approx(3 / (24 / FRAME_RATE_HZ), rel=0.1)  # a triad every 24 frames


def test_the_table_names_the_model_and_every_metric(judged: NoteJudgement, fake_pack: Path) -> None:
    table = as_table(judged)
    assert str(fake_pack) in table and "2 songs" in table
    for metric in ("harmony", "consonance", "rhythm"):
        assert f"| {metric} |" in table


def test_two_judgements_are_compared_song_by_song(judged: NoteJudgement) -> None:
    def with_scores(scores: tuple[float, float]) -> NoteJudgement:
        rows = (NoteRow(song, "harmony", s, 0.0, 1.0) for song, s in zip("ab", scores, strict=True))
        return replace(judged, rows=tuple(rows))

    difference = compare_notes(with_scores((0.9, 0.5)), with_scores((0.6, 0.2)), "harmony")
    assert difference.value == pytest.approx(0.3)
    assert (difference.low, difference.high) == pytest.approx((0.3, 0.3))


def test_torch_networks_answer_as_the_exported_graphs_do(tmp_path: Path) -> None:
    folder = write_tiny_checkpoint(tmp_path / "checkpoint")
    model = open_model(folder, steps=2, guidance=1.5)
    assert isinstance(model.graphs, TorchGraphs)
    assert (model.pack.manifest.sampler.steps, model.pack.manifest.sampler.guidance) == (2, 1.5)
    stored = load_checkpoint(folder)
    graphs = {
        graph.name: graph.module
        for graph in graphs_of(stored, stored.facts["latent_mean"], stored.facts["latent_std"])
    }
    rng = np.random.default_rng(3)
    features, phases, latent = (rng.random((rows, 32), dtype=np.float32) for rows in (64, 5, 64))
    with torch.no_grad():
        expected = graphs["planner"](torch.from_numpy(features)[None], torch.from_numpy(phases)[None])
        roll = graphs["vae_decoder"](torch.from_numpy(latent)[None])
    for found, wanted in zip(model.graphs.plan(features, phases), expected, strict=True):
        np.testing.assert_allclose(found, wanted[0].numpy(), atol=1e-6)
    np.testing.assert_allclose(model.graphs.decode(latent), roll[0].numpy(), atol=1e-6)


def test_the_chord_network_in_torch_answers_as_its_graph_does(tmp_path: Path) -> None:
    folder = write_tiny_checkpoint(tmp_path / "checkpoint")
    torch.manual_seed(5)
    network = ChordNetwork(ChordConfig(width=8, dilations=(1,)))
    torch.nn.init.normal_(network.steps)
    save_network(folder / "chords.safetensors", network.state_dict(), network.config)
    model, stored = open_model(folder), load_checkpoint(folder)
    assert model.graphs.composes_chords
    graphs = graphs_of(stored, stored.facts["latent_mean"], stored.facts["latent_std"])
    (module,) = (graph.module for graph in graphs if graph.name == "chords")
    rng = np.random.default_rng(4)
    circle = rng.random((CIRCLE_ROWS, 12, 9), dtype=np.float32)
    plain = rng.random((PLAIN_ROWS, 9), dtype=np.float32)
    found = model.graphs.chords(circle, plain)
    slots = torch.from_numpy(np.concatenate([circle.reshape(-1, 9), plain]))[None]
    with torch.no_grad():
        chords, change, bass, table = (x[0].numpy() for x in module(slots))
    np.testing.assert_allclose(found.chords, chords, atol=1e-5)
    np.testing.assert_allclose(found.change, change[0], atol=1e-5)
    np.testing.assert_allclose(found.bass.reshape(144, 9), bass, atol=1e-5)
    np.testing.assert_allclose(found.table, table, atol=1e-6)
    (folder / "chords.safetensors").unlink()
    without = open_model(folder).graphs
    assert not without.composes_chords
    with pytest.raises(PackError, match="no chord network"):
        without.chords(circle, plain)


def test_a_checkpoint_composes_through_the_appliance(tmp_path: Path, excerpts: list[Excerpt]) -> None:
    model = open_model(write_tiny_checkpoint(tmp_path / "checkpoint"), steps=1)
    short = replace(excerpts[0], features=excerpts[0].features[:, :256], duration_s=256 / FRAME_RATE_HZ)
    reading = listen(model.graphs, short.features, short.duration_s, Wishes())
    assert reading.plan.shape == (24, 64)
    judged = judge_notes(model, [short], style="piano", read=lambda *_: reading)
    assert len(judged.of("rhythm")) == 1


def test_a_silent_result_has_no_harmony_and_rhythm_at_chance(excerpts: list[Excerpt]) -> None:
    silence = Score((), excerpts[0].duration_s)
    assert [score(m, excerpts[0], silence) for m in ("harmony", "consonance", "rhythm")] == [0.0, 0.0, 0.5]


def test_what_is_missing_is_named(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(CheckpointError, match=r"vae/state\.safetensors: missing"):
        open_model(tmp_path)
    with pytest.raises(InputError, match="no melodies of test songs"):
        load_excerpts(cache, "test", 3, "piano")
