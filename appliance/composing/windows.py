"""Splits a song of any length into windows of one length, each of which continues the previous one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Latent frames ``first`` to ``first + length``; the first ``known`` of them are of earlier windows."""

    first: int
    length: int
    known: int


def song_windows(frames: int, length: int, context: int) -> tuple[Window, ...]:
    """Cover ``frames`` latent frames with windows of ``length`` that overlap by ``context`` frames.

    The last window may reach beyond the song; the rest is masked. ``length`` and ``context`` must be even, so
    that windows begin on plan frames.

    Raises:
        ValueError: ``length`` or ``context`` is odd or not positive, or ``context`` is not below ``length``.
    """
    if not 0 < context < length or length % 2 or context % 2:
        raise ValueError(f"windows need 0 < context < length, both even; got {context} and {length}")
    windows = [Window(0, length, 0)]
    while windows[-1].first + length < frames:
        windows.append(Window(windows[-1].first + length - context, length, context))
    return tuple(windows)
