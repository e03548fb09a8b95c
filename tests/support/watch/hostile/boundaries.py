"""Offsets at which parts of a recording begin, where truncation is hardest to handle."""

from __future__ import annotations

import re

_MARKS = re.compile(
    rb"RIFF|RIFX|RF64|WAVE|fmt |fact|data|LIST|ds64|bext|PEAK|FORM|AIF[FC]|COMM|SSND|FVER|caff|desc|pakt|kuki"
    rb"|fLaC|OggS|ID3|Xing|Info|LAME|vorbis|OpusHead|OpusTags|riff\x2e|\xff[\xf2\xf3\xfa\xfb]"
)


def boundaries(data: bytes, most: int = 200) -> list[int]:
    """Offsets at and just after the markers of chunks, pages or frames: the first ``most``, sorted."""
    found = {0, 1, len(data) - 1, len(data) // 2}
    for mark in _MARKS.finditer(data):
        found |= {mark.start(), mark.end(), mark.end() + 4}
        if len(found) > most:
            break
    return sorted(offset for offset in found if 0 <= offset < len(data))


def header_bytes(data: bytes) -> int:
    """Estimated size of the header in bytes."""
    late = [m.start() for m in re.finditer(rb"data|SSND", data[:4096])]
    return min(len(data), late[0] + 16 if late else 160)
