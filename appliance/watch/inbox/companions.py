"""Companions: the files beside a vocal that belong to it and move with it.

A companion is found by its name: that of the vocal, with or without its ending, and its own ending behind.
Where no vocal has exactly that name, one whose name differs only in case or in the composition of its accents
is meant (Windows and macOS rename in such ways), unless several could be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Literal, NamedTuple

from appliance.watch.disk.found import FoundFile
from appliance.watch.disk.names import folded
from appliance.watch.inbox.reference_names import LIKE_ENDINGS
from appliance.watch.inbox.scan import (
    CHART_ENDINGS,
    DONE_ENDING,
    RICH_SETTINGS_ENDINGS,
    SETTINGS_ENDING,
    SETTINGS_NAME,
    Scan,
)

Kind = Literal["settings", "rich", "done", "chart", "like"]

_SETTINGS_ENDINGS = (SETTINGS_ENDING + b".txt", SETTINGS_ENDING * 2, SETTINGS_ENDING)
"""Editors that hide endings add one of their own; the longest first."""

_ENDINGS: tuple[tuple[Kind, tuple[bytes, ...]], ...] = (
    ("settings", _SETTINGS_ENDINGS),
    ("rich", RICH_SETTINGS_ENDINGS),
    ("done", (DONE_ENDING,)),
    ("chart", CHART_ENDINGS),
    ("like", LIKE_ENDINGS),
)

Key = tuple[bytes, str]
"""A folder, and a name in it regardless of case and accents."""


class Claim(NamedTuple):
    """A companion of a vocal."""

    file: FoundFile
    kind: Kind
    others: tuple[bytes, ...] = ()
    """Other vocals that have it too."""
    rivals: tuple[bytes, ...] = ()
    """Those of them that have another name, so that it is not clear which one is meant."""
    doubtful: bool = False
    """Whether it had rivals in an earlier scan and its name is still not exactly that of the vocal."""


class Companions:
    """The companions in one scan.

    ``doubtful`` are those that had rivals in an earlier scan. ``leaving`` are vocals that are just being
    moved: their companions are theirs until they have followed.
    """

    def __init__(
        self, scan: Scan, doubtful: Collection[FoundFile] = (), leaving: Collection[bytes] = ()
    ) -> None:
        self._doubtful = frozenset(doubtful)
        self._vocals: dict[Key, list[bytes]] = defaultdict(list)
        self._by_base: dict[Key, list[tuple[FoundFile, Kind, bytes]]] = defaultdict(list)
        self._by_name: dict[Key, list[FoundFile]] = defaultdict(list)
        self._folder_settings: dict[bytes, list[Claim]] = defaultdict(list)
        self.all = scan.companions
        self.references = [
            *scan.midi,
            *(found for found in scan.companions if found.path.lower().endswith(LIKE_ENDINGS)),
        ]
        for path in dict.fromkeys([*(found.path for found in scan.found), *leaving]):
            for key in _keys(path):
                self._vocals[key].append(path)
        for found in scan.midi:
            above, name = _split(found.path)
            self._by_name[above, folded(name)].append(found)
        for found in scan.companions:
            above, name = _split(found.path)
            self._by_name[above, folded(name)].append(found)
            if (parsed := _parsed(name)) is None:
                continue
            kind, base = parsed
            if kind in ("settings", "rich") and self._is_for_folder(above, name, base):
                self._folder_settings[above].append(Claim(found, kind))
            else:
                self._by_base[above, folded(base)].append((found, kind, base))

    def of(self, vocal: bytes) -> list[Claim]:
        """The companions of the vocal ``vocal``, which need not be in the scan any more."""
        above, _ = _split(vocal)
        claims = []
        for key in _keys(vocal):
            for found, kind, base in self._by_base.get(key, ()):
                owners = self._owners(above, base, vocal)
                if vocal not in owners:
                    continue
                others = tuple(owner for owner in owners if owner != vocal)
                rivals = tuple(other for other in others if stem_of(other) != stem_of(vocal))
                doubtful = found in self._doubtful and base not in _names(vocal)
                claims.append(Claim(found, kind, others, rivals if kind != "done" else (), doubtful))
        return claims

    def owners(self, companion: FoundFile) -> list[bytes]:
        """The vocals in the scan that have ``companion``; a folder's settings have none."""
        above, name = _split(companion.path)
        parsed = _parsed(name)
        return [] if parsed is None else self._owners(above, parsed[1])

    def is_for_folder(self, companion: FoundFile) -> bool:
        """Whether ``companion`` has settings for all vocals of its folder."""
        above, _ = _split(companion.path)
        return any(claim.file == companion for claim in self._folder_settings.get(above, ()))

    def folder_settings(self, folder: bytes) -> list[Claim]:
        """Settings for all vocals of ``folder`` (empty, or ending with a slash)."""
        return self._folder_settings.get(folder, [])

    def named(self, path: bytes) -> list[FoundFile]:
        """The companions that ``path`` may mean: the one of exactly this name, or all of similar names."""
        above, name = _split(path)
        similar = self._by_name.get((above, folded(name)), [])
        return [found for found in similar if found.path == path] or similar

    def with_rivals(self) -> set[FoundFile]:
        """Companions of which it is not clear, or was not, which vocal they are meant for."""
        unclear = {found for found in self.all if found in self._doubtful}
        for (above, _), entries in self._by_base.items():
            for found, kind, base in entries:
                if kind != "done" and len({stem_of(owner) for owner in self._owners(above, base)}) > 1:
                    unclear.add(found)
        return unclear

    def moving_with(
        self,
        vocal: bytes,
        applied: Collection[FoundFile] | None = None,
        is_there: Callable[[bytes], bool] = lambda _: True,
    ) -> tuple[bytes, ...]:
        """Paths of the companions that go where ``vocal`` goes.

        A companion that another vocal needs stays, as long as ``is_there`` says so of that vocal's path. With
        ``applied`` also settings, charts and references stay that are not among those files: they came too
        late.
        """
        kept = None if applied is None else {_identity(found) for found in applied}
        moving = []
        for claim in self.of(vocal):
            if claim.doubtful or any(map(is_there, claim.others)):
                continue
            if claim.kind == "done" or kept is None or _identity(claim.file) in kept:
                moving.append(claim.file.path)
        return tuple(moving)

    def too_late(self, vocal: bytes, applied: Collection[FoundFile]) -> list[FoundFile]:
        """Companions of ``vocal`` that are not as they are now among ``applied``, but for done markers."""
        kept = {_identity(found) for found in applied}
        return [
            claim.file
            for claim in self.of(vocal)
            if claim.kind != "done" and _identity(claim.file) not in kept
        ]

    def _owners(self, above: bytes, base: bytes, vocal: bytes | None = None) -> list[bytes]:
        """Vocals that a companion of the name ``base`` may be meant for."""
        similar = list(self._vocals.get((above, folded(base)), ()))
        if vocal is not None and vocal not in similar:
            similar.append(vocal)
        exact = [path for path in similar if base in _names(path)]
        return list(dict.fromkeys(exact or similar))

    def _is_for_folder(self, above: bytes, name: bytes, base: bytes) -> bool:
        if folded(base) != folded(SETTINGS_NAME[: -len(SETTINGS_ENDING)]):
            return False
        exact = any(base in _names(path) for path in self._vocals.get((above, folded(base)), ()))
        return not exact or _with_lower_ending(name) == SETTINGS_NAME


