"""A whole render with the fake pack, whose music is known: lengths, levels, bytes, notes, receipt."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from support.vocals import sung

from appliance.composing.wishes import Section, Wishes
from appliance.errors import UsageError
from appliance.music.beat_file import parse_beats
from appliance.music.dials import DIALS
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render


@pytest.fixture(scope="module")
def engine(fake_pack: Path) -> Engine:
    return Engine(fake_pack)


def written(tmp_path: Path, seconds: float, rate_hz: int = 44_100, name: str = "song.wav") -> Path:
    path = tmp_path / name
    soundfile.write(path, sung(seconds, rate_hz), rate_hz, subtype="FLOAT" if name.endswith("wav") else None)
    return path


def rendered(engine: Engine, vocal: Path, out: Path, **wishes: object) -> list[dict]:
    return [r.facts for r in render(engine, RenderJob(vocal, out, Wishes(**wishes)), "test")]


ODD = [
    (1.0, 44_100),
    (1.2345, 44_100),
    (2.0 + 1 / 44_100, 44_100),
    (1.7, 8_000),
    (1.501, 11_025),
    (2.3, 16_000),
    (1.9, 22_050),
    (1.111, 48_000),
    (1.3, 96_000),
    (1.05, 192_000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "rate_hz"), ODD)
def test_every_file_has_the_vocals_length_and_loudness(
    engine: Engine, tmp_path: Path, seconds: float, rate_hz: int
) -> None:
    vocal = written(tmp_path, seconds, rate_hz)
    frames = soundfile.info(vocal).frames
    rendered(engine, vocal, tmp_path / "out", style="jazz")
    files = sorted((tmp_path / "out").rglob("*.wav"))
    assert len(files) == 5  # accompaniment, mix, and the stems keys, bass and drums
    for file in files:
        info = soundfile.info(file)
        assert info.frames == round(frames * 44_100 / rate_hz)
        assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "PCM_24")


@pytest.mark.slow
def test_loudness_and_peak(engine: Engine, tmp_path: Path) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    rendered(engine, written(tmp_path, 6.0), tmp_path / "out")
    for ending in ("accompaniment", "mix"):
        sound, rate = soundfile.read(tmp_path / "out" / f"song.{ending}.wav")
        assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(-16, abs=1)
        assert 20 * np.log10(np.abs(sound).max()) <= -1.0


def test_stems_add_up(engine: Engine, tmp_path: Path) -> None:
    rendered(engine, written(tmp_path, 4.0), tmp_path / "out", style="jazz")
    whole, _ = soundfile.read(tmp_path / "out" / "song.accompaniment.wav")
    stems = [soundfile.read(f)[0] for f in (tmp_path / "out" / "stems").iterdir()]
    assert np.abs(sum(stems) - whole).max() < 4 / 2**23


def test_same_input_same_bytes(engine: Engine, fake_pack: Path, tmp_path: Path) -> None:
    vocal = written(tmp_path, 3.0)
    rendered(engine, vocal, tmp_path / "a", style="jazz")
    rendered(Engine(fake_pack), vocal, tmp_path / "b", style="jazz")
    names = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert len(names) == 7
    for name in names:
        if not name.name.endswith(".json"):  # the receipt holds timings
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def pitches(path: Path, track: str) -> set[int]:
    for each in mido.MidiFile(path).tracks:
        notes = {m.note for m in each if m.type == "note_on" and m.velocity}
        if notes and track.lower() in each.name.lower():
            return notes
    raise AssertionError(f"no track {track} in {path}")


@pytest.mark.slow
def test_the_decoded_notes_are_played_in_the_wanted_key(engine: Engine, tmp_path: Path) -> None:
    vocal = written(tmp_path, 4.0)
    rendered(engine, vocal, tmp_path / "c")
    rendered(engine, vocal, tmp_path / "d", key="D major")
    assert pitches(tmp_path / "c" / "song.mid", "piano") == {60, 64, 67}
    # The model's music is transposed to D major and then changed until it is heard in D major.
    classes = {pitch % 12 for pitch in pitches(tmp_path / "d" / "song.mid", "piano")}
    assert {2, 6, 9} <= classes <= {1, 2, 4, 6, 7, 9, 11}


@pytest.mark.slow
def test_a_style_leaves_out_what_is_not_its_own(engine: Engine, tmp_path: Path) -> None:
    # The fake pack plays keys, bass and drums in every style.
    expected = {"piano": {"keys"}, "folk": {"bass", "drums"}, "pop": {"keys", "bass", "drums"}}
    for style, stems in expected.items():
        rendered(engine, written(tmp_path, 2.0), tmp_path / style, style=style)
        assert {p.name.split(".")[1] for p in (tmp_path / style / "stems").iterdir()} == stems


@pytest.mark.slow
def test_a_given_tempo_is_kept_exactly(engine: Engine, tmp_path: Path) -> None:
    (facts,) = rendered(engine, written(tmp_path, 20.0), tmp_path / "out", bpm=93.0)
    beats = np.array(facts["beats_s"])
    assert np.diff(beats) == pytest.approx(60 / 93, abs=2e-4)
    assert facts["tempo"]["given"] and facts["tempo"]["bpm"] == pytest.approx(93, abs=0.1)


def test_the_receipt_tells_the_story(engine: Engine, fake_pack: Path, tmp_path: Path) -> None:
    (facts,) = rendered(engine, written(tmp_path, 5.0), tmp_path / "out")
    stored = json.loads((tmp_path / "out" / "song.receipt.json").read_text())
    assert stored == facts
    assert facts["key"]["name"] == "C major"
    assert facts["pack"]["sha256"] == engine.pack.sha256
    assert facts["samples"] == 5 * 44_100
    assert facts["tempo"]["signature"] == f"{facts['tempo']['meter']}/4" and len(facts["tempo"]["tempi"]) == 1
    again = parse_beats(facts["beats_text"], 5.0, "receipt")
    assert again.beats_s == pytest.approx(facts["beats_s"], abs=1e-3)
    assert list(again.downbeats) == facts["downbeats"]
    assert set(facts["timings_s"]) == {"read", "listen", "compose", "play", "master"}
    assert facts["chart"][0][0] == 0.0 and facts["chart"][-1][1] == pytest.approx(5.0, abs=1e-3)
    for name, digest in facts["files"].items():
        import hashlib

        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


def test_the_receipt_tells_the_dials(engine: Engine, tmp_path: Path) -> None:
    vocal = written(tmp_path, 12.0)
    beats = "".join(f"{0.6 * k:.1f} {k % 4 + 1}\n" for k in range(20))
    (plain,) = rendered(engine, vocal, tmp_path / "plain", beats=beats)
    assert set(plain["dials"]) == set(DIALS) and plain["sections"] == []
    assert all(found["asked"] is found["drawn"] is None for found in plain["dials"].values())
    asked = {"beats": beats, "register": 1.0, "section": [Section(bars="2-3", voices=-2.0)]}
    (facts,) = rendered(engine, vocal, tmp_path / "out", **asked)
    before, after = plain["dials"]["register"], facts["dials"]["register"]
    assert after["asked"] == 1.0 and abs(after["measured"] - 1.0) < abs(before["measured"] - 1.0)
    assert facts["sections"][0]["bars"] == "2-3" and facts["sections"][0]["voices"]["asked"] == -2.0
    assert facts["sections"][0]["voices"]["measured"] < facts["dials"]["voices"]["measured"]
    (again,) = rendered(engine, vocal, tmp_path / "again", **asked)
    assert again["files"] == facts["files"] != plain["files"]


def test_bars_beyond_the_end_are_refused_with_the_range(engine: Engine, tmp_path: Path) -> None:
    vocal = written(tmp_path, 6.0)
    beats = "".join(f"{0.6 * k:.1f} {k % 4 + 1}\n" for k in range(10))
    with pytest.raises(UsageError, match=r"^Section of bars 90-99: the recording has bars 1 to 3 only\.$"):
        rendered(engine, vocal, tmp_path / "out", beats=beats, section=[Section(bars="90-99", density=1)])
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_takes_are_numbered_and_seeds_follow(engine: Engine, tmp_path: Path) -> None:
    job = RenderJob(written(tmp_path, 2.0), tmp_path / "out", Wishes(takes=3, seed=7))
    receipts = [r.facts for r in render(engine, job, "test")]
    assert [(f["take"], f["seed"]) for f in receipts] == [(1, 7), (2, 8), (3, 9)]
    names = {p.name for p in (tmp_path / "out").glob("*.mid")}
    assert names == {"song.take1.mid", "song.take2.mid", "song.take3.mid"}


def test_progress_ends_at_one_and_never_falls(engine: Engine, tmp_path: Path) -> None:
    told: list[float] = []
    render(engine, RenderJob(written(tmp_path, 3.0), tmp_path / "out"), "test", told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 5


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3", "aiff"])
def test_other_containers(engine: Engine, tmp_path: Path, ending: str) -> None:
    vocal = written(tmp_path, 2.0, name=f"song.{ending}")
    (facts,) = rendered(engine, vocal, tmp_path / "out")
    assert facts["samples"] == pytest.approx(2 * 44_100, abs=3000 if ending == "mp3" else 0)
