"""Scores read as timed songs (repeats, ties, pickups, tempo, keys), and the checks of the ledger."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from support.small_corpus import small_corpus

from appliance.music.keys import Key
from train.corpus.assembly import beat_quarters
from train.corpus.ledger import (
    ALLOWED_LICENCES,
    LedgerError,
    credits_of,
    read_ledger,
    row_for,
    rows_hash,
    verified_bytes,
)
from train.corpus.reader import read_song
from train.corpus.repeats import BarMarks, playing_order

HEADER = ["id", "title", "file", "licence", "voice_part", "language", "split", "sha256"]


def note(step: str, octave: int, length: int, extra: str = "", chord: bool = False) -> str:
    tag = "<chord/>" if chord else ""
    return (
        f"<note>{tag}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{length}</duration>{extra}</note>"
    )


def score_bytes(voice: list[str], piano: list[str]) -> bytes:
    """An .mxl with two parts of equally many bars; a quarter has 2 divisions."""
    parts = ""
    for part_id, bars in (("P1", voice), ("P2", piano)):
        measures = "".join(f'<measure number="{k}">{bar}</measure>' for k, bar in enumerate(bars))
        parts += f'<part id="{part_id}">{measures}</part>'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("song.xml", f"<score-partwise>{parts}</score-partwise>")
    return data.getvalue()


START = (
    "<attributes><divisions>2</divisions><key><fifths>1</fifths></key>"
    "<time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    '<direction><sound tempo="60"/></direction>'
)


def corpus_of(tmp_path: Path, data: bytes, **changes: str) -> Path:
    (tmp_path / "song.mxl").write_bytes(data)
    row = dict.fromkeys(HEADER, "x") | {
        "id": "song",
        "file": "song.mxl",
        "licence": "CC0-1.0",
        "voice_part": "P1",
        "split": "train",
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    with (tmp_path / "ledger.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerow(row | changes)
    return tmp_path


def test_a_small_song(tmp_path: Path) -> None:
    lyric = "<lyric><syllabic>single</syllabic><text>la</text></lyric>"
    voice = [
        START + note("D", 5, 2, lyric),  # a pickup of one quarter
        note("G", 5, 6, '<tie type="start"/>' + lyric),
        note("G", 5, 4, '<tie type="stop"/>') + "<note><rest/><duration>2</duration></note>",
    ]
    piano = [
        START + "<note><rest/><duration>2</duration></note>",
        note("G", 3, 6) + note("B", 3, 6, chord=True),
        '<direction><sound tempo="120"/></direction>' + note("G", 3, 6),
    ]
    corpus = corpus_of(tmp_path, score_bytes(voice, piano))
    song = read_song(corpus, read_ledger(corpus)[0])
    assert [(n.start_s, n.end_s, n.pitch, n.syllable) for n in song.voice] == [
        (0.0, 1.0, 74, "la"),
        (1.0, 5.0, 79, "la"),  # three seconds at 60 bpm and two quarters at 120
    ]
    assert [(n.start_s, n.end_s, n.pitch) for n in song.written] == [
        (1.0, 4.0, 55),
        (1.0, 4.0, 59),
        (4.0, 5.5, 55),
    ]
    assert song.beats_s == (0.0, 1.0, 2.0, 3.0, 4.0, 4.5, 5.0)
    assert song.downbeats == (1, 4)
    assert song.bars_s == (0.0, 1.0, 4.0, 5.5)
    assert song.duration_s == 5.5
    assert song.key == Key(7, "major")
    assert song.grid.meter == 3


def marks(*bars: str) -> list[BarMarks]:
    """Bars from text: '<' repeat start, '>' repeat end ('>>': three times), digits the bar's endings.

    Letters are jump marks: s(egno), c(oda), t(o coda), f(ine), D(a capo), dal S(egno).
    """
    names = {"s": "segno", "c": "coda", "t": "tocoda", "f": "fine", "D": "dacapo", "S": "dalsegno"}
    return [
        BarMarks(
            "<" in bar,
            bar.count(">") + 1 if ">" in bar else 0,
            frozenset(int(c) for c in bar if c.isdigit()),
            frozenset(names[c] for c in bar if c in names),
        )
        for bar in bars
    ]


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        (("", "", ""), [0, 1, 2]),
        (("<", ">", ""), [0, 1, 0, 1, 2]),
        (("", "<", ">", "<", ">"), [0, 1, 2, 1, 2, 3, 4, 3, 4]),
        (("<", "", "1>", "2", ""), [0, 1, 2, 0, 1, 3, 4]),
        (("<", "1>", "2>", "3", ""), [0, 1, 0, 2, 0, 3, 4]),
        (("", "f", "D"), [0, 1, 2, 0, 1]),
        (("", "s", "t", "S", "c"), [0, 1, 2, 3, 1, 2, 4]),
        (("<", ">f", "D"), [0, 1, 0, 1, 2, 0, 1]),
        # an ending without a repeat sign of its own belongs to the section that goes on
        (("", "<", "12", "", ">>", ""), [0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 3, 4, 5]),
        # no pass may leave out a bar: a number is missing, is there twice, or no sign leads back
        (("", "1>", "3"), [0, 1, 0, 1, 0, 2]),
        (("", "12>>", "2"), [0, 1, 0, 1, 0, 2]),
        (("", "12", "3"), [0, 1, 0, 1, 0, 2]),
        # two groups of endings in one section, and a third pass that ends after the first group
        (("<", "1", "2", "3", "", "1>", "2>"), [0, 1, 4, 5, 0, 2, 4, 6, 0, 3, 4]),
        (("<", "12", "3", "1>", "2>"), [0, 1, 3, 0, 1, 4, 0, 2]),
        # a "fine" in a refrain is the end only after the last verse
        (("s", "f", "", "S", "", "S"), [0, 1, 2, 3, 0, 1, 4, 5, 0, 1]),
    ],
)
def test_playing_order(bars: tuple[str, ...], order: list[int]) -> None:
    assert [bar for bar, _ in playing_order(marks(*bars))] == order


def test_a_tie_may_lead_to_another_voice(tmp_path: Path) -> None:
    voice = [START + note("D", 5, 6), note("D", 5, 6)]
    piano = [
        START + note("G", 3, 6, '<voice>1</voice><tie type="start"/>'),
        note("G", 3, 6, '<voice>2</voice><tie type="stop"/>'),
    ]
    corpus = corpus_of(tmp_path, score_bytes(voice, piano))
    song = read_song(corpus, read_ledger(corpus)[0])
    assert [(n.start_s, n.end_s, n.pitch) for n in song.written] == [(0.0, 6.0, 55)]


def test_a_transposing_part_is_read_as_it_sounds(tmp_path: Path) -> None:
    # A clarinet in B flat reads D in the key of A; a tenor voice sounds an octave lower than written.
    transposed = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>"
    lower = "<transpose><chromatic>0</chromatic><octave-change>-1</octave-change></transpose></attributes>"
    clarinet = START.replace("<fifths>1<", "<fifths>3<").replace("</attributes>", transposed)
    voice = [START.replace("</attributes>", lower) + note("D", 5, 6), note("D", 5, 6)]
    corpus = corpus_of(tmp_path, score_bytes(voice, [clarinet + note("A", 4, 6), note("A", 4, 6)]))
    song = read_song(corpus, read_ledger(corpus)[0])
    assert [n.pitch for n in song.voice] == [62, 62]
    assert [n.pitch for n in song.written] == [67, 67]
    assert song.key == Key(7, "major")
    swapped = corpus_of(
        tmp_path, score_bytes([clarinet + note("A", 4, 6)], [START + note("G", 3, 6)])
    )  # the transposing part is the first with a signature
    assert read_song(swapped, read_ledger(swapped)[0]).key == Key(7, "major")


def test_a_nonsensical_number_of_an_ending_is_ignored(tmp_path: Path) -> None:
    ending = '<barline><ending number="33" type="start"/></barline>'
    repeat = '<barline><repeat direction="backward"/></barline>'
    bars = [START + note("D", 5, 6), ending + note("E", 5, 6) + repeat, note("F", 5, 6)]
    corpus = corpus_of(tmp_path, score_bytes(bars, [START + note("G", 3, 6)] * 3))
    song = read_song(corpus, read_ledger(corpus)[0])
    assert [n.pitch for n in song.voice] == [74, 76, 74, 76, 77]


def test_passes_are_counted_for_the_verses() -> None:
    assert playing_order(marks("<", "1>", "2", "")) == [(0, 1), (1, 1), (0, 2), (2, 2), (3, 1)]


@pytest.mark.parametrize(("time", "quarters"), [((4, 4), 1), ((6, 8), 1.5), ((3, 8), 0.5), ((2, 2), 2)])
def test_beats_of_a_meter(time: tuple[int, int], quarters: float) -> None:
    assert beat_quarters(time) == quarters


def test_the_ledger_guards_licence_hash_and_presence(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, b"score", licence="CC-BY-NC-4.0")
    with pytest.raises(LedgerError, match=r"licence 'CC-BY-NC-4\.0'"):
        verified_bytes(corpus, read_ledger(corpus)[0])
    corpus = corpus_of(tmp_path, b"score")
    rows = read_ledger(corpus)
    assert verified_bytes(corpus, rows[0]) == b"score"
    (corpus / "song.mxl").write_bytes(b"scorf")
    with pytest.raises(LedgerError, match="its hash differs from the ledger's"):
        verified_bytes(corpus, rows[0])
    (corpus / "song.mxl").unlink()
    with pytest.raises(LedgerError, match="fetch it again"):
        verified_bytes(corpus, rows[0])
    with pytest.raises(LedgerError, match="not in the ledger"):
        row_for(rows, "other.mxl")


def test_credits_are_what_licences_ask_for(tmp_path: Path) -> None:
    thanks = small_corpus(tmp_path / "a", "a.mxl", b"a", licence="CC0-1.0", attribution="thanks to A")
    credited = small_corpus(tmp_path / "b", "b.mxl", b"b", licence="CC-BY-4.0", attribution="© B, CC BY 4.0")
    assert credits_of([thanks, credited, credited]) == ("© B, CC BY 4.0",)
    bare = small_corpus(tmp_path / "c", "c.mxl", b"c", licence="BSD-3-Clause")
    with pytest.raises(LedgerError, match=r"c\.mxl: BSD-3-Clause asks for a credit; fill in its attribution"):
        credits_of([thanks, bare])


def test_the_committed_ledger_may_be_used_as_a_whole(root: Path) -> None:
    rows = read_ledger(root / "train" / "corpus")
    assert {row.licence for row in rows} == ALLOWED_LICENCES
    assert len(credits_of(rows)) == 3
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.group, set()).add(row.split)
    assert all(len(found) == 1 for group, found in splits.items() if group)
    compiled = [row for row in rows if row.file.endswith(".ly")]
    assert len(compiled) == 398
    assert all(len(row.compiled_sha256) == 64 for row in compiled)


def test_ledgers_before_roles_tell_four_part_hymns_by_their_kind(tmp_path: Path) -> None:
    hymn = small_corpus(tmp_path / "a", "a.mxl", b"a", kind="SATB hymn (soprano=vocal)")
    song = small_corpus(tmp_path / "b", "b.mxl", b"b", kind="voice+piano")
    drums = small_corpus(tmp_path / "c", "c.mid", b"c", role="drums")
    assert (hymn.role, song.role, drums.role) == ("satb", "", "drums")
    assert (hymn.is_sung, song.is_sung, drums.is_sung) == (True, True, False)


def test_the_hash_of_rows_does_not_depend_on_their_order(shared: Path) -> None:
    rows = read_ledger(shared / "corpus")[:50]
    assert rows_hash(rows) == rows_hash(rows[::-1])
    assert rows_hash(rows) != rows_hash(rows[1:])


def test_no_song_is_in_two_splits_and_durations_are_the_ledgers(shared: Path) -> None:
    corpus = shared / "corpus"
    with (corpus / "ledger.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        expected = {row["id"]: float(row["expanded_seconds"]) for row in csv.DictReader(file)}
    rows = read_ledger(corpus)
    for row in rows[::160]:
        song = read_song(corpus, row)
        assert song.duration_s == pytest.approx(expected[row.id], abs=0.1)
        assert all(b > a for a, b in zip(song.beats_s, song.beats_s[1:], strict=False))
