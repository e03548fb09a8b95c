"""Chord names as musicians write them, against tones written out by hand and against mir_eval."""

from __future__ import annotations

import mir_eval.chord
import numpy as np
import pytest

from appliance.errors import UsageError
from appliance.music.chord_names import canonical, parse_chord
from appliance.music.chord_quality import QUALITIES, tones_of

C, Db, D, Eb, E, F, Gb, G, Ab, A, Bb, B = range(12)

TABLE = [
    # triads and their spellings
    ("C CM Cmaj C:maj Cmajor CMaj Cma", "C", {C, E, G}),
    ("Am Amin A- Ami A:min A− AMin Aminor", "Am", {A, C, E}),
    ("Bdim Bo B° Bmb5 Bm(b5)", "Bdim", {B, D, F}),
    ("C+ Caug C(#5) C+5", "Caug", {C, E, Ab}),
    ("Gsus4 Gsus Gsus4 G4", "Gsus4", {G, C, D}),
    ("Dsus2", "Dsus2", {D, E, A}),
    ("E5 Eno3 E(no3) Eomit3", "E5", {E, B}),
    ("Db D♭ D♭", "Db", {Db, F, Ab}),
    # sixths
    ("C6 Cmaj6 CM6 Cadd6 C(add6)", "C6", {C, E, G, A}),
    ("Cm6 C-6 Cmin6 Cm(add6)", "Cm6", {C, Eb, G, A}),
    ("C6/9 C69 C6add9 C6(9) C6(add9) CM69 C9/6", "C69", {C, E, G, A, D}),
    ("Cm6/9 Cm69 C-69", "Cm69", {C, Eb, G, A, D}),
    ("C6/9/E C69/E", "C69/E", {C, E, G, A, D}),
    # sevenths
    ("C7 Cdom7 Cdom C:7", "C7", {C, E, G, Bb}),
    ("Cmaj7 CM7 CΔ CΔ7 Cma7 Cj7 C^ C^7 Cmajor7 CMaj7 C7M Cmaj(7) CMA7", "Cmaj7", {C, E, G, B}),
    ("F#m7 F♯min7 F#-7 F#mi7 F#m(7)", "F#m7", {Gb, A, Db, E}),
    ("Bm7b5 Bø Bø7 Bhdim7 Bm7♭5 B:hdim7 Bm7(b5) B-7b5 Bmin7b5 Bm7-5", "Bm7b5", {B, D, F, A}),
    ("Bdim7 Bo7 B°7", "Bdim7", {B, D, F, Ab}),
    ("Cmmaj7 CmM7 Cm(maj7) C-maj7 C-M7 Cminmaj7 CmΔ CmΔ7 Cm(M7) C-Δ", "Cmmaj7", {C, Eb, G, B}),
    ("C7#5 C+7 Caug7 C7+ C7+5 C7(#5)", "Caug7", {C, E, Ab, Bb}),
    ("C7b5 C7(b5) C7-5", "C7b5", {C, E, Gb, Bb}),
    ("Cmaj7#5 CM7#5 C+M7 Caugmaj7 CΔ#5 C+maj7", "Cmaj7#5", {C, E, Ab, B}),
    ("Cmaj7b5 CM7b5", "Cmaj7b5", {C, E, Gb, B}),
    ("G7sus4 G7sus G7(sus4) Gsus7", "G7sus4", {G, C, D, F}),
    # ninths
    ("Cadd9 Cadd2 C2 C(add9) C(9) Cadd(9)", "Cadd9", {C, E, G, D}),
    ("Cmadd9 Cm(add9) Cmadd2 Cm2", "Cmadd9", {C, Eb, G, D}),
    ("C9 C7(9) C7add9", "C9", {C, E, G, Bb, D}),
    ("Am9 Amin9 A-9 Am7(9)", "Am9", {A, C, E, G, B}),
    ("Cmaj9 CM9 CΔ9 Cmaj7(9) C7M(9)", "Cmaj9", {C, E, G, B, D}),
    ("C7b9 C7(b9) C7-9 C7♭9", "C7b9", {C, E, G, Bb, Db}),
    ("C7#9 C7(#9) C7+9 C7♯9", "C7#9", {C, E, G, Bb, Eb}),
    ("C7alt Calt C7#5#9 C7#9#5 C+7#9", "C7#5#9", {C, E, Ab, Bb, Eb}),
    ("C7b5b9 C7(b5,b9) C7b9b5 C7(b9b5)", "C7b5b9", {C, E, Gb, Bb, Db}),
    ("C7#5b9 C7b9#5 C+7b9 C7(b9,#5)", "C7#5b9", {C, E, Ab, Bb, Db}),
    ("C9b5 C9(b5)", "C9b5", {C, E, Gb, Bb, D}),
    ("C9#5 C+9 C9+5 Caug9", "C9#5", {C, E, Ab, Bb, D}),
    ("C9sus4 C9sus Csus9", "C9sus4", {C, F, G, Bb, D}),
    ("Cmmaj9 CmM9 Cm(maj9)", "Cmmaj9", {C, Eb, G, B, D}),
    ("Bm9b5 Bø9", "Bm9b5", {B, D, F, A, Db}),
    # elevenths and thirteenths
    ("C11", "C11", {C, F, G, Bb, D}),
    ("Am11 A-11 Amin11", "Am11", {A, C, E, G, B, D}),
    ("C7#11 C7(#11) C7+11", "C7#11", {C, E, G, Bb, Gb}),
    ("C9#11 C9(#11)", "C9#11", {C, E, G, Bb, D, Gb}),
    ("Cmaj7#11 CM7#11 CΔ#11 Cmaj7(#11)", "Cmaj7#11", {C, E, G, B, Gb}),
    ("Cmaj9#11 CM9(#11)", "Cmaj9#11", {C, E, G, B, D, Gb}),
    ("Cadd11 C(add11) Cadd4", "Cadd11", {C, E, G, F}),
    ("Cm7add11 Cm7(add11) Cm7(11) Cm7add4", "Cm7add11", {C, Eb, G, Bb, F}),
    ("C13", "C13", {C, E, G, Bb, D, A}),
    ("Cmaj13 CM13", "Cmaj13", {C, E, G, B, D, A}),
    ("Cm13 C-13", "Cm13", {C, Eb, G, Bb, D, A}),
    ("C13sus4 C13sus", "C13sus4", {C, F, G, Bb, D, A}),
    ("C13b9 C13(b9)", "C13b9", {C, E, G, Bb, Db, A}),
    ("C13#11 C13(#11)", "C13#11", {C, E, G, Bb, D, Gb, A}),
    ("C7b13 C7(b13)", "C7b13", {C, E, G, Bb, Ab}),
    # basses, and the German names
    ("Bb/D B♭/D", "Bb/D", {Bb, D, F}),
    ("C/Bb", "C/Bb", {C, E, G, Bb}),
    ("C/C", "C", {C, E, G}),
    ("H HM Hmaj", "B", {B, Eb, Gb}),
    ("Hm H- Hmin", "Bm", {B, D, Gb}),
    ("H7 B7", "B7", {B, Eb, Gb, A}),
    ("E/H E/B", "E/B", {E, Ab, B}),
]  # fmt: skip


