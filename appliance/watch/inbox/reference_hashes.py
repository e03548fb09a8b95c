"""Hashes of references, made in short steps: a reference may be a long recording.

The hash is what a job asks for, so that a reference that has changed makes another job, and the same one does
not.
"""

from __future__ import annotations

from pathlib import Path

from appliance.errors import InputError
from appliance.watch.disk.found import FoundFile
from appliance.watch.disk.hashing import Changed, Hasher
from appliance.watch.inbox.stillness import stillness, wait_s
from appliance.watch.settings.config import IntakeSettings


class ReferenceHashes:
    """The hashes of settled references. ``inbox`` and ``intake`` may be replaced."""

    def __init__(self, inbox: Path, intake: IntakeSettings) -> None:
        self.inbox, self.intake = inbox, intake
        self._known: dict[FoundFile, str] = {}
        self._why: dict[FoundFile, str | InputError] = {}
        self._wanted: dict[FoundFile, float] = {}
        """Those to be hashed, each with its age in seconds."""
        self._hasher: Hasher | None = None

    @property
    def pending(self) -> bool:
        """Whether :meth:`step` has work."""
        return self._hasher is not None or bool(self._wanted)

    def known(self, reference: FoundFile, age_s: float) -> str | None:
        """The hash in hex; None if it is not known yet: then it will be made, and :meth:`why_not` says why.

        ``age_s`` tells for how long the file has not changed.

        Raises:
            InputError: the service may not read it.
        """
        digest = self._known.get(reference)
        if digest is None:
            if isinstance(error := self._why.get(reference), InputError):
                del self._why[reference]  # it is tried again when it is asked for again
                raise error
            if self._hasher is None or self._hasher.found != reference:
                self._wanted[reference] = age_s
        return digest

    def why_not(self, reference: FoundFile) -> str:
        """Why the hash is not known yet."""
        return str(self._why.get(reference, "it is being read"))

    def keep(self, there: frozenset[FoundFile]) -> None:
        """Forget all files that are not ``there`` any more."""
        self._known = {found: digest for found, digest in self._known.items() if found in there}
        self._why = {found: why for found, why in self._why.items() if found in there}

    def step(self) -> None:
        """Read a slice of a file. Errors of reading are kept for :meth:`known` and :meth:`why_not`."""
        found = self._hasher.found if self._hasher is not None else next(iter(self._wanted))
        try:
            self._step(found)
        except (Changed, FileNotFoundError, NotADirectoryError):
            self._stop(found, "it has just changed")
        except PermissionError:
            self._stop(
                found, InputError(f"{found.shown}: the service may not read it; change its permissions.")
            )
        except OSError as error:
            self._stop(found, f"it cannot be read: {error.strerror}")

    def _step(self, found: FoundFile) -> None:
        if self._hasher is None:
            age_s = self._wanted.pop(found)
            self._hasher = Hasher(self.inbox, found)
            what = stillness(self._hasher.descriptor, found)
            if age_s < wait_s(what, self.intake):
                self._stop(found, what.value)
        elif (digest := self._hasher.step()) is not None:
            self._stop(found)
            self._known[found] = digest

    def _stop(self, found: FoundFile, why: str | InputError = "") -> None:
        self._wanted.pop(found, None)
        if self._hasher is not None:
            self._hasher.close()
            self._hasher = None
        self._why.pop(found, None)
        if why:
            self._why[found] = why
