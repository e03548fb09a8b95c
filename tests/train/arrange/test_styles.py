"""Arrangements of real songs in all styles: rules, harmony, instruments, dynamics."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.tiny_song import check_rules, tiny_song

from appliance.errors import UsageError
from appliance.music.score import DRUM_GROUP, STYLES, Score
from train.arrange import arrange, read_chords
from train.arrange.fretboard import HIGHEST_PITCH
from train.arrange.measure import agreement
from train.corpus.ledger import read_ledger
from train.corpus.reader import read_song
from train.corpus.song import Song

# Measured by `python -m train.arrange.measure` over 20 training songs, less a margin for the six songs here.
MIN_AGREEMENT = {
    "piano": 0.97,
    "strings": 0.92,
    "organ": 0.94,
    "guitar": 0.74,
    "pop": 0.80,
    "folk": 0.72,
    "jazz": 0.55,
    "synth": 0.78,
    "bossa": 0.62,
    "waltz": 0.77,
    "ballad": 0.74,
    "gospel": 0.78,
    "reggae": 0.76,
    "funk": 0.78,
    "country": 0.73,
    "latin": 0.63,
}

BANDS = tuple(STYLES[STYLES.index("pop") :])
"""Styles that play our own patterns with a bass."""


def test_real_songs_keep_the_rules(songs: list[Song], scores: dict[str, list[Score]]) -> None:
    for style in STYLES:
        for song, score in zip(songs, scores[style], strict=True):
            check_rules(score, song)


@pytest.mark.parametrize("style", STYLES)
def test_style_plays_the_written_harmony(
    songs: list[Song], scores: dict[str, list[Score]], style: str
) -> None:
    true = np.mean([agreement(score, song) for song, score in zip(songs, scores[style], strict=True)])
    wrong = np.mean([agreement(score, song, 6) for song, score in zip(songs, scores[style], strict=True)])
    assert true > MIN_AGREEMENT[style]
    assert true > wrong + 0.3


def test_piano_keeps_every_note_and_shapes_the_loudness(
    songs: list[Song], scores: dict[str, list[Score]]
) -> None:
    for song, score in zip(songs, scores["piano"], strict=True):
        written, played = [n.pitch for n in song.written], [n.pitch for n in score.notes]
        assert len(played) > 0.99 * len(written)
        assert set(played) == set(written)
        assert np.std([n.velocity for n in score.notes]) > 4


def notes_a_second(score: Score, *groups: str) -> float:
    return sum(n.group in groups for n in score.notes) / score.duration_s


def mean_length_s(score: Score) -> float:
    pitched = [n for n in score.notes if n.group != DRUM_GROUP]
    return float(np.mean([n.end_s - n.start_s for n in pitched]))


def test_styles_differ_in_instruments_density_and_register(scores: dict[str, list[Score]]) -> None:
    expected = {
        "piano": {"keys"},
        "strings": {"pad", "bass"},
        "organ": {"pad", "bass"},
        "guitar": {"pluck"},
        "folk": {"pluck", "bass", DRUM_GROUP},
        "jazz": {"keys", "bass", DRUM_GROUP},
        "synth": {"pad", "pluck", "bass", DRUM_GROUP},
        "bossa": {"pluck", "bass", DRUM_GROUP},
        "waltz": {"keys", "pad", "bass"},
        "reggae": {"keys", "pluck", "bass", DRUM_GROUP},
        "latin": {"keys", "bass", DRUM_GROUP},
    }
    for style, groups in expected.items():
        assert {g for score in scores[style] for g in score.groups()} == groups
    for k, piano in enumerate(scores["piano"]):
        assert notes_a_second(scores["strings"][k], "pad", "bass") < 1.05 * notes_a_second(piano, "keys")
        assert mean_length_s(scores["strings"][k]) > mean_length_s(piano)
        assert {"keys", "bass", "pad", DRUM_GROUP} <= set(scores["pop"][k].groups())
        assert notes_a_second(scores["synth"][k], DRUM_GROUP) > notes_a_second(scores["folk"][k], DRUM_GROUP)
        assert all(40 <= n.pitch <= HIGHEST_PITCH for n in scores["guitar"][k].notes)
        for style in BANDS:
            low = np.mean([n.pitch for n in scores[style][k].notes if n.group == "bass"])
            high = np.mean([n.pitch for n in scores[style][k].notes if n.group not in ("bass", DRUM_GROUP)])
            assert low < 45 < high - 8


def test_band_plays_on_where_nobody_sings_and_ends_on_a_held_chord(
    songs: list[Song], scores: dict[str, list[Score]]
) -> None:
    for style in ("guitar", *BANDS):
        for song, score in zip(songs, scores[style], strict=True):
            ends = [0.0, *(n.end_s for n in song.voice)]
            starts = [*(n.start_s for n in song.voice), song.duration_s]
            for rest_start_s, rest_end_s in zip(ends, starts, strict=True):
                if rest_end_s - rest_start_s > 4.0:
                    for time_s in np.arange(rest_start_s, rest_end_s - 2.0, 1.0):
                        sounds = [n for n in score.notes if n.start_s < time_s + 2.0 and n.end_s > time_s]
                        assert sounds, (style, song.id, time_s)
            last = [n for n in score.notes if n.end_s == song.duration_s]
            assert len(last) >= 3
            assert max(n.start_s for n in last) > max(n.start_s for n in score.notes) - 0.2


@pytest.mark.parametrize("style", BANDS)
def test_bass_player_knows_the_inversions(
    songs: list[Song], scores: dict[str, list[Score]], style: str
) -> None:
    right = total = 0
    for song, score in zip(songs, scores[style], strict=True):
        chords = read_chords(song)
        for note in score.only("bass").notes:
            begun = [c for c in chords if abs(c.start_s - note.start_s) < 0.02]
            right += sum(note.pitch % 12 == c.bass for c in begun)
            total += len(begun)
    assert total > 100
    assert right > 0.98 * total


def test_introduction_is_thinner_than_the_song() -> None:
    line = [
        (2.4 * bar + 0.6 * beat, 2.4 * bar + 0.6 * beat + 0.55, 67)
        for bar in range(4, 16)
        for beat in range(4)
    ]
    song = tiny_song([[48, 64, 67, 72], [53, 65, 69, 72], [43, 62, 67, 71], [48, 64, 67, 72]] * 4, sung=line)
    for style in (s for s in BANDS if s != "waltz"):  # a waltz keeps its step
        for seed in range(4):
            notes = arrange(song, style, seed).notes
            before = sum(n.start_s < 9.5 for n in notes) / 4
            during = sum(9.6 <= n.start_s < 28.7 for n in notes) / 8
            assert 0 < before < 0.8 * during


def test_seed_decides_and_repeats_across_processes(songs: list[Song], shared: Path, root: Path) -> None:
    assert len({arrange(songs[0], "pop", seed).notes for seed in range(4)}) == 4
    code = (
        "import sys, json; from pathlib import Path\n"
        "from train.arrange import arrange; from train.corpus.ledger import read_ledger\n"
        "from train.corpus.reader import read_song\n"
        "corpus = Path(sys.argv[1])\n"
        "row = next(r for r in read_ledger(corpus) if r.id == sys.argv[2])\n"
        "score = arrange(read_song(corpus, row), 'jazz', 5)\n"
        "print(json.dumps([[n.start_s, n.pitch, n.velocity] for n in score.notes]))\n"
    )
    command = [sys.executable, "-c", code, str(shared / "corpus"), songs[0].id]
    other = json.loads(subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout)
    here = arrange(songs[0], "jazz", 5)
    assert other == [[n.start_s, n.pitch, n.velocity] for n in here.notes]


def test_unknown_style_is_named_in_the_error() -> None:
    with pytest.raises(UsageError, match="polka"):
        arrange(tiny_song([[48, 64, 67]]), "polka", 0)


def test_styles_write_for_their_groups_alone(shared: Path) -> None:
    from appliance.music.score import STYLE_GROUPS

    rows = [row for row in read_ledger(shared / "corpus") if row.split == "val"][::20]
    found: dict[str, set[str]] = {style: set() for style in STYLES}
    for seed, row in enumerate(rows):
        song = read_song(shared / "corpus", row)
        for style in STYLES:
            found[style] |= set(arrange(song, style, seed).groups())
    assert {style: set(groups) for style, groups in STYLE_GROUPS.items()} == found
