"""The sentinel: created only where no mistake is possible, or when the administrator confirms the inbox."""

from __future__ import annotations

from appliance.watch.inbox.sentinel import ensure_sentinel
from appliance.watch.journal.journal import Journal
from appliance.watch.settings.config import Config


def test_sentinel_rules(watched: Config) -> None:
    inbox, sentinel = watched.folders.inbox, watched.folders.inbox / ".backline"
    sentinel.unlink()
    with Journal(watched.folders.state) as journal:
        (inbox / "old.wav").touch()
        assert "is not empty and has no" in ensure_sentinel(inbox, watched.intake, journal)
        (inbox / "old.wav").unlink()
        assert ensure_sentinel(inbox, watched.intake, journal) == "" and sentinel.is_file()
        sentinel.unlink()  # an empty folder that had one: an unmounted share
        assert "seems to be gone" in ensure_sentinel(inbox, watched.intake, journal)
        assert not sentinel.exists()
        assert ensure_sentinel(inbox, watched.intake, journal, adopt=True) == "" and sentinel.is_file()
        assert "cannot be used" in ensure_sentinel(inbox / "none", watched.intake, journal, adopt=True)
