"""Companions that no vocal is rendered with: nothing that somebody meant is passed over in silence.

That is a sidecar without its vocal, one that came too late, and a chord chart or a reference that no sidecar
names. Texts that look like no chart (lyrics, notes) are counted only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from appliance.watch.disk.found import FoundFile, shown
from appliance.watch.inbox.charts import is_chart, start_of
from appliance.watch.inbox.companions import Companions
from appliance.watch.inbox.reference_names import LIKE_ENDINGS
from appliance.watch.inbox.scan import CHART_ENDINGS, DONE_ENDING, TEXT_ENDING
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar import Named, NotReady, named_files
from appliance.watch.journal.applied import applied
from appliance.watch.journal.reader import Reader

MAX_READ = 50
"""Files that are read at most after one scan."""

MAX_WORDED = 50
"""Unused companions at most for which the journal is asked about their vocal."""


class Unused:
    """The unused companions of the last scan, in :attr:`why`: path to a sentence."""

    def __init__(self, inbox: Path, journal: Reader) -> None:
        self.stay = False
        """Whether rendered vocals stay in the inbox."""
        self.why: dict[bytes, str] = {}
        self.texts = 0
        """Number of texts that are no charts."""
        self._inbox, self._journal = inbox, journal
        self._named: dict[FoundFile, Named] = {}
        self._is_chart: dict[FoundFile, bool] = {}
        self._told: set[bytes] = set()
        self._fits: dict[tuple[FoundFile, FoundFile], bool] = {}

    def update(self, tracker: Tracker, now_s: float, asked: Callable[[bytes], str | None]) -> None:
        """Judge the settled companions of the last scan. Raises JournalError.

        ``asked`` gives the wishes for a vocal as they are now, as canonical JSON; None if they are invalid.
        It raises NotReady if they are not known yet.
        """
        companions = tracker.companions
        settled = [found for found in companions.all if tracker.has_settled(found.path, now_s)]
        known = self._read(settled)
        named = self._named_files(companions)
        late = self._too_late(companions) | (self._not_fitting(tracker, settled, asked) if self.stay else {})
        why: dict[bytes, str] = {}
        self.texts = 0
        for found in settled:
            if found in late:
                why[found.path] = late[found]
            elif _is_sheet(found):
                if found.path.lower().endswith(TEXT_ENDING) and not self._is_chart.get(found, False):
                    self.texts += self._is_chart.get(found) is False
                elif known and found not in named and not self._is_own(companions, found, "chart"):
                    why[found.path] = "no sidecar names this chart, and no vocal has its name"
            elif _is_reference(found):
                if known and found not in named and not self._is_own(companions, found, "reference"):
                    why[found.path] = (
                        "it is no vocal, because its name says 'like'; no sidecar names it, and no vocal has "
                        "its name"
                    )
            elif not companions.is_for_folder(found) and not companions.owners(found):
                why[found.path] = self._without_vocal(found) if len(why) < MAX_WORDED else _NO_VOCAL
        self.why = why

    def overdue(self, tracker: Tracker, now_s: float, patience_s: float) -> list[str]:
        """A sentence about each unused companion that is older than ``patience_s``, once."""
        self._told &= self.why.keys()
        found = [
            path for path in self.why if path not in self._told and tracker.age_s(path, now_s) >= patience_s
        ]
        self._told.update(found)
        return [f"{shown(path)} is not used: {self.why[path]}" for path in found]

    def _read(self, settled: Iterable[FoundFile]) -> bool:
        """Read what is new, a few files at a time; whether all sidecars are known."""
        settled = list(settled)
        here = set(settled)
        self._named = {found: named for found, named in self._named.items() if found in here}
        self._is_chart = {found: is_one for found, is_one in self._is_chart.items() if found in here}
        left = MAX_READ
        for found in settled:
            if left == 0:
                return False
            if _is_sheet(found):
                if found.path.lower().endswith(TEXT_ENDING) and found not in self._is_chart:
                    self._is_chart[found], left = self._looks_like_chart(found), left - 1
            elif not found.path.lower().endswith((DONE_ENDING, *LIKE_ENDINGS)) and found not in self._named:
                self._named[found], left = named_files(self._inbox, found), left - 1
        return True

    def _looks_like_chart(self, found: FoundFile) -> bool:
        try:
            return is_chart(start_of(self._inbox, found))
        except OSError:
            return False

    def _named_files(self, companions: Companions) -> set[FoundFile]:
        """Charts and references that some sidecar names."""
        paths = {path for named in self._named.values() for path in named if path is not None}
        return {found for path in paths for found in companions.named(path)}

    def _is_own(self, companions: Companions, found: FoundFile, kind: Literal["chart", "reference"]) -> bool:
        """Whether a vocal has the name of a chart or reference, and no sidecar that names another one."""
        for owner in companions.owners(found):
            settings = [claim.file for claim in companions.of(owner) if claim.kind == "settings"]
            if all(getattr(self._named.get(file, Named()), kind) is None for file in settings):
                return True
        return False

    def _too_late(self, companions: Companions) -> dict[FoundFile, str]:
        """Companions of vocals that are at work or done without them."""
        late = {}
        for job in self._journal.in_state("working", "published"):
            if (files := applied(self._journal, job.id)) is not None:
                for found in companions.too_late(job.relpath, files):
                    late[found] = (
                        f"it came after {job.shown} was taken; once that is in the archive, move it back "
                        "here to render it with this file"
                    )
        return {found: why for found, why in late.items() if self._is_chart.get(found, True)}

    def _not_fitting(
        self, tracker: Tracker, settled: Iterable[FoundFile], asked: Callable[[bytes], str | None]
    ) -> dict[FoundFile, str]:
        """Companions of rendered vocals that are still here and were rendered with other settings."""
        fits, late = {}, {}
        for found in settled:
            for owner in tracker.companions.owners(found):
                vocal = tracker.found(owner)
                if vocal is None or found.path.lower().endswith(DONE_ENDING):
                    continue
                job = self._journal.by_found(vocal)
                if job is None or job.state != "done":
                    continue
                fit = self._fits.get((found, vocal))
                try:
                    fits[found, vocal] = asked(owner) in (None, job.settings) if fit is None else fit
                except NotReady:
                    continue
                if not fits[found, vocal]:
                    late[found] = f"{job.shown} was rendered without it; drop {job.shown} again to use it"
        self._fits = fits
        return {found: why for found, why in late.items() if self._is_chart.get(found, True)}

    def _without_vocal(self, found: FoundFile) -> str:
        rendered = self._journal.last_done(_base(found.path))
        if rendered is None:
            return _NO_VOCAL
        name = shown(rendered.relpath.rpartition(b"/")[2])
        return f"{name} was rendered without it; move {name} back here from the archive to render it with it"


_NO_VOCAL = "no vocal of this name is here"


def _is_sheet(found: FoundFile) -> bool:
    """Whether it is a chart or another text, by its ending."""
    lower = found.path.lower()
    return lower.endswith(CHART_ENDINGS) and not lower.endswith(b".toml.txt")


def _is_reference(found: FoundFile) -> bool:
    return found.path.lower().endswith(LIKE_ENDINGS)


def _base(path: bytes) -> bytes:
    """The path in front of the ending of a sidecar or done marker."""
    for ending in (b".txt", b".toml", DONE_ENDING):
        path = path[: -len(ending)] if path.lower().endswith(ending) else path
    return path
