"""Sidecars and companions: inheritance, strict parsing, settling; and names of results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.composing.wishes import Wishes
from appliance.errors import InputError
from appliance.watch.disk.found import FoundFile
from appliance.watch.disk.names import free_name, wanted_name
from appliance.watch.inbox.companions import Companions
from appliance.watch.inbox.reference_hashes import ReferenceHashes
from appliance.watch.inbox.scan import Scan, scan
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar import Missing, NotReady, read_asked
from appliance.watch.settings.config import Config

CHART = "| Am | F G | C |\n"


def put(watched: Config, path: str, text: str | bytes = "") -> None:
    file = watched.folders.inbox / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def asked(watched: Config, vocal: str, now_s: float = 100.0) -> Wishes:
    tracker = Tracker(10.0)
    tracker.observe(0.0, scan(watched.folders.inbox, watched.intake))
    return read_asked(
        watched.folders.inbox,
        vocal.encode(),
        tracker,
        now_s,
        watched.work,
        ReferenceHashes(watched.folders.inbox, watched.intake),
    ).wishes


def test_without_sidecars_the_service_decides(watched: Config) -> None:
    assert asked(watched, "song.wav") == Wishes()
    assert asked(watched, "song.wav").to_json() == '{"seed":0,"style":"piano","takes":1}'


def test_settings_are_inherited_and_the_nearest_has_the_last_word(watched: Config) -> None:
    put(watched, "backline.toml", 'style = "jazz"\ntakes = 3')
    put(watched, "anna/backline.toml", "bpm = 92\ntakes = 2\nchords = 'all.txt'")
    put(watched, "anna/all.txt", CHART)
    put(watched, "anna/demo/song.TOML", 'bpm = 120.5\nkey = "F# minor"\nseed = 7\nsound = "band"')
    assert asked(watched, "anna/demo/song.wav") == Wishes(
        style="jazz",
        takes=2,
        seed=7,
        bpm=120.5,
        key="F# minor",
        chords=CHART,
        chords_name="all.txt",
        sound="band",
    )
    assert asked(watched, "bert/song.wav") == Wishes(style="jazz", takes=3)
    assert asked(watched, "anna/other.flac").bpm == 92.0


def test_the_nearest_sidecar_says_all_of_the_tempo(watched: Config) -> None:
    put(watched, "backline.toml", "bpm = 92")
    put(watched, "anna/backline.toml", "half_time = true")
    put(watched, "anna/song.toml", "double_time = true")
    put(watched, "anna/other.toml", "half_time = false")
    said = {
        name: asked(watched, name) for name in ("song.wav", "anna/x.wav", "anna/song.wav", "anna/other.wav")
    }
    assert [(w.bpm, w.half_time, w.double_time) for w in said.values()] == [
        (92.0, False, False),
        (None, True, False),
        (None, False, True),
        (None, False, False),
    ]


def test_the_journal_keeps_what_was_said_and_nothing_else(watched: Config) -> None:
    put(watched, "song.toml", "bpm = 92\nchords = 'ü.txt'\nsound = 'band'")
    put(watched, "ü.txt", CHART)
    chart = json.dumps(CHART)
    assert asked(watched, "song.wav").to_json() == (
        f'{{"bpm":92.0,"chords":{chart},"chords_name":"\\u00fc.txt",'
        '"seed":0,"sound":"band","style":"piano","takes":1}'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bpm = 5", "bpm: must be at least 10, not 5"),
        ("bpm = nan", "bpm"),
        ("half_time = true\ndouble_time = true", "half_time and double_time contradict each other"),
        ("half_time = true\nbpm = 90", "bpm and half_time contradict each other"),
        ("half_time = 1", "half_time"),
        ('bpm = "92"', "bpm"),
        ("tempo = 92", "tempo: unknown key"),
        ("takes = 0", "takes: must be at least 1, not 0"),
        ("takes = 1.5", "takes"),
        ("seed = -1", "seed: must be at least 0, not -1"),
        ("takes = 100", "takes: must be at most 99, not 100"),
        ("seed = 9007199254740993", "seed: must be at most 9007199254740992"),
        ('style = ""', "style: must have at least 1 character"),
        (f'key = "{"x" * 51}"', "key: must have at most 50 characters"),
        ("variety = 0.5", "variety: unknown key"),
        ('beats = "song.beats"', "beats: unknown key"),
        ('chords_name = "x"', "chords_name: unknown key"),
        ('sound = "loud"', "sound: must be 'band' or 'neural', not 'loud'"),
        ("bpm = ", "line 1: there is no value behind bpm ="),
        (b"\xff\xfe", "not UTF-8 text"),
        ('chords = "../x.txt"', "file in the same folder"),
        ('chords = "/etc/passwd"', "file in the same folder"),
        ('chords = "a\\u0000.txt"', "file in the same folder"),
        ('chords = "x.wav"', "must end in"),
        ("#" * 300_000, "too long"),
    ],
)
def test_mistakes_are_told_in_a_sentence(watched: Config, text: str | bytes, said: str) -> None:
    put(watched, "a/song.toml", text)
    with pytest.raises(InputError, match=said) as told:
        asked(watched, "a/song.wav")
    assert str(told.value).startswith("a/song.toml") and "\n" not in str(told.value).strip()


def test_what_moves_or_is_missing_is_waited_for(watched: Config) -> None:
    put(watched, "song.toml", "chords = 'song.txt'")
    with pytest.raises(Missing, match=r"song\.txt is missing"):
        asked(watched, "song.wav")
    put(watched, "song.txt", CHART)
    assert asked(watched, "song.wav").chords == CHART
    with pytest.raises(NotReady, match="has not settled"):
        asked(watched, "song.wav", now_s=9.0)


def test_a_sidecar_that_changed_since_the_look_is_waited_for(watched: Config) -> None:
    put(watched, "song.toml", "bpm = 92")
    tracker = Tracker(10.0)
    tracker.observe(0.0, scan(watched.folders.inbox, watched.intake))
    put(watched, "song.toml", "bpm = 192")
    with pytest.raises(NotReady, match="just changed"):
        read_asked(
            watched.folders.inbox,
            b"song.wav",
            tracker,
            100.0,
            watched.work,
            ReferenceHashes(watched.folders.inbox, watched.intake),
        )
    (watched.folders.inbox / "song.toml").unlink()
    (watched.folders.inbox / "song.toml").symlink_to("/etc/hostname")
    with pytest.raises(NotReady):
        read_asked(
            watched.folders.inbox,
            b"song.wav",
            tracker,
            100.0,
            watched.work,
            ReferenceHashes(watched.folders.inbox, watched.intake),
        )


def looked(vocals: list[bytes], companions: list[bytes]) -> Scan:
    found = [tuple(FoundFile(path, 0, 0, 0, 0, 0) for path in paths) for paths in (vocals, companions)]
    return Scan(found[0], found[1], True, 0.0)


def test_what_goes_with_a_vocal() -> None:
    companions = [
        b"a/x.toml",
        b"a/x.wav.done",
        b"a/x.done",
        b"a/x.TXT",
        b"a/all.txt",
        b"a/backline.toml",
        b"x.toml",
    ]
    both = looked([b"a/x.wav", b"a/y.wav"], companions)
    assert sorted(Companions(both).moving_with(b"a/x.wav")) == sorted(companions[:4])
    assert Companions(both).moving_with(b"a/y.wav") == ()
    shared = looked([b"a/x.wav", b"a/x.flac"], companions)
    assert Companions(shared).moving_with(b"a/x.wav") == (b"a/x.wav.done",)
    assert Companions(looked([b"backline.wav"], [b"backline.toml"])).moving_with(b"backline.wav") == ()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (b"song.wav", b"song"),
        (b"a.b/song", b"a.b/song"),
        (b"a/song.final.mix.flac", b"a/song.final.mix"),
        (b"song. .wav", b"song"),
        (b" .wav", b" "),
    ],
)
def test_wanted_names(path: bytes, wanted: bytes) -> None:
    assert wanted_name(path) == wanted


def test_names_are_free_of_case_accents_and_jobs(tmp_path: Path) -> None:
    assert free_name(tmp_path, b"new/song", []) == b"new/song"
    for name in ("SONG", "caf\u00e9"):
        (tmp_path / "new" / name).mkdir(parents=True)
    assert free_name(tmp_path, b"new/song", [b"new/Song-2"]) == b"new/song-3"
    assert free_name(tmp_path, "new/cafe\u0301".encode(), []) == "new/cafe\u0301-2".encode()
    assert free_name(tmp_path, b"song", [b"new/song"]) == b"song"
    (tmp_path / ("x" * 255)).mkdir()
    assert free_name(tmp_path, b"x" * 255, []) == b"x" * 253 + b"-2"
    with pytest.raises(FileNotFoundError):
        free_name(tmp_path / "unmounted", b"song", [])


def test_dials_and_sections_are_inherited_like_all_settings(watched: Config) -> None:
    put(watched, "backline.toml", "density = -1\nregister = 0.5\n[[section]]\nbars = '1-8'\nvoices = -2\n")
    put(watched, "song.toml", "density = 1\n\n[[section]]\nbars = '17-24'\ndensity = 2\n")
    put(watched, "other.toml", "density = 0")
    own, other = asked(watched, "song.wav"), asked(watched, "other.wav")
    assert own.dials == {"density": 1.0, "register": 0.5}
    assert [(s.bars, s.dials) for s in own.section] == [("17-24", {"density": 2.0})]
    assert other.dials == {"density": 0.0, "register": 0.5}
    assert [(s.bars, s.dials) for s in other.section] == [("1-8", {"voices": -2.0})]
    assert Wishes.from_json(own.to_json()) == own


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("density = 3", "song.toml: density: must be at most 2, not 3."),
        ("register_ = 1", "song.toml: register_: unknown key; did you mean register?."),
        (
            "[[section]]\nbars = '1-4'\ndensity = 1\n[[section]]\nbars = '5-8'\ndensty = 1",
            "song.toml: section 2: densty: unknown key; did you mean density?.",
        ),
        (
            "[[section]]\nbars = '1-4'\ntakes = 1",
            "song.toml: section 1: takes: unknown key; a section may hold density, register, syncopation, "
            "articulation, voices, doubling, colour and bars.",
        ),
        ("[[section]]\ndensity = 1", "song.toml: section 1: bars: missing."),
        ("[[section]]\nbars = 9\ndensity = 1", "song.toml: section 1: bars: must be text in quotes, not 9."),
        (
            "[[section]]\nbars = '9-3'\ndensity = 1",
            "song.toml: section 1: bars = '9-3' is not a range of bars; write it like bars = '17-24'.",
        ),
        (
            "[section]\nbars = '9'\ndensity = 1",
            "song.toml: section: a section begins with [[section]], in double brackets.",
        ),
    ],
)
def test_a_wrong_dial_or_section_is_told_in_words(watched: Config, text: str, sentence: str) -> None:
    put(watched, "song.toml", text)
    with pytest.raises(InputError) as told:
        asked(watched, "song.wav")
    assert str(told.value) == sentence
