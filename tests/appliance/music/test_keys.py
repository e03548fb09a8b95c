"""Musical keys, compared with scales and key signatures written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.errors import UsageError
from appliance.music.keys import Key, estimate_key, signature_shift, spell

MAJOR_STEPS = (0, 2, 4, 5, 7, 9, 11)
NATURAL_MINOR_STEPS = (0, 2, 3, 5, 7, 8, 10)
WHITE_KEYS = {0, 2, 4, 5, 7, 9, 11}
EVERY_KEY = [Key(t, m) for t in range(12) for m in ("major", "minor")]  # type: ignore[arg-type]


def scale(key: Key) -> set[int]:
    steps = MAJOR_STEPS if key.mode == "major" else NATURAL_MINOR_STEPS
    return {(key.tonic + s) % 12 for s in steps}


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("C", 0, "major"),
        ("Am", 9, "minor"),
        ("AM", 9, "major"),
        ("F# minor", 6, "minor"),
        ("Bb major", 10, "major"),
        ("bb Major", 10, "major"),
        ("B minor", 11, "minor"),
        ("Bmin", 11, "minor"),
        ("Cb", 11, "major"),
        ("E♭ min", 3, "minor"),
        ("g♯-minor", 8, "minor"),
        ("  D  maj ", 2, "major"),
    ],
)
def test_names_are_read(text: str, tonic: int, mode: str) -> None:
    assert Key.parse(text) == Key(tonic, mode)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "H", "C##", "Cis", "gis-moll", "C dorian", "major", "Am7", "12"])
def test_other_names_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(UsageError, match=r"write it like 'C', 'Am'"):
        Key.parse(text)


def test_a_key_is_spelled_with_the_fewer_accidentals_and_read_back() -> None:
    majors = [Key(t, "major").name.split()[0] for t in range(12)]
    minors = [Key(t, "minor").name.split()[0] for t in range(12)]
    assert majors == ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
    assert minors == ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"]
    assert all(Key.parse(k.name) == k for k in EVERY_KEY)


def test_signatures_as_printed_in_any_theory_book() -> None:
    book = {"G major": 1, "E minor": 1, "D major": 2, "A major": 3, "F# minor": 3, "G# minor": 5}
    book |= {"F major": -1, "D minor": -1, "Bb major": -2, "C minor": -3, "Db major": -5, "Bb minor": -5}
    book |= {"C major": 0, "A minor": 0, "F# major": 6, "Eb minor": -6}
    assert {name: Key.parse(name).fifths for name in book} == book


@pytest.mark.parametrize("key", EVERY_KEY)
def test_the_shift_brings_every_scale_onto_the_white_keys(key: Key) -> None:
    shift = signature_shift(key)
    assert -5 <= shift <= 6
    assert {(p + shift) % 12 for p in scale(key)} == WHITE_KEYS


def test_pitch_classes_are_spelled_as_the_key_writes_them() -> None:
    def spelled(name: str, *pitch_classes: int) -> list[str]:
        return [spell(p, Key.parse(name)) for p in pitch_classes]

    assert spelled("Eb major", 3, 5, 7, 8, 10, 0, 2) == ["Eb", "F", "G", "Ab", "Bb", "C", "D"]
    assert spelled("E major", 4, 6, 8, 9, 11, 1, 3) == ["E", "F#", "G#", "A", "B", "C#", "D#"]
    assert spelled("A minor", 8, 6) == ["G#", "F#"]
    assert spelled("C minor", 8, 3, 10, 11) == ["Ab", "Eb", "Bb", "B"]
    assert [spell(p) for p in (6, 10, 3)] == ["F#", "Bb", "Eb"]
    for key in EVERY_KEY:
        for pitch_class in range(12):
            name = spell(pitch_class, key)
            natural = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[name[0]]
            assert (natural + name.count("#") - name.count("b")) % 12 == pitch_class
            assert len(name) <= 2


@pytest.mark.parametrize("key", EVERY_KEY)
def test_a_cadence_tells_its_key(key: Key) -> None:
    thirds = {"major": ((0, 4, 7), (5, 9, 0), (7, 11, 2)), "minor": ((0, 3, 7), (5, 8, 0), (7, 11, 2))}
    chroma, bass = np.zeros(12), np.zeros(12)
    for weight, triad in zip((2, 1, 1), thirds[key.mode], strict=True):  # I I IV V
        chroma[[(key.tonic + p) % 12 for p in triad]] += weight
        bass[(key.tonic + triad[0]) % 12] += weight
    assert estimate_key(chroma)[0] == key
    found, confidence = estimate_key(chroma, bass)
    assert found == key
    assert 0.3 < confidence <= 1.0


def test_nothing_to_go_by_gives_no_confidence() -> None:
    assert estimate_key(np.ones(12))[1] == 0.0
    assert estimate_key(np.zeros(12), np.zeros(12))[1] == 0.0


def test_the_bass_decides_between_relatives() -> None:
    chroma = np.zeros(12)
    chroma[[0, 2, 4, 5, 7, 9, 11]] = 1.0
    on_c, on_a = np.zeros(12), np.zeros(12)
    on_c[[0, 7]] = 3, 1
    on_a[[9, 4]] = 3, 1
    assert estimate_key(chroma, on_c)[0] == Key(0, "major")
    assert estimate_key(chroma, on_a)[0] == Key(9, "minor")