@pytest.mark.parametrize(("spellings", "label", "tones"), TABLE, ids=[row[1] for row in TABLE])
def test_every_spelling_means_the_chord(spellings: str, label: str, tones: set[int]) -> None:
    for spelling in spellings.split():
        chord = parse_chord(spelling)
        assert chord is not None, spelling
        assert (chord.label, chord.pitch_classes) == (label, tones), spelling
    assert canonical(label) == label


HARTE = {
    "": "maj", "m": "min", "dim": "dim", "aug": "aug", "7": "7", "maj7": "maj7", "m7": "min7",
    "m7b5": "hdim7",
    "sus4": "sus4", "sus2": "sus2", "5": "5", "6": "maj6", "m6": "min6", "dim7": "dim7", "mmaj7": "minmaj7",
    "aug7": "aug(b7)", "7sus4": "sus4(b7)", "add9": "maj(9)", "madd9": "min(9)", "9": "9", "m9": "min9",
    "maj9": "maj9", "7b9": "7(b9)", "7#9": "7(#9)", "69": "maj6(9)", "m69": "min6(9)", "7b5": "7(*5,b5)",
    "9sus4": "sus4(b7,9)", "11": "11(*3)", "m11": "min11", "7#11": "7(#11)", "maj7#11": "maj7(#11)",
    "13": "13(*11)", "m13": "min13(*11)", "maj13": "maj13(*11)", "13sus4": "sus4(b7,9,13)", "7b13": "7(b13)",
    "add11": "maj(11)", "7#5#9": "aug(b7,#9)", "maj7#5": "aug(7)", "mmaj9": "minmaj7(9)", "13b9": "7(b9,13)",
}  # fmt: skip
"""Our qualities in the notation of Harte et al. (ISMIR 2005). A dominant eleventh does without its third,
and no thirteenth has the eleventh, which would clash with its third."""


def test_the_tones_are_those_of_mir_eval() -> None:
    assert set(HARTE) >= set(QUALITIES)
    for quality, harte in HARTE.items():
        _, degrees, _ = mir_eval.chord.encode(f"C:{harte}", reduce_extended_chords=True)
        assert {step % 12 for step in tones_of(quality)} == set(np.flatnonzero(degrees)), quality


def test_the_first_upper_tone_defines_the_chord() -> None:
    """Corrected notes keep the root and this tone: the third, or what a suspended chord has instead."""
    assert [tones_of(q)[1] for q in ("", "m", "sus4", "sus2", "5", "11", "13b9", "9sus4")] == [
        4,
        3,
        5,
        2,
        7,
        5,
        4,
        5,
    ]


def test_no_chord_has_several_names() -> None:
    assert [canonical(t) for t in ("N", "-", "NC", "N.C.", "n.c.", "nc", "N.C")] == ["N"] * 7


@pytest.mark.parametrize(
    "text",
    ["am", "C/", "/E", "C/X", "Cfoo", "", "C##", "Cm/E/G", "Ab c", "X", "Hx",
     "C8", "C7b", "Cadd", "Cb5x", "C#9#", "Csus5", "C7alto"],
)  # fmt: skip
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a chord that Backline knows"):
        parse_chord(text)


def test_whatever_is_read_is_read_again_from_what_is_written() -> None:
    """Every base with every alteration: the label written is read as the same chord."""
    alterations = ("", "b5", "#5", "b9", "#9", "#11", "b13", "add9", "add11", "no5", "b9b13", "sus2", "alt")
    read = 0
    for quality in (*QUALITIES, "mM9", "maj11", "dim9", "dimM7", "+M7", "ø11"):
        for alteration in alterations:
            try:
                chord = parse_chord(f"F#{quality}{alteration}/A")
            except UsageError:
                continue
            assert chord is not None
            assert parse_chord(chord.label) == chord, (quality, alteration)
            read += 1
    assert read > 300
