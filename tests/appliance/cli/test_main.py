"""Each wrong input ends the command with one sentence and a documented exit code, and leaves no file."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.obeying_modes import obeying_modes
from support.vocals import sung

from appliance.cli.main import main

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(fake_pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``backline`` in this process; returns its exit code and its stderr."""

    def command(*words: object, pack: Path = fake_pack) -> tuple[int, str]:
        extra = [] if "--pack" in words else ["--pack", str(pack)]
        monkeypatch.setattr(sys, "argv", ["backline", *map(str, words), *extra])
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return command


@pytest.fixture
def vocal(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, sung(3.0), 44_100)
    return path


def wav(path: Path, samples: np.ndarray, rate_hz: int = 44_100) -> Path:
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return path


def truncated(path: Path) -> Path:
    wav(path, sung(3.0))
    path.write_bytes(path.read_bytes()[:200_000])
    return path


def text(path: Path, content: str = "") -> Path:
    path.write_text(content)
    return path


noise = np.random.default_rng(0).standard_normal(3 * 44_100).astype(np.float32)

BAD_VOCALS: dict[str, Callable[[Path], Path]] = {
    "missing": lambda d: d / "none.wav",
    "a folder": lambda d: d,
    "empty": lambda d: text(d / "empty.wav"),
    "text": lambda d: text(d / "text.wav", "la la la\n" * 1000),
    "truncated": lambda d: truncated(d / "cut.wav"),
    "nan": lambda d: wav(d / "nan.wav", np.where(np.arange(132_300) == 70_000, np.nan, sung(3.0))),
    "infinite": lambda d: wav(d / "inf.wav", np.where(np.arange(132_300) == 70_000, np.inf, sung(3.0))),
    "silence": lambda d: wav(d / "silence.wav", np.zeros(132_300, np.float32)),
    "noise": lambda d: wav(d / "noise.wav", 0.1 * noise),
    "one sample": lambda d: wav(d / "one.wav", np.ones(1, np.float32)),
    "8 channels": lambda d: wav(d / "eight.wav", np.repeat(sung(2.0)[:, None], 8, axis=1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD_VOCALS)
def test_bad_vocals_give_one_sentence_and_code_3(run: Run, tmp_path: Path, kind: str) -> None:
    path = BAD_VOCALS[kind](tmp_path)
    code, said = run("render", path, "--out", tmp_path / "out")
    assert code == 3
    assert said.startswith("backline: ") and said.count("\n") == 1
    assert path.name in said
    assert not any((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else True


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_force_renders_what_is_not_sung(run: Run, tmp_path: Path, kind: str) -> None:
    path = BAD_VOCALS[kind](tmp_path)
    code, said = run("render", path, "--out", tmp_path / "out", "--force")
    assert code == 0, said
    assert soundfile.info(tmp_path / "out" / f"{path.stem}.accompaniment.wav").frames == 132_300


def test_an_unreadable_vocal(run: Run, vocal: Path, tmp_path: Path) -> None:
    vocal.chmod(0)
    with obeying_modes():
        code, said = run("render", vocal, "--out", tmp_path / "out")
    assert code == 3 and "song.wav" in said


def test_what_is_remarked_stands_beside_the_table_and_in_the_receipt(
    run: Run, vocal: Path, tmp_path: Path
) -> None:
    chart = text(tmp_path / "chart.txt", "0 1.5 Em\n1.5 3 H7\n")
    code, said = run("render", vocal, "--out", tmp_path / "out", "--chords", chart)
    assert code == 0
    assert f"backline: {vocal}: H in the chart is read as the German B natural" in said
    receipt = json.loads((tmp_path / "out" / "song.receipt.json").read_text())
    assert [span[2] for span in receipt["chart"]] == ["Em", "B7"]
    assert receipt["remarks"][0] in said


@pytest.mark.slow
def test_a_rhythm_file_is_played_and_told(run: Run, vocal: Path, tmp_path: Path) -> None:
    plan = text(tmp_path / "groove.txt", "# my groove\n1 low: 1\n")
    out = tmp_path / "out"
    code, said = run("render", vocal, "--out", out, "--bpm", "120", "--rhythm", plan)
    assert code == 0, said
    receipt = json.loads((out / "song.receipt.json").read_text())
    assert (receipt["rhythm_given"], receipt["rhythm_text"]) == (True, "1  low: 1\n")
    text(plan, "\n99 low: 1\n")
    code, said = run("render", vocal, "--out", tmp_path / "none", "--bpm", "120", "--rhythm", plan)
    assert code == 2 and f"{plan}, line 2: there is no bar 99;" in said
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--style", "polka"], "polka"),
        (["--sound", "tape"], "tape"),
        (["--key", "H major"], "H major"),
        (["--bpm", "0"], "0"),
        (["--bpm", "nan"], "nan"),
        (["--takes", "0"], "0"),
        (["--seed", "-1"], "-1"),
        (["--chords", "nowhere.txt"], "nowhere.txt"),
        (["--beats", "nowhere.txt"], "nowhere.txt"),
        (["--rhythm", "nowhere.txt"], "nowhere.txt"),
        (["--like", "nowhere.mid"], "nowhere.mid"),
        (["--density", "2.5"], "--density 2.5: must be"),
        (["--transpose", "13"], "--transpose 13: give a whole number of semitones from -12 to 12."),
        (["--beats", "beats.txt", "--bpm", "90"], "--beats"),
        (["--beats", "beats.txt", "--half-time"], "--half-time and --beats contradict each other"),
        (["--half-time", "--double-time"], "--half-time and --double-time contradict each other"),
        (["--bpm", "90", "--double-time"], "--bpm and --double-time"),
    ],
)
def test_bad_options_give_code_2(
    run: Run, vocal: Path, tmp_path: Path, words: list[str], expected: str
) -> None:
    code, said = run("render", vocal, "--out", tmp_path / "out", *words)
    assert code == 2
    assert expected in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_pack(run: Run, vocal: Path, tmp_path: Path) -> None:
    code, said = run("render", vocal, "--out", tmp_path / "out", pack=tmp_path / "nopack")
    assert code == 4 and "nopack" in said and said.count("\n") == 1


def test_an_altered_pack_names_the_file(run: Run, fake_pack: Path, vocal: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(fake_pack, pack)
    graph = pack / "denoiser.bin"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    code, said = run("render", vocal, "--out", tmp_path / "out", pack=pack)
    assert code == 4 and "denoiser.bin" in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_written(run: Run, vocal: Path, tmp_path: Path) -> None:
    blocked = text(tmp_path / "file", "x")
    code, said = run("render", vocal, "--out", blocked / "out")
    assert code == 5 and said.count("\n") == 1
    assert blocked.read_text() == "x"


def test_a_full_disk(run: Run, vocal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    code, said = run("render", vocal, "--out", tmp_path / "out")
    assert code == 5 and "free" in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_one_bad_vocal_does_not_stop_the_others(run: Run, vocal: Path, tmp_path: Path) -> None:
    bad = text(tmp_path / "bad.wav")
    code, said = run("render", bad, vocal, "--out", tmp_path / "out")
    assert code == 3 and "bad.wav" in said
    assert (tmp_path / "out" / "song.receipt.json").is_file()


@pytest.mark.slow
def test_a_second_render_takes_another_name_unless_told(run: Run, vocal: Path, tmp_path: Path) -> None:
    for extra in ((), (), ("--overwrite",)):
        assert run("render", vocal, "--out", tmp_path / "out", *extra)[0] == 0
    assert sorted(p.name for p in (tmp_path / "out").glob("*.mid")) == ["song-2.mid", "song.mid"]


STOPS_BEFORE_THE_MIDI = """
import signal, sys, time
from appliance.cli.main import main
from appliance.rendering import render

def write_midi(*_):
    print("here", flush=True)
    time.sleep(600)

render.write_midi = write_midi
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
sys.exit(main())
"""
"""The command, which waits where sound files are written and the MIDI file is not."""


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(fake_pack: Path, tmp_path: Path) -> None:
    vocal = wav(tmp_path / "vocal.wav", sung(5.0))
    command = [sys.executable, "-c", STOPS_BEFORE_THE_MIDI, "render", str(vocal), "--pack", str(fake_pack)]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "here\n"
        assert [*(tmp_path / "out").rglob("*.wav")]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
