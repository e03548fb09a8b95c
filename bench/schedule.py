"""What a run of the bench measures: the cases, in the order in which a round takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.job import Job

SONG_S = 180.0
"""A song: the length that the goals are given for."""

LONG_S = 300.0
"""Jobs longer than this are measured once."""


@dataclass(frozen=True, slots=True)
class GraphCase:
    """Every graph of both packs, as processor ``mask``."""

    mask: str

    @property
    def name(self) -> str:
        """Short and unique."""
        return f"{self.mask} graphs"


@dataclass(frozen=True, slots=True)
class StartCase:
    """A start, ``how``: see STARTS."""

    mask: str
    how: str

    @property
    def name(self) -> str:
        """Short and unique."""
        return f"{self.mask} {self.how} start"


STARTS = ("cold", "first", "warm")
"""cold: no compiled graphs, pack and libraries dropped from the file cache; first: files are cached, no
compiled graphs; warm: both are there."""

Case = Job | GraphCase | StartCase


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is wanted: masks, lengths in seconds, numbers of takes and cores.

    ``short_s`` is the length at which all masks are compared; ``focus`` the mask for all else.
    """

    masks: tuple[str, ...]
    focus: str
    short_s: float
    lengths_s: tuple[float, ...]
    takes: tuple[int, ...]
    cores: tuple[int, ...]
    fp32: bool = True

    def cases(self) -> list[Case]:
        """Every case once; the INT8 and the FP32 job of a mask are neighbours."""
        precisions = ("INT8", "FP32") if self.fp32 else ("INT8",)
        found: list[Case] = []
        for mask in self.masks:
            found += [Job(mask, precision, self.short_s) for precision in precisions]
            found.append(GraphCase(mask))
            found += [StartCase(mask, how) for how in STARTS]
        found += [Job(self.focus, precision, SONG_S) for precision in precisions if SONG_S in self.lengths_s]
        found += [Job(self.focus, "INT8", length) for length in self.lengths_s]
        found += [Job(self.focus, "INT8", self.short_s, takes=takes) for takes in self.takes]
        found += [Job(self.focus, "INT8", self.short_s, cores=cores) for cores in self.cores]
        return list(dict.fromkeys(found))


def measured_once(case: Case) -> bool:
    """Long jobs, and starts from the disk, whose spread is the disk's."""
    return isinstance(case, Job) and case.audio_s > LONG_S


def needed_lengths(cases: Sequence[Case]) -> list[float]:
    """Lengths of vocals that ``cases`` render, shortest first."""
    return sorted({case.audio_s for case in cases if isinstance(case, Job)})
