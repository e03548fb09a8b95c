"""Which files beside a vocal belong to it: they are moved away together with it."""

from __future__ import annotations

from appliance.watch.inbox.scan import CHART_ENDINGS, DONE_ENDING, SETTINGS_ENDING, SETTINGS_NAME, Scan


def companions_of(path: bytes, scan: Scan) -> tuple[bytes, ...]:
    """Paths of what goes where the vocal ``path`` goes, as the last look saw them.

    Its done marker ``NAME.wav.done``, and ``NAME.toml``, ``NAME.done`` and chord charts of its name, unless
    another vocal of that name (``NAME.flac``) still needs them. A chart of another name, or of a folder's
    settings, serves others as well and stays.
    """
    own = path + DONE_ENDING
    stem = stem_of(path)
    shared = any(stem_of(found.path) == stem for found in scan.found if found.path != path)
    mine = () if shared else tuple(stem + ending for ending in (SETTINGS_ENDING, DONE_ENDING, *CHART_ENDINGS))
    return tuple(
        companion.path
        for companion in scan.companions
        if companion.path == own
        or (_with_small_ending(companion.path) in mine and not _is_for_all(companion.path))
    )


def stem_of(path: bytes) -> bytes:
    """The path of a vocal without the ending of its name: ``a/song`` of ``a/song.wav``."""
    name = path[path.rfind(b"/") + 1 :]
    return path[: len(path) - len(name) + name.rindex(b".")] if b"." in name[1:] else path


def done_markers(path: bytes) -> tuple[bytes, bytes]:
    """Paths of the two files either of which says that the vocal is complete."""
    return path + DONE_ENDING, stem_of(path) + DONE_ENDING


def _with_small_ending(path: bytes) -> bytes:
    dot = path.rfind(b".")
    return path[:dot] + path[dot:].lower()


def _is_for_all(path: bytes) -> bool:
    return _with_small_ending(path[path.rfind(b"/") + 1 :]) == SETTINGS_NAME
