"""What is asked for a vocal now: its sidecars, charts and references as they lie in the inbox."""

from __future__ import annotations

from appliance.errors import InputError
from appliance.watch.disk.found import FoundFile
from appliance.watch.inbox.reference_hashes import ReferenceHashes
from appliance.watch.inbox.settling import Tracker
from appliance.watch.inbox.sidecar import Asked, Missing, read_asked
from appliance.watch.settings.config import Config


class Asking:
    """Reads what is asked for vocals in the scan that ``tracker`` has seen last."""

    def __init__(self, config: Config, tracker: Tracker) -> None:
        self._config, self._tracker = config, tracker
        self.references = ReferenceHashes(config.folders.inbox, config.intake)

    def reconfigure(self, config: Config) -> None:
        """Apply new settings."""
        self._config = config
        self.references.inbox, self.references.intake = config.folders.inbox, config.intake

    def scanned(self) -> None:
        """Forget references that are gone or have changed."""
        self.references.keep(frozenset(self._tracker.companions.references))

    def read(self, vocal: FoundFile, now_s: float) -> Asked | InputError:
        """What is asked for a vocal, or the error in a companion. Raises NotReady and OSError."""
        try:
            return self._read(vocal.path, now_s)
        except InputError as error:
            return error
        except Missing as why:
            if self._tracker.age_s(vocal.path, now_s) < self._config.intake.patience_s:
                raise
            return InputError(f"{why}; drop it again together with the vocal.")

    def now(self, vocal: bytes, now_s: float) -> str | None:
        """Canonical JSON of what is asked for the vocal; None if it is invalid. Raises NotReady."""
        try:
            return self._read(vocal, now_s).wishes.to_json()
        except (InputError, OSError):
            return None

    def _read(self, vocal: bytes, now_s: float) -> Asked:
        config = self._config
        return read_asked(config.folders.inbox, vocal, self._tracker, now_s, config.work, self.references)
