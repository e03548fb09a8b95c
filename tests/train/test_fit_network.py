"""The fit network (transposition, export, calibration) and its training data (damage, qualities, anchors)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from support.tiny_checkpoint import tiny_facts, write_tiny_checkpoint  # noqa: E402

from appliance.grid import FRAME_RATE_HZ  # noqa: E402
from appliance.music.keys import Key  # noqa: E402
from appliance.music.note_rows import DRUMS, note_rows, score_of  # noqa: E402
from appliance.music.score import STYLES, BeatGrid, Note, Score  # noqa: E402
from appliance.networks.band_rows import BAND_ROWS, band_rows, draw_band  # noqa: E402
from appliance.vocal.features import FEATURE_ROWS, VOICED, transposed  # noqa: E402
from export.convert import check_operations, operations, to_ir, to_onnx  # noqa: E402
from export.facts import read_facts  # noqa: E402
from export.graphs import graphs_of  # noqa: E402
from export.parity import differences  # noqa: E402
from train.calibration.fit_calibration import write_fit_calibration  # noqa: E402
from train.checkpoints.adopt import adopt  # noqa: E402
from train.checkpoints.checkpoint import load_checkpoint, save_network  # noqa: E402
from train.checkpoints.fit_anchors import fit_facts, floor_between, judge_of, read_anchors, write_anchors  # noqa: E402
from train.data import damage  # noqa: E402
from train.data.pairs import PairSource, in_white_keys  # noqa: E402
from train.data.quality import SHUFFLED, TRUE, qualities  # noqa: E402
from train.data.rhythm import rhythm  # noqa: E402
from train.data.song_cache import CachedSong  # noqa: E402
from train.evaluate.measures.metrics import consonance, harmony  # noqa: E402
from train.evaluate.measures.telling_apart import telling_apart  # noqa: E402
from train.networks.fit import FitConfig, FitNet  # noqa: E402
from train.training.fit import FitStage, _rank_loss  # noqa: E402

TINY = FitConfig(channels=8, vocal_dilations=(1, 2), band_dilations=(1,), aspects=2, aspect_channels=3)
BEAT_S = 0.5


def randomised() -> FitNet:
    """A network with random weights; layers that start at zero would hide their effect."""
    torch.manual_seed(0)
    network = FitNet(TINY)
    for name, parameter in network.named_parameters():
        if name not in ("weight", "offset"):
            torch.nn.init.normal_(parameter, std=0.15)
    return network.eval()


def song(name: str = "a", tonic: int = 0, seed: int = 0) -> CachedSong:
    """Forty seconds in four-four: one triad per bar; the voice sings its notes and, at times, a second."""
    rng = np.random.default_rng(seed)
    beats = tuple(BEAT_S * k for k in range(81))
    notes, voice = [], []
    for bar in range(20):
        root = int(rng.choice([0, 5, 7, 9])) + tonic
        third = 3 if root - tonic == 9 else 4
        for step in (0, third, 7):
            notes += [(4 * bar + b, 4 * bar + b + 1, 48 + root + step) for b in range(4)]
        voice += [
            (4 * bar + b, 4 * bar + b + 1, 60 + root + int(rng.choice([0, third, 7, 2]))) for b in range(4)
        ]
    played = [Note(BEAT_S * a, BEAT_S * b, p, 80, "keys") for a, b, p in notes]
    return CachedSong(
        id=name,
        split="train",
        duration_s=40.0,
        key=Key(tonic, "major"),
        grid=BeatGrid(beats, tuple(range(0, 81, 4)), 1.0, 4),
        voice=np.array([(BEAT_S * a, BEAT_S * b, p, 1.0) for a, b, p in voice], np.float32),
        plan=np.zeros((24, 216), np.float32),
        scores={style: note_rows(Score.of(played, 40.0), np.float32) for style in STYLES},
    )


def sung_features(each: CachedSong) -> np.ndarray:
    """Features (64, T) of the song's voice, without any error."""
    features = np.zeros((FEATURE_ROWS, each.frames), np.float32)
    for start_s, end_s, pitch, _ in each.voice:
        span = slice(round(start_s * FRAME_RATE_HZ), round(end_s * FRAME_RATE_HZ))
        features[int(pitch) % 12, span] = features[12 + int(pitch) - 36, span] = features[VOICED, span] = 1.0
    return features


@pytest.fixture
def source(tmp_path: Path) -> PairSource:
    songs = [song(name, tonic, seed) for seed, (name, tonic) in enumerate([("a", 0), ("b", 4), ("c", 9)])]
    for each in songs:
        np.save(tmp_path / f"{each.id}.npy", sung_features(each)[None].astype(np.float16))
    return PairSource.of(songs, tmp_path)


