"""A loaded pack: verified, its graphs compiled with the settings of this CPU's profile."""

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
    """A loaded pack with compiled graphs and its soundfont. It can render any number of jobs.

    ``threads`` limits the CPU threads of the networks, by default one per core. ``cache`` is the folder for
    compiled graphs, ``profiles`` that of profiles (``backline tune``). ``profile_trouble`` is a sentence on
    a profile that cannot be used. With ``wait`` False the constructor returns while the graphs still compile,
    so that the first vocal can be read meanwhile.

    Raises:
        PackError: the pack is missing or altered, or its graphs do not compile on this CPU.
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
        self.graphs = self._compile(self.profile)
        self.soundfont = SoundFont(self.pack.soundfont_path)
        if wait:
            self.graphs.ready()

    def follow(self, profile: Profile) -> None:
        """Use ``profile`` from the next job on. If it raises PackError, nothing has changed."""
        if any(self.graphs.setting(name) != setting for name, setting in profile.settings.items()):
            graphs = self._compile(profile)
            graphs.ready()
            self.graphs.close()
            self.graphs = graphs
        self.profile = profile

    def close(self) -> None:
        """Cancel the compilation of graphs that are not needed any more."""
        self.graphs.close()

    def _compile(self, profile: Profile | None) -> Graphs:
        return Graphs(self.pack, self._threads, self._cache, profile.settings if profile else None)
