"""Files and folders in the inbox that are no vocals: unfinished copies, and what music software leaves.

Nothing here is opened. An ending counts only if no program gives it to a recording: whatever else is no
recording is rejected with a reason, as somebody may have meant it to be rendered.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

HIDDEN_FILES = (
    ".*",  # hidden files, such as .DS_Store, ._resource forks, .nfs* and temporary names of rsync
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "*.smbdelete*"),
)
"""Patterns of files that are ignored and not counted."""

HIDDEN_FOLDERS = (
    *(".*", "*~", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information"),
    *("lost+found", "network trash folder", "temporary items"),
)

UNFINISHED_FILES = (
    # browsers, download managers
    *("*.part", "*.partial", "*.crdownload", "*.download", "*.opdownload", "*.incomplete", "*.unfinished"),
    *("*.aria2", "*.fdmdownload", "*.getright", "*.!st", "*.xltd", "*.td", "*.lftp-pget-status"),
    # torrents and synchronisation
    *("*.!sync", "*.bts", "*.!qb", "*.!ut", "*.!bt", "*.bc!", "*.jc!", "*.dctmp", "*.mega", "*.gstmp"),
    # uploads
    *("*.filepart", "*.ftpartial", "*.uploading", "*.upload", "*.dtapart"),
    # editors; the longest is macOS's safe save
    *("*.tmp", "*.temp", "*~", "~$*", "~*.tmp", "*.swp", "*.sb-????????-??????"),
)
"""Patterns of the temporary names of files that are still being written."""

UNFINISHED_FOLDERS = (
    *("*.download", "*.fdmdownload", "*.incomplete", "*.uploading", "*.!sync", "*.!qb"),
    "*.sb-????????-??????",
)

UNFINISHED_MARKS = (b".aria2", b".!st", b".lftp-pget-status")
"""``NAME.wav.aria2`` says that ``NAME.wav`` beside it is not complete, whatever its name and size."""

_KINDS = {
    # projects, peaks and overviews of audio editors; notes and notation
    "project": """
        reapeaks rpp rpp-bak rpp-undo rtracktemplate asd als alc alp adg adv amxd agr cpr csh npr peak peaks
        ptx ptf pts logicx logic flp bwproject bwclip cwp cwb wrk omf aaf aup aup3 aup3-wal aup3-shm ardour
        dawproject tracktionedit mmp mmpz rns ses sesx pkf pek cfa sfk sfl sfap0 ovw gpk vip hdp h0 h1 h2 mpd
        fxp fxb vstpreset aupreset nki nkm svp ust ustx vsq vsqx vpr mid midi musicxml mxl mscz mscx sib
        gp gp3 gp4 gp5 gpx ptb edl
    """,
    "picture": "jpg jpeg jpe png gif bmp tif tiff webp heic heif avif svg psd xcf ico",
    "document": """
        md rtf pdf doc docx odt pages ppt pptx odp xls xlsx ods csv tsv html htm xml json yaml yml tex epub
        nfo log url webloc lnk lrc srt vtt cue m3u m3u8 pls xspf sfv md5 sha1 sha256 ini
    """,
}
_KIND_OF = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}

_PROJECT_FOLDERS = ("*.logicx", "*.band")
"""Folders that macOS shows as one file: a project with recordings of its own."""

LEFT_KINDS = ("unfinished", *_KINDS)
"""What files are counted as that are left where they are."""


class Matcher:
    """Matches names with one of the patterns, ignoring case."""

    def __init__(self, patterns: Iterable[str]) -> None:
        # Names may contain newlines and invalid UTF-8; in translate()'s patterns * and ? match both.
        self._pattern = re.compile("|".join(fnmatch.translate(p.lower()) for p in patterns))

    def __call__(self, name: str) -> bool:
        return self._pattern.match(name.lower()) is not None


_is_unfinished = Matcher(UNFINISHED_FILES)
_is_unfinished_folder = Matcher(UNFINISHED_FOLDERS)
_is_project_folder = Matcher(_PROJECT_FOLDERS)


def kind_of_file(name: str) -> str:
    """Which of :data:`LEFT_KINDS` a file of this name is; '' for one that may be a vocal.

    >>> kind_of_file("Song.wav.reapeaks"), kind_of_file("song.wav.PART"), kind_of_file("song.wav")
    ('project', 'unfinished', '')
    """
    if _is_unfinished(name):
        return "unfinished"
    stem, dot, ending = name.rpartition(".")
    return _KIND_OF.get(ending.lower(), "") if stem and dot else ""


def kind_of_folder(name: str) -> str:
    """Which of :data:`LEFT_KINDS` a folder of this name is; '' for one that is scanned."""
    if _is_unfinished_folder(name):
        return "unfinished"
    return "project" if _is_project_folder(name) else ""


def marked_unfinished(name: bytes) -> bytes:
    """The file that a file of this name marks as unfinished: ``a.wav`` for ``a.wav.aria2``, else ''."""
    lower = name.lower()
    return next((name[: -len(mark)] for mark in UNFINISHED_MARKS if lower.endswith(mark)), b"")
