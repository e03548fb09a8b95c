"""A sidecar that was meant is used, refused or named: never passed over in silence, never archived unused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from support.watch.intake_bench import PATIENCE_S, SCAN_S, SETTLE_S, Bench

from appliance.watch.disk.found import FoundFile
from appliance.watch.inbox.charts import is_chart
from appliance.watch.inbox.companions import Companions
from appliance.watch.inbox.scan import Scan
from appliance.watch.settings.config import Config

JAZZ = 'style = "jazz"'
CHART = "| Am | F G | C |\n"
TAKEN_S = SETTLE_S + 2 * SCAN_S


@pytest.fixture
def bench(watched: Config) -> Iterator[Bench]:
    made = Bench(watched)
    yield made
    made.journal.close()


def settings_of(bench: Bench, vocal: str) -> dict[str, object]:
    job = bench.journal.by_path(os.fsencode(vocal))
    assert job is not None and job.state == "waiting", bench.said
    return json.loads(job.settings)


def rejected_because(bench: Bench, vocal: str) -> str:
    job = bench.journal.by_path(os.fsencode(vocal))
    assert job is not None and job.state == "rejecting", bench.said
    return job.reason


MATCHED = [
    ("A1.wav", "A1.toml"),
    ("A1.wav", "A1.wav.toml"),
    ("A1.wav", "A1.toml.txt"),
    ("A1.wav", "A1.wav.toml.txt"),
    ("A1.wav", "A1.TOML.TXT"),
    ("A1.wav", "A1.toml.toml"),
    ("A3.wav", "a3.toml"),
    ("a3.WAV", "A3.wav.TOML"),
    ("Mu\u0308ll.wav", "M\u00fcll.toml"),
    ("M\u00fcll.wav", "Mu\u0308ll.toml"),
    ("M\u00dcLL.wav", "mu\u0308ll.wav.toml"),
    ("d/A5.wav", "d/Backline.toml"),
    ("d/A5.wav", "d/BACKLINE.TOML"),
    ("d/A5.wav", "d/backline.toml.txt"),
    ("d/e/A5.wav", "Backline.toml"),
    ("no ending", "no ending.toml"),
    ("a.b.c.wav", "a.b.c.toml"),
    ("caf\udce9.wav", "caf\udce9.toml"),
    ("Backline.wav", "Backline.toml"),
]


@pytest.mark.parametrize(("vocal", "sidecar"), MATCHED)
def test_a_sidecar_is_found_under_every_name_that_is_clear(bench: Bench, vocal: str, sidecar: str) -> None:
    bench.put(sidecar, JAZZ)
    bench.put(vocal)
    bench.run(TAKEN_S)
    assert settings_of(bench, vocal)["style"] == "jazz"
    assert bench.intake.unused.why == {}


REFUSED = [
    (["A1.wav"], ["A1.toml", "A1.wav.toml"], "A1.toml and A1.wav.toml: only one of them may"),
    (["A1.wav"], ["A1.toml", "a1.toml.txt"], "only one of them may say something for 'A1.wav'"),
    (["ab.wav", "AB.wav"], ["aB.toml"], "aB.toml may be meant for"),
    (["x.wav", "x.wav.flac"], ["x.wav.toml"], "x.wav.toml may be meant for"),
    (["d/a.wav"], ["d/Backline.toml", "d/backline.toml"], "only one of them may say something for"),
    (["A1.wav"], ["A1.toml.rtf"], "A1.toml.rtf is not plain text"),
    (["A1.wav"], ["a1.toml.docx"], "a1.toml.docx is not plain text"),
    (["A1.wav"], ["Backline.toml.rtf"], "Backline.toml.rtf is not plain text"),
    (["A1.wav"], ["A1.chords", "A1.chart"], "only one of them may say something for 'A1.wav'"),
]


@pytest.mark.parametrize(("vocals", "sidecars", "said"), REFUSED)
def test_what_is_not_clear_is_refused(
    bench: Bench, vocals: list[str], sidecars: list[str], said: str
) -> None:
    for sidecar in sidecars:
        bench.put(sidecar, CHART if "ch" in sidecar else JAZZ)
    for vocal in vocals:
        bench.put(vocal, vocal)
    bench.run(TAKEN_S)
    for vocal in vocals:
        assert said in rejected_because(bench, vocal)


def test_what_was_not_clear_stays_so_when_one_of_the_vocals_is_gone(bench: Bench) -> None:
    bench.put("aB.toml", JAZZ)
    bench.put("ab.wav", "one")
    bench.run(2.0)
    bench.put("AB.wav", "two")
    bench.run(SCAN_S)
    (bench.inbox / "ab.wav").unlink()
    bench.run(TAKEN_S)
    assert "of nearly the same name" in rejected_because(bench, "AB.wav")
    assert bench.intake.companions(b"AB.wav") == ()
    bench.put("aB.wav", "three")  # exactly its name
    bench.run(TAKEN_S)
    assert settings_of(bench, "aB.wav")["style"] == "jazz"


def test_a_name_that_fits_exactly_counts_alone(bench: Bench) -> None:
    for name in ("a3.wav", "A3.wav", "a3.flac"):
        bench.put(name, name)
    bench.put("a3.toml", JAZZ)
    bench.run(TAKEN_S)
    assert settings_of(bench, "a3.wav")["style"] == settings_of(bench, "a3.flac")["style"] == "jazz"
    assert settings_of(bench, "A3.wav")["style"] == "piano"


def looked(vocals: list[bytes], companions: list[bytes]) -> Scan:
    found = [
        tuple(FoundFile(path, 0, i, 0, 0, 0) for i, path in enumerate(paths))
        for paths in (vocals, companions)
    ]
    return Scan(found[0], found[1], True, 0.0)


def test_the_sidecar_of_a_vocal_on_its_way_out_goes_to_no_other() -> None:
    """The vocal moves first: in between, one of a similar name must not get its sidecar."""
    seen = looked([b"take.wav"], [b"Take.toml"])
    assert Companions(seen, leaving=[b"Take.wav"]).of(b"take.wav") == []
    assert Companions(seen, leaving=[b"Take.wav"]).moving_with(b"Take.wav") == (b"Take.toml",)
    assert [claim.file.path for claim in Companions(seen).of(b"take.wav")] == [b"Take.toml"]


def test_a_shared_sidecar_goes_with_the_last_vocal() -> None:
    companions = Companions(looked([b"x.wav", b"x.flac"], [b"x.toml"]))
    assert companions.moving_with(b"x.wav") == ()
    assert companions.moving_with(b"x.flac", is_there=lambda path: path == b"x.flac") == (b"x.toml",)


# Charts.


@pytest.mark.parametrize(
    ("text", "chart"),
    [
        (CHART, True),
        ("# Verse\n| Am | F#m |\n\n| % | N |", True),
        ("0.000 2.500 Am7\n2.5 4 F/A # bass\n", True),
        ("", False),
        ("# only a comment", False),
        ("Lost in a dream\nof you\n", False),
        ("Am F C G\nLost in a dream", False),
        ("12 34 bars of rest then sing\nLa la la", False),
    ],
)
def test_which_texts_are_charts(text: str, chart: bool) -> None:
    assert is_chart(text) == chart


@pytest.mark.parametrize("name", ["song.chords", "song.chart", "song.txt", "SONG.Chords", "song.wav.chords"])
def test_a_chart_of_the_vocals_own_name_is_used(bench: Bench, name: str) -> None:
    bench.put(name, CHART)
    bench.put("song.wav")
    bench.run(TAKEN_S)
    said = settings_of(bench, "song.wav")
    assert (said["chords"], said["chords_name"]) == (CHART, name)
    assert bench.intake.unused.why == {}


def test_lyrics_are_no_chart_and_are_only_counted(bench: Bench) -> None:
    bench.put("song.txt", "Lost in a dream\nof you\n")
    bench.put("song.wav")
    bench.run(TAKEN_S)
    assert "chords" not in settings_of(bench, "song.wav")
    assert bench.intake.unused.why == {} and bench.intake.unused.texts == 1


def test_a_named_chart_in_another_spelling(bench: Bench) -> None:
    bench.put("song.toml", 'chords = "M\u00fcll.TXT"')
    bench.put("mu\u0308ll.txt", CHART)
    bench.put("song.wav")
    bench.run(TAKEN_S)
    assert settings_of(bench, "song.wav")["chords"] == CHART and bench.intake.unused.why == {}


def test_a_chart_that_may_be_either_of_two_is_refused(bench: Bench) -> None:
    bench.put("song.toml", 'chords = "ALL.txt"')
    bench.put("all.txt", CHART)
    bench.put("All.txt", CHART)
    bench.put("song.wav")
    bench.run(TAKEN_S)
    assert "write the name exactly" in rejected_because(bench, "song.wav")


def test_charts_that_nothing_names_are_listed(bench: Bench) -> None:
    bench.put("a/song.toml", 'chords = "named.txt"')
    bench.put("backline.toml", 'chords = "all.chords"')
    for name in ("a/named.txt", "all.chords", "forgotten.chart", "a/forgotten.txt", "a/song.chords"):
        bench.put(name, CHART)
    bench.put("a/song.wav")
    bench.run(TAKEN_S)
    assert sorted(bench.intake.unused.why) == [b"a/forgotten.txt", b"a/song.chords", b"forgotten.chart"]
    assert set(bench.intake.unused.why.values()) == {"no sidecar names this chart, and no vocal has its name"}


# Without a vocal.


def test_sidecars_without_a_vocal_are_listed(bench: Bench) -> None:
    for name in ("lost.toml", "d/lost.wav.toml", "lost.done", "lost.toml.rtf"):
        bench.put(name, JAZZ)
    bench.put("backline.toml", JAZZ)  # for whatever comes
    bench.run(2.0)
    assert bench.intake.unused.why == {}  # they may still be copied
    bench.run(TAKEN_S)
    assert sorted(bench.intake.unused.why) == [
        b"d/lost.wav.toml",
        b"lost.done",
        b"lost.toml",
        b"lost.toml.rtf",
    ]
    bench.put("lost.wav")
    bench.run(SCAN_S)
    assert sorted(bench.intake.unused.why) == [b"d/lost.wav.toml"]


def test_one_that_waits_for_long_is_told_to_the_log_once(bench: Bench) -> None:
    bench.put("lost.toml", JAZZ)
    bench.run(TAKEN_S)
    assert not [said for said in bench.said if "lost.toml" in said]
    bench.run(2 * PATIENCE_S)
    assert [said for said in bench.said if "lost.toml" in said] == [
        "lost.toml is not used: no vocal of this name is here"
    ]


@pytest.mark.parametrize("sidecar", ["song.toml", "song.wav.toml", "song.toml.txt"])
def test_a_sidecar_after_its_vocal_was_rendered_says_what_to_do(bench: Bench, sidecar: str) -> None:
    bench.put("song.wav")
    bench.put("song.final.wav", "other")
    bench.run(TAKEN_S)
    bench.finish("song.wav")
    bench.put(sidecar, JAZZ)
    bench.run(TAKEN_S)
    assert bench.intake.unused.why == {
        sidecar.encode(): "song.wav was rendered without it; move song.wav back here from the archive "
        "to render it with it"
    }


def test_a_vocal_that_stays_in_the_inbox_and_a_sidecar_that_comes_later(watched: Config) -> None:
    bench = Bench(watched, publish={"archive_sources": False})
    bench.put("song.wav")
    bench.put("other.toml", JAZZ)
    bench.put("other.wav", "other")
    bench.run(TAKEN_S)
    bench.put_away = lambda job: None  # type: ignore[method-assign]
    for vocal in ("song.wav", "other.wav"):
        bench.finish(vocal)
    bench.put("song.toml", JAZZ)
    bench.run(TAKEN_S)
    assert bench.intake.unused.why == {
        b"song.toml": "song.wav was rendered without it; drop song.wav again to use it"
    }
    bench.journal.close()
