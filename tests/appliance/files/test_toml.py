"""TOML as people write it by hand: the line is named, and how to write it."""

from __future__ import annotations

import pytest

from appliance.files.toml import TomlError, parse_toml

MISTAKES = [
    ("key = F minor", 'line 1: put quotes around it: key = "F minor"'),
    ("takes = 3\n\nkey = F# minor   # I think", 'line 3: put quotes around it: key = "F# minor"'),
    ("key = Bb # a guess", 'line 1: put quotes around it: key = "Bb"'),
    ("chords = my chart.txt", 'line 1: put quotes around it: chords = "my chart.txt"'),
    ("style = “jazz”", 'line 1: put straight quotes around it: style = "jazz"'),
    ('key = "F', 'line 1: a quote is missing: key = "F"'),
    ('key = "F" minor', 'line 1: put one pair of quotes around all of it: key = "F minor"'),
    ("key: F minor", 'line 1: write an equals sign: key = "F minor"'),
    ("takes: 3", "line 1: write an equals sign: takes = 3"),
    ("bpm = 92,5", "line 1: write the number with a point: bpm = 92.5"),
    ("bpm = 120 bpm", "line 1: write the number alone: bpm = 120"),
    ("bpm = .5", "line 1: write a digit before and behind the point: bpm = 0.5"),
    ("seed = 007", "line 1: write the number without zeros in front: seed = 7, or put quotes around it"),
    ("tune = True", "line 1: write tune = true or tune = false"),
    ("key =", "line 1: there is no value behind key ="),
    ("a = 1\nb = 2\na = 3\nc = 4", "line 3: a is there twice; keep one"),
    ("[work]\n[work]", "line 2: [work] is there twice; keep one"),
    ("[work", "line 1: a bracket is missing: write [work]"),
    ('inbox = "C:\\srv"', "line 1: put single quotes around it because of its backslash: inbox = 'C:\\srv'"),
    ('a = "\x01"', "line 1: a holds a character that cannot be printed; write the line again"),
    ("# x\n\nplease play jazz", "line 3: 'please play jazz' is not of the form KEY = VALUE"),
    ("ignore = ['a', 'b'", "line 1: the value of ignore is not complete; write it on one line"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_is_answered_with_how_to_write_it(text: str, said: str) -> None:
    with pytest.raises(TomlError) as caught:
        parse_toml(text)
    assert str(caught.value).startswith(said)


def test_what_is_advised_can_be_read() -> None:
    for text, said in MISTAKES:
        if "\n" not in text and ("quotes around it: " in said or "missing: key" in said):
            assert parse_toml(said.rpartition(": ")[2])


def test_a_long_line_is_cut() -> None:
    with pytest.raises(TomlError) as caught:
        parse_toml("key = " + "x y " * 5000)
    assert len(str(caught.value)) < 200
