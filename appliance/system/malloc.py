"""What is freed goes back to the system, so that memory follows what is in use and not what ever was.

glibc takes large pieces straight from the system, but raises what it calls large with every such piece that
is freed, to 32 MiB, and keeps an arena a thread besides: after an hour of audio most of the memory is gaps.
See mallopt(3).
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

LARGE_BYTES = 2**23
"""Less would cost time: what is taken from the system comes empty, page by page. With 1 MiB a render of
three minutes has nine times as many page faults and takes a sixth longer, with 8 MiB it is as fast as ever.
"""

ARENAS = 2

KEPT_BYTES = 2**25
"""What is free at the end of an arena stays up to this. glibc's 128 KiB, which it no longer adjusts once one
of these numbers is settled, give back and take again what the next transform needs.
"""


def give_back_what_is_free() -> None:
    """Now, from the middle of the arenas too: worth a few milliseconds where much has just been freed."""
    if (malloc_trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        malloc_trim(0)


def give_back_what_is_freed() -> None:
    """Settles all numbers for this process; does nothing under a C library that has no such setting."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_M_ARENA_MAX, ARENAS)
