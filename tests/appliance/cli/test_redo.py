"""``backline redo`` from its words to its exit code."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from support.vocals import sung

from appliance.cli.main import main
from appliance.composing.wishes import Wishes
from appliance.rendering.engine import Engine
from appliance.rendering.job import RenderJob
from appliance.rendering.render import render

pytestmark = pytest.mark.slow

BEATS = "".join(f"{0.4 * k:.1f} {k % 4 + 1}\n" for k in range(10))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def receipt(fake_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("song")
    soundfile.write(folder / "song.wav", sung(4.0), 44_100)
    job = RenderJob(folder / "song.wav", folder / "out", Wishes(style="jazz", beats=BEATS))
    render(Engine(fake_pack), job, "test")
    return folder / "out" / "song.receipt.json"


@pytest.fixture
def run(fake_pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``backline redo`` in this process; returns its exit code, stdout and stderr."""

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["backline", "redo", *map(str, words), "--pack", str(fake_pack)])
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_it_shows_what_it_made(run: Run, receipt: Path, tmp_path: Path) -> None:
    code, out, err = run(receipt, "--bars", "1-2", "--part", "bass", "--part", "keys", "--out", tmp_path)
    assert (code, err) == (0, "")
    assert "song.accompaniment.wav" in out
    assert (tmp_path / "song.mix.wav").is_file()


def test_it_prints_the_receipt(run: Run, receipt: Path, tmp_path: Path) -> None:
    words = ("--chords", "1: | Dm7 |", "--chords", "2: | G7 |", "--seed", 9, "--json", "--out", tmp_path)
    code, out, err = run(receipt, *words)
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads((tmp_path / "song.receipt.json").read_text())
    assert json.loads(out)["redo"]["request"] == {
        "bars": None,
        "parts": [],
        "chords": ["1: | Dm7 |", "2: | G7 |"],
        "seed": 9,
    }


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--bars", "2-99"], 2, "There is no bar 99; this take has the bars 1 to"),
        (["--bars", "two"], 2, "--bars 'two': give the first and the last bar"),
        (["--part", "pad"], 2, "no part 'pad' in the style 'jazz'"),
        (["--chords", "Dm7"], 2, "--chords 'Dm7': give the first bar, a colon"),
        (["--chords", "1: | Q |"], 2, "'Q' is not a chord that Backline knows"),
        (["--seed", "-1"], 2, "--seed"),
        (["--vocal", "nowhere.wav"], 3, "song.wav, which was rendered, is not found (nowhere.wav)"),
    ],
)
def test_bad_requests_give_one_sentence_and_a_code(
    run: Run, receipt: Path, tmp_path: Path, words: list[str], code: int, sentence: str
) -> None:
    ended, out, err = run(receipt, *words, "--out", tmp_path / "out")
    assert (ended, out) == (code, "")
    assert sentence in err
    assert not (tmp_path / "out").exists()
