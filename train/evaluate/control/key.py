"""``--key``: whether the result is in the requested key.

Requests are keys in which the melody makes sense: the song's own, its relative, and the two neighbours on the
circle of fifths, which share six of seven notes with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.music.keys import Key
from appliance.music.score import DRUM_GROUP, Note
from train.evaluate.control.key_profile import heard_key, relation
from train.evaluate.control.subjects import Composer, Request, Subject
from train.evaluate.processes.progress import steps

REQUESTS = ("own", "relative", "dominant", "subdominant")


def requested(key: Key, request: str) -> Key:
    """The key with the relation ``request`` to a song's ``key``."""
    if request == "relative":
        return (
            Key((key.tonic + 9) % 12, "minor") if key.mode == "major" else Key((key.tonic + 3) % 12, "major")
        )
    return Key((key.tonic + {"own": 0, "dominant": 7, "subdominant": 5}[request]) % 12, key.mode)


def measure_keys(composer: Composer, subjects: Sequence[Subject]) -> dict[str, object]:
    """Found keys by song and request; shares obeyed; and anchors: written part and take without request."""
    rows = []
    for subject in steps(subjects, "keys", lambda s: s.name):
        own = subject.song.key
        free = composer.take(subject, Request())
        anchors = {
            "written": relation(heard_key(subject.notes(subject.song.written).notes), own),
            "unasked": relation(heard_key(_pitched(free.score.notes)), own),
        }
        found = {}
        for request in REQUESTS:
            wanted = requested(own, request)
            take = composer.take(subject, Request(key=wanted))
            found[request] = relation(heard_key(_pitched(take.score.notes)), wanted)
        rows.append({"song": subject.song.id, "key": own.name, **anchors, **found})
    shares = {
        name: sum(row[name] == "same" for row in rows) / len(rows)
        for name in ("written", "unasked", *REQUESTS)
    }
    trials = [row[request] == "same" for row in rows for request in REQUESTS]
    return {"rows": rows, "shares": shares, "obeyed": sum(trials) / len(trials), "trials": len(trials)}


def _pitched(notes: Sequence[Note]) -> list[Note]:
    return [n for n in notes if n.group != DRUM_GROUP]
