"""A pack as the renderer to be judged: its settings take effect and it renders like the appliance."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support.vocals import sung

import appliance
from appliance.errors import InputError
from appliance.networks.condition_rows import FIRST_CONDITION_ROWS, PLAN_ROWS
from appliance.networks.graphs import Graphs
from appliance.packs.pack import load_pack
from train.evaluate.judges.sung_notes import heard_notes, notes_beside, notes_of
from train.evaluate.material.songs import WrittenBand
from train.evaluate.players.midi_notes import read_midi
from train.evaluate.players.renderers import PackRenderer, code_hash, engine_of, music_hash, read_vocal
from train.evaluate.sections import takes
from train.evaluate.sections.setting import EvaluationSetting


@pytest.fixture(scope="module")
def vocal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("vocal") / "vocal.wav"
    soundfile.write(file, sung(6.0), 44_100)
    return file


@pytest.fixture
def renderer(fake_pack: Path) -> PackRenderer:
    return PackRenderer(fake_pack, sound=False)


def test_code_of_every_room_that_renders_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the hash missed a file, stored results would be used although that file had changed."""
    folder = tmp_path / "appliance"
    shutil.copytree(Path(appliance.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(appliance, "__file__", str(folder / "__init__.py"))
    before = code_hash()
    for module in ("vocal/tracker.py", "composing/sampler.py", "playing/reverb.py"):
        (folder / module).write_text((folder / module).read_text() + "# changed\n")
        assert code_hash() != before
        before = code_hash()
    for module in ("watch/service/daemon.py", "cli/main.py"):
        (folder / module).write_text((folder / module).read_text() + "# changed\n")
        assert code_hash() == before


def test_notes_alone_are_those_of_the_whole_job(renderer: PackRenderer, vocal: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    renderer(vocal, tmp_path / "notes")
    replace(renderer, sound=True)(vocal, tmp_path / "job")
    assert not list((tmp_path / "notes").rglob("*.wav"))
    (alone,), (whole,) = (sorted((tmp_path / name).rglob("*.mid")) for name in ("notes", "job"))
    assert alone.read_bytes() == whole.read_bytes()
    assert list((tmp_path / "job").rglob("vocal.accompaniment.wav"))


def test_other_steps_than_the_packs(
    renderer: PackRenderer, vocal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    evaluate = Graphs.velocity

    def velocity(self: Graphs, inputs: Any) -> Any:
        counted.append(1)
        return evaluate(self, inputs)

    monkeypatch.setattr(Graphs, "velocity", velocity)
    own = load_pack(renderer.pack).manifest.sampler.steps
    for steps, expected in ((None, own), (3, 3), (None, own)):
        counted.clear()
        replace(renderer, steps=steps)(vocal, tmp_path)
        assert len(counted) % expected == 0 and len(counted) // expected == _windows(renderer.pack, vocal)


def _windows(pack: Path, vocal: Path) -> int:
    from appliance.composing.composer import steps_of

    engine = engine_of(pack)
    reading = read_vocal(engine, vocal)
    return steps_of(engine.pack, reading.features) // engine.pack.manifest.sampler.steps


@pytest.mark.parametrize("pack", ["fake_pack", "composing_pack"])
def test_without_the_plan_the_denoiser_is_told_none(
    renderer: PackRenderer,
    vocal: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack: str,
    request: pytest.FixtureRequest,
) -> None:
    renderer = replace(renderer, pack=request.getfixturevalue(pack))
    told: list[Any] = []
    condition = Graphs.condition

    def spy(self: Graphs, rows: Any, style: Any) -> Any:
        told.append(rows[0, FIRST_CONDITION_ROWS - (PLAN_ROWS + 1) : FIRST_CONDITION_ROWS].copy())
        return condition(self, rows, style)

    monkeypatch.setattr(Graphs, "condition", spy)
    renderer(vocal, tmp_path)
    assert told[0][-1].max() > 0 and told[0][:-1].max() > 0
    told.clear()
    replace(renderer, plan=False)(vocal, tmp_path)
    assert told and not any(rows.any() for rows in told)


def test_the_label_names_all_that_matters(renderer: PackRenderer) -> None:
    identity = music_hash(load_pack(renderer.pack))[:12]
    assert renderer.label == f"fake {identity} piano seed 0 notes"
    others = {
        replace(renderer, **change).label
        for change in (
            {"style": "jazz"},
            {"seed": 1},
            {"steps": 2},
            {"plan": False},
            {"sound": True},
            {"code": "c"},
        )
    }
    assert len(others | {renderer.label}) == 7


def test_a_vocal_that_a_render_would_refuse_is_refused(renderer: PackRenderer, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(3 * 44_100), 44_100)
    with pytest.raises(InputError, match="silent"):
        renderer(silence, tmp_path)


def test_workers_can_be_told_what_to_do(fake_pack: Path, renderer: PackRenderer) -> None:
    setting = EvaluationSetting(fake_pack, Path("corpus"), Path("folder"))
    band = WrittenBand(load_pack(fake_pack).soundfont_path)
    stored = pickle.dumps((setting, renderer, band))
    assert pickle.loads(stored) == (setting, renderer, band)  # noqa: S301 - our own bytes


def test_takes_are_the_appliances(fake_pack: Path, vocal: Path, tmp_path: Path) -> None:
    setting = EvaluationSetting(fake_pack, Path("corpus"), tmp_path)
    drawn = takes._takes((setting, setting.renderer, vocal))
    assert len(drawn) == takes.TAKES and all(np.isfinite(take["fit"]) for take in drawn)
    assert all(take["heard"].notes and take["heard"].duration_s == 6.0 for take in drawn)
    assert takes._takes((setting, setting.renderer, vocal)) == drawn


def test_a_pitch_curve_becomes_notes() -> None:
    frame_s = 0.016
    time_s = np.arange(250) * frame_s
    midi = np.where(time_s < 1.6, 60.0, 62.0) + 0.25 + 0.4 * np.sin(2 * np.pi * 6.2 * time_s)
    f0_hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    f0_hz[(time_s > 3.0) & (time_s < 3.5)] = np.nan
    f0_hz[-3:] = 440.0  # a squeak, too short for a note
    notes = [n for n in notes_of(f0_hz, frame_s, first_s=1.0) if n.end_s - n.start_s > 0.2]
    assert [n.pitch for n in notes] == [60, 62, 62]
    times = [(n.start_s, n.end_s) for n in notes]
    np.testing.assert_allclose(times, [(1.0, 2.6), (2.6, 4.0), (4.5, 4.95)], atol=0.1)
    assert notes_of(np.full(10, np.nan), frame_s) == ()


def test_swift_f0_hears_a_melody(vocal: Path) -> None:
    pytest.importorskip("swift_f0")
    from support.vocals import MELODY

    notes = heard_notes(vocal)
    for k, pitch in enumerate(MELODY):
        middle = 0.5 * k + 0.25
        assert [n.pitch for n in notes if n.start_s <= middle < n.end_s] == [pitch]


def test_annotated_notes_go_first(vocal: Path, tmp_path: Path) -> None:
    (tmp_path / "a_notesA1.csv").write_text("0.5,440.5,0.25\n1.0,262.0,1.5\n")
    notes, who = notes_beside(tmp_path / "a.wav")
    assert [(n.start_s, n.end_s, n.pitch) for n in notes] == [(0.5, 0.75, 69), (1.0, 2.5, 60)]
    assert who == "annotated"


def test_a_chart_can_be_given_for_each_vocal(renderer: PackRenderer, vocal: Path, tmp_path: Path) -> None:
    charts = tmp_path / "charts"
    charts.mkdir()
    (charts / "vocal.txt").write_text("0.000 6.000 Am\n")
    given = replace(renderer, charts=charts)
    assert given.label.startswith(renderer.label) and given.label != renderer.label
    assert [s.label for s in read_vocal(engine_of(given.pack), vocal, given.wishes(vocal)).chart] == ["Am"]
    given(vocal, tmp_path)
    notes, _ = read_midi(tmp_path / "vocal.mid")
    assert notes and {note.pitch % 12 for note in notes} <= {9, 0, 4}
    other = tmp_path / "other"
    shutil.copytree(charts, other)
    assert replace(renderer, charts=other).label == given.label
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "vocal.txt").write_text("0.000 6.000 C\n")
    assert replace(renderer, charts=tmp_path / "third").label != given.label
