"""Kern scores: words, ties, grace notes, spine splits, divisi, expansion lists, repeat signs, keys."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("verovio")

from support.small_corpus import small_corpus

from appliance.music.keys import Key
from train.corpus.kern_text import meters_by_line, with_plain_expansions
from train.corpus.reader import read_song
from train.corpus.song import Song

HEAD = (
    "**kern\t**kern\t**dynam\t**kern\t**text\t**text\n"
    "*clefF4\t*clefG2\t*\t*clefG2\t*\t*\n"
    "*k[f#]\t*k[f#]\t*\t*k[f#]\t*\t*\n"
    "*e:\t*e:\t*\t*e:\t*\t*\n"
)
TAIL = "==\t==\t==\t==\t==\t==\n*-\t*-\t*-\t*-\t*-\t*-\n"


def read(folder: Path, text: str, **changes: str) -> Song:
    row = small_corpus(folder, "song.krn", text.encode(), voice_part="spine4", **changes)
    return read_song(folder, row)


def notes(song: Song) -> list[tuple[float, float, int]]:
    return [(n.start_s, n.end_s, n.pitch) for n in song.written]


def test_voice_words_ties_and_grace_notes(tmp_path: Path) -> None:
    body = (
        "*M3/4\t*M3/4\t*\t*M3/4\t*\t*\n*MM60\t*MM60\t*\t*MM60\t*\t*\n"
        "=1\t=1\t=1\t=1\t=1\t=1\n"
        "[2.E\t2.r\tp\t4e\tA-\tO\n"
        ".\t.\t.\t8qf#\t.\t.\n"
        ".\t.\t.\t4g\t-men\tja\n"
        ".\t.\t.\t[4b\tsing\tho\n"
        "=2\t=2\t=2\t=2\t=2\t=2\n"
        "2.E]\t2.r\t.\t4b]\t.\t.\n"
        ".\t.\t.\t2r\t.\t.\n"
    )
    song = read(tmp_path, HEAD + body + TAIL)
    assert [(n.start_s, n.end_s, n.pitch, n.syllable, n.syllabic) for n in song.voice] == [
        (0.0, 1.0, 64, "A", "begin"),
        (1.0, 2.0, 67, "men", "end"),
        (2.0, 4.0, 71, "sing", "single"),
    ]
    assert notes(song) == [(0.0, 6.0, 52)]
    assert song.bars_s == (0.0, 3.0, 6.0)
    assert song.meters == ((3, 4), (3, 4))
    assert song.key == Key(4, "minor")


def test_spines_that_split_and_divisi(tmp_path: Path) -> None:
    body = (
        "*M2/4\t*M2/4\t*\t*M2/4\t*\t*\n*MM60\t*MM60\t*\t*MM60\t*\t*\n"
        "=1\t=1\t=1\t=1\t=1\t=1\n"
        "*\t*^\t*\t*\t*\t*\n"
        "2E\t4g\t2e\t.\t4b 4dd\tla\tli\n"
        ".\t4a\t.\t.\t4cc\tlo\tlu\n"
        "*\t*v\t*v\t*\t*\t*\t*\n"
        "=2\t=2\t=2\t=2\t=2\t=2\n"
        "*\t*\t*\t*^\t*\t*\n"
        "2E\t2g\t.\t4b\t4g\tsing\tsang\n"
        ".\t.\t.\t4cc\t4a\ton\tin\n"
        "*\t*\t*\t*v\t*v\t*\t*\n"
    )
    song = read(tmp_path, HEAD + body + TAIL)
    assert [n.pitch for n in song.voice] == [74, 72, 71, 72]  # of two notes the higher one is sung
    assert [n.syllable for n in song.voice] == ["la", "lo", "sing", "on"]
    assert sorted(p for *_, p in notes(song)) == [52, 52, 64, 67, 67, 69]
    assert song.duration_s == 4.0


def bar(number: str, pitch: str, label: str = "") -> str:
    labels = "\t".join([f"*>{label}"] * 6) + "\n" if label else ""
    line = "\t".join([f"={number}"] * 6) + "\n"
    return labels + line + f"1E\t1g\t.\t1{pitch}\tone\ttwo\n"


@pytest.mark.parametrize(
    "expansion", ["*>[A,B,A,C]", "*>[A, B, A, C]", "*>[A,B,A,C,]"], ids=["plain", "spaces", "trailing"]
)
def test_expansion_lists(tmp_path: Path, expansion: str) -> None:
    lists = "\t".join([expansion] * 6) + "\n" + "\t".join(["*>norep[A,C]"] * 6) + "\n"
    text = HEAD + "*M4/4\t*M4/4\t*\t*M4/4\t*\t*\n" + lists
    text += bar("1", "e", "A") + bar("2", "f#", "B") + bar("3", "g", "C") + TAIL
    song = read(tmp_path, text, note='120 quarter-bpm guessed from "Allegro"')
    assert [n.pitch for n in song.voice] == [64, 66, 64, 67]
    assert [n.syllable for n in song.voice] == ["one", "one", "two", "one"]  # a repeat sings verse 2
    assert song.duration_s == 8.0
    assert len(song.bars_s) == 5


def test_repeat_signs_without_a_list(tmp_path: Path) -> None:
    text = HEAD + "*M4/4\t*M4/4\t*\t*M4/4\t*\t*\n" + bar("1", "e") + bar("2", "f#")
    text += "\t".join(["=:|!"] * 6) + "\n" + "1E\t1g\t.\t1g\tone\ttwo\n" + TAIL
    assert [n.pitch for n in read(tmp_path, text).voice] == [64, 66, 64, 66, 67]


def test_notes_under_a_tremolo_mark_are_all_read(tmp_path: Path) -> None:
    marks = ["*tremolo\t*\t*\t*\t*\t*\n", "*Xtremolo\t*\t*\t*\t*\t*\n"]
    body = "".join(f"8{p}{beam}\t{other}\t.\t{sung}\t.\t.\n" for p, beam, other, sung in (
        ("E", "L", "2g", "2e"), ("EE", "J", ".", "."), ("E", "L", ".", "."), ("EE", "J", ".", "."),
    ))  # fmt: skip
    text = HEAD + "*M2/4\t*M2/4\t*\t*M2/4\t*\t*\n" + "\t".join(["=1"] * 6) + "\n"
    song = read(tmp_path, text + marks[0] + body + marks[1] + TAIL)
    assert sorted(p for *_, p in notes(song)) == [40, 40, 52, 52, 67]


def test_a_wrong_spine_is_named(tmp_path: Path) -> None:
    text = HEAD + "*M4/4\t*M4/4\t*\t*M4/4\t*\t*\n" + bar("1", "e") + TAIL
    row = small_corpus(tmp_path, "song.krn", text.encode(), voice_part="spine9")
    with pytest.raises(ValueError, match=r"song\.krn: no staff in spine9; correct its voice_part"):
        read_song(tmp_path, row)


def test_meters_hold_from_their_bar_line_on() -> None:
    text = "**kern\n*M3/4\n4c\n=2\n*M2/4\n4d\n=3\n4e\n"
    assert meters_by_line(text) == {1: (3, 4), 4: (2, 4), 7: (2, 4)}


def test_only_expansion_lists_are_rewritten() -> None:
    text = "*>[A, B,]\t*>norep[A]\n4c, d\tA, B\n"
    assert with_plain_expansions(text) == "*>[A,B]\t*\n4c, d\tA, B\n"
