"""Excerpts, piano rolls and the page of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from support.plain_song import GRID, reading, score
from support.vocals import sung

from appliance.composing.takes import Take
from appliance.errors import OutputError
from appliance.music.score import DRUM_GROUP, Note, Score
from train.cli import main
from train.evaluate.listening.excerpts import Cut, excerpt, write_excerpts
from train.evaluate.listening.page import Heard, page_text
from train.evaluate.listening.piano_rolls import draw, draw_takes, first_bar_s, groups_of, pitch_range

RATE_HZ = 44_100


def ramp(file: Path, seconds: float) -> Path:
    """A stereo file whose samples say when they sound, in minutes."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    soundfile.write(file, np.stack([time_s, -time_s], axis=1) / 60, RATE_HZ, subtype="PCM_24")
    return file


def test_an_excerpt_is_a_faded_part(tmp_path: Path) -> None:
    found = excerpt(Cut(ramp(tmp_path / "a.wav", 8.0), 3.0, 4.0))
    assert found.shape == (4 * RATE_HZ, 2)
    assert found[0, 0] == found[-1, 0] == 0.0
    middle = RATE_HZ
    assert found[middle] == pytest.approx([4 / 60, -4 / 60], abs=1e-6)
    # Half a second before the end, half of it is left.
    assert found[-RATE_HZ // 2, 0] == pytest.approx(0.5 * 6.5 / 60, abs=1e-4)
    assert len(excerpt(Cut(tmp_path / "a.wav", 6.0, 9.0))) == 2 * RATE_HZ


def test_excerpts_are_as_good_as_their_size_allows(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (3 * RATE_HZ, 2))
    soundfile.write(tmp_path / "a.wav", noise, RATE_HZ)
    cuts = {tmp_path / "out" / f"{name}.mp3": Cut(tmp_path / "a.wav", 0.0, 3.0) for name in "ab"}
    best = write_excerpts(cuts, 10_000_000)
    bytes_of = {file: file.read_bytes() for file in cuts}
    assert write_excerpts(cuts, 10_000_000) == best and bytes_of == {f: f.read_bytes() for f in cuts}
    size = sum(file.stat().st_size for file in cuts)
    assert write_excerpts(cuts, size - 1000) > best
    assert sum(file.stat().st_size for file in cuts) < size - 1000
    info = soundfile.info(next(iter(cuts)))
    assert (info.format, info.samplerate, info.channels, info.frames) == ("MP3", RATE_HZ, 2, 3 * RATE_HZ)
    with pytest.raises(OutputError, match="make them shorter"):
        write_excerpts(cuts, 1000)


def test_the_page_links_from_where_it_is(tmp_path: Path) -> None:
    text = page_text(
        tmp_path / "docs" / "listen.md",
        "fake 1",
        tmp_path / "demo" / "vocal.flac",
        [Heard(tmp_path / "demo" / "styles" / "pop.mp3", "pop", "keys, bass")],
        [Heard(tmp_path / "demo" / "takes" / "take-1.mp3", "take 1", "seed 2, fit 21.0")],
        "piano",
        tmp_path / "docs" / "reference" / "takes.png",
    )
    assert "| [pop](../demo/styles/pop.mp3) | keys, bass |" in text
    assert "| [take 1](../demo/takes/take-1.mp3) | seed 2, fit 21.0 |" in text
    assert "](reference/takes.png)" in text and "[vocal.flac](../demo/vocal.flac)" in text


def take(seed: int, played: Score) -> Take:
    return Take(seed, reading(), played, None)


def test_piano_rolls_show_the_notes_of_each_take(tmp_path: Path) -> None:
    drums = Score.of([*score().notes, Note(0.0, 0.1, 36, 90, DRUM_GROUP)], score().duration_s)
    one, two = take(0, score()), take(1, drums)
    assert groups_of([one]) == ["keys"] and groups_of([one, two]) == ["keys", DRUM_GROUP]
    # The singer's 67 and the keys from 59 on, with two semitones of margin; the kick drum is lower.
    assert pitch_range([one]) == (57.0, 69.0) and pitch_range([one, two]) == (34.0, 69.0)
    assert first_bar_s(one) == 0.0
    late = one.reading.features.copy()
    late[:, : late.shape[1] // 4] = 0.0  # the singing begins after 8 of 32 seconds, or 4 of 16
    begun = replace(one, reading=replace(one.reading, features=late))
    assert first_bar_s(begun) == GRID.beats_s[GRID.downbeats[2]]
    pictures = {}
    for name, takes in (("same", [one, one, one]), ("other", [one, two, take(2, Score.of([], 16.0))])):
        draw(takes, tmp_path / f"{name}.png", 0.0, 8.0)
        pictures[name] = (tmp_path / f"{name}.png").read_bytes()
        assert pictures[name].startswith(b"\x89PNG")
    assert pictures["same"] != pictures["other"]


def test_the_command_makes_everything(
    fake_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("vocal.wav", sung(4.0), RATE_HZ)
    words = ["listen", str(fake_pack), "--vocal", "vocal.wav", "--only", "piano", "--only", "pop"]
    words += ["--style-seconds", "1.5", "--take-seconds", "2"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    page = Path("docs/listen.md").read_text()
    sounds = sorted(str(file) for file in Path("demo").rglob("*.mp3"))
    expected = [f"styles/{style}" for style in ("piano", "pop")] + [f"takes/take-{k}" for k in (1, 2, 3)]
    assert sounds == [f"demo/{name}.mp3" for name in expected]
    assert all(f"](../{sound})" in page for sound in sounds)
    assert soundfile.info("demo/takes/take-1.mp3").duration == pytest.approx(2.0)
    assert soundfile.info(sounds[0]).duration == pytest.approx(1.5)
    assert Path("docs/reference/takes.png").read_bytes().startswith(b"\x89PNG")
    draw_takes(fake_pack, Path("vocal.wav"), tmp_path / "again.png", shown_s=2.0)
    assert (tmp_path / "again.png").read_bytes() == Path("docs/reference/takes.png").read_bytes()
