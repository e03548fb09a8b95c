"""Redoing a take: repeated, chained, of old receipts, and refused in clear words."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from support.fake_pack import build_fake_pack
from support.random_band import play_at_random
from support.redone_files import midi_notes, same_outside, sample_span, sound
from support.vocals import sung

from appliance.composing.wishes import Wishes
from appliance.errors import BacklineError, InputError, PackError, UsageError
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.redo.redo import redo
from appliance.rendering.redo.request import GivenChords, RedoRequest
from appliance.rendering.render import render

pytestmark = pytest.mark.slow

BARS = RedoRequest((2, 2))
ONE_BAR = {"bars": "1", "density": 1.0}


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack)


@pytest.fixture(scope="module", autouse=True)
def random_band() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        play_at_random(patch)
        yield


@pytest.fixture(scope="module")
def made(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a vocal and, in ``out``, a jazz take of it."""
    folder = tmp_path_factory.mktemp("made")
    soundfile.write(folder / "song.wav", sung(5.0), 44_100)
    job = RenderJob(folder / "song.wav", folder / "out", Wishes(style="jazz", seed=4, bpm=150.0))
    render(engine, job, "test")
    return folder


@pytest.fixture
def song(made: Path, tmp_path: Path) -> Path:
    """The receipt of a copy of ``made``."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy" / "out" / "song.receipt.json"


def contents(receipt: Path) -> dict[str, bytes]:
    """The files of a take but for its receipt, by group and ending."""
    facts = json.loads(receipt.read_text())
    return {file.partition(".")[2]: (receipt.parent / file).read_bytes() for file in facts["files"]}


def test_the_same_request_gives_the_same_bytes(engine: Engine, song: Path, fake_pack: Path) -> None:
    redo(engine, song, BARS, "test")
    redo(Engine(fake_pack), song, BARS, "test")
    redo(engine, song, replace(BARS, out=song.parent / "else"), "test")
    first = contents(song.parent / "song-2.receipt.json")
    assert first == contents(song.parent / "song-3.receipt.json")
    assert first == contents(song.parent / "else" / "song.receipt.json")
    assert len(first) == 6 and first != contents(song)


def test_a_redo_of_a_redo(engine: Engine, song: Path) -> None:
    first = redo(engine, song, BARS, "test").facts
    second = redo(engine, song.parent / "song-2.receipt.json", RedoRequest(parts=("bass",)), "test").facts
    assert (first["seed"], second["seed"]) == (5, 6)
    assert sorted(p.name for p in song.parent.glob("*.mid")) == ["song-2.mid", "song-3.mid", "song.mid"]
    parent = song.parent / "song-2.receipt.json"
    assert second["redo"]["parent"] == {
        "receipt": "song-2.receipt.json",
        "sha256": hashlib.sha256(parent.read_bytes()).hexdigest(),
    }
    assert second["redo"]["request"] == {"bars": None, "parts": ["bass"], "chords": [], "seed": None}
    for group in ("keys", "drums"):
        stems = [song.parent / "stems" / f"{name}.{group}.wav" for name in ("song-2", "song-3")]
        assert stems[0].read_bytes() == stems[1].read_bytes()
    before, after = (midi_notes(song.parent / f"{name}.mid") for name in ("song-2", "song-3"))
    assert {name for name in before if before[name] != after[name]} == {"Acoustic bass"}


def test_everything_redone_is_a_render_with_the_next_seed(engine: Engine, song: Path) -> None:
    facts = redo(engine, song, RedoRequest(), "test").facts
    vocal = song.parent.parent / "song.wav"
    wishes = Wishes(style="jazz", seed=5, bpm=150.0)
    (wanted,) = render(engine, RenderJob(vocal, song.parent / "new", wishes), "test")
    assert contents(song.parent / "song-2.receipt.json") == contents(
        song.parent / "new" / "song.receipt.json"
    )
    own = ("files", "redo", "timings_s", "real_time_factor", "vocal", "tempo")
    assert {k: v for k, v in facts.items() if k not in own} == {
        k: v for k, v in wanted.facts.items() if k not in own
    }


def test_new_chords_are_played_and_kept_by_the_next_redo(engine: Engine, song: Path) -> None:
    given = RedoRequest(chords=(GivenChords(2, "| F#m7 |"),))
    facts = redo(engine, song, given, "test").facts
    start_s, end_s = facts["redo"]["span_s"]
    assert facts["seed"] == 4 and facts["chart_given"]
    assert [round(start_s, 3), round(end_s, 3), "F#m7"] in facts["chart"]
    again = redo(engine, song.parent / "song-2.receipt.json", BARS, "test").facts
    assert again["chart"] == facts["chart"] and again["seed"] == 5


def test_the_dials_are_measured_in_what_is_played_now(engine: Engine, song: Path, tmp_path: Path) -> None:
    before = json.loads(song.read_text())["dials"]
    after = redo(engine, song, RedoRequest(parts=("bass",)), "test").facts["dials"]
    for dial, facts in before.items():  # none of them counts the bass
        assert after[dial]["measured"] == pytest.approx(facts["measured"], abs=0.05), dial
    wishes = Wishes.model_validate({"style": "jazz", "seed": 4, "bpm": 150.0, "section": [ONE_BAR]})
    vocal = song.parent.parent / "song.wav"
    (first,) = render(engine, RenderJob(vocal, tmp_path / "new", wishes), "test")
    second = redo(engine, tmp_path / "new" / "song.receipt.json", BARS, "test")
    (of_first,), (of_second,) = first.facts["sections"], second.facts["sections"]
    assert of_second["bars"] == of_first["bars"] == "1"
    assert of_second["density"] == of_first["density"]
    assert second.facts["dials"]["density"]["measured"] != first.facts["dials"]["density"]["measured"]


def test_old_receipts_are_redone_with_gains_found_again(engine: Engine, song: Path) -> None:
    facts = json.loads(song.read_text())
    samples, told = facts["samples"], facts["levels"]
    for name in ("asked", "levels", "groups", "transposed", "variety", "remarks", "job"):
        del facts[name]
    del facts["vocal"]["place"]
    facts["beats_s"] = [round(beat, 4) for beat in facts["beats_s"]]
    song.write_text(json.dumps(facts))
    made = redo(engine, song, BARS, "test").facts
    first, stop = sample_span(made)
    for ending in ("accompaniment.wav", "mix.wav"):
        before, after = (song.parent / f"{name}.{ending}" for name in ("song", "song-2"))
        assert same_outside(before, after, first, stop, samples)
    # Played again from the notes of the MIDI file, the gains are nearly those of the render.
    known = redo(engine, song.parent / "song-2.receipt.json", BARS, "test").facts["levels"]
    assert known == made["levels"]
    for name in ("band", "mix"):
        assert known[name]["gain_db"] == pytest.approx(told[name]["gain_db"], abs=0.2)
    assert known["voice_db"] == pytest.approx(told["voice_db"], abs=0.01)


@pytest.mark.parametrize("ending", ["stems", "mix.wav", "accompaniment.wav"])
def test_what_is_gone_is_played_again(engine: Engine, song: Path, ending: str) -> None:
    before = sound(song.parent / "song.accompaniment.wav")
    if ending == "stems":
        shutil.rmtree(song.parent / "stems")
    else:
        (song.parent / f"song.{ending}").unlink()
    facts = redo(engine, song, BARS, "test").facts
    first, stop = sample_span(facts)
    after = sound(song.parent / "song-2.accompaniment.wav")
    assert len(facts["files"]) == 6
    outside = np.r_[before[:first], before[stop:]] - np.r_[after[:first], after[stop:]]
    assert np.abs(outside).max() < 4 / 2**23


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


DAMAGE: dict[str, tuple[Callable[[Path], None], type[BacklineError], str]] = {
    "vocal gone": (
        lambda r: (r.parent.parent / "song.wav").unlink(),
        InputError,
        "song.wav, which was rendered, is not found",
    ),
    "vocal changed": (
        lambda r: changed(r.parent.parent / "song.wav"),
        InputError,
        "song.wav is not the recording that was rendered, or has changed since; give that one with --vocal",
    ),
    "stem changed": (
        lambda r: changed(r.parent / "stems" / "song.keys.wav"),
        InputError,
        "song.keys.wav is not what song.receipt.json says, so it was changed after the render; put",
    ),
    "mix changed": (lambda r: changed(r.parent / "song.mix.wav"), InputError, "song.mix.wav is not what"),
    "notes changed": (lambda r: changed(r.parent / "song.mid"), InputError, "song.mid is not what"),
    "notes gone": (
        lambda r: (r.parent / "song.mid").unlink(),
        InputError,
        "song.mid is gone, and the notes of the take with it; put it back",
    ),
    "receipt gone": (Path.unlink, UsageError, "song.receipt.json: the receipt cannot be read"),
    "no receipt": (
        lambda r: r.write_text('{"name": "backline"}'),
        UsageError,
        "song.receipt.json is not a receipt of Backline, or was edited",
    ),
    "of another folder": (
        lambda r: r.write_text(r.read_text().replace('"song.mid"', '"../song.mid"')),
        UsageError,
        "is not a receipt of Backline, or was edited",
    ),
    "no JSON": (lambda r: r.write_bytes(b"\xff\xfe"), UsageError, "is not a receipt of Backline"),
    "of the future": (
        lambda r: r.write_text(r.read_text().replace('"schema": 1', '"schema": 2')),
        UsageError,
        "was written by another version of Backline; render the vocal again",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_gone_or_changed_is_named(engine: Engine, song: Path, kind: str) -> None:
    spoil, error, sentence = DAMAGE[kind]
    spoil(song)
    before = sorted(song.parent.rglob("*"))
    with pytest.raises(error) as told:
        redo(engine, song, BARS, "test")
    assert sentence in str(told.value)
    assert sorted(song.parent.rglob("*")) == before


def test_another_pack_is_refused(song: Path, tmp_path: Path) -> None:
    other = Engine(build_fake_pack(tmp_path / "other", styles=("jazz", "piano")))
    with pytest.raises(PackError, match=r"other is not the pack that played this take, which is fake 0 \("):
        redo(other, song, BARS, "test")


def test_the_vocal_may_lie_elsewhere(engine: Engine, song: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.wav"
    (song.parent.parent / "song.wav").rename(moved)
    facts = redo(engine, song, replace(BARS, vocal=moved), "test").facts
    assert facts["vocal"]["name"] == "song.wav"
    assert (song.parent / facts["vocal"]["place"]).resolve() == moved.resolve()
    again = redo(engine, song.parent / "song-2.receipt.json", BARS, "test")
    assert again.facts["vocal"]["place"] == facts["vocal"]["place"]
