"""A song of any length as windows of one length, each continuing the last.

Letters: N latent frames of the song, W frames a window, C frames of context.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Latent frames ``first`` .. ``first + length``; the first ``known`` of them were made before."""

    first: int
    length: int
    known: int


def song_windows(frames: int, length: int, context: int) -> tuple[Window, ...]:
    """Cover ``frames`` latent frames with windows of ``length``, each overlapping the last by ``context``.

    The last window may reach beyond the song; what lies there is masked. Window starts stay on whole
    plan frames because ``length`` and ``context`` are even.
    """
    if not 0 < context < length or length % 2 or context % 2:
        raise ValueError(f"windows need 0 < context < length, both even; got {context} and {length}")
    windows = [Window(0, length, 0)]
    while windows[-1].first + length < frames:
        windows.append(Window(windows[-1].first + length - context, length, context))
    return tuple(windows)