@torch.no_grad()
@pytest.mark.parametrize("shift", [1, 5, -4])
def test_moving_both_changes_nothing_and_moving_one_does(shift: int) -> None:
    network, there = randomised(), song()
    judge = judge_of(network)
    features, phases = sung_features(there)[:, :256], np.zeros((5, 256), np.float32)
    phases[0] = np.sin(np.arange(256))
    played = score_of(there.scores["piano"], 40.0)
    band, moved = band_rows(played, 256), band_rows(played.transposed(shift), 256)
    alone = judge(features, phases, band)
    assert judge(transposed(features, shift), phases, moved) == pytest.approx(alone, abs=1e-4)
    assert abs(judge(features, phases, moved) - alone) > 1e-3
    # Training rolls the embedding like this instead of drawing the band in another key.
    embedded = network.embed_band(torch.from_numpy(band)[None]).roll(shift, dims=2)
    assert torch.allclose(embedded, network.embed_band(torch.from_numpy(moved)[None]), atol=1e-5)


def test_export_agrees_with_torch_at_lengths_that_were_not_traced(tmp_path: Path) -> None:
    folder = write_tiny_checkpoint(tmp_path / "checkpoint")
    save_network(folder / "fit.safetensors", randomised().state_dict(), TINY)
    checkpoint = load_checkpoint(folder)
    facts = tiny_facts()
    graphs = graphs_of(checkpoint, facts["latent_mean"], facts["latent_std"])
    (graph,) = (g for g in graphs if g.name == "fit")
    assert [port.rows for port in graph.inputs] == [64, 5, BAND_ROWS]
    to_onnx(graph, tmp_path / "fit.onnx")
    ir = to_ir(graph, tmp_path / "fit.onnx")
    check_operations(graph, operations(ir))
    found = differences(graph, (tmp_path / "fit.onnx", ir))
    assert [d.output for d in found] == ["log_odds"] * 2
    assert all(d.small for d in found)


def test_qualities_are_those_of_the_judges(source: PairSource) -> None:
    there = source.songs[1]
    rng = np.random.default_rng(0)
    made = source.accompaniments(there, 6, rng)
    frames = there.frames // 4 * 4
    found = qualities(there, made, np.stack([draw_band(n, 0, frames) for n in made]), 0, frames)
    written = score_of(there.scores["piano"], 40.0).notes
    voice = [Note(float(a), float(b), int(p), 1, "keys") for a, b, p, _ in there.voice]
    for notes, quality in zip(made, found, strict=True):
        notes = notes[notes[:, 1] > notes[:, 0]]
        played = [n for n in score_of(notes, 40.0).notes if n.end_s > 0]
        judged = np.array(
            [
                harmony(played, written, 40.0),
                consonance(voice, played),
                rhythm([n.start_s for n in played], damage.bars_of(there).tolist()),
            ]
        )
        assert quality == pytest.approx(float(((judged - SHUFFLED) / (TRUE - SHUFFLED)).mean()), abs=0.12)
    assert np.ptp(found) > 0.1


def test_songs_meet_in_one_signature(source: PairSource) -> None:
    assert {s.key.tonic for s in source.songs} == {0}
    for each in source.songs:
        assert set(each.scores["piano"][:, 2].astype(int) % 12) <= {0, 2, 4, 5, 7, 9, 11}
    original = song("x", 4)
    moved = in_white_keys(original)
    steps = moved.scores["piano"][:, 2] - original.scores["piano"][:, 2]
    assert set(steps) == set(moved.voice[:, 2] - original.voice[:, 2]) and len(set(steps)) == 1


def test_damage_is_what_it_says() -> None:
    there, rng = song(), np.random.default_rng(2)
    notes, bars = there.scores["piano"], damage.bars_of(there)
    drums = notes.copy()
    drums[:, 4] = DRUMS
    assert (damage.transposed(drums, 5) == drums).all() and (damage.wrong_mode(drums) == drums).all()
    assert not set(damage.wrong_mode(notes)[:, 2].astype(int) % 12) & {4, 9, 11}
    half = damage.mistuned(notes, 0.5, rng, diatonic=True)
    assert 0.3 < np.mean(half[:, 2] != notes[:, 2]) < 0.7
    assert set(half[:, 2].astype(int) % 12) <= {0, 2, 4, 5, 7, 9, 11}
    late = damage.jittered(notes, 0.05, rng)
    assert np.ptp(late[:3, 0]) == 0.0  # a chord stays together
    assert 0.03 < np.std(late[:, 0] - notes[:, 0]) < 0.07
    other = damage.transposed(notes, 1)
    borrowed = damage.borrowed(notes, bars, other, bars, 0.5, rng)
    bar = np.searchsorted(bars, borrowed[:, 0] + 0.01) - 1
    foreign = np.array([any(borrowed[bar == b, 2] % 12 == 1) for b in range(20)])
    assert 0.3 <= foreign.mean() <= 0.9 and len(borrowed) == len(notes)
    swapped = damage.swapped(notes, bars, rng)
    assert sorted(swapped[:, 0]) == pytest.approx(sorted(notes[:, 0]), abs=1e-4)
    for name, make in damage.hard_negatives(there, notes, (other, bars), rng).items():
        assert not np.array_equal(make(), notes), name


