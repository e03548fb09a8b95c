"""The cases that a run measures, in the order of a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.job import Job

SONG_S = 180.0
"""Length of a song, for which the speed goals are given."""

LONG_S = 300.0
"""Jobs longer than this are measured once."""


@dataclass(frozen=True, slots=True)
class GraphCase:
    """Timing every graph of both packs under ``mask``."""

    mask: str

    @property
    def name(self) -> str:
        """A short, unique name."""
        return f"{self.mask} graphs"


@dataclass(frozen=True, slots=True)
class StartCase:
    """A start under ``mask``; ``how`` is one of STARTS."""

    mask: str
    how: str

    @property
    def name(self) -> str:
        """A short, unique name."""
        return f"{self.mask} {self.how} start"


STARTS = ("cold", "first", "warm")
"""cold: no compiled graphs, pack and libraries dropped from the file cache; first: files cached, no compiled
graphs; warm: files and compiled graphs cached."""

Case = Job | GraphCase | StartCase


@dataclass(frozen=True, slots=True)
class Schedule:
    """Choice of masks, lengths in seconds, numbers of takes and of cores.

    All masks are compared at the length ``short_s``; everything else is measured under the mask ``focus``.
    """

    masks: tuple[str, ...]
    focus: str
    short_s: float
    lengths_s: tuple[float, ...]
    takes: tuple[int, ...]
    cores: tuple[int, ...]
    fp32: bool = True

    def cases(self) -> list[Case]:
        """Every case once; INT8 and FP32 jobs of a mask follow each other."""
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
    """Whether ``case`` is a job too long to repeat."""
    return isinstance(case, Job) and case.audio_s > LONG_S


def needed_lengths(cases: Sequence[Case]) -> list[float]:
    """Lengths of vocals that ``cases`` render, shortest first."""
    return sorted({case.audio_s for case in cases if isinstance(case, Job)})
