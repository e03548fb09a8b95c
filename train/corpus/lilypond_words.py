"""Finds the words of a voice among the lyric tracks of a LilyPond MIDI file, by time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from appliance.music.midi_file import MidiTrack

Word = tuple[str, str]
"""Syllable and its place in the word, as in :class:`train.corpus.song.SungNote`; both "" in a melisma."""

_NUMERAL = re.compile(r"(?<=[a-z])(II|III|IV|V|VI|VII|VIII|IX|X|B|C|D)$")


def words_at(
    starts: Sequence[float], tracks: Sequence[MidiTrack], hyphens: Mapping[tuple[str, str], int]
) -> list[Word]:
    """One word for each note that begins at ``starts`` (quarters, in order).

    The first verse is sung: of its tracks the one that fits the notes best. Where it leaves out four notes or
    more, another track has the words: of that verse if one has, else of a later one. ``hyphens`` is positive
    for pairs of syllables of one word.
    """
    place = {round(start, 3): index for index, start in enumerate(starts)}
    fitting = [t for t in sorted(tracks, key=lambda t: (_is_later(t), -_fit(t, place))) if _fit(t, place)]
    syllables = [""] * len(starts)
    for track in fitting:
        free = {index for index, syllable in enumerate(syllables) if not syllable}
        if track is not fitting[0]:
            free = _gaps(free, len(starts))
        for at, text in track.lyrics:
            index = place.get(round(at, 3))
            if index is not None and index in free:
                syllables[index] = text.strip()
    return _with_places(syllables, hyphens)


def _is_later(track: MidiTrack) -> bool:
    return _NUMERAL.search(track.name.rstrip(":")) is not None


def _fit(track: MidiTrack, place: Mapping[float, int]) -> int:
    return sum(round(at, 3) in place for at, _ in track.lyrics)


def _gaps(free: set[int], count: int) -> set[int]:
    """Notes in runs of four or more without a syllable; a shorter run is a melisma."""
    result: set[int] = set()
    run: list[int] = []
    for index in range(count + 1):
        if index in free:
            run.append(index)
        else:
            result.update(run if len(run) >= 4 else ())
            run = []
    return result


def _with_places(syllables: Sequence[str], hyphens: Mapping[tuple[str, str], int]) -> list[Word]:
    sung = [index for index, syllable in enumerate(syllables) if syllable]
    joined = {a for a, b in pairwise(sung) if hyphens.get((syllables[a], syllables[b]), 0) > 0}
    words: list[Word] = [("", "")] * len(syllables)
    inside = False
    for index in sung:
        goes_on = index in joined
        name = {
            (False, False): "single",
            (False, True): "begin",
            (True, True): "middle",
            (True, False): "end",
        }
        words[index] = (syllables[index], name[inside, goes_on])
        inside = goes_on
    return words