def test_scores_apart_as_far_as_qualities_cost_nothing() -> None:
    quality = torch.tensor([[1.0, 0.7, 0.2]])
    assert float(_rank_loss(10.0 * quality + 3.0, quality)) == pytest.approx(0.0, abs=1e-6)
    assert float(_rank_loss(-10.0 * quality, quality)) > float(_rank_loss(0.0 * quality, quality)) > 0.1


def test_a_few_steps_find_the_pairs(source: PairSource) -> None:
    torch.manual_seed(0)
    stage = FitStage(TINY, source, replace(source, songs=[]), batch=4, frames=64, made=3)
    batches = stage.batches(np.random.default_rng(0))
    optimiser = torch.optim.AdamW(stage.model.parameters(), 2e-2)
    losses = []
    for _ in range(16):
        found = stage.loss(stage.model, next(batches))
        optimiser.zero_grad()
        found["loss"].backward()
        optimiser.step()
        losses.append(float(found["loss"].detach()))
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])


def test_the_floor_lies_between_the_anchors() -> None:
    rng = np.random.default_rng(0)
    assert floor_between(np.array([3.0, 5.0]), np.array([-1.0, 1.0])) == 2.0
    true, shuffled = rng.normal(2, 1, 4000), rng.normal(-2, 1, 4000)
    facts = fit_facts(true, shuffled)
    assert facts.floor == pytest.approx(0.0, abs=0.3)
    assert facts.true[50] == pytest.approx(float(np.median(true)), abs=1e-4)
    assert facts.shuffled[100] == pytest.approx(float(shuffled.max()), abs=1e-4)


def test_anchors_are_kept_beside_the_run(source: PairSource, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train fit"):
        read_anchors(tmp_path)
    facts = write_anchors(randomised(), source, tmp_path)
    assert type(facts).model_validate_json((tmp_path / "anchors.json").read_bytes()) == facts
    assert read_anchors(tmp_path)["floor"] == facts.floor


def consonant(features: np.ndarray, _: np.ndarray, band: np.ndarray) -> float:
    """A judge simple enough to check by hand: the share of the sung notes that the band also plays."""
    return float((features[:12] * band[:12]).sum() / max(1.0, features[:12].sum()))


@pytest.mark.filterwarnings("ignore::scipy.stats.ConstantInputWarning")  # equal scores cannot be ranked
def test_telling_apart_counts_as_it_says(source: PairSource, monkeypatch: pytest.MonkeyPatch) -> None:
    found = telling_apart(consonant, source, 3)
    kinds = {told.kind: told for told in found.kinds}
    assert found.songs == 3 and len(kinds) == 11
    assert kinds["transposed by a tone"].auc > 0.8 and kinds["transposed by a tone"].same_song == 1.0
    assert found.order.value > 0.3
    monkeypatch.setattr("train.evaluate.measures.telling_apart.song_value", lambda *_: 1.0)
    blind = telling_apart(consonant, source, 3)
    assert {told.auc for told in blind.kinds} == {0.5}
    assert {told.same_song for told in blind.kinds} == {0.0}


def test_calibration_is_what_the_appliance_asks(source: PairSource, tmp_path: Path) -> None:
    write_fit_calibration(source, tmp_path, 4)
    with np.load(tmp_path / "fit.npz") as arrays:
        assert len(arrays.files) == 12
        shapes = {name.split("/")[1]: arrays[name].shape for name in arrays.files}
    assert shapes == {"features": (1, 64, 256), "phases": (1, 5, 256), "band": (1, BAND_ROWS, 256)}


def test_a_network_is_adopted_with_its_anchors(tmp_path: Path) -> None:
    folder = write_tiny_checkpoint(tmp_path / "checkpoint")
    save_network(folder / "fit.safetensors", randomised().state_dict(), TINY)
    facts = fit_facts(np.arange(5.0), np.arange(5.0) - 10.0)
    said = {**tiny_facts(), "fit": facts.model_dump(mode="json")}
    (folder / "checkpoint.json").write_text(json.dumps(said))
    assert read_facts(folder).fit == facts
    assert "fit" in adopt(folder, tmp_path / "runs")
    assert read_anchors(tmp_path / "runs" / "fit")["floor"] == facts.floor
