"""A pack made ready to render: verified, its graphs compiled as the profile for this processor says."""

from __future__ import annotations

from pathlib import Path

from appliance.networks.graphs import Graphs
from appliance.packs.pack import Pack, load_pack
from appliance.playing.soundfont_band import SoundFont
from appliance.system.malloc import configure_malloc
from appliance.tuning.profile import Profile
from appliance.tuning.profile_key import key_of
from appliance.tuning.store import read_profile


class Engine:
    """A pack made ready: graphs compiled, soundfont loaded. Serves any number of requests.

    ``threads`` of the networks are as many as the processor has, unless several engines share it.
    ``cache`` is a folder for compiled graphs, ``profiles`` one for what was measured on this processor
    (``backline tune``); ``profile_trouble`` says what is wrong with a profile that cannot be used. Without
    ``wait`` the graphs still compile when the constructor returns, while a first request is already read.

    Raises:
        PackError: the pack is missing, altered, or does not work here.
    """

    def __init__(
        self,
        folder: Path,
        threads: int | None = None,
        cache: Path | None = None,
        wait: bool = True,
        profiles: Path | None = None,
    ) -> None:
        configure_malloc()
        self.pack: Pack = load_pack(folder)
        self._threads, self._cache = threads, cache
        self.profile, self.profile_trouble = (
            read_profile(profiles, key_of(self.pack, threads)) if profiles else (None, "")
        )
        self.graphs = self._followed(self.profile)
        self.soundfont = SoundFont(self.pack.soundfont_path)
        if wait:
            self.graphs.ready()

    def follow(self, profile: Profile) -> None:
        """Computes by ``profile`` from the next request on. Raises PackError; then nothing has changed."""
        if any(self.graphs.setting(name) != setting for name, setting in profile.settings.items()):
            graphs = self._followed(profile)
            graphs.ready()
            self.graphs.close()
            self.graphs = graphs
        self.profile = profile

    def close(self) -> None:
        """Begins nothing more: what an abandoned request would have needed is not compiled."""
        self.graphs.close()

    def _followed(self, profile: Profile | None) -> Graphs:
        return Graphs(self.pack, self._threads, self._cache, profile.settings if profile else None)
