"""Nashville numbers and roman numerals, against chords written out by hand."""

from __future__ import annotations

import pytest

from appliance.errors import UsageError
from appliance.music.keys import Key
from appliance.music.scale_degrees import chord_of_degree, counting_key, is_degree

C_MAJOR, A_MINOR, EB_MAJOR, FS_MINOR = (Key.parse(name) for name in ("C", "Am", "Eb", "F# minor"))


@pytest.mark.parametrize(
    ("key", "degrees", "chords"),
    [
        (C_MAJOR, "1 4 5 6m 2m 3m 7dim", "C F G Am Dm Em Bdim"),
        (C_MAJOR, "6- 2-7 57 1maj7 5sus4 4add9 1/3 5/7 4/5", "Am Dm7 G7 Cmaj7 Gsus4 Fadd9 C/E G/B F/G"),
        (C_MAJOR, "b7 b3 b6 2m7b5 #4dim 1Δ 6m/5", "Bb Eb Ab Dm7b5 F#dim Cmaj7 Am/G"),
        (EB_MAJOR, "1 4 5 6m 1/3 b7", "Eb Ab Bb Cm Eb/G Db"),
        (C_MAJOR, "I IV V7 vi ii iii vii°", "C F G7 Am Dm Em Bdim"),
        (C_MAJOR, "ii7 V9 Imaj7 IΔ viiø7 vii°7 iv bVII bVI III7 VIm IIm7",
         "Dm7 G9 Cmaj7 Cmaj7 Bm7b5 Bdim7 Fm Bb Ab E7 Am Dm7"),
        (C_MAJOR, "V/V V7/ii vii°7/vi V7/IV", "D A7 G#dim7 C7"),
        (C_MAJOR, "I6 I64 V6 V65 V43 V42 ii65 IV6/4 V6/5 vii°6 I65",
         "C/E C/G G/B G7/B G7/D G7/F Dm7/F F/C G7/B Bdim/D Cmaj7/E"),
        (C_MAJOR, "I/3 IV/5 I/E", "C/E F/G C/E"),
        (A_MINOR, "i iv V7 VI III VII v ii° iim7b5 vii° bVI", "Am Dm E7 F C G Em Bdim Bm7b5 G#dim F"),
        (A_MINOR, "1m 4m 5 6 3 7 b6 1m/3", "Am Dm E F C G F Am/C"),
        (FS_MINOR, "i iv V VI VII", "F#m Bm C# D E"),
        (EB_MAJOR, "♭VII V+ Vsus vi9", "Db Bbaug Bbsus4 Cm9"),
    ],
)  # fmt: skip
def test_degrees_are_counted_in_the_key(key: Key, degrees: str, chords: str) -> None:
    assert [chord_of_degree(degree, key).label for degree in degrees.split()] == chords.split()


@pytest.mark.parametrize("token", ["8", "0", "1x", "IIII", "VX", "H", "Am", "%", "/", "N", "", "iI"])
def test_what_is_no_degree(token: str) -> None:
    assert not is_degree(token)


def test_a_bad_degree_says_so() -> None:
    with pytest.raises(UsageError, match="not a chord that Backline knows"):
        chord_of_degree("1x", C_MAJOR)


def test_in_minor_numbers_count_from_where_the_minor_chord_is() -> None:
    """Most number charts of songs in minor count in the relative major, where the tonic is 6m."""
    assert counting_key(["6m", "4", "1", "5"], A_MINOR, given=True) == C_MAJOR
    assert counting_key(["vi", "IV", "I", "V"], A_MINOR, given=False) == C_MAJOR
    assert counting_key(["1m", "6", "3", "7"], A_MINOR, given=True) == A_MINOR
    assert counting_key(["i", "VI", "III", "VII"], A_MINOR, given=False) == A_MINOR


def test_a_chart_in_minor_corrects_a_key_that_was_only_heard() -> None:
    """A relative key shares all its notes: it is the commonest error of the ear."""
    assert counting_key(["i", "iv", "V"], C_MAJOR, given=False) == A_MINOR
    assert counting_key(["i", "iv", "V"], C_MAJOR, given=True) == Key.parse("Cm")
    assert counting_key(["I", "iv", "i", "V"], C_MAJOR, given=False) == C_MAJOR
    assert counting_key(["I", "IV"], C_MAJOR, given=False) == C_MAJOR
