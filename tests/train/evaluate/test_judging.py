"""A renderer judged on pieces: stored results, refused vocals, several processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_evaluation import FakeRenderer, as_written, fake_band, hearing_in, make_pieces

from appliance.music.midi import write_midi
from appliance.music.score import BeatGrid, Note, Score
from appliance.packs.sounds import DEFAULT_SOUNDS
from train.evaluate import evaluation as evaluation_module
from train.evaluate.evaluation import Evaluation, compare, evaluate
from train.evaluate.judges.hearing import Heard
from train.evaluate.material.pieces import Piece
from train.evaluate.players.midi_notes import read_midi
from train.evaluate.processes.store import Refused, Store


@pytest.fixture
def pieces(tmp_path: Path) -> list[Piece]:
    return make_pieces(tmp_path / "vocals")


def judged(pieces: list[Piece], folder: Path, renderer: FakeRenderer, **more: object) -> Evaluation:
    hearing = hearing_in(folder)
    return evaluate(pieces, renderer, fake_band, hearing, label=renderer.label, **more)  # type: ignore[arg-type]


def test_the_written_part_closes_the_whole_gap(pieces: list[Piece], tmp_path: Path) -> None:
    evaluation = judged(pieces, tmp_path, FakeRenderer(as_written(pieces), tmp_path / "log"))
    for metric in ("harmony", "consonance"):
        assert evaluation.gap_closed(metric).value == pytest.approx(1.0, abs=1e-6)
        assert evaluation.ceiling(metric).value == pytest.approx(1.0, abs=1e-6)
        assert evaluation.mean(metric, "shuffled").value < 0.5
    assert evaluation.mean("rhythm", "ours").value == 1.0
    assert evaluation.mean("chords", "ours").value == 1.0
    assert set(evaluation.coverage.values()) == {1.0}


def test_what_was_heard_is_not_rendered_again(pieces: list[Piece], tmp_path: Path) -> None:
    renderer = FakeRenderer(as_written(pieces), tmp_path / "log")
    first = judged(pieces[:2], tmp_path, renderer)
    assert renderer.asked() == ["one/song0", "one/song1"]
    judged(pieces, tmp_path, renderer)
    assert renderer.asked() == ["one/song2", "one/song3"]
    assert judged(pieces[:2], tmp_path, renderer) == first
    # A result with chords also answers the question without chords.
    judged(pieces[:2], tmp_path, renderer, chords=False)
    assert renderer.asked() == []
    other = FakeRenderer(as_written(pieces), tmp_path / "log", label="another-pack")
    judged(pieces[:1], tmp_path, other)
    assert other.asked() == ["another-pack/song0"]
    assert not list(tmp_path.rglob("*.accompaniment.wav"))


def test_chords_asked_for_later_are_heard_later(pieces: list[Piece], tmp_path: Path) -> None:
    renderer = FakeRenderer(as_written(pieces), tmp_path / "log")
    without = judged(pieces[:2], tmp_path, renderer, chords=False)
    assert without.of("chords") == ()
    assert judged(pieces[:2], tmp_path, renderer).mean("chords", "ours").value == 1.0


def test_two_processes_find_what_one_finds(pieces: list[Piece], tmp_path: Path) -> None:
    renderer = FakeRenderer(as_written(pieces, 1), tmp_path / "log")
    one = judged(pieces, tmp_path / "one", renderer)
    two = judged(pieces, tmp_path / "two", renderer, workers=2)
    assert one == two
    assert sorted(renderer.asked()) == sorted(2 * [f"one/song{k}" for k in range(4)])


def test_a_refused_vocal_counts_as_silence_and_is_named(pieces: list[Piece], tmp_path: Path) -> None:
    renderer = FakeRenderer(as_written(pieces), tmp_path / "log", label="shy", refuses=("song2",))
    evaluation = judged(pieces, tmp_path, renderer)
    assert evaluation.failures == {"song2": "song2.wav: nothing is sung."}
    assert [row.ours for row in evaluation.of("harmony")] == pytest.approx([1, 1, 0, 1])
    assert [row.ours for row in evaluation.of("rhythm")] == [1.0, 1.0, 0.5, 1.0]
    assert renderer.asked().count("shy/song2") == 1
    whole = judged(pieces, tmp_path, FakeRenderer(as_written(pieces), tmp_path / "log"))
    assert compare(evaluation, whole, "harmony").value == pytest.approx(
        -0.25 / (1 - whole.mean("harmony", "shuffled").value)
    )


def test_without_sound_the_notes_themselves_are_judged(pieces: list[Piece], tmp_path: Path) -> None:
    def render(vocal: Path, folder: Path) -> None:
        (piece,) = (p for p in pieces if p.vocal == vocal)
        score = Score.of([*piece.written.notes, Note(0.25, 0.3, 36, 90, "drums")], 6.0)
        write_midi(folder / f"{vocal.stem}.mid", score, BeatGrid(), DEFAULT_SOUNDS["pop"])

    hearing = hearing_in(tmp_path)
    evaluation = evaluate(pieces, render, None, hearing, label="notes", chords=False)
    assert evaluation.gap_closed("harmony").value == pytest.approx(1.0, abs=1e-3)
    heard = hearing.result(pieces[0].vocal, render, "notes", chords=False)
    assert heard.drums_s == pytest.approx((0.25,), abs=1e-3)
    assert heard.duration_s == pytest.approx(6.0, abs=1e-3)


def test_a_renderer_without_a_result_is_an_error(pieces: list[Piece], tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"lazy wrote no song0\.accompaniment\.wav"):
        hearing_in(tmp_path).result(pieces[0].vocal, lambda vocal, folder: None, "lazy", chords=False)


def test_a_midi_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    notes = [
        Note(0.5, 1.25, 60, 80, "keys"),
        Note(0.5, 2.0, 43, 90, "bass"),
        Note(1.25, 1.5, 60, 70, "keys"),
        Note(1.0, 1.1, 38, 100, "drums"),
    ]
    beats = BeatGrid((0.2, 0.9, 1.5, 2.3), (0,), 1.0)
    write_midi(tmp_path / "a.mid", Score.of(notes, 3.0), beats, DEFAULT_SOUNDS["pop"])
    found, duration_s = read_midi(tmp_path / "a.mid")
    assert duration_s == pytest.approx(3.0, abs=2e-3)
    expected = sorted((n.start_s, n.end_s, n.pitch, n.velocity) for n in notes if n.group != "drums")
    read = [(n.start_s, n.end_s, n.pitch, n.velocity) for n in found if not n.drum]
    for ours, theirs in zip(read, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=2e-3)
    assert [n.pitch for n in found if n.drum] == [38]


def test_an_answer_cut_short_is_asked_for_again(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def stopped() -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.get({"what": 1}, stopped)
    assert not store.knows({"what": 1})
    assert store.get({"what": 1}, lambda: [1, 2]) == [1, 2]
    assert store.get({"what": 1}, stopped) == [1, 2]


def test_an_unknown_metric_is_an_error(pieces: list[Piece]) -> None:
    with pytest.raises(ValueError, match="swing"):
        evaluation_module.score("swing", pieces[0], Heard(1.0, (), ()))
