"""Companions: the files beside a vocal that belong to it and move with it."""

from __future__ import annotations

from appliance.watch.inbox.scan import CHART_ENDINGS, DONE_ENDING, SETTINGS_ENDING, SETTINGS_NAME, Scan


def companions_of(path: bytes, scan: Scan) -> tuple[bytes, ...]:
    """The paths of the companions of the vocal ``path`` in the last scan.

    These are its done marker ``NAME.wav.done``, and ``NAME.toml``, ``NAME.done`` and chord charts of its
    name, unless another vocal of that name (``NAME.flac``) still needs them. Other charts, and settings of a
    folder, may belong to other vocals and stay.
    """
    own = path + DONE_ENDING
    stem = stem_of(path)
    shared = any(stem_of(found.path) == stem for found in scan.found if found.path != path)
    mine = () if shared else tuple(stem + ending for ending in (SETTINGS_ENDING, DONE_ENDING, *CHART_ENDINGS))
    return tuple(
        companion.path
        for companion in scan.companions
        if companion.path == own
        or (_with_lower_ending(companion.path) in mine and not _is_folder_sidecar(companion.path))
    )


def stem_of(path: bytes) -> bytes:
    """The path of a vocal without its ending: ``a/song`` for ``a/song.wav``."""
    name = path[path.rfind(b"/") + 1 :]
    return path[: len(path) - len(name) + name.rindex(b".")] if b"." in name[1:] else path


def done_markers(path: bytes) -> tuple[bytes, bytes]:
    """The paths of the two files that mark the vocal as complete; either suffices."""
    return path + DONE_ENDING, stem_of(path) + DONE_ENDING


def _with_lower_ending(path: bytes) -> bytes:
    dot = path.rfind(b".")
    return path[:dot] + path[dot:].lower()


def _is_folder_sidecar(path: bytes) -> bool:
    return _with_lower_ending(path[path.rfind(b"/") + 1 :]) == SETTINGS_NAME