def stem_of(path: bytes) -> bytes:
    """The path of a vocal without its ending: ``a/song`` for ``a/song.wav``."""
    above, name = _split(path)
    return above + name[: name.rindex(b".")] if b"." in name[1:] else path


def _names(path: bytes) -> tuple[bytes, bytes]:
    """The name of a vocal with and without its ending."""
    return _split(path)[1], _split(stem_of(path))[1]


def _keys(path: bytes) -> Iterable[Key]:
    above, _ = _split(path)
    return dict.fromkeys((above, folded(name)) for name in _names(path))


def _parsed(name: bytes) -> tuple[Kind, bytes] | None:
    """What kind of companion a file of this name is, and the name in front of its ending."""
    lower = name.lower()
    for kind, endings in _ENDINGS:
        for ending in endings:
            if lower.endswith(ending) and len(name) > len(ending):
                return kind, name[: -len(ending)]
    return None


def _split(path: bytes) -> tuple[bytes, bytes]:
    """The folder of a path, empty or ending with a slash, and the name."""
    cut = path.rfind(b"/") + 1
    return path[:cut], path[cut:]


def _with_lower_ending(name: bytes) -> bytes:
    dot = name.rfind(b".")
    return name[:dot] + name[dot:].lower()


def _identity(found: FoundFile) -> tuple[object, ...]:
    """Which file it is, in which state: without the device, which changes when a share is mounted again, and
    the ctime, which changes with the permissions."""
    return found.path, found.inode, found.size, found.mtime_ns
