"""The control report on a known song; the pack plays a C major chord every 24 frames."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from support.fake_pack import build_fake_pack

from appliance.grid import FRAME_RATE_HZ
from appliance.music.chord_chart import ChordSpan
from appliance.music.dials import DIALS
from appliance.music.keys import Key
from appliance.music.score import Note, Score
from train.corpus.song import Song, SungNote
from train.evaluate.control import chords, report
from train.evaluate.control.dials import correlation, measure_dials, on_chords
from train.evaluate.control.subjects import Composer, Subject, excerpt, performed
from train.evaluate.judges.chord_judge import HeardChord
from train.evaluate.judges.note_judge import HeardNote
from train.evaluate.processes.store import Store

BEAT_S = 12 / FRAME_RATE_HZ
"""The fake band plays a chord on every second beat, the first beat of each bar in 2/4."""

BEATS = 140
BANDS = ("piano", "strings", "pop", "folk", "jazz", "waltz")


@pytest.fixture(scope="module")
def song() -> Song:
    voice = [
        SungNote(BEAT_S * k, BEAT_S * (k + 1), 60 + (0, 4, 7, 5)[k % 4], "la", "single")
        for k in range(16, 120)
    ]
    written = [
        Note(2 * BEAT_S * k, 2 * BEAT_S * (k + 1), p, 64, "keys") for k in range(70) for p in (48, 64, 67)
    ]
    beats = tuple(BEAT_S * k for k in range(BEATS))
    bars = tuple(2 * BEAT_S * k for k in range(BEATS // 2 + 1))
    return Song(
        id="known",
        title="Known",
        split="val",
        language="en",
        duration_s=BEAT_S * BEATS,
        voice=tuple(voice),
        written=tuple(written),
        beats_s=beats,
        downbeats=tuple(range(0, BEATS, 2)),
        bars_s=bars,
        meters=((2, 4),) * (BEATS // 2),
        key=Key.parse("C"),
        tempo=((0.0, 60.0 / BEAT_S),),
        sha256="0123456789abcdef" * 4,
    )


@pytest.fixture(scope="module")
def whole(song: Song) -> Subject:
    return performed(song)


def test_an_excerpt_begins_on_a_bar_before_the_singer(whole: Subject) -> None:
    part = excerpt(whole, 20.0)
    assert part.first_s <= 16 * BEAT_S - 4.0 < part.first_s + 2 * BEAT_S + 4 / FRAME_RATE_HZ
    assert part.duration_s == pytest.approx(20.0, abs=0.2)
    first, second = part.beats_text().splitlines()[:2]
    assert float(second.split()[0]) - float(first.split()[0]) == pytest.approx(BEAT_S, abs=1e-3)
    assert {first.split()[1], second.split()[1]} == {"1", "2"}


def test_the_whole_report(
    song: Song, whole: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pack = build_fake_pack(tmp_path / "pack", BANDS)
    monkeypatch.setattr(report, "chosen_songs", lambda corpus, split, count: [song] * count)
    monkeypatch.setattr(report, "performed", lambda song: whole)
    monkeypatch.setattr(report, "EXCERPT_S", 12.0)
    monkeypatch.setattr(report, "STYLE_EXCERPT_S", 4.0)
    monkeypatch.setattr(chords, "recognise", lambda path: (HeardChord(0.0, 100.0, "C:maj"),))
    monkeypatch.setattr("train.evaluate.control.tempo.transcribe", lambda sound, rate_hz: found_notes)
    found_notes = [HeardNote(BEAT_S * k + 0.005, BEAT_S * k + 0.3, 60, 1.0) for k in range(2, 20)]
    sections = ("tempo", "chords", "key", "styles", "band", "form", "tuning")
    page = report.measure_control(
        fake_pack, tmp_path, tmp_path, tmp_path / "out", split="val", songs=2, sections=sections
    )
    found = json.loads((tmp_path / "out" / "control.json").read_text())
    assert (tmp_path / "out" / "control.md").read_text() == page
    # The pack's onsets, up to 1/12 s off, were snapped to the beats.
    assert found["tempo"]["worst_s"]["beats"] < 1e-3
    assert found["key"]["shares"]["own"] == 1.0 and found["key"]["obeyed"] >= 0.75
    assert found["chords"]["means"]["ceiling"] == 1.0
    bands = {row["style"]: row for row in found["band"]["rows"]}
    assert tuple(bands) == BANDS and all(row["crumbs"] == 0.0 for row in bands.values())
    # Every band strikes every other beat; the jazz bass walks where a chord is known.
    assert bands["jazz"]["beats"] > bands["pop"]["beats"] + 0.1 and bands["jazz"]["chord_tones"] >= 0.7
    assert "beats" not in bands["piano"] and "same" not in bands["waltz"]
    form = found["form"]
    assert form["unsung_played"] == form["unsung_written"] == form["sung_played"] == 1.0
    assert form["late"] == {"intro_played": 1.0, "outro_played": 1.0}
    assert form["rows"][0]["thirds_in_key"] == 3 and form["rows"][0]["thirds_whole_band"] == 3
    assert found["tempo"]["audio"]["onsets"] > 10
    tuning = found["tuning"]["rows"]
    assert all(row["estimate_off_cents"] < 10.0 for row in tuning.values())
    # The fake band plays its chord whatever is sung: only the names of its notes follow the singer.
    assert {name: row["harmony"] for name, row in tuning.items() if "440" in name or name == "in tune"} == {
        name: pytest.approx(tuning["in tune"]["harmony"])
        for name in tuning
        if "440" in name or name == "in tune"
    }
    for heading in ("Tempo and beats", "Chords", "Key", "Styles", "Band", "Whole songs", "Tuning"):
        assert f"## {heading}\n" in page
    # All results are stored: the second time no song is composed or transcribed.
    monkeypatch.setattr(chords, "recognise", lambda path: pytest.fail("heard again"))
    monkeypatch.setattr("train.evaluate.control.subjects.compose", lambda *_: pytest.fail("composed again"))
    again = report.measure_control(
        fake_pack, tmp_path, tmp_path, tmp_path / "out", split="val", songs=2, sections=sections
    )
    assert again == page


@pytest.mark.slow
def test_the_dials_of_a_known_band(whole: Subject, fake_pack: Path, tmp_path: Path) -> None:
    """One C major chord on every second beat: what there is to turn is turned, and the chords stay."""
    composer = Composer(fake_pack, Store(tmp_path / "answers"))
    found = measure_dials(composer, [excerpt(whole, 20.0)])
    rows = {row["dial"]: row for row in found["rows"]}
    assert list(rows) == list(DIALS)
    assert all(row["correlation"] > 0.9 for name, row in rows.items() if name != "doubling")
    assert all(row["levels"] == sorted(row["levels"]) for row in rows.values())
    assert all(row["moves"] > 2 * row["most_moved_by"] for row in rows.values() if row["moves"])
    assert found["obedience"]["given"] == {"plain": 1.0, "turned": 1.0}
    page = report.as_markdown({"pack": "0" * 64, "songs": 1, "split": "val", "dials": found})
    assert "## Dials" in page and "| doubling |" in page


def test_the_share_on_chords() -> None:
    """Half of C's time and all of G's; drums do not count, nor what sounds without a chord."""
    notes = [Note(0.0, 1.0, 60, 80, "keys"), Note(0.0, 1.0, 62, 80, "pad"), Note(1.0, 3.0, 67, 80, "bass")]
    notes += [Note(3.0, 4.0, 61, 80, "keys"), Note(0.0, 1.0, 36, 80, "drums")]
    chart = [ChordSpan(0.0, 1.0, "C"), ChordSpan(1.0, 3.0, "G"), ChordSpan(3.0, 4.0, "N")]
    assert on_chords(Score.of(notes, 4.0), chart) == 3.0 / 4.0


def test_the_correlation_of_what_does_not_move_is_unknown() -> None:
    settings = [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert correlation(settings, np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(1.0)
    assert correlation(settings, np.array([5.0, 4.0, math.nan, 2.0, 1.0])) == pytest.approx(-1.0)
    assert math.isnan(correlation(settings, np.ones(5)))
